"""`verify`: all that must hold for a schedule to keep the algorithm's answer, each with whether and why it does.

    order, concurrency     of each update: dependences against the nest of loops
    associativity          of each update that combines floats in another order: right, but not bit for bit
    tails                  of each split: iterations that run again, or past the end
    storage, bounds        of each directive about memory and regions, and
    shared loops           of each compute_with: rules that lowering checks, and what is found of their accesses
    dataflow, memory       of each access of the finished loops: it finds the value that is meant, inside its memory
    flat memory            of each Func: each element of a box lies at a place of its own
    printed                of each statement of the loops: passes kept its iterations, elements and order
    in place               of each input whose memory an output is to have

What lowering decides it decides for the whole pipeline: the first thing that it refuses stands for all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..compile import dataflow_obligations, lowered_pipeline, printed_obligations
from ..errors import IllegalSchedule, ScheduleError, UnsupportedTarget
from ..ir.extern import extern_call
from ..ir.kernel import LoweredKernel
from ..ir.node import find
from ..ir.stmt import Assert, ErrorSite, LoopKind
from ..proof import NOT_PROVED, PROVED, REFUTED, Obligation, Proof
from ..schedule.directives import (
    AlignBounds,
    Async,
    Bound,
    BoundStorage,
    ComputeWith,
    Directive,
    FoldStorage,
    HoistStorage,
    RingBuffer,
    Split,
    Tail,
)
from ..schedule.nest import StageNest, blending_race, is_at_once
from ..schedule.tails import BLENDING
from ..target import Target
from .func_contents import FuncContents
from .in_place_proof import Places, in_place_obligations
from .legality import verdict_of
from .reassociation import reassociation
from .snapshot import Snapshot

_AGAIN = (Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS_AND_BLEND)
_PAST = (Tail.ROUND_UP, Tail.ROUND_UP_AND_BLEND, Tail.PREDICATE_LOADS, Tail.PREDICATE_STORES)


def verification(taken: Snapshot, target: Target, sizes: tuple[int, ...], places: Places) -> Proof:
    """The proof of the schedules that a snapshot has, for all sizes of its outputs, or for those given.

    `places` are outputs that are to lie in the memory of inputs.
    """
    found: list[Obligation] = []
    for ref, name in taken.program.names.items():
        assert isinstance(ref, FuncContents), "user-level programs are made of Funcs"
        known = sizes if name in taken.program.outputs else ()
        for nest in ref.nests:
            for version in _versions(nest):
                found += _of_stage(ref, version, known)
    lowered = _of_lowering(taken, target)
    if all(o.kind != "schedule" for o in lowered):
        lowered += in_place_obligations(taken, target, places, sizes)
    return Proof((*found, *lowered))


def _versions(nest: StageNest) -> Iterator[StageNest]:
    for version in nest.specializations:
        if version.failure is None:
            yield from _versions(version.nest)
    yield nest


def _of_stage(contents: FuncContents, nest: StageNest, sizes: tuple[int, ...]) -> Iterator[Obligation]:
    name = contents.name if nest.stage == 0 else f"{contents.name}.update({nest.stage - 1})"
    if nest.is_update:
        serial = replace(nest, dims=tuple(replace(d, kind=LoopKind.SERIAL) for d in nest.dims))
        yield _decided("order", name, contents, serial, sizes)
        if serial.dims != nest.dims:
            yield _decided("concurrency", name, contents, nest, sizes)
        yield from reassociation(contents, nest, name, sizes)
    elif extern_call(contents.defined_function) is not None:
        yield Obligation("order", (name,), NOT_PROVED, "a function outside computes it, of which nothing is known")
    else:
        yield Obligation("order", (name,), PROVED, "each element is computed from others alone, so any order will do")
    yield from (_of_tail(name, nest, step) for step in nest.steps if isinstance(step, Split))


def _decided(kind: str, name: str, contents: FuncContents, nest: StageNest, sizes: tuple[int, ...]) -> Obligation:
    """What dependences say. Where isl cannot tell, the quick rules could, or a directive would have been refused.

    A race that the user allowed is refused by nobody, and so what shows it proves nothing about the schedule as such.
    """
    start = time.perf_counter()
    verdict = verdict_of(contents, nest, sizes)
    status, reason = verdict.status, verdict.reason
    if status != PROVED and nest.races_allowed:
        status, reason = NOT_PROVED, f"allow_race_conditions() was given, and {reason}"
    elif status == NOT_PROVED:
        status, reason = PROVED, _why_still(kind, nest, reason)
    return Obligation(kind, (name,), status, reason, verdict.witness, time.perf_counter() - start)


def _why_still(kind: str, nest: StageNest, unknown: str) -> str:
    """What the quick rules saw where isl cannot tell of all loops at once."""
    if kind == "concurrency" and not any(d.is_ordered and is_at_once(d) for d in nest.dims):
        return "an index by itself keeps apart the iterations that run at once"
    if kind == "order" and nest.is_order_free:
        return "each iteration combines values, in any order"
    return f"each directive kept the answer when it was given; of all together isl cannot be asked, as {unknown}"


def _of_tail(name: str, nest: StageNest, split: Split) -> Obligation:
    loop = f"loop {split.old.replace('$', '.')}, {split.tail.value}"
    race = blending_race(nest) if split.tail in BLENDING else None
    if race is not None:
        why = f"allow_race_conditions() was given, and what loop {race.name} computes meanwhile may be stored over"
        return Obligation("tails", (name,), NOT_PROVED, f"{loop}: {why}")
    if split.tail in _AGAIN and not nest.is_update:
        why = "what is computed again has the same value"
    elif split.tail in _AGAIN:
        why = "what was computed already is stored back"
    elif split.tail in _PAST:
        why = "past the end lie elements that are not asked for, or the run is refused"
    else:
        why = "iterations past the end do nothing"
    return Obligation("tails", (name,), PROVED, f"{loop}: {why}")


def _of_lowering(taken: Snapshot, target: Target) -> list[Obligation]:
    start = time.perf_counter()
    try:
        lowered = lowered_pipeline(taken.program, taken.schedules, target)
    except IllegalSchedule as refusal:
        return [Obligation("schedule", taken.program.outputs, REFUTED, str(refusal), refusal.witness)]
    except (ScheduleError, UnsupportedTarget) as refusal:
        return [Obligation("schedule", taken.program.outputs, NOT_PROVED, str(refusal))]
    seconds = time.perf_counter() - start
    accesses = dataflow_obligations(taken.program, taken.schedules, target)
    found = list(_of_directives(taken, lowered, accesses))
    directives = [replace(o, seconds=seconds / len(found)) for o in found]
    return [*directives, *accesses, *printed_obligations(taken.program, taken.schedules, target)]


def _of_directives(taken: Snapshot, lowered: LoweredKernel, accesses: Sequence[Obligation]) -> Iterator[Obligation]:
    checks = {(a.site, *a.names[:2]) for a in find(lowered.body, Assert)}
    for name, schedule in taken.schedules.items():
        directives = [*schedule.directives, *(d for nest in schedule.nests for d in nest.directives)]
        for directive in directives:
            rule = _RULES.get(type(directive.action))
            if rule is not None:
                kind, why = rule
                stages, status, seen = (name, *_partner(directive, taken)), PROVED, ""
                check = _CHECKS.get(type(directive.action))
                if check is not None and (check, name, getattr(directive.action, "arg", "")) in checks:
                    why = _REFUSED
                else:
                    status, seen = _seen(stages, accesses)
                yield Obligation(kind, stages, status, f"{directive.text}: {why}{seen}")


def _seen(stages: Sequence[str], accesses: Sequence[Obligation]) -> tuple[str, str]:
    """What the accesses of the Funcs in the finished loops say of what a directive must keep."""
    about = [o for o in accesses if any(stage.partition(".update(")[0] in stages for stage in o.stages)]
    wrong = [o for o in about if o.status == REFUTED]
    if wrong:
        return REFUTED, f", but not in the finished loops: {wrong[0].reason}"
    if about and all(o.status == PROVED for o in about):
        return PROVED, ", and so it is found for every access in the finished loops"
    return PROVED, ", by the rule that lowering checks; not all accesses in the finished loops could be looked at"


def _partner(directive: Directive, taken: Snapshot) -> Sequence[str]:
    action = directive.action
    if not isinstance(action, ComputeWith) or action.level.func is None:
        return ()
    return (taken.program.names[action.level.func],)


_REFUSED = "a run that needs more is refused before anything is computed"
_CHECKS = {
    FoldStorage: ErrorSite.FOLD_TOO_SMALL,
    BoundStorage: ErrorSite.STORAGE_TOO_SMALL,
    Bound: ErrorSite.BOUND_TOO_SMALL,
}
_RULES = {
    ComputeWith: ("shared loops", "neither stage needs the other, or they meet in an element in the same iteration"),
    FoldStorage: ("storage", "no more elements are in use at once than are kept"),
    BoundStorage: ("storage", "there is room for all that is kept"),
    HoistStorage: ("storage", "memory is taken once, and each iteration stores before it reads"),
    RingBuffer: ("storage", "each iteration stores before it reads, in a slot of its own"),
    Async: ("async", "each read waits until its value is there, and who is ahead waits until a place is free"),
    Bound: ("bounds", "all that is needed lies inside"),
    AlignBounds: ("bounds", "more is computed, and nothing else"),
}
