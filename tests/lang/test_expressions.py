"""Handles of expressions: operators, literals, refusals."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.ir import expr as nodes

x, y = hl.vars("x y")
u8, i8, u16, f32 = hl.u8(x), hl.i8(x), hl.u16(x), hl.f32(x)
flag = x < 3


def text(e: hl.Expr) -> str:
    return str(e.node)


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (u8 + 3, "(uint8(x) + (uint8)3)"),
        (3 - u8, "((uint8)3 - uint8(x))"),
        (u8 * u16, "(uint16(uint8(x))*uint16(x))"),
        (u8 + i8, "(int8(uint8(x)) + int8(x))"),
        (u8 / 2.0, "(float32(uint8(x))/2.000000f)"),
        (x // 2, "(x/2)"),
        (f32 // 2, "floor((float32(x)/2.000000f))"),
        (2**x, "pow(2.000000f, float32(x))"),
        (x**3, "((x*x)*x)"),
        (-u8, "((uint8)0 - uint8(x))"),
        (~flag, "!(x < 3)"),
        (flag & (x == y), "((x < 3) && (x == y))"),
        (flag | True, "((x < 3) || (bool)1)"),
        (hl.Expr(3) + 4, "(3 + 4)"),
        (hl.cast(hl.UInt(8), 300), "(uint8)44"),
        (hl.clamp(u8, 0, 10), "max(min(uint8(x), (uint8)10), (uint8)0)"),
        (hl.min(x, 3, y), "min(x, min(3, y))"),
        (hl.abs(i8), "abs(int8(x))"),
        (hl.abs(u8), "uint8(x)"),
        (hl.select(flag, 1, u8), "select((x < 3), (uint8)1, uint8(x))"),
    ],
)
def test_operators_build_what_is_written(e: hl.Expr, expected: str) -> None:
    assert text(e) == expected


def test_equal_expressions_are_one_node() -> None:
    assert (x + 1).node is (hl.Var("x") + 1).node


@pytest.mark.parametrize("number", [np.uint8(3), np.int64(3), 3])
def test_numpy_integers_are_integers_on_either_side(number: Any) -> None:
    assert text(u8 + number) == "(uint8(x) + (uint8)3)"
    assert text(number + u8) == "((uint8)3 + uint8(x))"


def test_numpy_floats_are_float32_literals() -> None:
    assert text(np.float32(0.5) * x) == "(0.500000f*float32(x))"
    assert text(x * np.float64(0.5)) == "(float32(x)*0.500000f)"


def test_wide_integers_make_the_result_int64() -> None:
    assert (x + 2**40).type() == hl.Int(64)
    assert hl.Expr(2**40).type() == hl.Int(64)
    with pytest.raises(hl.HalideError, match="does not fit int64"):
        x + 2**63
    assert hl.u64(2**64 - 1).node is nodes.const(2**64 - 1, hl.UInt(64).dtype)


def test_a_float_that_float32_lacks_warns_once_at_the_users_line() -> None:
    with pytest.warns(RuntimeWarning, match=r"0\.1 is taken as a float32") as caught:
        e = x + 0.1
    assert e.type() == hl.Float(32)
    assert [w.filename.endswith("test_expressions.py") for w in caught] == [True]


def test_explicit_floats_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (x + hl.f32(0.1)).type() == hl.Float(32)
        assert hl.f64(0.1).node is nodes.const(0.1, hl.Float(64).dtype)
        assert (x + 0.5).type() == hl.Float(32)


def refusal(action: Callable[[], object]) -> hl.HalideError:
    with pytest.raises(hl.HalideError) as refused:
        action()
    assert "test_expressions.py:" in str(refused.value), "it names the user's line"
    return refused.value


@pytest.mark.parametrize(
    ("action", "summary", "accepted"),
    [
        (
            lambda: u8 + 300,
            "the integer 300 does not fit uint8, the type of the other operand",
            "integers in [0, 255], or an explicit cast of the other operand",
        ),
        (
            lambda: hl.cast(hl.Float(16), x) + 2049,
            "the integer 2049 does not fit float16, the type of the other operand",
            "hl.cast(hl.Float(16), 2049), if rounding is meant",
        ),
        (
            lambda: u8 & i8,
            "& of a signed and an unsigned operand: `uint8(x)` of type uint8 and `int8(x)` of type int8",
            "both signed or both unsigned; convert one with hl.cast",
        ),
        (lambda: ~f32, "operand of ~ is `float32(x)` of type float32", "integers and booleans"),
        (lambda: f32 << 1, "operand of a shift is `float32(x)` of type float32", "integers and booleans"),
        (
            lambda: u8.logical_not(),
            "logical not of `uint8(x)` of type uint8",
            "a boolean; ~ flips the bits of an integer",
        ),
        (
            lambda: hl.select(flag, u8, u16),
            "the values of a select differ in type: `uint8(x)` of type uint8 and `uint16(x)` of type uint16",
            "one type; convert with hl.cast",
        ),
        (lambda: hl.select(u8, 1, 2), "the condition of a select is `uint8(x)` of type uint8", "a boolean: e != 0"),
        (
            lambda: hl.clamp(u8, 0, 256),
            "hl.clamp: the bound `256` of type int32 does not fit `uint8(x)` of type uint8",
            "bounds of type uint8 or a narrower one; convert with hl.cast",
        ),
        (lambda: hl.is_nan(u8), "hl.is_nan of `uint8(x)` of type uint8", "floats"),
        (lambda: hl.min(x), "hl.min of 1 values", "two or more values"),
        (lambda: hl.sqrt("x"), "'x' of type str is not an expression", None),
        (lambda: hl.Expr() + 1, "an undefined Expr, hl.Expr(), is used", None),
    ],
)
def test_a_refusal_names_operands_types_and_what_would_do(
    action: Callable[[], object], summary: str, accepted: str | None
) -> None:
    error = refusal(action)
    assert error.summary == summary
    assert accepted is None or error.accepted == accepted


@pytest.mark.parametrize("value", [x, flag, x + 1, hl.RDom([(0, 3)]), hl.RDom([(0, 3)]).x])
@pytest.mark.parametrize(
    "use", [bool, operator.not_, lambda v: v and 1, lambda v: v or 1, lambda v: 1 if v else 2, lambda v: 0 < v < 3]
)
def test_expressions_have_no_truth_value(value: object, use: Callable[[object], object]) -> None:
    with pytest.raises(ValueError, match="cannot be converted to a bool") as refused:
        use(value)
    assert isinstance(refused.value, hl.HalideError) and isinstance(refused.value, TypeError)
    assert refused.value.accepted == (
        "`&`, `|`, `~` in place of `and`, `or`, `not`; hl.select(condition, a, b) in place of `if`"
    )


@pytest.mark.parametrize("other", [None, "a", [1], object(), np.zeros(3)])
def test_what_is_no_number_gets_pythons_own_error(other: object) -> None:
    with pytest.raises(TypeError, match=r"unsupported operand|__array_ufunc__"):
        x + other
    with pytest.raises(TypeError, match=r"unsupported operand|__array_ufunc__"):
        other - x


def test_expressions_are_not_hashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_undefined_expressions_say_so() -> None:
    assert not hl.Expr().defined()
    assert (x + 1).defined()
    assert repr(hl.Expr()) == "<undefined halopy.Expr>"


def test_expressions_show_type_and_text() -> None:
    assert repr(x + 1) == "<halopy.Expr of type int32: (x + 1)>"
    assert (repr(x), str(x)) == ("<halopy.Var 'x'>", "x")
    assert (repr(hl.UInt(8)), str(hl.Bool())) == ("<halopy.Type uint8>", "bool")


def test_ten_thousand_operations_build_show_and_bind() -> None:
    r = hl.RDom([(0, 9)])
    e = x + 0
    for _ in range(10_000):
        e = e + r
    assert repr(e).count("+") == 10_001
    assert text(hl.sum(e)) == "sum(x)"
    error = refusal(lambda: hl.logical_not(e))
    assert error.summary == "logical not of `<a long expression>` of type int32"


def test_vars_of_one_name_are_one() -> None:
    assert hl.Var("x").same_as(x)
    assert not hl.Var().same_as(hl.Var())
    assert [v.name() for v in hl.vars("a b")] == ["a", "b"]


@pytest.mark.parametrize(
    ("var", "implicit", "index", "placeholder"),
    [
        (hl._, True, 0, True),
        (hl._3, True, 3, False),
        (hl.Var.implicit(4), True, 4, False),
        (x, False, -1, False),
        (hl.Var("_a"), False, -1, False),
    ],
)
def test_implicit_vars_know_their_place(var: hl.Var, implicit: bool, index: int, placeholder: bool) -> None:
    assert (var.is_implicit(), var.implicit_index(), var.is_placeholder()) == (implicit, index, placeholder)


def test_types_compare_hash_and_tell_their_limits() -> None:
    assert hl.UInt(8) == hl.UInt(8) != hl.Int(8)
    assert hl.UInt(8) != "uint8"
    assert len({hl.UInt(8), hl.UInt(8), hl.Int(8)}) == 2
    assert text(hl.UInt(8).max()) == "(uint8)255"
    assert hl.Int(64).min().node is nodes.const(-(2**63), hl.Int(64).dtype)
    assert hl.Float(32).min().node is nodes.const(float("-inf"), hl.Float(32).dtype)
    assert hl.Int(8).is_min(-128) and hl.Int(8).is_max(127) and not hl.Float(32).is_max(0)
    assert hl.UInt(8).with_code(hl.TypeCode.Int).with_bits(16).with_lanes(4).element_of() == hl.Int(16)


def test_a_type_that_does_not_exist_is_refused() -> None:
    with pytest.raises(hl.HalideError, match=r"there is no type UInt\(9, 1\)"):
        hl.UInt(9)


def test_the_magnitude_of_what_is_never_negative_warns():
    x = hl.Var("x")
    with pytest.warns(UserWarning, match=r"hl.abs of `uint8\(x\)` of type uint8 has no effect"):
        assert hl.abs(hl.u8(x)).type() == hl.UInt(8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hl.abs(hl.i8(x)).type() == hl.UInt(8)
