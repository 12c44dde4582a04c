"""Values of a folded Func that are overwritten before they are read.

clash   (a, b)   a touches c, b writes another cell c' to the place of c
due     r -> w   of what writes c in the algorithm before r reads it, the last
lost    (r, o)   in clash; o comes neither surely after r nor surely before due(r)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import islpy as isl

from ...witness import Cell, Witness
from .actors import Actor, Index, coordinate
from .stage_model import shown

_IN, _OUT, _SET, _PARAMETER = isl.dim_type.in_, isl.dim_type.out, isl.dim_type.set, isl.dim_type.param


@dataclass(frozen=True, slots=True)
class Fold:
    """Of a dimension as many rows as `factor` are kept."""

    dim: int
    factor: int


@dataclass(frozen=True, slots=True)
class Lost:
    """`source` of the witness would read its cell, where `sink` has written `taken` by then."""

    witness: Witness
    taken: Cell
    is_reader_outside: bool

    def told(self) -> str:
        """A sentence."""
        at = self.witness
        where = ", ".join(f"{name} = {value}" for name, value in at.parameters.items())
        reader = at.source.stage if self.is_reader_outside else f"iteration {at.source} of {at.source.stage}"
        return (
            f"{f'with {where}, ' if where else ''}iteration {at.sink} of {at.sink.stage} writes {self.taken} to the "
            f"place of {at.cell}, and {reader} may come after it and reads that"
        )


def clash(one: Actor, index: Index, other: Actor, to: Index, fold: Fold, *, upwards: bool) -> isl.Map:
    """Instances of which the other writes a cell to the place of the one, further up than the one's, or down."""
    pairs = one.with_each_of(other)
    for dim, (a, b) in enumerate(zip(index, to, strict=True)):
        if a is not None and b is not None:
            if dim != fold.dim:
                pairs = pairs.intersect(a.eq_map(b))
            else:
                rows = isl.Val.int_from_si(one.context, fold.factor)
                pairs = pairs.intersect(a.mod_val(rows).eq_map(b.mod_val(rows)))
                pairs = pairs.intersect(a.lt_map(b) if upwards else a.gt_map(b))
    return pairs


def first_lost(actors: Sequence[Actor], fold: Fold) -> Lost | None:
    """Of the first read that may find another value; all indices are known."""
    for reader in actors:
        for index in reader.reads:
            for writer, meant in _due(actors, reader, index):
                for other in actors:
                    for to in other.writes:
                        for pairs in _between(reader, index, writer, meant, (other, to), fold):
                            return _lost(reader, index, other, to, pairs)
    return None


def _between(
    reader: Actor, index: Index, writer: Actor, meant: isl.Map, by: tuple[Actor, Index], fold: Fold
) -> Iterator[isl.Map]:
    """Reads, with who writes to the place between the write that is meant and them."""
    other, to = by
    for upwards in (True, False):
        for pairs in reader.not_before(other, clash(reader, index, other, to, fold, upwards=upwards)):
            for late in other.not_before(writer, other.with_each_of(writer)):
                found = pairs.intersect(meant.apply_range(late.reverse()))
                if not found.is_empty():
                    yield found


def _due(actors: Sequence[Actor], reader: Actor, index: Index) -> Iterator[tuple[Actor, isl.Map]]:
    """Who writes what is read in the algorithm, each with a function from the instances that read."""
    latest = None
    for writer in reversed(actors):
        for to in writer.writes if writer.number <= reader.number else []:
            meets = reader.with_each_of(writer)
            for a, b in zip(index, to, strict=True):
                assert a is not None and b is not None, "all indices are known"
                meets = meets.intersect(a.eq_map(b))
            if writer is reader:
                meets = meets.intersect(isl.Map.lex_gt(reader.instances.get_space()))
            meant = meets.lexmax()
            if latest is not None:
                meant = meant.subtract_domain(latest)  # a later stage writes it once more
            latest = meant.domain() if latest is None else latest.union(meant.domain())
            yield writer, meant


def _lost(reader: Actor, index: Index, other: Actor, to: Index, pairs: isl.Map) -> Lost:
    """The first of the pairs, as a witness."""
    symbols, own = pairs.dim(_PARAMETER), pairs.dim(_IN)
    names = [shown(e) for e in reader.role.symbols.expressions]
    involved = [n for n in range(symbols) if pairs.involves_dims(_PARAMETER, n, 1)]
    point = _least(pairs, names)
    values = [coordinate(point, n) for n in range(symbols + own + pairs.dim(_OUT))]
    known, source, sink = values[:symbols], values[symbols : symbols + own], values[symbols + own :]
    cell = Cell(reader.func, reader.value(index, source, known))
    told = {names[n]: known[n] for n in involved}
    witness = Witness(reader.told(source), other.told(sink), cell, told, source_writes=False, sink_writes=True)
    return Lost(witness, Cell(reader.func, other.value(to, sink, known)), reader.role.model is None)


def _least(pairs: isl.Map, names: Sequence[str]) -> isl.Point:
    """Of the least symbols; regions start at 0 where they may."""
    points = pairs.wrap().flatten()
    for n, name in enumerate(names):
        if "min" in name or not pairs.involves_dims(_PARAMETER, n, 1):
            zero = points.fix_val(_PARAMETER, n, isl.Val.zero(points.get_ctx()))
            points = points if zero.is_empty() else zero
    points = points.move_dims(_SET, 0, _PARAMETER, 0, len(names))
    try:
        return points.lexmin().sample_point()
    except isl.Error:
        return points.sample_point()
