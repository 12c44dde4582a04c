"""Guard the tails of stages of one Func that take turns in the loops that they share.

    for yo: for yi:   f(x, min(yo*8, n - 8) + yi) = ...           f(x, yo*8 + yi) = ..., if yo*8 + yi < n
                      f(x, yo*8 + yi) += ..., if ...        ->    f(x, yo*8 + yi) += ..., if ...

A tile that is shifted inwards would compute elements again after they were updated, and in another iteration than the
update. Which elements are computed how often is no part of what a Func means, so the tail may be another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

from .directives import Split, Tail
from .fused_nests import FusedNests
from .kept_order import origin, shared_loops, variables_of
from .nest import FuncSchedule, StageNest

_SHIFTED = (Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS_AND_BLEND)


def guard_shared_tails(schedules: Mapping[str, FuncSchedule], fused: FusedNests) -> Mapping[str, FuncSchedule]:
    """The schedules with such tails guarded; themselves where there are none."""
    changed = dict(schedules)
    for one, other in combinations(fused.stages, 2):
        if one.func == other.func:
            nests = list(changed[one.func].nests)
            for stage, loops in zip((one, other), zip(*shared_loops(one, other, fused), strict=True), strict=False):
                nests[stage.stage] = _guarded(nests[stage.stage], loops)
            changed[one.func] = replace(changed[one.func], nests=tuple(nests))
    return changed


def _guarded(nest: StageNest, loops: tuple[str, ...]) -> StageNest:
    variables = {name for loop in loops for name in variables_of(origin(nest, loop))}
    steps = list(nest.steps)
    for number, step in enumerate(steps):
        if isinstance(step, Split) and step.tail in _SHIFTED:
            before = replace(nest, steps=tuple(steps[:number]))
            if variables_of(origin(before, step.old)) & variables:
                steps[number] = replace(step, tail=Tail.GUARD_WITH_IF)
    return replace(nest, steps=tuple(steps))
