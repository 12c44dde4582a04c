"""The refusal of a place to compute or store a Func, or to take its memory, with one that may stand there instead.

blur_x.compute_at(blur_y, xi), also read outside of that loop       instead: compute_at(blur_y, y), or compute_root()
blur_x.store_root(), computed inside a parallel loop y              instead: store_at(blur_y, y)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..errors import IllegalSchedule
from ..ir.program import Program
from .directives import ComputeAt, Directive, HoistStorage, LoopLevel, StoreAt
from .nest import FuncSchedule

Schedules = Mapping[str, FuncSchedule]


class Misplaced(IllegalSchedule):
    """`levels` are places that might do, the best first."""

    def __init__(
        self, func: str, directive: Directive, reason: Sequence[str], accepted: str, levels: Sequence[LoopLevel]
    ) -> None:
        super().__init__(directive.text, location=directive.location, reason=reason, accepted=accepted)
        self.func, self.written, self.levels = func, directive, levels


def with_place(
    refusal: Misplaced, program: Program, schedules: Schedules, check: Callable[[Schedules], None]
) -> IllegalSchedule:
    """The refusal with the first of its places that passes the check."""
    repair = None
    for level in refusal.levels:
        try:
            check(_moved(refusal, schedules, level))
        except IllegalSchedule:
            continue
        repair = _text(refusal.written, level, program)
        break
    return IllegalSchedule(
        refusal.summary, location=refusal.location, reason=refusal.reason, accepted=refusal.accepted, repair=repair
    )


def _moved(refusal: Misplaced, schedules: Schedules, level: LoopLevel) -> Schedules:
    schedule, written = schedules[refusal.func], refusal.written
    moved = replace(written, action=_kind(written)(level))
    directives = tuple(moved if d is written else d for d in schedule.directives)
    return {**schedules, refusal.func: replace(schedule, directives=directives)}


def _kind(written: Directive) -> type[ComputeAt | StoreAt | HoistStorage]:
    return next(kind for kind in _VERBS if isinstance(written.action, kind))


def _text(written: Directive, level: LoopLevel, program: Program) -> str:
    at, root = _VERBS[_kind(written)]
    if level.func is None:
        return f"{root}()"
    return f"{at}({program.names[level.func]}, {level.loop.replace('$', '.')})"


_VERBS: Mapping[type[ComputeAt | StoreAt | HoistStorage], tuple[str, str]] = {
    ComputeAt: ("compute_at", "compute_root"),
    StoreAt: ("store_at", "store_root"),
    HoistStorage: ("hoist_storage", "hoist_storage_root"),
}
