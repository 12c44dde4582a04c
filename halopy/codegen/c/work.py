"""How much a loop has to do, as an expression, so that threads are not woken for less than waking them costs.

parallel for y: for x in [0, w): <a store of 20 operations>     ->     about y's trips * w * 20
"""

from __future__ import annotations

from collections.abc import Mapping

from ...dtypes import INT32
from ...ir.build import add, maximum, mul, sub
from ...ir.expr import Effect, Expr, Load, Var, const
from ...ir.interval import Interval, bounds_of
from ...ir.node import find, walk
from ...ir.rewrite import free_vars, substitute
from ...ir.services import AskExtern, CallExtern
from ...ir.simplify import simplify
from ...ir.stmt import Allocate, Block, For, If, LetStmt, Produce, Stmt

WORTH_THREADS = 20_000  # operations, which take about as long as waking a thread

_MOST = 1 << 20  # of one estimate, so that products stay far from overflow


def work(loop: For) -> Expr | None:
    """At most how many operations the whole loop does, from what is known outside it; None where that does not tell."""
    if loop.has(Effect) and any(isinstance(e.service, CallExtern | AskExtern) for e in find(loop, Effect)):
        return None
    found = _work(loop, {}, {})
    return None if found is None or found.has(Load) else simplify(found)


def _work(stmt: Stmt, lets: Mapping[str, Expr], scope: Mapping[str, Interval]) -> Expr | None:
    """`lets` are values of symbols bound inside the loop, `scope` what loop variables range over."""
    if isinstance(stmt, For):
        trips, least = _most(stmt.extent, lets, scope), bounds_of(substitute(stmt.min, lets), scope).lo
        if trips is None or least is None:
            return None
        reach = bounds_of(substitute(add(stmt.min, stmt.extent), lets), scope).hi
        inside = {**scope, stmt.name: Interval(least, None if reach is None else sub(reach, 1))}
        body = _work(stmt.body, lets, inside)
        return None if body is None else mul(maximum(trips, 0), body)
    if isinstance(stmt, LetStmt):
        value: Expr = substitute(stmt.value, lets)
        known = value if value.dtype is INT32 and not value.has(Load) else Var(stmt.name, value.dtype)
        return _work(stmt.body, {**lets, stmt.name: known}, scope)
    if isinstance(stmt, Allocate | Produce):
        return _work(stmt.body, lets, scope)
    if isinstance(stmt, Block | If):
        total: Expr = const(0)
        for child in stmt.children():
            part = _work(child, lets, scope) if isinstance(child, Stmt) else const(0)
            if part is None:
                return None
            total = add(total, part)
        return total
    return const(min(sum(1 for _ in walk(stmt)), _MOST))


def _most(extent: Expr, lets: Mapping[str, Expr], scope: Mapping[str, Interval]) -> Expr | None:
    hi = bounds_of(substitute(extent, lets), scope).hi
    bound_inside = scope.keys() | {name for name, e in lets.items() if isinstance(e, Var) and e.name == name}
    return None if hi is None or not bound_inside.isdisjoint(free_vars(hi)) else hi
