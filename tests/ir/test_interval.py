"""Symbolic intervals contain every value, and are tight where the operators are monotone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halopy.dtypes import FLOAT32, INT16, INT32, UINT8, UINT16, UINT32
from halopy.ir import expr as ir
from halopy.ir.build import add, clamp, div, ge, lt, maximum, minimum, mod, mul, sub
from halopy.ir.expr import Const, Expr, Read, Var, const
from halopy.ir.interval import Interval, bounds_of, constant_bounds, intersect, provably, union
from halopy.ir.simplify import simplify

from .evaluation import Overflow, evaluate
from .random_expressions import BOOL, INTEGERS, random_expr, random_values, random_vector

x, y, n, m = Var("x"), Var("y"), Var("n"), Var("m")
ROW = {"x": Interval(const(0), sub(n, 1))}
TILE = {"x": Interval(mul(m, 8), add(mul(m, 8), 7))}
SMALL = {"x": Interval(const(0), const(10))}
BYTE = Read("bytes", (x,), 0, UINT8)
SAMPLE = Read("samples", (x,), 0, FLOAT32)


def unit(e: Expr) -> Expr:
    return clamp(e, const(0.0, FLOAT32), const(1.0, FLOAT32))


def as_int(e: Expr) -> Expr:
    return ir.Cast(INT32, e)


def as_float(e: Expr) -> Expr:
    return ir.Cast(FLOAT32, e)


CASES = {
    "a product of two floats that move": (as_int(mul(as_float(x), as_float(x))), SMALL, const(0), const(100)),
    "a magnitude of a float": (as_int(ir.Call("abs", (as_float(sub(x, 12)),), FLOAT32)), SMALL, const(2), const(12)),
    "a distance": (
        as_int(ir.Call("absd", (x, const(4)), UINT32)), {"x": Interval(const(-3), const(20))}, const(0), const(16)
    ),
    "a shift to the left": (ir.Call("shift_left", (sub(x, 3), const(2)), INT32), ROW, const(-12), add(mul(n, 4), -16)),
    "a root": (as_int(ir.Call("sqrt", (as_float(mul(x, 10)),), FLOAT32)), SMALL, const(0), const(10)),
    "a sum": (add(mul(x, 2), y), ROW, y, add(add(mul(n, 2), y), -2)),
    "what cancels does not widen": (sub(add(x, y), x), ROW, y, y),
    "a difference turns round": (sub(y, x), ROW, add(sub(y, n), 1), y),
    "a quotient": (div(add(x, 1), 2), ROW, const(0), div(n, 2)),
    "a quotient by a negative": (div(x, -2), TILE, add(mul(m, -4), -3), mul(m, -4)),
    "a remainder": (mod(x, 8), ROW, const(0), const(7)),
    "a remainder within one period": (mod(add(x, 1), 16), {"x": Interval(const(32), const(39))}, const(1), const(8)),
    "a remainder of what stands still": (mod(x, 5), {"x": Interval(n, n)}, mod(n, 5), mod(n, 5)),
    "a quotient of two that stand still": (div(x, m), {"x": Interval(n, n)}, div(n, m), div(n, m)),
    "a clamp": (clamp(add(x, y), 0, const(9)), ROW, maximum(minimum(y, 9), 0), None),
    "max of a moving and a fixed": (maximum(x, y), ROW, maximum(y, 0), maximum(sub(n, 1), y)),
    "a tile": (add(x, 1), TILE, add(mul(m, 8), 1), add(mul(m, 8), 8)),
    "bytes": (as_int(BYTE), ROW, const(0), const(255)),
    "sums of bytes": (add(as_int(BYTE), mul(as_int(BYTE), 2)), ROW, const(0), const(765)),
    "bytes that wrap": (as_int(add(BYTE, BYTE)), ROW, const(0), const(255)),
    "a cast that wraps": (as_int(ir.Cast(UINT8, x)), ROW, const(0), const(255)),
    "an int read is unbounded": (Read("ints", (x,), 0, INT32), ROW, None, None),
    "a clamped float": (as_int(mul(unit(SAMPLE), const(255.0, FLOAT32))), ROW, const(0), const(255)),
    "a float that may be NaN": (ir.Cast(UINT8, SAMPLE), ROW, const(0, UINT8), const(255, UINT8)),
    "a floor": (as_int(ir.Call("floor", (mul(ir.Cast(FLOAT32, mod(x, 8)), const(0.5, FLOAT32)),), FLOAT32)), ROW,
                const(0), const(3)),
    "abs": (as_int(ir.Call("abs", (sub(mod(x, 8), 3),), UINT32)), ROW, const(0), const(4)),
    "a mask": (ir.Call("bitwise_and", (x, const(12)), INT32), ROW, const(0), const(12)),
    "a shift": (ir.Call("shift_right", (x, const(2)), INT32), TILE, mul(m, 2), add(mul(m, 2), 1)),
    "likely": (ir.Call("likely", (x,), INT32), ROW, const(0), sub(n, 1)),
    "a promise": (ir.Call("promise_clamped", (Read("ints", (x,), 0, INT32), const(0), y), INT32), ROW, const(0), y),
    "a select": (ir.Select(lt(y, const(3)), x, mul(x, 2)), ROW, const(0), None),
    "a let": (ir.Let("a", add(x, 1), mul(Var("a"), 2)), ROW, const(2), mul(n, 2)),
    "a ramp": (ir.Ramp(x, const(2), 4), ROW, const(0), add(n, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bounds(name):
    e, scope, lo, hi = CASES[name]
    found = bounds_of(e, scope)
    for end, expected in ((found.lo, lo), (found.hi, hi)):
        if expected is not None:
            assert end is not None
            assert simplify(end) is simplify(expected), f"{e} in [{found.lo}, {found.hi}]"
    if lo is None and hi is None:
        assert found == Interval(None, None)


def test_an_unmoved_expression_bounds_itself():
    assert bounds_of(div(y, n), ROW) == Interval(div(y, n), div(y, n))


def test_union_and_intersection():
    a, b = Interval(const(0), n), Interval(const(2), None)
    assert union(a, b) == Interval(const(0), None)
    assert intersect(a, b) == Interval(const(2), n)


def test_provably():
    assert provably(ge(x, const(0)), ROW)
    assert provably(lt(x, n), ROW)
    assert not provably(lt(x, y), ROW)
    assert provably(lt(mod(y, 7), const(7)))
    assert not provably(lt(mod(y, 7), const(6)))


def test_constant_bounds():
    assert constant_bounds(mod(y, 7)) == (0, 6)
    assert constant_bounds(y) == (None, None)
    assert constant_bounds(sub(n, x), ROW) == (1, None)
    assert constant_bounds(Var("s", UINT16)) == (0, 65535)
    assert constant_bounds(add(Var("s", INT16), 1)) == (-32768, 32767)
    assert constant_bounds(sub(minimum(x, n), n)) == (None, 0)


def test_deep_expressions_have_bounds():
    e: Expr = x
    for _ in range(5_000):
        e = maximum(minimum(add(e, y), 90), 10)
    assert constant_bounds(e) == (10, 90)
    assert bounds_of(e, ROW).hi is not None


@given(st.data())
@settings(max_examples=200)
def test_bounds_contain_every_value(data):
    def pick(limit: int) -> int:
        return data.draw(st.integers(0, limit - 1))

    low, size = pick(20) - 10, pick(12)
    scope = {"x.int32": Interval(const(low), const(low + size)), "y.int32": Interval(const(0), Var("z.int32"))}
    make = random_vector if pick(4) == 0 else random_expr
    e = make(pick, (*INTEGERS, BOOL)[pick(len(INTEGERS) + 1)], 3)
    found = bounds_of(e, scope)
    numbers = constant_bounds(e, scope)
    for _ in range(3):
        values = random_values(pick)
        values["x.int32"] = low + pick(size + 1)
        values["z.int32"] = abs(values["z.int32"])
        values["y.int32"] = pick(values["z.int32"] + 1)
        try:
            lanes = evaluate(e, values, finite=True)
            ends = [None if end is None else evaluate(end, values)[0] for end in found]
        except Overflow:
            continue
        for lo, hi in (ends, numbers):
            assert all(lo is None or lo <= v for v in lanes), f"{e} is below {lo}: {lanes}"
            assert all(hi is None or v <= hi for v in lanes), f"{e} is above {hi}: {lanes}"


@given(st.integers(-20, 20), st.integers(0, 12), st.integers(-9, 9), st.integers(-5, 5), st.integers(1, 9))
@settings(max_examples=100)
def test_bounds_of_monotone_operators_are_reached(low, size, factor, offset, divisor):
    e = div(add(mul(x, factor), offset), divisor)
    scope = {"x": Interval(const(low), const(low + size))}
    reached = [evaluate(e, {"x": v})[0] for v in range(low, low + size + 1)]
    found = bounds_of(e, scope)
    assert isinstance(found.lo, Const)
    assert isinstance(found.hi, Const)
    assert (found.lo.value, found.hi.value) == (min(reached), max(reached))


@pytest.mark.parametrize("divisor", [0.5, -4.0, 0.0])
def test_a_quotient_of_floats_is_bounded_whatever_the_sign_of_what_divides(divisor):
    x, y = Var("x", FLOAT32), Var("y", FLOAT32)
    found = bounds_of(ir.Div(x, y), {"x": Interval(const(-1.0, FLOAT32), const(2.0, FLOAT32))})
    (low,), (high,) = (evaluate(end, {"y": divisor}) for end in found)
    ends = sorted((-1.0 / divisor, 2.0 / divisor)) if divisor else [-float("inf"), float("inf")]
    assert [low, high] == ends


P = Var("p", FLOAT32)
PRODUCTS = {
    "a product": mul(unit(SAMPLE), P),
    "a quotient": div(unit(SAMPLE), P),
    "a product and more": add(mul(unit(SAMPLE), P), const(0.5, FLOAT32)),
    "a difference of infinities": sub(mul(unit(SAMPLE), P), P),
    "a product of a sum": mul(add(unit(SAMPLE), P), P),
}


@pytest.mark.parametrize("p", [1.0, -3.0, 0.0, -0.0, 2.0**100, float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("form", PRODUCTS)
def test_indices_made_of_floats_lie_in_their_bounds_whatever_a_parameter_is(form, p):
    index = as_int(PRODUCTS[form])
    lo, hi = bounds_of(index, ROW)
    values = {"x": 0, "n": 6, "p": p}
    least = -(1 << 31) if lo is None else evaluate(lo, values)[0]
    greatest = (1 << 31) - 1 if hi is None else evaluate(hi, values)[0]
    for sample in (0.0, 0.25, 1.0, 2.0, -1.0):
        assert least <= evaluate(index, values, lambda *_, s=sample: s)[0] <= greatest
