"""A statement on vectors as statements on one lane each, of which those that are alike are one.

f[ramp(x*8, 1, 8)] = g[ramp(x*8 + 1, 1, 8)]       ->   f[x*8 + lane] = g[x*8 + lane + 1]
s[0] = s[0] + reduce_add(g[ramp(0, 1, 8)])        ->   s[0] = s[0] + g[lane]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...ir import expr as ir
from ...ir.expr import Expr, Load
from ...ir.rewrite import Rewriter
from ...ir.stmt import LetStmt, Stmt, Store
from .one_lane import Apart, OneLane, Progression, Unknown
from .texts import Surroundings

_MOST_LANES = 256


def lanes_of(
    node: Stmt, around: Surroundings, parts: Iterable[Progression] = ()
) -> Iterator[tuple[Progression, Stmt, list[Expr]]]:
    """Lanes, the statement for one of them, and the conditions on it; at least as far apart as the `parts`."""
    count = _lane_count(node)
    if count > _MOST_LANES:
        raise Unknown
    one = OneLane(around.vectors)
    every = [c.value for c in around.lanes if isinstance(c, ir.VectorReduce) and c.value.dtype.lanes == count]
    todo = list(parts) or [Progression(0, 1, count)]
    while todo:
        lanes = todo.pop(0)
        try:
            scalar, masks = _scalar(node, one, lanes)
            yield lanes, scalar, [*masks, *(one(c, lanes) for c in every)]
        except Apart:
            todo = [*_divided(node, one, lanes), *todo]


_COMBINED: Mapping[str, type[ir.Binary]] = {
    "add": ir.Add,
    "mul": ir.Mul,
    "min": ir.Min,
    "max": ir.Max,
    "and": ir.And,
    "or": ir.Or,
}


def combined(node: Stmt) -> ir.VectorReduce | None:
    """What adds up iterations that all change one element: f[0] = f[0] + reduce_add(…)."""
    value = node.value if isinstance(node, Store) else None
    if not isinstance(node, Store) or not isinstance(value, ir.Binary) or not value.has(ir.VectorReduce):
        return None
    parts = ir.chained(type(value), value)
    reduced = [e for e in parts if isinstance(e, ir.VectorReduce) and e.lanes == 1]
    if len(reduced) != 1 or _COMBINED.get(reduced[0].op) is not type(value):
        return None
    before = Load(node.buffer, node.index, value.dtype)
    return reduced[0] if len(parts) == 2 and before in parts and node.predicate is None else None


class _Replace(Rewriter):
    """Puts one expression in the place of another."""

    only = (ir.VectorReduce,)

    def __init__(self, old: Expr, new: Expr) -> None:
        super().__init__()
        self.old, self.new = old, new

    def rewrite_VectorReduce(self, e: ir.VectorReduce) -> Expr:
        rewritten: Expr = self.new if e is self.old else self.rebuild(e)
        return rewritten


def _lane_count(node: Stmt) -> int:
    reduced = combined(node)
    if reduced is not None:
        return reduced.value.dtype.lanes
    if isinstance(node, Store):
        return node.index.dtype.lanes
    return node.value.dtype.lanes if isinstance(node, LetStmt) else 1


def _scalar(node: Stmt, one: OneLane, lanes: Progression) -> tuple[Stmt, list[Expr]]:
    reduced = combined(node)
    if reduced is not None and isinstance(node, Store):
        value: Expr = _Replace(reduced, one(reduced.value, lanes))(node.value)
        return Store(node.buffer, node.index, value), []
    if isinstance(node, Store):
        masks = [] if node.predicate is None else [one(node.predicate, lanes)]
        return Store(node.buffer, one(node.index, lanes), one(node.value, lanes)), masks
    if isinstance(node, LetStmt):
        return LetStmt(node.name, one(node.value, lanes), node.body), []
    return node, []


def _divided(node: Stmt, one: OneLane, lanes: Progression) -> list[Progression]:
    """The lanes in few parts, each of which has one expression; or just in smaller ones."""
    factors = [f for f in range(2, lanes.count + 1) if lanes.count % f == 0]
    for factor in factors:
        size = lanes.count // factor
        strided = [Progression(lanes[k], lanes.step * factor, size) for k in range(factor)]
        blocks = [Progression(lanes[k * size], lanes.step, size) for k in range(factor)]
        for several in (strided, blocks):
            if all(_has_one(node, one, part) for part in several):
                return several
    raise Unknown


def _has_one(node: Stmt, one: OneLane, lanes: Progression) -> bool:
    try:
        _scalar(node, one, lanes)
    except Apart:
        return False
    return True
