"""Reads of cells that nobody wrote before: all that can be wrong where a place is a cell, and that has one value."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import islpy as isl

from ...ir.expr import Expr
from .actors import before
from .flow_sets import FlowSets, equal
from .names import WRITE, names_of
from .question import apart, bearing_on


def unwritten(flow: FlowSets, reads: isl.Set) -> isl.Set:
    """Reads of cells that nobody wrote before, to where they are read."""
    regular = flow.is_regular()
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        place = [] if regular else equal(writer.place, flow.place)
        for earlier in before(writer, flow.reader):
            if reads.is_empty():
                return reads
            groups = apart([*conditions, *earlier, *equal(writer.cell, flow.cell), *place], (WRITE,))
            partly = [written for written in (_written(flow, group) for group in groups) if written is not None]
            left = [reads.subtract(written) for written in partly]
            reads = reduce(isl.Set.union, left, reads.subtract(reads))
    return reads


def _written(flow: FlowSets, group: Sequence[Expr]) -> isl.Set | None:
    """Reads for which a write can meet these conditions; None where for all.

    Only what bears on them is looked at: mostly one dimension, which is quick.
    """
    written = flow.set((), group, surely=True)
    near = flow.set((), bearing_on(names_of(group), flow.reading))
    return None if near.is_subset(written) else written
