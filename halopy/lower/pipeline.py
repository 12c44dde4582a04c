"""The table of contents of lowering: from a program and its schedules to statements that can be printed.

First the whole program is placed and its regions found; then each pass of PASSES takes statements to statements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ..instrument import timed
from ..ir.build import logical_not
from ..ir.contraction import kept_exact
from ..ir.expr import is_const
from ..ir.kernel import BufferArg, LoweredKernel, ScalarArg
from ..ir.program import Program
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..ir.stmt import Evaluate, If, Stmt, block
from ..schedule.nest import FuncSchedule
from ..schedule.tracing import NO_TRACING, Tracing
from .answer_bounds_query import QUERY, answer_bounds_query
from .build_loop_nests import build_loop_nests
from .check_buffers import constraint_checks, dense_check, is_empty, promised_shapes, tuple_shape_checks
from .check_dataflow import check_dataflow
from .check_printed import Judge, Texts, check_printed
from .contract_products import contract_products
from .device.move_buffers import move_buffers
from .device.offload_kernels import offload_kernels
from .find_idioms import find_idioms
from .flatten_storage import flatten_storage
from .fold_storage import fold_storage
from .fork_producers import fork_producers
from .hoist_invariants import hoist_invariants
from .interleave_stores import interleave_stores
from .pair_products import pair_products
from .partition_loops import partition_loops
from .place_functions import Placement, place_functions
from .regions import Regions, output_buffer
from .run_ahead import run_ahead
from .share_between_stores import share_between_stores
from .share_gathers import share_gathers
from .share_strided_loads import share_strided_loads
from .split_lanes import split_lanes
from .trace_accesses import trace_accesses
from .trace_allocations import trace_allocations
from .trim_no_ops import trim_no_ops
from .unroll_loops import unroll_loops
from .vectorize_loops import vectorize_loops


@dataclass(frozen=True, slots=True)
class Pass:
    """One step; `simplified` passes are followed by a simplification."""

    run: Callable[[Stmt], Stmt]
    simplified: bool = True


PASSES: tuple[Pass, ...] = (
    Pass(unroll_loops),  # before partitioning: copies of a body are decided together
    Pass(trim_no_ops),  # before partitioning: a condition that is a range needs no steady state
    Pass(partition_loops),  # before vectors: one condition over the lanes' range, not one per lane
    Pass(vectorize_loops),
    Pass(split_lanes),  # after vectors: quotients of ramps are what is taken apart
    Pass(share_strided_loads, simplified=False),  # after what makes strides of vectors
    Pass(share_gathers, simplified=False),  # after what makes gathers of vectors
    Pass(interleave_stores, simplified=False),  # after vectors: they are what fills a row together
    Pass(trim_no_ops),  # what the passes before left without effect
    Pass(hoist_invariants, simplified=False),  # after the last simplification, which would put parts together again
    Pass(pair_products, simplified=False),  # before idioms, which look into what it leaves
    Pass(find_idioms, simplified=False),  # after simplification: written for code generation, opaque to the simplifier
    Pass(share_between_stores, simplified=False),  # last: no pass after it looks into what it takes out
)


def now(validate: Callable[[], None]) -> None:
    validate()


def lower(
    program: Program,
    schedules: Mapping[str, FuncSchedule],
    strided: Collection[str] = (),
    tracing: Tracing = NO_TRACING,
    *,
    answers: bool = False,
    contracts: bool = True,
    judge: Judge = check_printed,
    validating: Callable[[Callable[[], None]], object] = now,
) -> LoweredKernel:
    """The kernel that computes the program's outputs as scheduled.

    `strided` names buffers of the caller whose innermost stride is not known to be 1; `tracing` says what is reported.
    One that `answers` can be asked for regions instead, by a further buffer (`answer_bounds_query`). One that
    `contracts` rounds products of floats together with the sums that they are added to (`ir.contraction`).
    `judge` is shown the statements that are printed, beside the loops. `validating` is given what validates the result,
    to run it at once or while the result is compiled.
    """
    with timed("place_functions"):
        placement = place_functions(program, schedules)
    with timed("build_loop_nests"):
        regions = Regions(placement)
        stmt = build_loop_nests(regions)  # asks for regions as it goes
    with timed("fork_producers"):
        stmt = fork_producers(stmt, run_ahead(regions, tracing.realizations))  # before tracing: a Func is computed once
    if tracing:
        stmt = trace_accesses(stmt, tracing, regions)  # before folding: events have the user's coordinates
    with timed("fold_storage"):
        unfolded = stmt
        stmt = fold_storage(stmt, regions.folds)  # before flattening: rows have an index of their own
    folded = stmt
    if contracts:
        with timed("contract_products"):  # before flattening: indices are not values yet
            stmt = contract_products(stmt, kept_exact(placement.program))
    with timed("flatten_storage"):
        boxed, stmt = stmt, flatten_storage(stmt, placement.program, placement.schedules, strided)
    flat = stmt
    stmt = substitute(stmt, promised_shapes(placement.program))  # after flattening: strides have appeared
    buffers = _buffers(placement.program)
    stmt = whole = _under_checks(stmt, regions, [b for b in buffers if b.rank and b.name not in strided])
    stmt = _passed(stmt)
    texts = Texts(boxed, flat, whole, stmt)

    def validate() -> None:
        with timed("check_dataflow"):
            check_dataflow(unfolded, folded, placement)
        with timed("check_printed"):
            judge(texts, placement, strided)

    validating(validate)
    notes = _loop_notes(placement)
    with timed("offload_kernels"):
        dtypes = {b.name: b.dtype for b in buffers}
        stmt, device_kernels = offload_kernels(stmt, dtypes, notes)  # after all passes that look at loops
        stmt = move_buffers(stmt)
    stmt = trace_allocations(stmt, _traced_buffers(placement, tracing))  # last: no pass changes a size after it
    if answers:
        stmt, buffers = answer_bounds_query(stmt, regions, buffers), (*buffers, QUERY)
    return LoweredKernel(
        "halopy_" + "_".join(program.outputs),
        stmt,
        buffers,
        tuple(ScalarArg(s.name, s.dtype) for s in program.scalars.values()),
        notes,
        device_kernels,
    )


def _under_checks(stmt: Stmt, regions: Regions, dense: Sequence[BufferArg]) -> Stmt:
    """What is required of sizes and buffers, and then the statement, unless the output is empty."""
    program = regions.placement.program
    stmt = block(*(dense_check(b.name) for b in dense), stmt)
    empty = is_empty(regions)
    if not is_const(empty, 0):
        stmt = If(logical_not(empty), stmt)
    checks = [*constraint_checks(program), *tuple_shape_checks(program)]
    return block(*map(Evaluate, program.requirements), *checks, stmt)


def _passed(stmt: Stmt) -> Stmt:
    """After all PASSES."""
    with timed("simplify"):
        stmt = simplify(stmt)
    for p in PASSES:
        with timed(p.run.__name__):
            before, stmt = stmt, p.run(stmt)
        if p.simplified and stmt is not before:
            with timed("simplify"):
                stmt = simplify(stmt)
    return stmt


def _buffers(program: Program) -> tuple[BufferArg, ...]:
    """Inputs, then outputs, one per tuple element."""
    inputs = [BufferArg(i.name, i.dtype, i.rank, False) for i in program.images.values()]
    outputs = [
        BufferArg(output_buffer(f, e), dtype, f.rank, True)
        for f in (program.functions[name] for name in program.outputs)
        for e, dtype in enumerate(f.dtypes)
    ]
    return (*inputs, *outputs)


def _traced_buffers(placement: Placement, tracing: Tracing) -> dict[str, tuple[str, int]]:
    """The buffers whose allocation is reported, with Func and value."""
    funcs = [
        f
        for f in placement.program.functions.values()
        if placement.originals.get(f.name, f.name) in tracing.allocations
    ]
    return {
        output_buffer(f, element): (placement.originals.get(f.name, f.name), element)
        for f in funcs
        for element in range(len(f.dtypes))
    }


def _loop_notes(placement: Placement) -> dict[str, tuple[str, ...]]:
    """The directives that made each loop, as the user wrote them."""
    notes: dict[str, tuple[str, ...]] = {}
    for func, schedule in placement.schedules.items():
        for nest in schedule.nests:
            for dim in nest.dims:
                texts = dict.fromkeys(f"{d.text}  [{d.location}]" if d.location else d.text for d in dim.made_by)
                if texts:
                    notes[f"{func}.s{nest.stage}.{dim.name}"] = tuple(texts)
    return notes
