"""The whole way of a pipeline: from an algorithm and a schedule, both values, to a kernel's text."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .codegen.c import print_c
from .codegen.kernel import Kernel
from .instrument import timed
from .ir.program import Program
from .lower.pipeline import lower
from .recursion import deep_recursion
from .schedule.nest import FuncSchedule
from .schedule.placement import check_placements
from .schedule.prefetches import check_prefetches
from .schedule.separate_specializations import separate_specializations
from .schedule.storage import check_storage
from .target import Target


def compile_pipeline(
    program: Program, schedules: Mapping[str, FuncSchedule], target: Target, strided: Collection[str] = ()
) -> Kernel:
    """Check, lower and print. Raises ScheduleError for a schedule that cannot be, DefinitionError for an
    algorithm that reads without bounds. `strided` names buffers whose innermost stride may differ from 1.
    """
    with deep_recursion():
        program, schedules = separate_specializations(program, schedules)
        with timed("check_placements"):
            check_placements(program, schedules)
            check_storage(program, schedules, str(target))
            check_prefetches(schedules)
        lowered = lower(program, schedules, strided)
        with timed("print_c"):
            return print_c(lowered, target)
