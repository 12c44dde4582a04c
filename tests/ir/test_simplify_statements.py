"""Simplification of statements: loops, lets, conditions."""

from __future__ import annotations

import pytest

from halopy.ir import expr as ir
from halopy.ir.expr import FALSE, TRUE, Expr, Var, const
from halopy.ir.simplify import simplify
from halopy.ir.stmt import (
    NOTHING,
    Assert,
    Block,
    ErrorSite,
    For,
    If,
    LetStmt,
    LoopKind,
    Produce,
    Provide,
    Stmt,
    Store,
)
from halopy.ir.verify import verify

x, y, n = Var("x"), Var("y"), Var("n")


def store(index: Expr, value: Expr = x) -> Store:
    return Store("out", index, value)


def loop(low: Expr, extent: Expr, body: Stmt, kind: LoopKind = LoopKind.SERIAL) -> For:
    return For("x", low, extent, kind, body)


@pytest.mark.parametrize("kind", [kind for kind in LoopKind if kind.is_on_device])
def test_a_loop_of_a_device_stays_as_it_says_who_runs_it(kind):
    assert simplify(loop(y, const(1), store(x), kind)) is loop(y, const(1), store(x), kind)


@pytest.mark.parametrize("kind", [kind for kind in LoopKind if not kind.is_on_device])
def test_a_loop_of_one_iteration_is_its_body(kind):
    assert simplify(loop(y, const(1), store(x), kind)) is store(y, y)
    assert simplify(loop(y, const(1), Provide("f", (x,), (x,), 0, (x,)), kind)) is Provide("f", (y,), (y,), 0, (y,))
    once = simplify(loop(ir.Add(y, n), const(1), store(x), kind))
    assert once is LetStmt("x", ir.Add(n, y), store(x))


@pytest.mark.parametrize("kind", LoopKind)
@pytest.mark.parametrize("extent", [0, -3])
def test_a_loop_of_no_iterations_goes(kind, extent):
    assert simplify(loop(y, const(extent), store(x), kind)) is NOTHING


def test_loop_ranges_decide_conditions_inside():
    body = If(ir.And(ir.GE(x, const(0)), ir.LT(x, n)), store(x), store(y))
    assert simplify(loop(const(0), n, body)) is loop(const(0), n, store(x))
    assert simplify(loop(const(-1), n, body)) is not loop(const(-1), n, store(x))


def test_a_condition_is_known_in_its_branches():
    inner = If(ir.LT(x, n), store(x), store(y))
    outer = If(ir.LT(x, n), inner, inner)
    assert simplify(outer) is If(ir.LT(x, n), store(x), store(y))


def test_a_condition_bounds_its_variables():
    clamped = store(ir.Min(x, const(7)))
    assert simplify(If(ir.LT(x, const(8)), clamped)) is If(ir.LT(x, const(8)), store(x))
    assert simplify(If(ir.GT(x, const(8)), clamped)) is If(simplify(ir.GT(x, const(8))), store(const(7)))


def test_conditions_reach_only_their_branch():
    test = If(ir.LT(x, const(8)), store(x))
    after = store(ir.Min(x, const(7)))
    assert simplify(Block((test, after))) is Block((test, after))


def test_literal_lets_are_put_in_place_and_dead_lets_go():
    body = LetStmt("a", const(3), LetStmt("b", ir.Add(x, y), LetStmt("c", ir.Mul(Var("b"), x), store(Var("a")))))
    assert simplify(body) is store(const(3))


def test_ranges_of_lets_decide():
    body = If(ir.LT(Var("a"), const(8)), store(Var("a")))
    assert simplify(LetStmt("a", ir.Mod(x, const(8)), body)) is LetStmt("a", ir.Mod(x, const(8)), store(Var("a")))


def test_lets_see_through_to_what_they_stand_for():
    body = If(ir.LT(x, Var("a")), store(Var("a")))
    assert simplify(LetStmt("a", ir.Add(x, const(1)), body)) is LetStmt("a", ir.Add(x, const(1)), store(Var("a")))


def test_decided_conditions_choose():
    assert simplify(If(TRUE, store(x), store(y))) is store(x)
    assert simplify(If(FALSE, store(x), store(y))) is store(y, x)
    assert simplify(If(FALSE, store(x))) is NOTHING


def test_blocks_flatten_and_marks_around_nothing_go():
    nothing = loop(y, const(0), store(x))
    inner = Block((store(x), nothing, Block((store(y), store(n)))))
    assert simplify(inner) is Block((store(x), store(y), store(n)))
    assert simplify(Produce("f", nothing)) is NOTHING


def test_asserts_that_hold_go():
    holds = Assert(ir.LE(x, x), ErrorSite.BAD_EXTENT, (), ())
    fails = Assert(ir.LT(x, x), ErrorSite.BAD_EXTENT, ("f",), (ir.Sub(x, x),))
    assert simplify(holds) is NOTHING
    assert simplify(fails) is Assert(FALSE, ErrorSite.BAD_EXTENT, ("f",), (const(0),))


def test_a_predicate_that_always_holds_goes():
    vector = ir.Ramp(x, const(1), 4)
    value = ir.Broadcast(y, 4)
    mask = ir.LE(vector, vector)
    assert simplify(Store("out", vector, value, mask)) is Store("out", vector, value)
    assert simplify(Store("out", vector, value, ir.LT(vector, vector))) is NOTHING
    assert simplify(ir.Load("in", vector, vector.dtype, mask)) is ir.Load("in", vector, vector.dtype)


def test_one_name_in_two_loops_keeps_its_own_range():
    clamp = store(ir.Min(x, const(7)))
    both = Block((loop(const(0), const(8), clamp), loop(const(0), const(20), clamp)))
    assert simplify(both) is Block((loop(const(0), const(8), store(x)), loop(const(0), const(20), clamp)))


def test_a_deep_nest_simplifies():
    body: Stmt = store(Var("v0"), x)
    for i in range(2000):
        body = LetStmt(f"v{i}", ir.Add(Var(f"v{i + 1}"), ir.Mul(x, y)), Produce(f"f{i}", body))
    once = simplify(body)
    verify(once, {"v2000", "x", "y"})
    assert simplify(once) is once


def test_simplified_statements_are_fixed_points():
    near = store(ir.Sub(ir.Add(x, y), x))
    far = store(ir.Div(ir.Mul(x, const(8)), const(4)))
    body = If(ir.LT(ir.Add(x, const(3)), n), near, far)
    once = simplify(loop(const(0), ir.Div(ir.Add(n, const(7)), const(8)), body))
    verify(once, {"n", "x", "y"})
    assert simplify(once) is once
