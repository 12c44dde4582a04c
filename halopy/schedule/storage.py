"""What was said about the memory of a Func, and whether it can be so."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import IllegalSchedule, ScheduleError, UnsupportedTarget
from ..ir.expr import Expr
from ..ir.program import Program
from ..ir.stmt import LoopKind, MemoryKind
from ..target import Target
from ..target_features import TargetFeature
from .directives import AlignStorage, BoundStorage, Directive, FoldStorage, HoistStorage, RingBuffer, StoreIn
from .misplaced import Misplaced, with_place
from .nest import FuncSchedule
from .placement import Path, Placements, levels_of, shown_path

_OF_THE_PROCESSOR = (MemoryKind.AUTO, MemoryKind.HEAP, MemoryKind.STACK, MemoryKind.REGISTER)


def folds(schedule: FuncSchedule) -> dict[str, tuple[Expr, Directive]]:
    """By argument: how many values are kept, and who said so. Later directives win, here and below."""
    return {d.action.arg: (d.action.factor, d) for d in schedule.directives if isinstance(d.action, FoldStorage)}


def storage_bounds(schedule: FuncSchedule) -> dict[str, tuple[Expr, Directive]]:
    """By argument: for how many values there is room, and who said so."""
    return {d.action.arg: (d.action.extent, d) for d in schedule.directives if isinstance(d.action, BoundStorage)}


def storage_alignments(schedule: FuncSchedule) -> dict[str, Expr]:
    """By argument: of what the extent in memory is a multiple."""
    return {d.action.arg: d.action.alignment for d in schedule.directives if isinstance(d.action, AlignStorage)}


def check_storage(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> None:
    """Raises ScheduleError for memory that cannot be where it was put, UnsupportedTarget for a kind that is not there.

    Assumes that places of computation and storage were checked (`check_placements`).
    """
    try:
        _check_all(program, schedules, target)
    except Misplaced as refusal:
        raise with_place(refusal, program, schedules, lambda moved: _check_all(program, moved, target)) from None


def _check_all(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> None:
    kinds = (*_OF_THE_PROCESSOR, MemoryKind.GPU_SHARED) if target.has(TargetFeature.OpenCL) else _OF_THE_PROCESSOR
    hoisted = [n for n, s in schedules.items() if s.last(HoistStorage) or s.last(RingBuffer)]
    placements = Placements(program, schedules) if hoisted else None
    for name, schedule in schedules.items():
        if name in program.outputs:
            continue
        inlined = schedule.compute_level.is_inlined
        if placements is not None and name in hoisted:
            _check_hoisted(name, schedule, placements)
        kind = schedule.last(StoreIn)
        if kind is not None and schedule.memory not in kinds and not inlined:
            raise UnsupportedTarget(
                kind.text,
                location=kind.location,
                reason=[f"the target {target} has no such memory"],
                accepted=", ".join(f"MemoryType.{k.value}" for k in kinds),
            )


def _check_hoisted(name: str, schedule: FuncSchedule, placements: Placements) -> None:
    hoist, ring = schedule.last(HoistStorage), schedule.last(RingBuffer)
    is_hoisted = isinstance(hoist and hoist.action, HoistStorage) and not schedule.hoist_level.is_inlined
    if schedule.compute_level.is_inlined:
        if hoist is not None and is_hoisted:
            raise _illegal(
                hoist, f"{name} is inlined, so it has no storage", f"compute_root() or compute_at() of {name}"
            )
        return
    for place in placements.places(name):
        store = placements.store_path(name, place)
        part = placements.part_up_to(schedule.hoist_level, store)
        if hoist is not None and is_hoisted:
            _check_level(name, hoist, part, store, place, placements)
        if ring is not None and part == store:
            raise _illegal(
                ring,
                f"the storage of {name} is taken where it is used, so that there is nothing to use in turn",
                f"hoist_storage() of {name} to a level outside the loop in which it is stored",
            )


def _check_level(
    name: str, hoist: Directive, part: Path | None, store: Path, place: Path, placements: Placements
) -> None:
    around = "hoist_storage_root(), or hoist_storage() to " + (" or ".join(shown_path(store, placements)) or "the root")
    if part is None:
        reason = f"{name} is stored or computed outside that loop, so its memory would not live long enough"
        raise _illegal(hoist, reason, around)
    for depth in range(len(part), len(place)):
        loop = place[depth]
        dim = placements.schedules[loop.func].nests[loop.stage].dim(loop.loop)
        if dim is not None and dim.kind in (LoopKind.PARALLEL, LoopKind.VECTORIZED):
            why = [
                f"the memory of {name} would be taken outside the {dim.kind.value} loop {loop.func}.{loop.loop}, "
                "but is used inside",
                "its iterations run at the same time and would overwrite each other's values",
            ]
            accepted = f"{name} hoisted to {' or '.join(shown_path(place[depth:], placements))}"
            raise Misplaced(name, hoist, why, accepted, levels_of(place[depth:], placements))


def _illegal(directive: Directive, reason: str, accepted: str) -> ScheduleError:
    return IllegalSchedule(directive.text, location=directive.location, reason=[reason], accepted=accepted)
