"""Idioms: found as they are written, left where they do not hold, right for all pairs of 8-bit values."""

from __future__ import annotations

import numpy as np
import pytest

from halopy.dtypes import FLOAT32, INT8, INT16, INT32, UINT8, UINT16, UINT32
from halopy.ir.build import add, clamp, div, maximum, minimum, mul, sub
from halopy.ir.expr import GE, GT, LE, LT, Call, Cast, Load, Max, Min, Ramp, Select, const
from halopy.ir.node import find
from halopy.ir.simplify import simplify
from halopy.ir.stmt import Store
from halopy.lower.find_idioms import find_idioms

from .interpreter import execute

LANES = 1 << 16


def operand(name, dtype, lanes=LANES):
    return Load(name, Ramp(const(0), const(1), lanes), dtype.with_lanes(lanes))


def wide(name, dtype, to):
    return Cast(to.with_lanes(LANES), operand(name, dtype))


def to(dtype, e):
    return Cast(dtype.with_lanes(LANES), e)


def absolute(e):
    return Call("abs", (e,), UINT16.with_lanes(LANES))


def shift_right(e):
    return Call("shift_right", (e, const(1, e.dtype)), e.dtype)


def unsigned(t=UINT16):
    return wide("a", UINT8, t), wide("b", UINT8, t)


def signed(t=INT16):
    return wide("a", INT8, t), wide("b", INT8, t)


FOUND = {
    "saturating_add through casts": to(UINT8, minimum(to(INT32, add(*unsigned())), 255)),
    "saturating_add of halving_add": to(UINT8, minimum(add(unsigned()[0], div(add(add(*unsigned()), 1), 2)), 255)),
    "halving_add": to(UINT8, div(add(*unsigned()), 2)),
    "halving_add of signed": to(INT8, shift_right(add(*signed()))),
    "halving_add in int32": to(UINT8, div(add(*unsigned(INT32)), 2)),
    "halving_add of a constant": to(UINT8, div(add(unsigned()[0], 1), 2)),
    "rounding_halving_add": to(UINT8, div(add(add(*unsigned()), 1), 2)),
    "rounding_halving_add of signed": to(INT8, shift_right(add(add(*signed()), 1))),
    "saturating_add": to(UINT8, minimum(add(*unsigned()), 255)),
    "saturating_add of signed": to(INT8, clamp(add(*signed()), -128, 127)),
    "saturating_sub": to(UINT8, maximum(sub(*unsigned(INT16)), 0)),
    "saturating_sub of signed": to(INT8, minimum(maximum(sub(*signed()), -128), 127)),
    "absd": to(UINT8, absolute(sub(*unsigned(INT16)))),
    "absd of signed": to(UINT8, absolute(sub(*signed()))),
    "saturating_cast": to(UINT8, clamp(mul(*unsigned(INT32)), 0, 255)),
    "saturating_cast of unsigned": to(UINT8, minimum(mul(*unsigned(UINT32)), 255)),
    "saturating_cast to signed": to(INT8, clamp(mul(*signed()), -128, 127)),
}
LEFT = {
    "a sum that is clamped elsewhere": to(UINT8, minimum(add(*unsigned()), 254)),
    "a sum that wraps": to(UINT8, add(*unsigned())),
    "a difference that wraps in an unsigned type": to(UINT8, maximum(sub(*unsigned()), 0)),
    "an average with another bias": to(UINT8, div(add(add(*unsigned()), 2), 2)),
    "operands that are no narrow values": to(INT8, shift_right(add(*unsigned()))),
    "signed values in an unsigned type": to(INT8, shift_right(add(*signed(UINT16)))),
    "a sum that wraps before it is widened": to(
        UINT8, div(to(UINT16, add(operand("a", UINT8), operand("b", UINT8))), 2)
    ),
    "signed sums clamped on one side": to(INT8, minimum(add(*signed()), 127)),
    "products clamped further than to the type": to(UINT8, clamp(mul(*unsigned(INT32)), 0, 254)),
    "signed products clamped on one side": to(UINT8, minimum(mul(*signed(INT32)), 255)),
}


def outcome(value):
    every = np.arange(LANES)
    a, b = (every % 256).astype(np.uint8), (every // 256).astype(np.uint8)
    uses_signed = any(load.dtype.is_int for load in find(value, Load))
    out = np.zeros(LANES, np.int8 if value.dtype.is_int else np.uint8)
    memory = {"a": a.view(np.int8) if uses_signed else a, "b": b.view(np.int8) if uses_signed else b, "out": out}
    execute(Store("out", Ramp(const(0), const(1), LANES), value), memory)
    return out


def found_in(value):
    return find_idioms(Store("out", Ramp(const(0), const(1), LANES), value)).value


@pytest.mark.parametrize("name", FOUND)
def test_an_idiom_is_found_and_keeps_every_value(name):
    after = found_in(FOUND[name])
    assert isinstance(after, Call) and after.name == name.split()[0]
    assert np.array_equal(outcome(after), outcome(FOUND[name]))


@pytest.mark.parametrize("name", FOUND)
def test_an_idiom_is_found_in_canonical_form(name):
    after = found_in(simplify(FOUND[name]))
    assert isinstance(after, Call) and after.name == name.split()[0]


@pytest.mark.parametrize("name", LEFT)
def test_what_only_looks_like_an_idiom_is_left(name):
    store = Store("out", Ramp(const(0), const(1), LANES), LEFT[name])
    assert find_idioms(store) is store


@pytest.mark.parametrize("most", [255, 765, 5000, 32767, 65535])
@pytest.mark.parametrize("divisor", [3, 5, 7, 9, 10, 100, 255, 641, 40000])
def test_a_quotient_of_small_values_is_a_high_product_or_left(divisor, most):
    small = minimum(add(Cast(UINT16.with_lanes(LANES), operand("a", UINT16)), 0), const(most, UINT16.with_lanes(LANES)))
    store = Store("out", Ramp(const(0), const(1), LANES), div(small, const(divisor, UINT16.with_lanes(LANES))))
    values = np.arange(LANES).astype(np.uint16)
    out = np.zeros_like(values)
    execute(find_idioms(store), {"a": values, "out": out})
    assert np.array_equal(out, np.minimum(values, most) // divisor)


def test_a_third_of_three_bytes_is_a_high_product_and_a_third_of_any_value_is_not():
    three = add(add(*unsigned()), unsigned()[0])
    assert isinstance(found_in(div(three, 3)), Call)
    anything = div(operand("a", UINT16), const(3, UINT16.with_lanes(LANES)))
    assert found_in(anything) is anything


@pytest.mark.parametrize("shift", [16, 17, 31])
@pytest.mark.parametrize("dtype", [INT16, UINT16], ids=str)
def test_the_high_half_of_a_product_is_found_and_keeps_every_value(dtype, shift):
    wide_type = (INT32 if dtype.is_int else UINT32).with_lanes(LANES)
    product = mul(*(Cast(wide_type, operand(name, dtype)) for name in "ab"))
    every = np.arange(LANES).astype(dtype.to_numpy())
    other = np.random.default_rng(1).permutation(every)
    for value in (div(product, 1 << shift), Call("shift_right", (product, const(shift, wide_type)), wide_type)):
        if shift == 31 and dtype.is_int and not isinstance(value, Call):
            continue  # a divisor that is no int32
        after, out = found_in(to(dtype, value)), np.zeros_like(every)
        assert isinstance(after, Call) and after.name == "mul_shift_right"
        execute(Store("out", Ramp(const(0), const(1), LANES), after), {"a": every, "b": other, "out": out})
        assert np.array_equal(out, ((every.astype(np.int64) * other) >> shift).astype(dtype.to_numpy()))


def test_part_of_a_product_that_the_high_half_lacks_is_left():
    product = mul(wide("a", INT16, INT32), wide("b", INT16, INT32))
    value = to(INT16, div(product, 1 << 15))
    assert found_in(value) is value


@pytest.mark.parametrize("wide_type", [UINT16, INT16], ids=str)
def test_a_rounded_mean_of_bytes_is_found_where_it_is_not_narrowed(wide_type):
    mean = div(add(add(*unsigned(wide_type)), 1), 2)
    value = sub(Cast(INT32.with_lanes(LANES), mean), 7)
    after = found_in(value)
    assert [call.name for call in find(after, Call)] == ["rounding_halving_add"]
    every = np.arange(LANES)
    memory = {
        "a": (every % 256).astype(np.uint8),
        "b": (every // 256).astype(np.uint8),
        "out": np.zeros(LANES, np.int32),
    }
    execute(Store("out", Ramp(const(0), const(1), LANES), after), memory)
    assert np.array_equal(memory["out"], (every % 256 + every // 256 + 1) // 2 - 7)


def test_scalars_are_left():
    a, b = (Cast(UINT16, Load(name, const(0), UINT8)) for name in "ab")
    store = Store("out", const(0), Cast(UINT8, div(add(a, b), 2)))
    assert find_idioms(store) is store


CHOICES = [(compare, swapped) for compare in (LT, GT, LE, GE) for swapped in (False, True)]


@pytest.mark.parametrize("dtype", [INT8, FLOAT32], ids=str)
@pytest.mark.parametrize(("compare", "swapped"), CHOICES)
def test_the_greater_or_lesser_of_two_is_an_extremum_with_the_same_bits(compare, swapped, dtype):
    special = [1, 0.0, -0.0, float("nan"), float("inf"), -1] if dtype.is_float else [1, 0, -128, 127, 5, -1]
    values = np.array(special, dtype.to_numpy())
    a, b = (grid.ravel().copy() for grid in np.meshgrid(values, values))
    x, y = operand("a", dtype, 36), operand("b", dtype, 36)
    choice = Select(compare(y, x) if swapped else compare(x, y), x, y)
    store = Store("out", Ramp(const(0), const(1), 36), choice)
    found = find_idioms(store)
    strict = compare in (LT, GT)
    assert isinstance(found.value, Min | Max) == (strict or dtype.is_integer)
    results = []
    for stmt in (store, found):
        out = np.zeros(36, dtype.to_numpy())
        execute(stmt, {"a": a, "b": b, "out": out})
        results.append(out.tobytes())
    assert results[0] == results[1]


def test_a_choice_between_others_than_those_compared_stays():
    x, y, z = (operand(name, INT8, 4) for name in "abc")
    for choice in (Select(LT(x, y), x, z), Select(LT(x, y), z, y), Select(LT(z, y), x, y)):
        store = Store("out", Ramp(const(0), const(1), 4), choice)
        assert find_idioms(store) is store


def clamped_float(low, high, outside=maximum, lanes=16):
    number = Cast(INT32.with_lanes(lanes), operand("a", FLOAT32, lanes))
    inside = minimum if outside is maximum else maximum
    first, second = (high, low) if outside is maximum else (low, high)
    return outside(inside(number, first), second)


def stored(value):
    numbers = [np.nan, -np.inf, -1e30, -1.0, -0.5, -0.0, 0.0, 0.99, 1.0, 5.5, 6.0, 6.5, 7.0, 255.9, 1e30, np.inf]
    memory = {"a": np.array(numbers, np.float32), "out": np.zeros(16, np.int32)}
    execute(Store("out", Ramp(const(0), const(1), 16), value), memory)
    return memory["out"]


@pytest.mark.parametrize("outside", [maximum, minimum])
@pytest.mark.parametrize("ends", [(0, 6), (1, 255), (7, 7), (0, 1 << 24)])
def test_a_float_is_clamped_before_it_becomes_an_integer(ends, outside):
    value = clamped_float(*ends, outside)
    after = found_in(value)
    assert isinstance(after, Cast) and isinstance(after.a, Min)
    assert np.array_equal(stored(after), stored(value))


@pytest.mark.parametrize("ends", [(-1, 6), (0, (1 << 24) + 1), (6, 5)])
def test_a_float_is_clamped_afterwards_where_nan_or_rounding_would_tell(ends):
    value = clamped_float(*ends)
    assert found_in(value) is value
