"""Events stand where accesses are; and no pass drops, doubles or moves what calls a service."""

from __future__ import annotations

from typing import Any

import halopy as hl
from halopy.dtypes import BOOL, INT32
from halopy.ir.expr import Add, Effect, Expr, Load, Mul, Var, const
from halopy.ir.node import find
from halopy.ir.services import Print
from halopy.ir.simplify import simplify
from halopy.ir.stmt import Evaluate, For, If, LetStmt, LoopKind, Stmt, Store, block
from halopy.ir.verify import verify
from halopy.lower.hoist_invariants import hoist_invariants
from halopy.lower.interleave_stores import interleave_stores
from halopy.lower.trace_accesses import trace_accesses
from halopy.lower.trim_no_ops import trim_no_ops
from halopy.lower.vectorize_loops import vectorize_loops
from halopy.schedule.tracing import NO_TRACING, Tracing

from .pipelines import nests

x = Var("x")


def said(value: Expr) -> Effect:
    return Effect(Print(("", "\n")), value, (value,))


def effects(stmt: Stmt) -> list[Any]:
    return find(stmt, Effect)


def vectors(body: Stmt, extent: int = 4) -> Stmt:
    return vectorize_loops(For("x", const(0), const(extent), LoopKind.VECTORIZED, body))


def test_events_stand_around_what_they_report(golden: str) -> None:
    f, g, v = hl.Func("f"), hl.Func("g"), hl.Var("x")
    g[v] = v * 2
    f[v] = g[v] + g[v + 1]
    g.compute_root()
    built = nests(f)
    names = frozenset(("f", "g"))
    traced = trace_accesses(built.stmt, Tracing(names, names, names, tags={"g": ("a tag",)}), built.regions)
    verify(traced)
    assert str(traced) == golden


def test_nothing_is_changed_where_nothing_is_traced() -> None:
    f, g, v = hl.Func("f"), hl.Func("g"), hl.Var("x")
    g[v] = v * 2
    f[v] = g[v] + g[v + 1]
    g.compute_root()
    built = nests(f)
    assert trace_accesses(built.stmt, NO_TRACING, built.regions) is built.stmt
    assert trace_accesses(built.stmt, Tracing(loads=frozenset(("other",))), built.regions) is built.stmt


def test_a_vector_is_one_call_for_all_lanes() -> None:
    (effect,) = effects(vectors(Store("out", x, said(Mul(x, x)))))
    assert effect.dtype.lanes == 4 and effect.args[0].dtype.lanes == 4 and effect.where is None


def test_what_lanes_share_is_one_call() -> None:
    (effect,) = effects(vectors(Store("out", x, Add(x, said(Var("y"))))))
    assert effect.dtype is INT32


def test_lanes_under_a_condition_call_one_by_one() -> None:
    stmt = vectors(If(Load("on", x, BOOL), Store("out", x, said(x))))
    assert isinstance(stmt, For) and stmt.kind is LoopKind.SERIAL
    calm = vectors(If(Load("on", x, BOOL), Store("out", x, x)))
    assert isinstance(calm, Store) and calm.predicate is not None


def test_a_place_that_all_lanes_store_to_is_stored_to_by_each() -> None:
    stmt = vectors(Store("out", const(0), said(x)))
    assert isinstance(stmt, For) and stmt.kind is LoopKind.SERIAL


def test_effects_outlive_what_needs_no_value() -> None:
    for stmt in (
        Evaluate(said(x)),
        LetStmt("unused", said(x), Store("out", x, x)),
        For("i", const(0), const(3), LoopKind.SERIAL, Evaluate(said(Var("i")))),
    ):
        assert len(effects(trim_no_ops(simplify(stmt)))) == 1
    assert not effects(simplify(Evaluate(Effect(Print(("", "\n")), x, (x,), const(0, BOOL)))))


def test_operands_with_effects_stay_in_the_order_written() -> None:
    a, b = said(Var("b")), said(Var("a"))
    assert simplify(Add(a, b)) is Add(a, b)
    assert simplify(Add(b, a)) is Add(b, a)


def test_a_condition_with_an_effect_stays_in_its_loop() -> None:
    loop = For("x", const(0), Var("n"), LoopKind.SERIAL, If(said(Var("c", BOOL)), Store("out", x, x)))
    assert trim_no_ops(loop) is loop
    assert trim_no_ops(loop.with_(body=If(Var("c", BOOL), Store("out", x, x)))) is not loop


def test_addresses_with_effects_are_not_hoisted() -> None:
    index = Add(Add(x, said(Var("m"))), Mul(Var("m"), Var("k")))
    (store,) = find(hoist_invariants(For("x", const(0), Var("n"), LoopKind.SERIAL, Store("out", index, x))), Store)
    assert len(effects(store)) == 1


def test_stores_that_speak_are_not_joined() -> None:
    ramps = [vectors(Store("out", Add(Mul(x, const(2)), const(k)), said(Add(x, const(k))))) for k in range(2)]
    assert interleave_stores(block(*ramps)) is block(*ramps)


def test_scratch_that_is_stored_with_an_effect_stays() -> None:
    f, g, v = hl.Func("f"), hl.Func("g"), hl.Var("x")
    g[v] = hl.print(v)
    f[v] = v + g[v] * 0
    g.compute_root()
    lines: list[str] = []
    f.set_custom_print(lines.append)
    f.realize([2])
    assert lines == ["0\n", "1\n"]


def test_expressions_of_any_depth_speak() -> None:
    f, g, v = hl.Func("f"), hl.Func("g"), hl.Var("x")
    g[v] = v
    total = hl.print_when(v < 0, g[v])
    for k in range(2000):
        total = total + g[v + k % 5] * k
    f[v] = total
    g.compute_root().trace_loads()
    with hl.trace() as events:
        assert list(f.realize([3])) == list(f.reference([3]))
    assert len([e for e in events if e.event is hl.TraceKind.LOAD]) == 3 * 5
