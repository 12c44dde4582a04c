"""The type of every operator and function, or its refusal, is that of the Halide wheel."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import halopy as hl

halide = pytest.importorskip("halide")

Type = tuple[str, int]
TYPES: list[Type] = [(code, bits) for code in ("Int", "UInt") for bits in (8, 16, 32, 64)]
TYPES += [("UInt", 1), ("Float", 16), ("Float", 32), ("Float", 64), ("BFloat", 16)]
LITERALS = [0, 1, 2, -1, 31, 127, 128, 255, 256, -129, 65536, 2**24 + 1, 2**31, 2**40, 0.5, -1.5, True]

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
SHIFTS_AND_BITS = ["lshift", "rshift", "and_", "or_", "xor"]
COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne"]
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name)
    for name in [
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "lshift",
        "rshift",
        "and_",
        "or_",
        "xor",
        "lt",
        "le",
        "gt",
        "ge",
        "eq",
        "ne",
    ]
}
# The wheel also builds some expressions that nothing can compute (128 bits, saturating floats); halopy refuses
# them at once, and they are not compared.
UNARY = [
    "abs", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sqrt",
    "exp", "log", "floor", "ceil", "round", "trunc", "fract", "is_nan", "is_inf", "is_finite", "erf", "fast_log",
    "fast_exp", "fast_inverse", "fast_inverse_sqrt", "popcount", "count_leading_zeros", "count_trailing_zeros",
    "likely", "strict_float", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "u8_sat",
    "i16_sat", "logical_not",
]  # fmt: skip
FIXED_POINT = [
    "saturating_add", "saturating_sub", "halving_add", "halving_sub", "rounding_halving_add", "rounding_shift_left",
    "rounding_shift_right", "widening_add", "widening_sub", "widening_mul", "widening_shift_left",
    "widening_shift_right", "widen_right_add", "widen_right_sub", "widen_right_mul",
]  # fmt: skip
TWO = ["min", "max", "absd", "atan2", "pow", "fast_pow", "hypot", "div_round_to_zero", "mod_round_to_zero"]


def expression(module: Any, dtype: Type, name: str = "x") -> Any:
    """A non-literal expression of the type."""
    return module.cast(type_of(module, dtype), module.Var(name))


def type_of(module: Any, dtype: Type) -> Any:
    code, bits = dtype
    return getattr(module, code)(bits)


def outcome(function: Callable[..., Any], *args: Any) -> str:
    """The type of the result, or "refused"."""
    try:
        return str(function(*args).type())
    except (halide.HalideError, RuntimeError, TypeError, ValueError):
        return "refused"


Case = tuple[str, Callable[[Any], str]]


def differences(cases: Iterable[Case]) -> list[str]:
    """Where halopy and the wheel do not agree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = [(text, case(hl), case(halide)) for text, case in cases]
    return [f"{text}: halopy {ours}, halide {theirs}" for text, ours, theirs in both if ours != theirs]


def on_pair(function: Callable[[Any], Callable[..., Any]], a: Type, b: Type) -> Callable[[Any], str]:
    """Apply a function of the module to expressions of two types."""
    return lambda m: outcome(function(m), expression(m, a), expression(m, b, "y"))


@pytest.mark.parametrize("name", BINARY)
def test_operators_of_two_expressions_give_halides_types(name: str) -> None:
    function = BINARY[name]
    allowed = refused_here(name)
    assert not differences(
        (f"{name} {a} {b}", on_pair(lambda _: function, a, b))
        for a in TYPES
        for b in TYPES
        if a not in allowed and b not in allowed
    )


@pytest.mark.parametrize("name", BINARY)
def test_operators_of_an_expression_and_a_literal_give_halides_types(name: str) -> None:
    function = BINARY[name]
    allowed = refused_here(name)
    cases: list[Case] = []
    for a in TYPES:
        for literal in LITERALS:
            if a in allowed or (isinstance(literal, float) and "shift" in name):
                continue
            cases.append((f"{name} {a} {literal}", lambda m, a=a, v=literal: outcome(function, expression(m, a), v)))
            cases.append((f"{name} {literal} {a}", lambda m, a=a, v=literal: outcome(function, v, expression(m, a))))
    assert not differences(cases)


def refused_here(name: str) -> list[Type]:
    """Shifts and bits of floats, which the wheel lets through and LLVM then rejects."""
    return [t for t in TYPES if "Float" in t[0]] if name in SHIFTS_AND_BITS else []


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_argument_give_halides_types(name: str) -> None:
    assert not differences((f"{name} {a}", lambda m, a=a: outcome(getattr(m, name), expression(m, a))) for a in TYPES)


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments_give_halides_types(name: str) -> None:
    assert not differences((f"{name} {a} {b}", on_pair(lambda m: getattr(m, name), a, b)) for a in TYPES for b in TYPES)


INTEGERS = [t for t in TYPES if "Int" in t[0] and t[1] > 1]
NARROW = [t for t in INTEGERS if t[1] < 64]


@pytest.mark.parametrize("name", FIXED_POINT)
def test_fixed_point_functions_give_halides_types(name: str) -> None:
    types = NARROW if "widen" in name else INTEGERS
    assert not differences((f"{name} {a} {b}", on_pair(lambda m: getattr(m, name), a, b)) for a in types for b in types)


@pytest.mark.parametrize("name", ["mul_shift_right", "rounding_mul_shift_right"])
def test_fixed_point_multiplication_gives_halides_types(name: str) -> None:
    def case(a: Type, q: Type) -> Callable[[Any], str]:
        return lambda m: outcome(getattr(m, name), expression(m, a), expression(m, a, "y"), expression(m, q, "z"))

    assert not differences((f"{name} {a} {q}", case(a, q)) for a in NARROW for q in NARROW)


def test_cast_clamp_select_and_lerp_give_halides_types() -> None:
    def case(name: str, a: Type, b: Type) -> Callable[[Any], str]:
        def evaluate(m: Any) -> str:
            x, y = expression(m, a), expression(m, b, "y")
            forms = {
                "cast": (type_of(m, b), x),
                "saturating_cast": (type_of(m, b), x),
                "reinterpret": (type_of(m, b), x),
                "clamp": (x, y, y),
                "select": (m.Var("z") < 3, x, y),
                "lerp": (x, x, y),
                "mux": (m.Var("z"), [x, y, x]),
            }
            return outcome(getattr(m, name), *forms[name])

        return evaluate

    names = ("cast", "saturating_cast", "reinterpret", "clamp", "select", "lerp", "mux")
    assert not differences((f"{name} {a} {b}", case(name, a, b)) for name in names for a in TYPES for b in TYPES)


def test_literals_in_clamp_select_min_and_lerp_give_halides_types() -> None:
    def case(name: str, a: Type, value: float) -> Callable[[Any], str]:
        def evaluate(m: Any) -> str:
            x = expression(m, a)
            forms = {
                "clamp": (x, 0, value),
                "select": (m.Var("z") < 3, x, value),
                "select_first": (m.Var("z") < 3, value, x),
                "min": (x, value),
                "max": (value, x),
                "lerp": (0, x, value),
                "pow": (x, value),
                "absd": (x, value),
                "unsafe_promise_clamped": (x, 0, value),
            }
            return outcome(getattr(m, name.split("_first")[0]), *forms[name])

        return evaluate

    names = ["clamp", "select", "select_first", "min", "max", "lerp", "pow", "absd", "unsafe_promise_clamped"]
    assert not differences(
        (f"{name} {a} {value}", case(name, a, value)) for name in names for a in TYPES for value in LITERALS
    )


def test_types_answer_as_halides_do() -> None:
    questions = [
        "bits", "bytes", "lanes", "is_bool", "is_float", "is_bfloat", "is_int", "is_uint", "is_handle", "is_scalar",
        "is_vector",
    ]  # fmt: skip

    def answers(m: Any, a: Type) -> str:
        t = type_of(m, a)
        return str([getattr(t, q)() for q in questions] + [t.can_represent(type_of(m, b)) for b in TYPES])

    assert not differences((str(a), lambda m, a=a: answers(m, a)) for a in TYPES)


def test_literals_alone_get_halides_types() -> None:
    assert not differences((repr(v), lambda m, v=v: outcome(m.Expr, v)) for v in LITERALS)
