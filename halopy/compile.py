"""The whole way of a pipeline: from an algorithm and a schedule, both values, to a kernel's text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from .codegen.c import print_c
from .codegen.kernel import Kernel
from .codegen.opencl import print_opencl
from .instrument import timed
from .ir.expr import Expr
from .ir.kernel import LoweredKernel
from .ir.program import Program
from .ir.shared_memory import SharedMemory
from .ir.stmt import If, Stmt
from .lower.build_loop_nests import build_loop_nests
from .lower.check_dataflow import dataflow_of
from .lower.check_in_place import check_in_place
from .lower.check_printed import Texts, obligations_of
from .lower.fold_storage import fold_storage
from .lower.loops import Loops
from .lower.pipeline import lower, now
from .lower.place_functions import Placement, place_functions
from .lower.query_bounds import Query, query_bounds
from .lower.regions import Regions
from .proof import Obligation
from .recursion import deep_recursion
from .schedule.devices import check_devices
from .schedule.extern_stages import place_extern_stages, refuse_memoized_extern
from .schedule.memoized import find_memo_keys, refuse_memoized, without_tags
from .schedule.nest import FuncSchedule
from .schedule.placement import check_placements
from .schedule.prefetches import check_prefetches
from .schedule.separate_specializations import separate_specializations
from .schedule.storage import check_storage
from .schedule.tracing import tracing
from .target import Target
from .target_features import TargetFeature


@dataclass(frozen=True, slots=True)
class LinkedKernel:
    """A kernel for linking, and the statements of it that compute."""

    kernel: Kernel
    lowered: LoweredKernel


def compile_pipeline(
    program: Program,
    schedules: Mapping[str, FuncSchedule],
    target: Target,
    strided: Collection[str] = (),
    validating: Callable[[Callable[[], None]], object] = now,
) -> Kernel:
    """Check, lower and print. Raises ScheduleError for a schedule that cannot be, DefinitionError for an
    algorithm that reads without bounds. `strided` names buffers whose innermost stride may differ from 1.
    `validating` is given what must run, and not raise, before the kernel does.
    """

    def validate_deeply(validate: Callable[[], None]) -> None:
        validating(deep_recursion()(validate))

    with deep_recursion():
        program, schedules = _checked(program, schedules, target)
        traced = tracing(program, schedules, target)
        lowered = lower(program, schedules, strided, traced, contracts=_contracts(target), validating=validate_deeply)
        with timed("print_c"):
            kernel = print_c(lowered, target)
        if not lowered.device_kernels:
            return kernel
        with timed("print_opencl"):
            return replace(kernel, device=print_opencl(lowered.device_kernels, lowered.loop_notes))


def compile_linked(
    program: Program, schedules: Mapping[str, FuncSchedule], target: Target, strided: Collection[str], name: str
) -> LinkedKernel:
    """The same for a kernel that is to become part of another program, as a static function of this name."""
    with deep_recursion():
        refuse_memoized(schedules)
        program, schedules = _checked(program, schedules, target)
        traced = tracing(program, schedules, target)
        lowered = lower(program, schedules, strided, traced, answers=True, contracts=_contracts(target))
        lowered = replace(lowered, name=name)
        with timed("print_c"):
            kernel = print_c(lowered, target, linked=True)
    choice = lowered.body
    assert isinstance(choice, If) and choice.otherwise is not None, "the kernel stands behind the query"
    return LinkedKernel(kernel, replace(lowered, body=choice.otherwise, buffers=lowered.buffers[:-1]))


def lowered_pipeline(
    program: Program, schedules: Mapping[str, FuncSchedule], target: Target, strided: Collection[str] = ()
) -> LoweredKernel:
    """Check and lower only: the statements that would be printed."""
    with deep_recursion():
        program, schedules = _checked(program, schedules, target)
        return lower(program, schedules, strided, tracing(program, schedules, target), contracts=_contracts(target))


def dataflow_obligations(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> list[Obligation]:
    """What must hold of each access of the scheduled loops, and whether it does (see `lower.check_dataflow`)."""
    with deep_recursion():
        loops = _loops(program, schedules, target)
        return dataflow_of(loops.unfolded, loops.folded, loops.placement)


def finished_loops(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> Loops:
    """The loops as built, slid and folded, before passes rewrite them."""
    with deep_recursion():
        return _loops(program, schedules, target)


def printed_obligations(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> list[Obligation]:
    """What must hold of the statements that are printed, and whether it does (see `lower.check_printed`)."""
    found: list[Obligation] = []

    def judge(texts: Texts, placement: Placement, strided: Collection[str]) -> None:
        found.extend(obligations_of(texts, placement, strided))

    with deep_recursion():
        program, schedules = _checked(program, schedules, target)
        lower(program, schedules, judge=judge)
    return found


def in_place_obligation(
    program: Program,
    schedules: Mapping[str, FuncSchedule],
    target: Target,
    shared: SharedMemory,
    known: Mapping[str, Expr],
    shown: Mapping[str, str],
) -> Obligation:
    """Whether an output may be written into an input's memory (see `lower.check_in_place`)."""
    with deep_recursion():
        program, schedules = _checked(program, schedules, target)
        return check_in_place(place_functions(program, schedules), shared, known, shown)


def compile_query(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> Query:
    """What tells which shapes a run needs. Raises ScheduleError for a schedule that cannot be."""
    with deep_recursion():
        program, schedules = _checked(program, schedules, target)
        return query_bounds(program, schedules)


def conceptual_pipeline(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> Stmt:
    """The loops as scheduled, before passes rewrite them: with storage by name, and vectors and unrolling as loops."""
    with deep_recursion():
        program, schedules = _checked(program, schedules, target)
        return build_loop_nests(Regions(place_functions(program, schedules)))


def _loops(program: Program, schedules: Mapping[str, FuncSchedule], target: Target) -> Loops:
    program, schedules = _checked(program, schedules, target)
    placement = place_functions(program, schedules)
    regions = Regions(placement)
    stmt = build_loop_nests(regions)
    return Loops(stmt, fold_storage(stmt, regions.folds), placement)


def _checked(
    program: Program, schedules: Mapping[str, FuncSchedule], target: Target
) -> tuple[Program, Mapping[str, FuncSchedule]]:
    """What is lowered: specializations apart, and schedules that can be."""
    schedules = place_extern_stages(program, schedules)
    program, schedules = separate_specializations(program, schedules)
    refuse_memoized_extern(program, schedules)
    with timed("check_placements"):
        check_placements(program, schedules)
        check_storage(program, schedules, target)
        check_prefetches(schedules)
        check_devices(program, schedules, target)
        schedules = find_memo_keys(program, schedules)
    return without_tags(program), schedules


def _contracts(target: Target) -> bool:
    return not target.has(TargetFeature.StrictFloat)
