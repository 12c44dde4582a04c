"""A nest's directives anew, from what became of it: for a stage whose earlier directives were about other definitions.

    split(r.x, rxo, rxi, 8); rfactor(rxo, u); vectorize(u)    ->    of the intermediate Func: vectorize(u)

The loops, their kinds and their order are the same. What made them is quoted in less detail. Versions come first: each
begins with the stage's own loops, and has all of its directives itself.
"""

from __future__ import annotations

from dataclasses import replace

from ...ir.expr import Expr
from ...ir.stmt import LoopKind, LoopPartition
from ...schedule.directives import (
    AllowRaceConditions,
    ComputeWith,
    Directive,
    NestDirective,
    OnDevice,
    Reorder,
    SetKind,
    SetPartition,
    Specialize,
    SpecializeFail,
)
from ...schedule.nest import StageNest


def with_directives_anew(nest: StageNest) -> StageNest:
    """The nest with directives that make it of the stage's own loops."""
    last = nest.directives[-1]
    actions: list[NestDirective] = [AllowRaceConditions()] if nest.races_allowed else []
    actions += nest.steps
    actions += [SetKind(d.name, d.kind, d.device) for d in nest.dims if d.kind is not LoopKind.SERIAL or d.device]
    actions += [SetPartition(d.name, d.partition) for d in nest.dims if d.partition is not LoopPartition.AUTO]
    actions += [Reorder(nest.loop_names)] if len(nest.dims) > 1 else []
    actions += [d.action for d in nest.directives if isinstance(d.action, OnDevice | ComputeWith)]
    directives = [Directive(action, nest.stage, last.location, last.text) for action in actions]
    directives += nest.prefetches
    choices = [replace(last, action=_choice(s.condition, s.failure)) for s in nest.specializations]
    is_left_alone = nest.is_left_alone or not directives
    return replace(nest, directives=(*choices, *directives), is_left_alone=is_left_alone)


def _choice(condition: Expr, failure: str | None) -> Specialize | SpecializeFail:
    return Specialize(condition) if failure is None else SpecializeFail(failure)
