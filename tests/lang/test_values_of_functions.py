"""Functions that are written out as other operations give the values that Halide gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

from .conftest import by_reference

Check = Callable[..., None]
Type = tuple[str, int]
INTEGERS: list[Type] = [(code, bits) for code in ("Int", "UInt") for bits in (8, 16, 32)]
WEIGHTS: list[Type] = [("UInt", 8), ("UInt", 16), ("UInt", 32), ("Float", 32)]
SIZES = (61, 53)


def operands(m: Any, a: Type, b: Type) -> tuple[Any, Any, Any, Any]:
    """Vars x, y and two expressions that take many values of the types; floats from 0 to 1."""
    x, y = m.Var("x"), m.Var("y")
    return x, y, spread(m, a, x, 61), spread(m, b, y, 53)


def spread(m: Any, dtype: Type, var: Any, count: int) -> Any:
    code, bits = dtype
    if code == "Float":
        return m.cast(m.Float(bits), var) / 64  # exact: Halide multiplies by reciprocals
    step = 2**bits // count
    return m.cast(getattr(m, code)(bits), m.i64(var) * step + m.i64(var) % 3)


def grid(m: Any, x: Any, y: Any, value: Any) -> Any:
    f = m.Func("f")
    f[x, y] = value
    return f


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("dtype", [*INTEGERS, ("UInt", 1)])
def test_lerp_of_integers_rounds_as_halide_does(dtype: Type, weight: Type, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y, a, w = operands(m, dtype, weight)
        b = m.cast(getattr(m, dtype[0])(dtype[1]), (x * 7 + 3) % 100)
        return grid(m, x, y, m.lerp(a, b, w))

    same_as_halide(build, *SIZES)


@pytest.mark.parametrize("weight", [("UInt", 8), ("UInt", 16), ("Float", 32), ("Float", 64)])
def test_lerp_of_floats_blends(weight: Type) -> None:
    x, y, a, w = operands(hl, ("Float", 32), weight)
    (values,) = by_reference(grid(hl, x, y, hl.lerp(hl.f32(2.0), a, w)), *SIZES)
    (weights,) = by_reference(grid(hl, x, y, hl.f64(w)), *SIZES)
    weights = weights / (1 if weight[0] == "Float" else 2 ** weight[1] - 1)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, 2 * (1 - weights) + np.arange(61) / 64 * weights, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["widening_shift_left", "widening_shift_right"])
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("amount", [0, 3, 7, -2])
def test_widening_shifts_keep_all_bits(name: str, dtype: Type, amount: int, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y, a, _ = operands(m, dtype, dtype)
        return grid(m, x, y, getattr(m, name)(a, amount))

    same_as_halide(build, *SIZES)


@pytest.mark.parametrize("name", ["widen_right_add", "widen_right_sub", "widen_right_mul"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_right_operand_is_widened(name: str, dtype: Type, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y, a, b = operands(m, (dtype[0], 2 * dtype[1]), dtype)
        # Signed 32-bit overflow means nothing.
        return grid(m, x, y, getattr(m, name)(a / 256 if dtype[1] == 16 else a, b / 8))

    if dtype != ("Int", 32):
        same_as_halide(build, *SIZES)


@pytest.mark.parametrize("dtype", [("UInt", 8), ("Int", 8), ("UInt", 16), ("Int", 16)])
def test_bits_are_extracted_and_joined(dtype: Type, same_as_halide: Check) -> None:
    def extracted(m: Any) -> Any:
        x, y, a, _ = operands(m, ("UInt", 32), dtype)
        return grid(m, x, y, m.extract_bits(getattr(m, dtype[0])(dtype[1]), a, 8))

    def joined(m: Any) -> Any:
        x, y, a, b = operands(m, dtype, dtype)
        return grid(m, x, y, m.concat_bits([a, b]))

    same_as_halide(extracted, *SIZES)
    same_as_halide(joined, *SIZES)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 6, -1, -2])
@pytest.mark.parametrize("dtype", [("Int", 32), ("UInt", 8), ("Float", 32)])
def test_integer_powers_multiply(dtype: Type, exponent: int, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y = m.Var("x"), m.Var("y")
        return grid(m, x, y, m.cast(getattr(m, dtype[0])(dtype[1]), x - y) ** exponent)

    same_as_halide(build, 9, 7)


@pytest.mark.parametrize("dtype", [*INTEGERS, ("Int", 64), ("Float", 32)])
def test_a_cast_to_bool_takes_the_lowest_bit(dtype: Type, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y = m.Var("x"), m.Var("y")
        return grid(m, x, y, m.cast(m.Bool(), m.cast(getattr(m, dtype[0])(dtype[1]), x + 3 * y)))

    same_as_halide(build, 9, 7)
    assert [str(hl.cast(hl.Bool(), n).node) for n in (0, 1, 2, 0.5, 3.5)] == [f"(bool){b}" for b in (0, 1, 0, 0, 1)]


def test_floor_division_of_floats_rounds_down(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y = m.Var("x"), m.Var("y")
        return grid(m, x, y, m.f32(x - 5) // m.f32(y + 1))

    same_as_halide(build, 11, 4)


def test_mux_takes_the_last_value_for_other_indices(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y = m.Var("x"), m.Var("y")
        return grid(m, x, y, m.mux(x - 2, [y, y * 2, y * 3]))

    same_as_halide(build, 8, 4)


def test_select_takes_the_first_condition_that_holds(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        x, y = m.Var("x"), m.Var("y")
        return grid(m, x, y, m.select(x < 2, 1, y < 2, 2, x == y, x * 10, 4))

    same_as_halide(build, 8, 8)


def test_select_of_tuples_takes_whole_tuples_or_elements() -> None:
    x = hl.Var("x")
    f = hl.Func("f")
    f[x] = (x, x * 2)
    whole = hl.select(x < 3, f[x], (0, 1))
    elements = hl.select((x < 3, x < 4), (1, 2), hl.Tuple(3, 4))
    assert [str(e.node) for e in whole] == ["select((x < 3), f(x), 0)", "select((x < 3), f(x)[1], 1)"]
    assert [str(e.node) for e in elements] == ["select((x < 3), 1, 3)", "select((x < 4), 2, 4)"]


@pytest.mark.parametrize(
    "arguments", [(1, 2), (1, 2, 3, 4), (True, (1, 2), 3), (True, (1, 2), (1, 2, 3)), ((True,), (1, 2), (1, 2))]
)
def test_select_refuses_what_does_not_fit_together(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(hl.HalideError, match=r"select"):
        hl.select(*arguments)


@pytest.mark.parametrize("name", ["popcount", "count_leading_zeros", "count_trailing_zeros"])
@pytest.mark.parametrize("lanes", [1, 8])
def test_the_bits_of_a_boolean_are_one(name: str, lanes: int) -> None:
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = getattr(hl, name)(x % 2 == 1)
    f.vectorize(x, lanes)
    one_is = name == "popcount"
    assert np.asarray(f.realize([16])).tolist() == [not one_is, one_is] * 8


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("dtype", [hl.Int(8), hl.Int(64), hl.Float(32)])
def test_a_saturating_cast_to_bool_takes_what_is_negative_for_false(dtype: hl.Type, lanes: int) -> None:
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = hl.saturating_cast(hl.Bool(), hl.cast(dtype, x - 8))
    f.vectorize(x, lanes)
    assert np.asarray(f.realize([16])).tolist() == by_reference(f, 16)[0].tolist() == [False] * 9 + [True] * 7
