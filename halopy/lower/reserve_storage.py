"""Take a Func's memory further out than where it lives, large enough for every iteration between.

    for y:                                      reserve g[largest n] * 2
      let n = ...                                 for y:
        realize g over n               ->           let n = ..., g.slot = y % 2
          S                                           realize g over n: S           in part g.slot

Unlike storing a Func further out, this lets no iteration see the values of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.build import add, as_expr, maximum, minimum, mod, mul, sub
from ..ir.expr import Const, Expr, Var
from ..ir.interval import Interval
from ..ir.simplify import simplify
from ..ir.stmt import LetStmt, Realize, Reserve, Stmt
from .place_functions import Level
from .regions import Regions
from .stage_loops import loop_name


def reserve_storage(regions: Regions, realize: Realize, level: Level, body: Stmt) -> Stmt:
    """`body`, which holds `realize`, with memory for it taken at the level."""
    func = realize.name
    hull = regions.touched_seen_from(func, level)
    extents = tuple(
        regions.folds.get(func, {}).get(d) or _largest(regions, func, extent, hull[d], level)
        for d, (_, extent) in enumerate(realize.bounds)
    )
    return Reserve(func, realize.dtypes, extents, slots(regions, func), realize.memory, body)


def _largest(regions: Regions, func: str, extent: Expr, hull: Interval, level: Level) -> Expr:
    """At least the extent in every iteration inside the level."""
    if isinstance(extent, Const):
        return extent
    store = regions.placement.store[func]
    greatest = regions.seen_from(Interval(extent, extent), store, level).hi
    assert hull.lo is not None and hull.hi is not None, "boxes have ends"
    whole = add(sub(hull.hi, hull.lo), 1)
    return simplify(whole if greatest is None else minimum(simplify(greatest), simplify(whole)))


def slots(regions: Regions, func: str) -> Expr:
    """How many times the memory of the Func is there."""
    wanted = regions.placement.schedules[func].ring_slots
    return as_expr(1) if wanted is None else wanted if isinstance(wanted, Const) else maximum(wanted, 1)


def choose_slot(regions: Regions, realize: Realize) -> Stmt:
    """The storage of a Func, after the choice of one of the slots in turn."""
    count = slots(regions, realize.name)
    if count is as_expr(1):
        return realize
    placement = regions.placement
    store, hoist = placement.store[realize.name], placement.hoist[realize.name]
    path = placement.path(store)
    turn = mod(iteration(regions, path[: path.index(hoist)]), count)
    return LetStmt(slot_name(realize.name), turn, realize)


def slot_name(func: str) -> str:
    """The symbol for the part of reserved memory in use."""
    return f"{func}.slot"


def iteration(regions: Regions, levels: Sequence[Level]) -> Expr:
    """The number of the iteration among those of all the loops, innermost first."""
    total, trips = as_expr(0), as_expr(1)
    for at in levels:
        if at.func is not None and at.loop:
            shared = regions.fused.is_shared(at)
            range_ = regions.fused.range(at) if shared else regions.loops(at.func, at.stage).loops[at.loop].range
            variable = Var(loop_name(at.func, at.stage, at.loop))
            total = add(total, mul(sub(variable, range_.min), trips))
            trips = mul(trips, range_.extent)
    return total
