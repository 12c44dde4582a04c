"""Reads of places that another cell took, of memory that is folded or shared by iterations that run at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import islpy as isl

from ...ir import build
from ...ir.expr import FALSE, Expr
from .actors import Actor, at_once, before
from .flow_sets import FlowSets, equal
from .names import names_of
from .question import bearing_on


def first_taken(flow: FlowSets, reads: isl.Set) -> isl.Set:
    """Some of the reads before which another cell took the place; none where none did."""
    found = (taken.intersect(reads) for taken in _taken(flow))
    return next((taken for taken in found if not taken.is_empty()), reads.subtract(reads))


def _taken(flow: FlowSets) -> Iterator[isl.Set]:
    """Reads of a cell before which it is written, and then another in its place, by the order of these three.

    The other is not surely before the right one, and does not come at once with the read.
    """
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        for other, takes in flow.others():
            happens = [*flow.reading, *conditions, *takes]
            for earlier in (*before(writer, other), *at_once(writer, other)):
                for later in before(other, flow.reader):
                    for cells in _other_cells(flow, writer, other):
                        known = [*earlier, *later, *cells]
                        where = bearing_on(names_of(known), happens)
                        taken = flow.set((), where, known)
                        if not taken.is_empty():
                            yield taken


def _other_cells(flow: FlowSets, writer: Actor, other: Actor) -> Iterator[list[Expr]]:
    """Conditions, of which one list holds where the other writes the place of the writer, but another cell.

    Only the dimension in which they differ is looked at.
    """
    for right, wrong, read, place, to in zip(writer.cell, other.cell, flow.cell, flow.place, other.place, strict=True):
        if place is not read:
            for differ in (build.lt(wrong, read), build.lt(read, wrong)):
                yield [build.eq(right, read), build.eq(to, place), differ]


def racing(flow: FlowSets) -> isl.Set:
    """Reads of places that another iteration of a concurrent loop may write another value to."""
    found = flow.set((), [FALSE])
    if flow.function.name == flow.reader.event.by:
        return found  # whether iterations of one Func may meet is asked of its schedule
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        others = [[]] if flow.function.updates else [[c] for c in map(build.ne, writer.cell, flow.cell)]
        for meanwhile in at_once(writer, flow.reader):
            for other in others:
                where = [*meanwhile, *other, *equal(writer.place, flow.place)]
                found = found.union(flow.set((), [*flow.reading, *conditions], where))
    return found


def unordered(flow: FlowSets) -> isl.Set:
    """Reads of places that two iterations of a concurrent loop have written different cells to."""
    found = flow.set((), [FALSE])
    if not flow.is_folded():
        return found
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        for other, again in flow.others():
            for meanwhile in at_once(writer, other):
                for earlier, late in product(before(writer, flow.reader), before(other, flow.reader)):
                    where = [*meanwhile, *earlier, *late, *equal(writer.place, other.place)]
                    where += [*equal(writer.place, flow.place), *equal(writer.cell, flow.cell)]
                    for differ in map(build.ne, writer.cell, other.cell):
                        found = found.union(flow.set((), [*flow.reading, *conditions, *again], [*where, differ]))
    return found
