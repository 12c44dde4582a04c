"""What a schedule probably does not mean: worth a warning, not a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..ir.program import Program
from ..source import SourceLocation
from .directives import (
    AlignBounds,
    AlignStorage,
    Bound,
    BoundStorage,
    ComputeWith,
    FoldStorage,
    RingBuffer,
    TraceAccesses,
)
from .nest import FuncSchedule


@dataclass(frozen=True, slots=True)
class Advice:
    """A hint, and the user's line that it is about."""

    text: str
    location: SourceLocation | None
    printed: str = ""  # as Halide prints it, where it does


def advice(program: Program, schedules: Mapping[str, FuncSchedule]) -> list[Advice]:
    """Hints about the schedules of a program, in the order of its Funcs."""
    return [
        hint
        for name in program.functions
        for find in (_forgotten_updates, _ignored_of_inlined, _memory_that_is_not_there, _replaced_partners)
        for hint in find(name, program, schedules[name])
    ]


def _forgotten_updates(name: str, program: Program, schedule: FuncSchedule) -> Iterator[Advice]:
    """Updates without any directive, where another stage of the Func has some."""
    if not any(nest.directives for nest in schedule.nests):
        return
    for nest in schedule.nests[1:]:
        if not nest.directives and not nest.is_left_alone:
            update = f"{nest.func}.update({nest.stage - 1})"
            yield Advice(
                f"{update} has no schedule, although other definitions of {nest.func} have; "
                f"if that is on purpose, {update}.unscheduled() says so",
                program.functions[name].definitions[nest.stage].location,
                f"Warning: Update definition {nest.stage - 1} of function {nest.func} has not been scheduled, even"
                f" though some other definitions have been. If that is on purpose, {update}.unscheduled() says so.",
            )


def _ignored_of_inlined(name: str, program: Program, schedule: FuncSchedule) -> Iterator[Advice]:
    """Ranges and events of a Func that is computed nowhere by itself."""
    function = program.functions[name]
    if name in program.outputs or function.updates or not schedule.compute_level.is_inlined:
        return
    for directive in schedule.directives:
        if isinstance(directive.action, Bound | AlignBounds | TraceAccesses):
            yield Advice(
                f"{directive.text} has no effect: {function.name} is inlined",
                directive.location,
                _meaningless(directive.action, function.name),
            )


def _meaningless(action: Bound | AlignBounds | TraceAccesses, func: str) -> str:
    if isinstance(action, TraceAccesses):
        return ""
    if isinstance(action, AlignBounds):
        return (
            f"Warning: It is meaningless to align the bounds of dimension {action.arg} of function {func}"
            f" to have modulus/remainder [{action.modulus}, {action.remainder or 'any'}]"
            " because the function is scheduled inline."
        )
    return (
        f"Warning: It is meaningless to bound dimension {action.arg} of function {func} to be within"
        f" [{action.min}, {action.extent}] because the function is scheduled inline."
    )


def _memory_that_is_not_there(name: str, program: Program, schedule: FuncSchedule) -> Iterator[Advice]:
    """The shape of memory for a Func that has none of its own, and rings that keep nothing."""
    function = program.functions[name]
    inlined = schedule.compute_level.is_inlined and not function.updates
    reason = "is an output, in the caller's memory" if name in program.outputs else "is inlined" if inlined else ""
    kept = schedule.store_level != schedule.compute_level
    for directive in schedule.directives:
        if reason and isinstance(directive.action, FoldStorage | AlignStorage | BoundStorage | RingBuffer):
            yield Advice(f"{directive.text} has no effect: {function.name} {reason}", directive.location)
        elif isinstance(directive.action, FoldStorage) and not kept:
            text = f"{directive.text} has no effect: {function.name} is stored where it is computed"
            yield Advice(text, directive.location)


def _replaced_partners(name: str, program: Program, schedule: FuncSchedule) -> Iterator[Advice]:  # noqa: ARG001
    """Stages that are to be computed with one stage, and then with another."""
    for nest in schedule.nests:
        for directive in nest.directives:
            last = nest.compute_with
            if isinstance(directive.action, ComputeWith) and last is not None and directive is not last:
                yield Advice(f"{directive.text} has no effect: {last.text} replaces it", directive.location)
