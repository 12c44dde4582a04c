"""When a Func is needed in an iteration of the loop that it is computed in: in others it is not computed.

    for x                                         for x
      compute g                            ->       if x > 5:  compute g
      f(x) = select(x > 5, g(x), 0)                 f(x) = select(x > 5, g(x), 0)

A condition that loops further in decide counts as true where it may be. What outlives the iteration is always
computed: a window that slides takes for computed what earlier iterations would skip. So is a Func in whose loops such
a window is computed.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.build import BINARY, logical_and, logical_or
from ..ir.expr import EQ, FALSE, GE, GT, LE, LT, TRUE, And, Compare, Expr, Or
from ..ir.interval import Interval, bounds_of
from ..ir.node import NodeMeta
from ..ir.rewrite import free_vars
from ..ir.simplify import simplify
from ..ir.stmt import LoopKind
from ..schedule.directives import Async, Memoize
from .place_functions import ROOT_LEVEL, Level
from .regions import Regions
from .skip_stages import needed_by_stage

_IN_ORDER = (LoopKind.SERIAL, LoopKind.PARALLEL, LoopKind.UNROLLED)


class SkipIterations:
    """Which iterations skip what is computed in them. Asked of consumers first, once their loops are known."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self.is_async = any(schedule.last(Async) for schedule in regions.placement.schedules.values())
        self._known: dict[str, Expr] = {}

    def needed(self, func: str) -> Expr:
        """The condition, just inside the Func's compute level, under which something there may read it."""
        if func not in self._known:
            condition = self._needed(func) if self._may_skip(func) else TRUE
            self._known[func] = condition if condition is TRUE or self._ends_inside(func) else TRUE
        return self._known[func]

    def _may_skip(self, func: str) -> bool:
        placement = self.regions.placement
        level = placement.compute[func]
        if level == ROOT_LEVEL or self.is_async:
            return False  # threads wait for each other's stages
        if placement.store[func] != level or placement.schedules[func].last(Memoize) or func in placement.hoist:
            return False
        around = [at for at in placement.path(level) if at.loop]
        return all(_is_plain(self.regions, at) for at in around)

    def _ends_inside(self, func: str) -> bool:
        """Whether memory of all that is computed in the Func's loops ends there too."""
        placement = self.regions.placement
        inside = [
            other
            for other, at in placement.compute.items()
            if any(around.func == func for around in placement.path(at))
        ]
        return all(any(around.func == func for around in placement.path(placement.store[other])) for other in inside)

    def _needed(self, func: str) -> Expr:
        total: Expr = FALSE
        for user in self.regions.readers.get(func, []):
            if total is not TRUE and user[0] != func:
                total = logical_or(total, self._needed_by(func, user))
        return total

    def _needed_by(self, func: str, user: tuple[str, int]) -> Expr:
        name, stage = user
        placement, level = self.regions.placement, self.regions.placement.compute[func]
        if placement.own_loop(name, stage, level) is None:
            return self.needed(name) if placement.compute[name] == level else TRUE
        condition = needed_by_stage(self.regions.functions[name].definitions[stage], frozenset()).get(func, FALSE)
        if condition is TRUE:
            return TRUE
        return simplify(_may_hold(condition, self.regions.instances(user, level, slid=True)))


def _is_plain(regions: Regions, level: Level) -> bool:
    """Whether the loop of a level is of one stage, and no lanes are its iterations."""
    assert level.func is not None, "a loop belongs to a Func"
    dim = regions.nest(level.func, level.stage).dim(level.loop)
    return dim is not None and dim.kind in _IN_ORDER and not regions.fused.is_shared(level)


def _may_hold(condition: Expr, scope: Mapping[str, Interval]) -> Expr:
    """Whether a condition may hold for some values of the variables, each in its interval."""
    if isinstance(condition, And | Or):
        both = logical_and if isinstance(condition, And) else logical_or
        return both(_may_hold(condition.a, scope), _may_hold(condition.b, scope))
    if (
        isinstance(condition, Compare)
        and condition.a.dtype.is_index_like
        and not scope.keys().isdisjoint(free_vars(condition))
    ):
        a, b = bounds_of(condition.a, scope), bounds_of(condition.b, scope)
        if isinstance(condition, LT | LE):
            return _ends(type(condition), a.lo, b.hi)
        if isinstance(condition, GT | GE):
            return _ends(type(condition), a.hi, b.lo)
        if isinstance(condition, EQ):
            return logical_and(_ends(LE, a.lo, b.hi), _ends(LE, b.lo, a.hi))
    return bounds_of(condition, scope).hi or TRUE


def _ends(compare: NodeMeta, a: Expr | None, b: Expr | None) -> Expr:
    return TRUE if a is None or b is None else BINARY[compare](a, b)
