"""`Pipeline.apply_autoscheduler`: directives for every Func, chosen from the algorithm and the estimates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..automatic import Choice, Large, Limits, automatic_schedule
from ..errors import ScheduleError
from ..ir.build import ge, logical_and
from ..ir.expr import TRUE, Expr, ImageProperty, const
from ..ir.program import Program
from ..ir.refs import FunctionRef
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
from ..schedule.versions import applied
from ..source import SourceLocation, caller
from ..target import host_target
from . import revision
from .autoscheduler_params import AutoschedulerParams, machine
from .estimated_sizes import estimated_sizes
from .explanation import Explanation, explanation
from .expressions.conversion import show
from .func_contents import FuncContents
from .func_outputs import output_refs
from .loop_names import bare
from .pipeline_run import PipelineRun, whole_sizes
from .schedule_source import directive_text, schedule_source
from .targets.choice import jit_target
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
            choices = automatic_schedule(seen.program, seen.schedules, estimated_sizes(seen), told)
        except ScheduleError as e:
            raise ScheduleError(e.summary, location=caller(), reason=e.reason, accepted=e.accepted) from None
        _apply(choices, seen.program, caller())
        source = schedule_source(choices, seen)
        return AutoSchedulerResults(target, autoscheduler_params, source)

    def explain(self, sizes: Sequence[int] | None = None, target: Target | None = None) -> Explanation:
        """What the schedule makes of the pipeline, in numbers: loops with trip counts and bytes, stages with operations
        and how often they are computed, and the time that all of it is expected to take. Nothing runs.

        Outputs are as large as `sizes` say, or as estimated; inputs as those that are bound, as estimated, or needed.
        """
        value = jit_target(target)
        wanted = None if sizes is None else whole_sizes(sizes)
        return explanation(self.snapshot(value), value, wanted, Limits())


def _apply(choices: Iterable[Choice], program: Program, location: SourceLocation) -> None:
    refs = {name: ref for ref, name in program.names.items()}
    for choice in choices:
        contents = refs[choice.func]
        assert isinstance(contents, FuncContents), "user-level programs are made of Funcs"
        if choice.action is None:
            contents.nests[choice.stage] = replace(contents.nests[choice.stage], is_left_alone=True)
            continue
        when = None if choice.when is None else _condition(choice.when, refs)
        version = "" if when is None else f".specialize({bare(show(when))})"
        stage = f".update({choice.stage - 1})" if choice.stage else ""
        text = f"{contents.name}{stage}{version}.{directive_text(choice.action)}"
        directive = Directive(choice.action, choice.stage, location, text)
        if isinstance(choice.action, ComputeAt | StoreAt | ReorderStorage):
            contents.add(directive)
        elif when is None:
            contents.apply(directive)
        else:
            contents.nests[choice.stage] = applied(contents.nests[choice.stage], directive, when)
    revision.changed()


def _condition(when: Large, refs: Mapping[str, FunctionRef]) -> Expr:
    """In terms of the user's output buffer."""
    contents = refs[when.output]
    assert isinstance(contents, FuncContents), "user-level programs are made of Funcs"
    (buffer,) = output_refs(contents)
    holds: Expr = TRUE
    for d, least in enumerate(when.least):
        if least:
            holds = logical_and(holds, ge(ImageProperty(buffer, "extent", d), const(least)))
    return holds


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
