"""Directives that the quick rules doubt are decided by dependences: accepted, or refused with two iterations."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import IllegalSchedule
from ..instrument import timed
from ..proof import PROVED, REFUTED
from ..schedule.directives import Directive, NestDirective, Split, Tail
from ..schedule.nest import DoubtfulSchedule, StageNest
from ..schedule.nest import apply as apply_to_nest
from ..witness import Witness

if TYPE_CHECKING:
    from ..polyhedral.legality.check_stage import Verdict
    from .func_contents import FuncContents


def applied(contents: FuncContents, nest: StageNest, directive: Directive) -> StageNest:
    """The nest of one of the Func's stages after a directive. Raises ScheduleError where it may not be given."""
    return apply_to_nest(nest, directive, lambda made, doubt: _judge(contents, made, doubt))


def verdict_of(contents: FuncContents, nest: StageNest, sizes: tuple[int, ...] = ()) -> Verdict:
    """What dependences say about a stage's loops, for all sizes or for those given.

    isl takes long to import, and most schedules never need it.
    """
    with timed("legality"):
        check_stage = importlib.import_module("..polyhedral.legality.check_stage", __package__).check_stage
        function = contents.defined_function.in_version(nest.stage, nest.definition)
        verdict: Verdict = check_stage(function, nest.stage, contents, nest, sizes)
    return verdict


def run_twice(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective]) -> Witness | None:
    """An iteration that the tail of a refused split would run twice, where that reads what it wrote."""
    split = next((a for a in actions if isinstance(a, Split) and a.tail is Tail.SHIFT_INWARDS), None)
    if split is None or nest.steps or not nest.is_update:
        return None
    module = importlib.import_module("..polyhedral.legality.repeated_instances", __package__)
    stage = importlib.import_module("..polyhedral.legality.stage_model", __package__).Stage
    function = contents.defined_function.in_version(nest.stage, nest.definition)
    witness: Witness | None = module.repeated_instance(stage(function, nest.stage, contents), split)
    return witness


def _judge(contents: FuncContents, nest: StageNest, doubt: DoubtfulSchedule) -> None:
    verdict = verdict_of(contents, nest)
    if verdict.status == PROVED:
        return
    if verdict.status == REFUTED:
        raise IllegalSchedule(
            doubt.summary,
            location=doubt.location,
            reason=[verdict.reason, *(doubt.reason[1:] if nest.atomic else ())],  # why taking turns does not help
            accepted=doubt.accepted,
            witness=verdict.witness,
        )
    raise doubt.with_reason(verdict.reason)
