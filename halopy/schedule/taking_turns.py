"""`atomic()`: what it takes for iterations that update one element to run at once, each update as one step.

h[in[r]] += 1, r parallel        each update is one step for all threads, whatever their order
(v, p) = the first greatest      which of equally good ones is first depends on the order: refused in parallel
f[r] = f[r - 1] + 1              reads what another iteration stores: refused
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ir.function import Definition, Function
from ..ir.refs import FunctionRef
from ..ir.stmt import LoopKind
from .associativity import associative_op
from .directives import Atomic
from .order import SelfRead, self_reads

if TYPE_CHECKING:
    from .nest import Dim, StageNest


def turns(nest: StageNest, function: Function, ref: FunctionRef, *, override: bool) -> Atomic:
    """The directive for a stage, with what is known of its update."""
    function = function.in_version(nest.stage, nest.definition)
    definition = function.definitions[nest.stage]
    op = associative_op(definition, function, ref)
    is_free = nest.is_order_free
    return Atomic(
        override,
        is_free or op is not None,
        is_free or (op is not None and op.is_commutative),
        _reads_others(definition, function, ref),
    )


def _reads_others(definition: Definition, function: Function, ref: FunctionRef) -> bool:
    """Whether an update reads other elements than the one that it writes, or reads its Func to find that one."""
    own = [SelfRead(definition.index, element) for element in range(len(function.dtypes))]
    before = Definition(definition.index, (), definition.rdom)
    reads = self_reads(Definition((), definition.values), function, ref)
    return bool(self_reads(before, function, ref)) or any(read not in own for read in reads)


def why_not_at_once(atomic: Atomic) -> str | None:
    """Why iterations that take turns may not come in any order; None where they may."""
    if atomic.reads_others:
        return "the update reads other elements than the one that it writes, which others may be writing"
    if atomic.override_associativity_test or atomic.is_commutative:
        return None
    if atomic.is_associative:
        return "of equally good values the first or last one counts, so the order of iterations matters"
    return "no associative operator is seen in the update, so its result may depend on the order of iterations"


def why_not_by_turns(nest: StageNest, dim: Dim, atomic: Atomic) -> tuple[list[str], str] | None:
    """Why a parallel or vectorized loop over a reduction variable may not take turns so, and what would do instead."""
    why = why_not_at_once(atomic)
    if why is None or (dim.kind is LoopKind.VECTORIZED and runs_lanes_in_order(atomic)):
        return None
    other = "a serial or unrolled loop"
    reason = [f"iterations of the reduction loop `{dim.name}` may update one element of {nest.func}", why]
    return reason, other if atomic.reads_others else f"{other}; or atomic(True), if any of the results will do"


def runs_lanes_in_order(atomic: Atomic) -> bool:
    """Whether lanes that meet in an element are combined in their order."""
    return atomic.is_associative and not atomic.reads_others


def take_turns(nest: StageNest) -> LoopKind | None:
    """PARALLEL where threads may meet in an element, VECTORIZED where only lanes may; None where none do."""
    ordered = {dim.kind for dim in nest.dims if dim.is_ordered} if nest.atomic is not None else set()
    kinds = {LoopKind.PARALLEL if kind.is_on_device else kind for kind in ordered}
    return next((kind for kind in (LoopKind.PARALLEL, LoopKind.VECTORIZED) if kind in kinds), None)
