"""Estimates of what a parallel loop has to do."""

from __future__ import annotations

from halopy.codegen.c.work import work
from halopy.dtypes import INT32
from halopy.ir.expr import Expr, Load, Mul, Var, const
from halopy.ir.fold import fold_binary
from halopy.ir.node import walk
from halopy.ir.rewrite import substitute
from halopy.ir.simplify import simplify
from halopy.ir.stmt import For, LetStmt, LoopKind, Stmt, Store, block

n, m, x, y = (Var(name) for name in ("n", "m", "x", "y"))
STORE = Store("a", Mul(x, y), const(1))
EACH = sum(1 for _ in walk(STORE))


def rows(extent: Expr, body: Stmt) -> For:
    return For("y", const(0), extent, LoopKind.PARALLEL, body)


def columns(extent: Expr, body: Stmt = STORE) -> For:
    return For("x", const(0), extent, LoopKind.SERIAL, body)


def at(e: Expr | None, **values: int) -> Expr:
    assert e is not None
    return simplify(substitute(e, {name: const(v) for name, v in values.items()}))


def test_trips_multiply() -> None:
    found = work(rows(n, columns(m)))
    assert at(found, n=3, m=5) is const(fold_binary(Mul, 15, EACH, INT32))


def test_statements_add_up() -> None:
    assert at(work(rows(n, block(columns(m), STORE))), n=2, m=3) is const(2 * (3 * EACH + EACH))


def test_a_triangle_counts_as_its_hull() -> None:
    assert at(work(rows(n, columns(y))), n=5) is const(5 * 4 * EACH)


def test_lets_are_seen_through() -> None:
    assert at(work(rows(n, LetStmt("w", m, columns(Var("w"))))), n=2, m=7) is const(14 * EACH)


def test_an_extent_from_memory_tells_nothing() -> None:
    assert work(rows(n, columns(Load("sizes", y, INT32)))) is None
