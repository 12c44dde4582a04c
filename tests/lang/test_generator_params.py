"""GeneratorParams of each kind, generators' names, and aliases."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x = hl.Var("x")


@hl.alias(test_params_negative={"whole": -7, "text": "low"}, test_params_wide={"kind": hl.Int(64)})
@hl.generator("test_params")
class Params:
    truth = hl.GeneratorParam(True)
    whole = hl.GeneratorParam(7)
    real = hl.GeneratorParam(0.5)
    text = hl.GeneratorParam("none")
    kind = hl.GeneratorParam(hl.UInt(8))

    out = hl.OutputBuffer(hl.Int(64), 1)

    def generate(self):
        self.out[x] = hl.i64(hl.cast(self.kind, self.whole))


def value(param, given):
    made = Params({param: given})
    made._get_arginfos()
    return getattr(made, param)


@pytest.mark.parametrize(
    ("param", "given", "read"),
    [
        ("truth", "false", False), ("truth", "False", False), ("truth", "1", True), ("truth", 0, False),
        ("whole", "-3", -3), ("whole", 4.0, 4), ("whole", np.int16(9), 9), ("whole", True, 1),
        ("real", "1e-3", 1e-3), ("real", 2, 2.0), ("real", np.float32(0.25), 0.25),
        ("text", "a=b", "a=b"), ("text", 12, "12"),
        ("kind", "int64", hl.Int(64)), ("kind", hl.Float(16), hl.Float(16)), ("kind", "bfloat16", hl.BFloat(16)),
        ("kind", "uint8,float32", [hl.UInt(8), hl.Float(32)]), ("kind", bool, hl.Bool()),
    ],
)  # fmt: skip
def test_a_value_is_read_as_the_default_is(param, given, read):
    found = value(param, given)
    assert found == read and type(found) is type(read)


@pytest.mark.parametrize(
    ("param", "given"),
    [
        ("truth", "maybe"), ("truth", 0.5), ("whole", "3.5"), ("whole", 3.5), ("whole", [3]), ("whole", float("nan")),
        ("real", "much"), ("real", None), ("kind", "int7"), ("kind", ""), ("kind", 8), ("kind", None),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(param, given):
    with pytest.raises(hl.DefinitionError, match=f"the GeneratorParam {param} cannot be") as refused:
        value(param, given)
    assert refused.value.accepted


def test_defaults_are_of_five_kinds():
    for wrong in (None, [1], {}, hl.Expr(3), b"bytes"):
        with pytest.raises(hl.DefinitionError, match="has unsupported type"):
            hl.GeneratorParam(wrong)


def test_the_target_is_no_parameter():
    with pytest.raises(hl.DefinitionError, match="The GeneratorParam named target cannot be set"):
        Params({"target": "host"})


def test_an_alias_has_other_values():
    target = hl.get_jit_target_from_environment()
    out = np.zeros(3, np.int64)
    for name, given, expected in (
        ("test_params", {}, 7),
        ("test_params_negative", {}, 249),
        ("test_params_negative", {"whole": 5}, 5),
        ("test_params_wide", {"whole": -5}, -5),
    ):
        hl.create_callable_from_generator(target, name, given)(out)
        assert list(out) == [expected] * 3
    assert Params._alias_params == {}


def test_names_and_aliases_are_checked():
    with pytest.raises(hl.DefinitionError, match="The Generator name test_params is already in use"):
        hl.generator("test_params")(type("Again", (), {}))
    with pytest.raises(hl.DefinitionError, match="The Generator name test_params is already in use"):
        hl.alias(test_params={})(Params)
    with pytest.raises(hl.DefinitionError, match="specifies something other than a dict"):
        hl.alias(test_params_other=3)(Params)
    with pytest.raises(hl.DefinitionError, match="only be used in conjunction with @generator"):
        hl.alias(test_params_other={})(type("Plain", (), {}))
    with pytest.raises(hl.DefinitionError, match="can only be used on classes"):
        hl.generator("test_params_function")(lambda: None)
    with pytest.raises(hl.DefinitionError, match="no name of a generator"):
        hl.generator(Params)


def test_a_generator_keeps_what_its_class_says():
    assert Params.__name__ == "Params" and Params.__module__ == __name__ and issubclass(Params, hl.Generator)
    unnamed = hl.generator()(type("UnnamedHere", (), {"out": hl.OutputScalar(int)}))
    assert unnamed._registered_name == f"{__name__}.UnnamedHere"
