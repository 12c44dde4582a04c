"""Sums of adjacent products are those of the reference, for all signs, at the ends of their types."""

import numpy as np
import pytest

import halopy as hl
from halopy.codegen.c.adjacent_products import join_products
from halopy.dtypes import INT32, Int, UInt
from halopy.ir.expr import Add, Broadcast, Call, Cast, Load, Mul, Ramp, Var, VectorReduce, const
from halopy.ir.node import find
from halopy.ir.stmt import LetStmt, Store

x, y, xi = hl.Var("x"), hl.Var("y"), hl.Var("xi")
KINDS = {np.uint8: UInt(8), np.int8: Int(8), np.int16: Int(16), np.uint16: UInt(16)}


def numbers(kind, shape, seed):
    """Among them the least and the greatest, often."""
    ends = np.iinfo(kind)
    found = np.random.default_rng(seed).integers(ends.min, ends.max + 1, shape).astype(kind)
    found.reshape(-1)[::3] = ends.min
    found.reshape(-1)[1::7] = ends.max
    return found


def sums_of_groups(a, b, group, lanes):
    """f[x] over groups of adjacent elements, all members of a group in lanes of one vector."""
    f, r = hl.Func("f"), hl.RDom([(0, group), (0, 3)], "r")
    left, right = hl.Buffer(a), hl.Buffer(b)
    f[x] = x
    f[x] += hl.i32(left[r.x + group * x, r.y]) * hl.i32(right[r.x, r.y])
    expected = np.array(hl.Pipeline(f).reference([21]))
    f.update().reorder(r.x, x, r.y).atomic().vectorize(r.x).vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
    return f, expected


@pytest.mark.parametrize(
    ("group", "lanes"), [(4, 4), (4, 8), (4, 16), (4, 32), (4, 3), (2, 16), (2, 8), (8, 8), (6, 16)]
)
@pytest.mark.parametrize(
    ("one", "other"),
    [(np.uint8, np.int8), (np.int8, np.uint8), (np.int8, np.int8), (np.uint8, np.uint8), (np.int16, np.int16),
     (np.int16, np.uint8), (np.uint16, np.int8)],
)  # fmt: skip
def test_sums_of_products_are_those_of_the_reference(one, other, group, lanes):
    f, expected = sums_of_groups(numbers(one, (3, 21 * group), 1), numbers(other, (3, group), 2), group, lanes)
    np.testing.assert_array_equal(np.array(f.realize([21])), expected)


def widened(buffer, kind, lanes):
    return Cast(INT32.with_lanes(lanes), Load(buffer, Ramp(const(0), const(1), lanes), kind.with_lanes(lanes)))


def joined(value):
    return join_products(Store("out", Ramp(const(0), const(1), value.dtype.lanes), value)).value


def test_a_reduction_and_a_sum_are_one_call():
    product = Mul(widened("a", UInt(8), 64), Broadcast(widened("b", Int(8), 4), 16))
    total = Load("out", Ramp(const(0), const(1), 16), INT32.with_lanes(16))
    value = joined(Add(VectorReduce("add", product, 16), total))
    assert isinstance(value, Call)
    assert value.args[0] is total
    assert [arg.dtype for arg in value.args[1:]] == [UInt(8, 64), Int(8, 64)]


def test_wide_groups_are_sums_of_calls():
    value = joined(VectorReduce("add", Mul(widened("a", Int(16), 64), widened("b", Int(16), 64)), 4))
    assert [call.dtype.lanes for call in find(value, Call)] == [32]


@pytest.mark.parametrize(
    "value",
    [
        VectorReduce("add", Mul(widened("a", UInt(16), 32), widened("b", Int(16), 32)), 16),
        VectorReduce("mul", Mul(widened("a", Int(16), 32), widened("b", Int(16), 32)), 16),
        VectorReduce("add", Mul(widened("a", Int(16), 6), widened("b", Int(16), 6)), 3),
        VectorReduce("add", Mul(widened("a", INT32, 32), widened("b", Int(16), 32)), 16),
    ],
)
def test_other_reductions_are_left(value):
    assert joined(value) is value


@pytest.mark.parametrize("lanes", [4, 16, 32, 5])
@pytest.mark.parametrize(
    ("one", "other"), [(np.int16, np.int16), (np.uint8, np.int16), (np.int8, np.int8), (np.uint16, np.int16)]
)
def test_products_that_are_added_one_by_one_are_those_of_the_reference(one, other, lanes):
    a, b = hl.Buffer(numbers(one, (3, 21), 1)), hl.Buffer(numbers(other, (3,), 2))
    f, r = hl.Func("f"), hl.RDom([(0, 3)], "r")
    f[x] = x
    f[x] += hl.i32(a[x, r]) * hl.i32(b[r])
    f[x] += hl.i32(b[r]) * hl.i32(a[20 - x, r])
    expected = np.array(hl.Pipeline(f).reference([21]))
    for update in range(2):
        f.update(update).reorder(x, r.x).vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
    np.testing.assert_array_equal(np.array(f.realize([21])), expected)


def test_a_product_of_halves_is_added_by_one_call_also_where_its_factors_have_names():
    factor = Var("factor", INT32.with_lanes(16))
    total = Load("out", Ramp(const(0), const(1), 16), INT32.with_lanes(16))
    store = Store("out", Ramp(const(0), const(1), 16), Add(Mul(factor, factor), total))
    added = join_products(LetStmt("factor", widened("a", Int(16), 16), store))
    assert "c_add_product" in [call.name for call in find(added, Call)]
    wide = LetStmt("factor", Load("a", Ramp(const(0), const(1), 16), INT32.with_lanes(16)), store)
    assert join_products(wide) is wide
