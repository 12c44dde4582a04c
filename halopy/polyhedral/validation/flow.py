"""Whether reads find what the algorithm says they read.

    before(r)   writes w to the place of r with moment(w) < moment(r)
    last(r)     the latest of before(r): what the loop nest reads
    due(r)      the algorithm's last write to the cell of r, before the instance that reads it
    wrong       reads r for which last(r) is not due(r)

A Func without updates has one value per cell. Where its memory is not folded either, a place is a cell, so any write
before the read is right. Where it is folded, it is enough that no other cell's value is written between the right one
and the read. Where iterations of an update may change places, `due` is not one instance: then all that write the cell
must come before, each once, and nothing that the algorithm does not run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import islpy as isl

from ...ir.function import Function
from .actors import CONCURRENT
from .depth import Depth, Wrong
from .events import Event
from .flow_sets import FlowSets
from .last_writes import not_last
from .reads import Target
from .space import opaque_in
from .taken_places import first_taken, racing, unordered
from .unwritten import unwritten
from .update_order import incomplete, keeps_order, strange


def wrong_reads(
    reads: Target, writes: Sequence[Event], function: Function, depth: Depth, context: isl.Context
) -> Wrong:
    """The reads that may find something else. Raises isl.Error past the context's limit."""
    flow = FlowSets(reads, writes, function, depth, context)
    wrong = _wrong(flow)
    own = [o for o in flow.reader.loops if o.kind in CONCURRENT and o.name.startswith(f"{function.name}.s")]
    if own and reads.event.by == function.name:
        flow.doubts.append("whether its iterations may meet is asked of its schedule")
    unsaid = dict.fromkeys([*reads.unknown, *flow.left_out, *opaque_in(wrong, flow.opaque)])
    return Wrong(wrong, tuple(flow.base), (*flow.doubts, *(f"isl cannot be told what {e} is" for e in unsaid)))


def _wrong(flow: FlowSets) -> isl.Set:
    reads = flow.set((), flow.reading)
    if not flow.function.updates:
        return _misplaced(flow, reads) if flow.is_folded() else unwritten(flow, reads)
    if all(keeps_order(flow, stage) for stage in range(1, len(flow.instances))):
        return _first(flow, not_last(flow, reads, exact=True), strange, unordered)
    return incomplete(flow)


def _misplaced(flow: FlowSets, reads: isl.Set) -> isl.Set:
    """Reads of cells that nobody wrote before, or whose place another cell took since."""
    bad = unwritten(flow, reads).union(racing(flow))
    if not bad.is_empty():
        return bad
    if flow.is_regular():
        taken = first_taken(flow, reads)
        if taken.is_empty() or not flow.depth.choices:
            return taken  # mostly wrong: the right value may have been written once more since, but rarely is
    return _first(flow, not_last(flow, reads, exact=False), unordered)


def _first(flow: FlowSets, found: isl.Set, *further: Callable[[FlowSets], isl.Set]) -> isl.Set:
    """What is wrong, by the first way of it."""
    for more in further:
        if found.is_empty():
            found = more(flow)
    return found
