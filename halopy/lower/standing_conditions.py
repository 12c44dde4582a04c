"""Conditions of a `where` that a loop decides, so that what is computed inside is computed only where they hold.

    r.where(r.x < x)                        for x
    f(x) += g(r.x), g at f.r.x       ->       for r.x
                                                if r.x < x:  compute g;  f(x) += g(r.x)

A condition stands no further out than all that it speaks of is known: the loops, and Funcs that it reads. It stays
with the values where nothing is computed inside, where lanes decide it, where stages share the loop, and where memory
of what is computed inside outlives it: a window that slides takes for computed what earlier iterations would skip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..ir.conjuncts import conjuncts
from ..ir.expr import Effect, Expr, Read
from ..ir.node import walk
from ..ir.rewrite import free_vars, substitute
from ..ir.stmt import LoopKind
from .place_functions import Level
from .stage_loops import StageLoops

if TYPE_CHECKING:
    from .regions import Regions


class StandingConditions:
    """Where each part of a stage's predicate is tested. Asked once the stage's loops are known."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self._known: dict[tuple[str, int], dict[str, list[Expr]]] = {}

    def of_loop(self, func: str, stage: int, loop: str) -> Sequence[Expr]:
        """What is tested just inside a loop, in its variables; "" stands for the values themselves."""
        definition = self.regions.functions[func].definitions[stage]
        if definition.rdom is None or definition.rdom.predicate is None:
            return ()
        if (func, stage) not in self._known:
            self._known[func, stage] = self._places(func, stage, definition.rdom.predicate)
        return self._known[func, stage].get(loop, ())

    def of_level(self, level: Level) -> Sequence[Expr]:
        """What is tested just inside a level."""
        return () if level.func is None or not level.loop else self.of_loop(level.func, level.stage, level.loop)

    def _places(self, func: str, stage: int, predicate: Expr) -> dict[str, list[Expr]]:
        loops = self.regions.loops(func, stage)
        values = loops.values()
        places: dict[str, list[Expr]] = {}
        for condition in conjuncts(predicate):
            tested = substitute(condition, values)
            places.setdefault(self._place(func, stage, tested, loops), []).append(tested)
        return places

    def _place(self, func: str, stage: int, condition: Expr, loops: StageLoops) -> str:
        if condition.kinds & Effect.bit:
            return ""
        names = free_vars(condition)
        deciding = [
            name
            for name, loop in loops.loops.items()
            if loop.name in names or any(h.symbol in names for h in loops.hoisted.get(name, ()))
        ]
        if any(loops.loops[name].kind is LoopKind.VECTORIZED for name in deciding):
            return ""
        order = list(loops.loops)  # innermost first
        inwards = reversed(order[: order.index(deciding[0]) + 1] if deciding else order)
        return next((name for name in inwards if self._may_stand(func, stage, condition, name)), "")

    def _may_stand(self, func: str, stage: int, condition: Expr, loop: str) -> bool:
        placement = self.regions.placement
        level = placement.level(func, stage, loop)
        inside = [f for f, at in placement.compute.items() if level in self.regions.levels_around(at)]
        read = {e.name for e in walk(condition) if isinstance(e, Read)}
        return (
            bool(inside)
            and not self.regions.fused.is_shared(level)
            and read.isdisjoint([func, *inside])
            and all(level in self.regions.levels_around(placement.store[f]) for f in inside)
        )
