"""Simplification: what it makes of small cases, and that it keeps the value of any."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halopy.dtypes import BOOL, FLOAT32, INT32, UINT8, UINT16
from halopy.ir import expr as ir
from halopy.ir.expr import FALSE, TRUE, Broadcast, Const, Expr, Ramp, Var, const
from halopy.ir.interval import Interval
from halopy.ir.linear import difference
from halopy.ir.simplify import simplify
from halopy.ir.simplify.engine import Simplifier
from halopy.ir.simplify.facts import Facts
from halopy.ir.simplify.patterns import Pattern, Rule
from halopy.ir.simplify.tables import TABLES

from .evaluation import Overflow, evaluate
from .random_expressions import INTEGERS, random_expr, random_values, random_vector

x, y, z, n = Var("x"), Var("y"), Var("z"), Var("n")
u, v = Var("u", UINT8), Var("v", UINT8)
f, g = Var("f", FLOAT32), Var("g", FLOAT32)


def c(value: int) -> Expr:
    return const(value)


def plus(a: Expr, b: int) -> Expr:
    return ir.Add(a, const(b, a.dtype))


def times(a: Expr, b: int) -> Expr:
    return ir.Mul(a, const(b, a.dtype))


def over(a: Expr, b: int) -> Expr:
    return ir.Div(a, const(b, a.dtype))


def modulo(a: Expr, b: int) -> Expr:
    return ir.Mod(a, const(b, a.dtype))


def eight(e: Expr) -> Expr:
    return Broadcast(e, 8)


LOADED, OTHER = ir.Load("loaded", const(0), INT32), ir.Load("other", const(0), INT32)
CASES = {
    "a sum in any order is one node": (ir.Sub(ir.Add(y, plus(x, 3)), c(3)), ir.Add(x, y)),
    "what cancels goes": (ir.Sub(ir.Add(x, y), x), y),
    "equal coefficients are gathered": (ir.Add(times(x, 3), times(y, 3)), times(ir.Add(x, y), 3)),
    "a product of variables negated": (ir.Sub(c(0), ir.Mul(x, y)), ir.Sub(c(0), ir.Mul(x, y))),
    "literal factors go outside": (ir.Mul(times(x, 3), times(y, 2)), times(ir.Mul(x, y), 6)),
    "a quotient splits": (over(plus(ir.Add(times(x, 8), y), 19), 8), plus(ir.Add(over(plus(y, 3), 8), x), 2)),
    "a quotient of quotients": (over(over(x, 4), 2), over(x, 8)),
    "a common divisor leaves": (over(plus(times(x, 4), 3), 8), over(x, 2)),
    "a negative divisor": (over(x, -4), ir.Sub(c(0), over(x, 4))),
    "division by zero": (over(x, 0), c(0)),
    "a remainder drops multiples": (modulo(ir.Add(times(x, 8), y), 8), modulo(y, 8)),
    "a remainder of a remainder": (modulo(modulo(x, 12), 4), modulo(x, 4)),
    "quotient and remainder join": (ir.Add(times(over(x, 8), 8), modulo(x, 8)), x),
    "what a quotient leaves is a remainder": (ir.Sub(x, times(over(x, 8), 8)), modulo(x, 8)),
    "min of neighbours": (ir.Min(plus(x, 3), plus(x, 1)), plus(x, 1)),
    "what both operands share": (ir.Max(ir.Add(x, y), ir.Add(x, z)), ir.Add(ir.Max(y, z), x)),
    "absorption": (ir.Min(ir.Max(x, y), x), x),
    "nested literals": (ir.Min(ir.Min(x, c(5)), c(3)), ir.Min(x, c(3))),
    "clamp with crossed bounds": (ir.Max(ir.Min(x, c(3)), c(5)), c(5)),
    "comparison in one form": (ir.LT(plus(x, 3), plus(y, 5)), ir.LT(x, plus(y, 2))),
    "comparison divided": (ir.LT(times(x, 8), c(20)), ir.LT(x, c(3))),
    "comparison decided": (ir.LE(times(over(n, 8), 8), n), TRUE),
    "min is at most its operands": (ir.LT(n, ir.Min(x, n)), FALSE),
    "an equality nothing fulfils": (ir.EQ(times(x, 2), c(7)), FALSE),
    "bytes are below 256": (ir.LE(u, const(255, UINT8)), TRUE),
    "bytes wrap": (ir.LT(u, plus(u, 1)), ir.LT(u, plus(u, 1))),
    "a bit mask is a remainder": (ir.Call("bitwise_and", (x, c(7)), INT32), modulo(x, 8)),
    "a shift is a product": (ir.Call("shift_left", (x, c(3)), INT32), times(x, 8)),
    "a cast of a wider cast": (ir.Cast(UINT8, ir.Cast(UINT16, u)), u),
    "contradiction": (ir.And(ir.LT(x, y), ir.LE(y, x)), FALSE),
    "tightest limit": (ir.And(ir.LT(x, c(3)), ir.LT(x, c(5))), ir.LT(x, c(3))),
    "select of min": (ir.Select(ir.LT(x, y), x, y), ir.Min(x, y)),
    "select of bools": (ir.Select(ir.LT(x, y), TRUE, FALSE), ir.LT(x, y)),
    "likely of a literal": (ir.Call("likely", (c(3),), INT32), c(3)),
    "float times one": (ir.Mul(f, const(1, FLOAT32)), f),
    "float times zero stays": (ir.Mul(f, const(0, FLOAT32)), ir.Mul(f, const(0, FLOAT32))),
    "float minus itself stays": (ir.Sub(f, f), ir.Sub(f, f)),
    "float plus zero stays": (ir.Add(f, const(0, FLOAT32)), ir.Add(f, const(0, FLOAT32))),
    "ramps and broadcasts add": (ir.Add(Ramp(x, c(1), 8), eight(y)), Ramp(ir.Add(x, y), c(1), 8)),
    "ramps scale": (times(Ramp(x, c(1), 8), 3), Ramp(times(x, 3), c(3), 8)),
    "an aligned ramp divided": (over(Ramp(times(x, 8), c(1), 8), 8), eight(x)),
    "an aligned ramp modulo": (modulo(Ramp(times(x, 8), c(1), 8), 8), Ramp(c(0), c(1), 8)),
    "a ramp compared": (ir.LT(Ramp(times(x, 8), c(1), 8), eight(plus(times(x, 8), 8))), eight(TRUE)),
    "a let of a literal": (ir.Let("a", c(3), ir.Add(Var("a"), x)), plus(x, 3)),
    "a let that nothing uses": (ir.Let("a", plus(x, 1), y), y),
    "nothing is added to a value from memory": (ir.Max(LOADED, plus(OTHER, 4)), ir.Max(plus(OTHER, 4), LOADED)),
    "nor in a comparison": (ir.LT(plus(OTHER, -4), LOADED), ir.LT(plus(OTHER, -4), LOADED)),
}


@pytest.mark.parametrize("name", CASES)
def test_simplifies(name: str):
    given_, expected = CASES[name]
    assert simplify(given_) is expected, f"{given_} -> {simplify(given_)}"


def test_ranges_of_variables_decide():
    row = {"x": Interval(c(0), ir.Sub(n, c(1)))}
    assert simplify(ir.And(ir.GE(x, c(0)), ir.LT(x, n)), row) is TRUE
    assert simplify(ir.Max(ir.Min(x, ir.Sub(n, c(1))), c(0)), row) is x
    assert simplify(modulo(x, 8), {"x": Interval(c(0), c(7))}) is x
    assert simplify(over(ir.Add(times(y, 8), x), 8), {"x": Interval(c(0), c(7))}) is y


def test_a_promise_goes_where_it_is_known():
    promise = ir.Call("promise_clamped", (x, c(0), c(9)), INT32)
    assert simplify(promise) is promise
    assert simplify(promise, {"x": Interval(c(2), c(5))}) is x


def _picker(data: st.DataObject):
    return lambda limit: data.draw(st.integers(0, limit - 1))


def _same(a: tuple, b: tuple) -> bool:
    return all((p != p and q != q) or (p == q and str(float(p)) == str(float(q))) for p, q in zip(a, b, strict=True))


def _agree(before: Expr, after: Expr, values: dict) -> None:
    try:
        expected, found = evaluate(before, values), evaluate(after, values)
    except Overflow:
        return
    assert _same(expected, found), f"{before} -> {after}: {expected} became {found}"


@given(st.data())
@settings(max_examples=150)
def test_simplify_keeps_the_value_and_is_idempotent(data):
    pick = _picker(data)
    e = random_expr(pick, (*INTEGERS, BOOL, FLOAT32)[pick(len(INTEGERS) + 2)], 4)
    once = Simplifier(Facts())(e)
    assert Simplifier(Facts())(once) is once, f"{e} -> {once}"
    assert once.dtype is e.dtype
    for _ in range(3):
        _agree(e, once, random_values(pick))


@given(st.data())
@settings(max_examples=80)
def test_simplify_keeps_each_lane(data):
    pick = _picker(data)
    e = random_vector(pick, (INT32, BOOL, UINT8)[pick(3)], 3)
    once = simplify(e)
    assert Simplifier(Facts())(once) is once, f"{e} -> {once}"
    for _ in range(3):
        _agree(e, once, random_values(pick))


@given(st.data())
@settings(max_examples=80)
def test_simplify_uses_ranges_soundly(data):
    pick = _picker(data)
    low, size = pick(20) - 10, pick(12)
    scope = {
        "x.int32": Interval(c(low), c(low + size)),
        "y.int32": Interval(c(0), Var("z.int32")),
    }
    e = random_expr(pick, (INT32, INT32, BOOL)[pick(3)], 4)
    once = simplify(e, scope)
    for _ in range(3):
        values = random_values(pick)
        values["x.int32"] = low + pick(size + 1)
        values["z.int32"] = abs(values["z.int32"])
        values["y.int32"] = pick(values["z.int32"] + 1)
        _agree(e, once, values)


ROWS = [(table, i, rule) for table, rows in TABLES.items() for i, rule in enumerate(rows.rows)]


@pytest.mark.parametrize(("table", "position", "rule"), ROWS, ids=[f"{t}-{i}" for t, i, _ in ROWS])
def test_every_row_holds(table: str, position: int, rule: Rule):
    """For integers of all widths: rows only compare, and so many numbers as there are holes stand in every order."""
    assert _operators(rule.pattern) | _operators(rule.result) <= _COMPARING
    builder = Simplifier(Facts())
    numbers = range(-2, 3) if len(rule.pattern.holes()) < 4 else range(-2, 2)
    names = sorted(rule.pattern.holes())
    logic = table in ("and", "or")
    fired = 0
    for values in product(numbers, repeat=len(names)):
        holes = {name: _hole(name, value, rule, logic) for name, value in zip(names, values, strict=True)}
        before = rule.pattern.fill(holes, BOOL if logic else INT32)
        after = rule.apply(tuple(before.children()), builder)
        if after is None:
            continue
        fired += 1
        numbers_of = {name: _truth(value, holes[name]) for name, value in zip(names, values, strict=True)}
        _agree(before, after, numbers_of)
    assert fired, "the row matches nothing"


_COMPARING = {*ir.COMPARISONS, ir.Min, ir.Max, ir.Select, ir.And, ir.Or, ir.Not}


def _operators(pattern: Pattern) -> set:
    return {pattern.operator} - {None} | {o for part in pattern.parts for o in _operators(part)}


@pytest.mark.parametrize(("table", "position", "rule"), ROWS, ids=[f"{t}-{i}" for t, i, _ in ROWS])
def test_a_row_that_floats_may_use_holds_also_for_those_that_are_no_numbers(table: str, position: int, rule: Rule):
    names, floats = sorted(rule.pattern.holes()), (float("nan"), -0.0, 0.0, 1.0, float("inf"))
    logic = table in ("and", "or")
    for values in product(floats, repeat=len(names)):
        holes = {n: _float_hole(n, v, rule, logic) for n, v in zip(names, values, strict=True)}
        before = rule.pattern.fill(holes, BOOL if logic else FLOAT32)
        after = rule.apply(tuple(before.children()), Simplifier(Facts()))
        if after is not None:
            _agree(
                before,
                after,
                {n: v if holes[n].dtype is FLOAT32 else v > 0 for n, v in zip(names, values, strict=True)},
            )


def _float_hole(name: str, value: float, rule: Rule, logic: bool) -> Expr:
    if name in ("c0", "c1"):
        return Const(value, FLOAT32)
    return Var(name, BOOL if name in ("t", "f") or (logic and not _compares(rule)) else FLOAT32)


def _hole(name: str, value: int, rule: Rule, logic: bool) -> Expr:
    if name in ("c0", "c1"):
        return Const(value, INT32)
    return Var(name, BOOL if name in ("t", "f") or (logic and not _compares(rule)) else INT32)


def _compares(rule: Rule) -> bool:
    """Whether the row's holes stand in comparisons rather than being conditions themselves."""
    return any(part.operator in ir.COMPARISONS for part in rule.pattern.parts)


def _truth(value: int, hole: Expr) -> int:
    return value % 2 if hole.dtype.is_bool else value


@pytest.mark.parametrize(
    "grow",
    [
        lambda e, i: ir.Add(e, times(Var(f"v{i % 50}"), i)),
        lambda e, i: ir.Min(e, plus(Var(f"v{i}"), i)),
        lambda e, i: ir.Add(ir.Mul(e, y), c(i)),
        lambda e, i: ir.Select(ir.LT(x, c(i)), e, y),
        lambda e, i: ir.And(e, ir.LT(x, Var(f"v{i}"))) if e.dtype is BOOL else ir.LT(e, c(i)),
    ],
    ids=["sum", "min", "product", "select", "and"],
)
def test_deep_expressions_simplify(grow):
    e: Expr = x
    for i in range(10_000):
        e = grow(e, i)
    once = simplify(e)
    assert once.dtype is e.dtype


def test_a_sum_shared_many_times_takes_no_more_time_than_it_has_nodes():
    e: Expr = ir.Add(x, y)
    for _ in range(25):
        e = ir.Add(e, e)
    assert simplify(e) is times(ir.Add(x, y), 1 << 25)
    assert difference(e, ir.Sub(e, c(3))) == 3
