"""What a region that changes from iteration to iteration is as a whole.

    for x in [0, n): for r in [0, 20), where r < x:  [r, r + 1]     ->     [0, min(20, n - 1)]   from outside both loops

The hull over the loops between is found loop by loop. Where conditions tie their variables, it is found for all loops
at once too, and what lies in both hulls is the answer.

A Func that slides runs its loops over what is new. A window that is to slide itself is found from whole windows, as if
these loops ran over all that is needed: its ends then move steadily.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from ..ir.build import ge, le, logical_and, minimum
from ..ir.expr import FALSE, TRUE, Expr, Var
from ..ir.interval import Interval, bounds_of, intersect
from ..ir.simplify import simplify
from ..polyhedral.footprint import footprint
from .place_functions import Level

if TYPE_CHECKING:
    from .regions import Regions


def seen_from(regions: Regions, interval: Interval, level: Level, outer: Level, *, slid: bool = True) -> Interval:
    """The hull of an interval over the loops between its level and one further out; `slid`: as these loops run."""
    path = regions.placement.path(level)
    crossed = [at for at in path[: path.index(outer)] if at.loop]
    hull = interval
    for at in crossed:
        hull = _over_loop(regions, hull, at, slid)
    asked = any(regions.answers.ranges.get(at) for at in crossed)  # what is answered is not in terms of the loops
    if not asked and any(regions.conditions.of_level(at) for at in crossed):
        return Interval(*(e and simplify(e) for e in intersect(hull, _over_all(regions, interval, crossed))))
    return hull


def _over_loop(regions: Regions, interval: Interval, at: Level, slid: bool) -> Interval:
    scope = _values_of_loop(regions, at, slid)
    lo, hi = (end and regions.expand(end, at, scope) for end in interval)
    return Interval(lo and bounds_of(lo, scope).lo, hi and bounds_of(hi, scope).hi)


def _values_of_loop(regions: Regions, at: Level, slid: bool) -> dict[str, Interval]:
    """What a loop's variable, and what is hoisted into it, range over."""
    fused = regions.fused
    scope = dict.fromkeys(fused.conditions(at), Interval(FALSE, TRUE)) if fused.is_shared(at) else {}
    for own in fused.sharers(at):
        loops = regions.loops(own.func, own.stage) if slid else regions.whole_loops(own.func, own.stage)
        loop = loops.loops[own.loop]
        scope[loop.name] = Interval(loop.range.min, loop.range.last)
        for h in loops.hoisted.get(own.loop, []):
            reach = bounds_of(h.value, scope)
            if h.last is not None and reach.hi is not None:
                reach = Interval(reach.lo, minimum(reach.hi, h.last))
            scope[h.symbol] = reach
    return scope | regions.answers.ranges.get(at, {})


def _over_all(regions: Regions, interval: Interval, crossed: Sequence[Level]) -> Interval:
    """The hull over the iterations of some nested loops, innermost first, in which all conditions hold."""
    outermost = crossed[-1]
    scope: dict[str, Interval] = {}
    conditions: list[Expr] = []
    for at in reversed(crossed):
        conditions += [regions.expand(c, outermost) for c in regions.conditions.of_level(at)]
        for own in regions.fused.sharers(at):
            loop = regions.loops(own.func, own.stage).loops[own.loop]
            first, last = (regions.expand(end, outermost) for end in (loop.range.min, loop.range.last))
            conditions += [ge(Var(loop.name), first), le(Var(loop.name), last)]
            scope[loop.name] = Interval(bounds_of(first, scope).lo, bounds_of(last, scope).hi)
    where = reduce(logical_and, conditions)
    lows, highs = ([] if e is None else footprint((regions.expand(e, outermost),), scope, where) for e in interval)
    return Interval(lows[0].lo if lows else None, highs[0].hi if highs else None)
