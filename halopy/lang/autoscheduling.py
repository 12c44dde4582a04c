"""`Pipeline.apply_autoscheduler`: directives for every Func, chosen from the algorithm and the estimates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..automatic import Choice, automatic_schedule
from ..errors import ScheduleError
from ..ir.expr import const_value
from ..ir.program import Program
from ..ir.refs import ImageRef
from ..schedule.directives import (
    AlignBounds,
    AlignStorage,
    Bound,
    ComputeAt,
    DebugToFile,
    Directive,
    ReorderStorage,
    StoreAt,
    TraceAccesses,
    TraceTag,
)
from ..schedule.nest import FuncSchedule
from ..source import SourceLocation, caller
from ..target import host_target
from . import revision
from .autoscheduler_params import AutoschedulerParams, machine
from .buffers.contents import BufferContents
from .expressions.expr import Expr
from .func_contents import FuncContents
from .image_ref import ImageParamRef
from .param_ref import ParamRef
from .pipeline_run import PipelineRun
from .schedule_source import directive_text, schedule_source
from .snapshot import Snapshot
from .targets.target import Target

_KEPT = (Bound, AlignBounds, ReorderStorage, AlignStorage, TraceAccesses, TraceTag, DebugToFile)


class AutoSchedulerResults:
    """What was chosen: `schedule_source` is Python with a function that gives an unscheduled pipeline the same one.

    `featurization`, of which Halide's schedulers learn, is empty.
    """

    __slots__ = ("autoscheduler_params", "featurization", "schedule_source", "target")

    def __init__(self, target: Target, autoscheduler_params: AutoschedulerParams, schedule_source: str) -> None:
        self.target = target
        self.autoscheduler_params = autoscheduler_params
        self.schedule_source = schedule_source
        self.featurization = b""

    def __repr__(self) -> str:
        return "<halopy.AutoSchedulerResults>"


class Autoscheduling(PipelineRun):
    """The part of Pipeline that schedules it."""

    __slots__ = ()

    def apply_autoscheduler(self, target: Target, autoscheduler_params: AutoschedulerParams) -> AutoSchedulerResults:
        """Give every Func of the pipeline a schedule. None may have one, but for bounds and the order of storage.

        Sizes are expected to be as `set_estimate` says of outputs, and of those inputs and Params on which they
        depend. The answer is the same for all sizes; the schedule is best near the estimates.
        """
        value = host_target() if target.value.has_unknowns else target.value
        told = machine(autoscheduler_params, value)
        seen = self.snapshot(value)
        for schedule in seen.schedules.values():
            _check_unscheduled(schedule)
        try:
            choices = automatic_schedule(seen.program, seen.schedules, _estimates(seen), told)
        except ScheduleError as e:
            raise ScheduleError(e.summary, location=caller(), reason=e.reason, accepted=e.accepted) from None
        _apply(choices, seen.program, caller())
        source = schedule_source(choices, seen)
        return AutoSchedulerResults(target, autoscheduler_params, source)


def _apply(choices: Iterable[Choice], program: Program, location: SourceLocation) -> None:
    refs = {name: ref for ref, name in program.names.items()}
    for choice in choices:
        contents = refs[choice.func]
        assert isinstance(contents, FuncContents), "user-level programs are made of Funcs"
        if choice.action is None:
            contents.nests[choice.stage] = replace(contents.nests[choice.stage], is_left_alone=True)
            continue
        text = (
            f"{contents.name}{f'.update({choice.stage - 1})' if choice.stage else ''}.{directive_text(choice.action)}"
        )
        directive = Directive(choice.action, choice.stage, location, text)
        if isinstance(choice.action, ComputeAt | StoreAt):
            contents.add(directive)
        else:
            contents.apply(directive)
    revision.changed()


def _check_unscheduled(schedule: FuncSchedule) -> None:
    """Raises ScheduleError where a directive was given already that the scheduler would have to give."""
    wide = [d for d in schedule.directives if not isinstance(d.action, _KEPT) and not _is_inlining(d)]
    for directive in (*wide, *(d for nest in schedule.nests for d in nest.directives)):
        raise ScheduleError(
            f"the pipeline cannot be scheduled automatically after {directive.text}",
            location=directive.location,
            reason=["the automatic scheduler chooses the whole schedule, and would have to undo this directive"],
            accepted="bounds, estimates and the order of storage before apply_autoscheduler(...); others after it",
        )


def _is_inlining(directive: Directive) -> bool:
    return isinstance(directive.action, ComputeAt) and directive.action.level.is_inlined


def _estimates(seen: Snapshot) -> dict[str, int | float]:
    """What the user said to expect, and the shapes of Buffers that are part of the algorithm, by symbol."""
    program = seen.program
    found: dict[str, int | float] = {}
    for image in program.images.values():
        found |= _shape(image.name, image.ref)
    for ref, name in program.names.items():
        if isinstance(ref, FuncContents) and name in program.outputs:
            buffers = [name] if len(ref.output_refs) == 1 else [f"{name}.{n}" for n in range(len(ref.output_refs))]
            for buffer, output in zip(buffers, ref.output_refs, strict=True):
                found |= _shape(buffer, output)
    for scalar in program.scalars.values():
        if isinstance(scalar.ref, ParamRef):
            value = _number(scalar.ref.estimate)
            value = _number(scalar.ref.default) if value is None else value
            found |= {} if value is None else {scalar.name: value}
    return found


def _shape(name: str, ref: ImageRef) -> dict[str, int | float]:
    found: dict[str, int | float] = {}
    if isinstance(ref, ImageParamRef):
        for (prop, dim), expected in ref.estimates.items():
            value = _number(expected)
            found |= {} if value is None else {f"{name}.{prop}.{dim}": value}
    elif isinstance(ref.constant, BufferContents):
        for dim, (low, extent) in enumerate(zip(ref.constant.mins, reversed(ref.constant.array.shape), strict=True)):
            found |= {f"{name}.min.{dim}": low, f"{name}.extent.{dim}": extent}
    return found


def _number(e: Expr) -> int | float | None:
    return const_value(e.node) if e.defined() else None
