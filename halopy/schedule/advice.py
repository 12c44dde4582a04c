"""What a schedule probably does not mean: worth a warning, not a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..ir.expr import Expr
from ..ir.function import Definition
from ..ir.node import walk
from ..ir.program import Program
from ..source import SourceLocation
from ..target import Target
from ..target_features import TargetArch, TargetFeature
from .directives import (
    AlignBounds,
    AlignStorage,
    Bound,
    BoundStorage,
    ComputeWith,
    DebugToFile,
    FoldStorage,
    RingBuffer,
    TraceAccesses,
)
from .extern_stages import never_inlined
from .nest import FuncSchedule


@dataclass(frozen=True, slots=True)
class Advice:
    """A hint, and the user's line that it is about."""

    text: str
    location: SourceLocation | None
    printed: str = ""  # as Halide prints it, where it does


def advice(program: Program, schedules: Mapping[str, FuncSchedule]) -> list[Advice]:
    """Hints about the schedules of a program, in the order of its Funcs."""
    return [hint for name in program.functions for find in _KINDS for hint in find(name, program, schedules[name])]


def emulated_floats(program: Program, target: Target) -> list[Advice]:
    """Hints about Funcs that compute in float16 where the target cannot even convert it."""
    if target.arch is not TargetArch.X86 or any(map(target.has, _WITH_FLOAT16)):
        return []
    found = ((name, next(filter(_has_halves, f.definitions), None)) for name, f in program.functions.items())
    return [
        Advice(f"`{name}` computes in float16, which the target {target} emulates slowly", stage.location)
        for name, stage in found
        if stage is not None
    ]


def _has_halves(stage: Definition) -> bool:
    nodes = (e for value in stage.values for e in walk(value))
    return any(isinstance(e, Expr) and e.dtype.is_float and e.dtype.bits == 16 for e in nodes)


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
    if name in never_inlined(program):
        return
    for directive in schedule.directives:
        if isinstance(directive.action, Bound | AlignBounds | TraceAccesses | DebugToFile):
            yield Advice(
                f"{directive.text} has no effect: {function.name} is inlined",
                directive.location,
                _meaningless(directive.action, function.name),
            )


def _loops_that_are_not_there(name: str, program: Program, schedule: FuncSchedule) -> Iterator[Advice]:
    """Loops of a Func that is computed nowhere by itself."""
    function = program.functions[name]
    if name in program.outputs or function.updates or not schedule.compute_level.is_inlined:
        return
    if name in never_inlined(program):
        return
    for text, location in dict.fromkeys((d.text, d.location) for d in schedule.nests[0].directives):
        yield Advice(f"{text} has no effect: {function.name} is inlined, and has no loops", location)


def _meaningless(action: Bound | AlignBounds | TraceAccesses | DebugToFile, func: str) -> str:
    if isinstance(action, TraceAccesses | DebugToFile):
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
    kept = schedule.store_level != schedule.compute_level or function.updates
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


_KINDS = (
    _forgotten_updates,
    _ignored_of_inlined,
    _loops_that_are_not_there,
    _memory_that_is_not_there,
    _replaced_partners,
)
_WITH_FLOAT16 = (TargetFeature.F16C, TargetFeature.AVX512_SapphireRapids)
