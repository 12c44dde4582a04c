"""What of a program reports what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ir.program import Program
from ..target import Target
from ..target_features import TargetFeature
from .directives import TraceAccesses, TracedEvents, TraceTag
from .nest import FuncSchedule


@dataclass(frozen=True, slots=True)
class Tracing:
    """Names of Funcs and images by what of them is reported; `tags` are sent when the pipeline begins."""

    loads: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    realizations: frozenset[str] = frozenset()
    allocations: frozenset[str] = frozenset()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pipeline: bool = False  # report its beginning and end although nothing else is reported

    def __bool__(self) -> bool:
        return bool(self.loads or self.stores or self.realizations or self.pipeline)


NO_TRACING = Tracing()


def tracing(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> Tracing:
    """What directives ask for, and the target's features for all Funcs."""

    def traced(what: TracedEvents, *features: TargetFeature) -> frozenset[str]:
        if any(map(target.has, features)):
            return frozenset(program.functions)
        return frozenset(name for name in program.functions if what in _asked_for(schedules[name]))

    loads, stores = TargetFeature.TraceLoads, TargetFeature.TraceStores
    every = tuple(program.images) if target.has(loads) else ()
    return Tracing(
        loads=traced(TracedEvents.LOADS, loads).union(every, (i.name for i in program.images.values() if i.is_traced)),
        stores=traced(TracedEvents.STORES, stores),
        realizations=traced(TracedEvents.REALIZATIONS, TargetFeature.TraceRealizations, loads, stores),
        allocations=traced(TracedEvents.ALLOCATIONS),
        tags={name: tags for name in program.functions if (tags := _tags(schedules[name]))},
        pipeline=target.has(TargetFeature.TracePipeline),
    )


def _asked_for(schedule: FuncSchedule) -> set[TracedEvents]:
    return {d.action.events for d in schedule.directives if isinstance(d.action, TraceAccesses)}


def _tags(schedule: FuncSchedule) -> tuple[str, ...]:
    return tuple(d.action.text for d in schedule.directives if isinstance(d.action, TraceTag))
