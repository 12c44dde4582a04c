"""What can be said about extern stages, and about what they read.

    g.define_extern("blur", [f], ..., [x, y]); g.tile(x, y, xo, yo, x, y, 8, 8)     ->     a call for each tile

A dimension is the function's own (LoopKind.EXTERN) unless a directive makes it, or a split leaves, a loop; such loops
are around those of the function. Where the user says nothing, an extern stage and what it reads are computed outside
all loops: neither can be inlined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import IllegalSchedule
from ..ir.extern import extern_call, extern_funcs
from ..ir.program import Program
from ..ir.stmt import LoopKind
from .directives import (
    ROOT,
    AllowRaceConditions,
    ComputeAt,
    Directive,
    FoldStorage,
    Memoize,
    NestDirective,
    Rename,
    Reorder,
    SetKind,
    SetPartition,
    Split,
)
from .fused_nests import OwnLoop
from .nest import FuncSchedule, StageNest
from .tails import BLENDING

if TYPE_CHECKING:
    from .placement import Path, Placements

_OF_LOOPS: tuple[type[NestDirective], ...] = (Split, Rename, Reorder, SetKind, SetPartition, AllowRaceConditions)
_ACCEPTED = "split, reorder, rename, serial, parallel"
_KINDS = (LoopKind.SERIAL, LoopKind.PARALLEL, LoopKind.UNROLLED)


def place_extern_stages(program: Program, schedules: Mapping[str, FuncSchedule]) -> Mapping[str, FuncSchedule]:
    """The schedules with a place for these Funcs. Raises IllegalSchedule for loops that no function can be inside."""
    found = never_inlined(program)
    if not found:
        return schedules
    placed = dict(schedules)
    for name, stage in found.items():
        if name == stage:
            _check_loops(schedules[name].nests[0])
        _check_storage(stage, name, schedules[name])
        placed[name] = _with_place(name, placed[name])
    return placed


def never_inlined(program: Program) -> dict[str, str]:
    """The extern stages, each with itself, and the other Funcs that they read, each with a stage that does."""
    found: dict[str, str] = {}
    for name, function in program.functions.items():
        if extern_call(function) is not None:
            found |= dict.fromkeys(extern_funcs(program, function), name)
    return found | {name: name for name, f in program.functions.items() if extern_call(f) is not None}


def check_extern_places(placements: Placements) -> None:
    """Raises IllegalSchedule where an extern stage is computed in a loop that is no loop, or is shared."""
    for name, function in placements.program.functions.items():
        if extern_call(function) is not None:
            for place in placements.places(name):
                _check_place(name, place, placements)


def refuse_memoized_extern(program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    """Raises IllegalSchedule where Funcs of a program with extern stages are memoized."""
    if any(extern_call(f) is not None for f in program.functions.values()):
        for schedule in schedules.values():
            directive = schedule.last(Memoize)
            if directive is not None:
                reason = "the pipeline has an extern stage, of which nobody knows what its values depend on"
                raise _illegal(directive, reason, "memoize() in pipelines without extern stages")


def _check_loops(nest: StageNest) -> None:
    outside = f"{nest.func} is computed by a function outside the pipeline"
    for directive in nest.directives:
        if not isinstance(directive.action, _OF_LOOPS):
            raise _illegal(directive, f"{outside}, which this cannot be said of", _ACCEPTED)
        if isinstance(directive.action, Split) and directive.action.tail in BLENDING:
            raise _illegal(directive, f"{outside}, which does not blend", "GuardWithIf, ShiftInwards, RoundUp")
    loops = 0
    for dim in nest.dims:
        last = dim.made_by[-1] if dim.made_by else next(iter(nest.directives), None)
        if last is not None and dim.kind is LoopKind.EXTERN and loops:
            reason = f"{outside}: what that runs over, here {dim.name}, has to be inside all loops"
            order = ", ".join(d.name for k in (True, False) for d in nest.dims if (d.kind is LoopKind.EXTERN) is k)
            raise _illegal(nest.directives[-1], reason, f"reorder({order}) of {nest.func}")
        if last is not None and dim.kind not in (*_KINDS, LoopKind.EXTERN):
            raise _illegal(last, f"{outside}, so that it is not {dim.kind.value}", "serial, parallel or unrolled loops")
        loops += dim.kind is not LoopKind.EXTERN


def _check_storage(stage: str, func: str, schedule: FuncSchedule) -> None:
    folded = schedule.last(FoldStorage)
    if folded is not None:
        reason = f"{func} is given to the function that computes {stage}, which knows nothing of folds"
        raise _illegal(folded, reason, f"{func} without fold_storage()")


def _with_place(name: str, schedule: FuncSchedule) -> FuncSchedule:
    if not schedule.compute_level.is_inlined:
        return schedule
    root = Directive(ComputeAt(ROOT), 0, None, f"{name}.compute_root()")
    return replace(schedule, directives=(*schedule.directives, root))


def _check_place(name: str, place: Path, placements: Placements) -> None:
    directive = placements.schedules[name].last(ComputeAt)
    for loop in place:
        dim = placements.schedules[loop.func].nests[loop.stage].dim(loop.loop)
        where = f"{placements.stage_name(loop)}.{loop.loop}"
        assert directive is not None, "a place was given by a directive"
        if dim is not None and dim.kind not in _KINDS:
            reason = f"{name} is computed by a function outside the pipeline, and loop {where} is {dim.kind.value}"
            raise _illegal(directive, reason, f"{name} computed outside of {where}")
        if len(placements.fused.sharers(OwnLoop(loop.func, loop.stage, loop.loop))) > 1:
            reason = f"{name} is computed by a function outside the pipeline, and loop {where} is shared by stages"
            raise _illegal(directive, reason, f"{name} computed outside of {where}")


def _illegal(directive: Directive, reason: str, accepted: str) -> IllegalSchedule:
    return IllegalSchedule(directive.text, location=directive.location, reason=[reason], accepted=accepted)
