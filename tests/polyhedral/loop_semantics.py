"""What a schedule of several stages means, by running it on elements: where each is stored, and who reads it when.

Nothing of halopy is used. A producer computes, in each iteration of the loop that it is computed at, all of the box
that is needed inside, or, with tails, as much more as whole tiles of its own loops are, and puts the element `c` at the
place `c % fold` of its memory. A compiler may compute less, where values are there already; so what is legal with tails
must be accepted, and what is not legal even without them must not.

    legal  <=>  each read finds the element that it means, and no two iterations of a parallel loop touch one place of
                the same memory that either of them writes

Loops of the output are known by their dates: `date((x, y))` has a number for each loop, the outermost first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Cell = tuple[int, int]
Date = tuple[int, ...]
Reads = Sequence[tuple[str, Callable[[Cell], Cell]]]  # which Func, and which element of it
Box = tuple[range, range]


@dataclass(frozen=True)
class Producer:
    """A Func with its place: the number of loops of the output around it, where it is computed and stored."""

    name: str
    reads: Reads
    compute: int = 0
    store: int = 0
    fold: Mapping[int, int] = field(default_factory=dict)  # by dimension
    is_inlined: bool = False
    shares_with: str = ""  # a Func in whose loops it is computed, both row by row
    keeps_updates: bool = True  # its own loops run each update once, and those that meet in their order
    least: tuple[int, int] = (1, 1)  # elements that its own tiles compute at the least
    multiple: tuple[int, int] = (1, 1)  # of which they compute a multiple


@dataclass(frozen=True)
class Nest:
    """The output, its loops and its producers; those that are read come before those that read them."""

    size: tuple[int, int]
    reads: Reads
    date: Callable[[Cell], Date]
    parallel: frozenset[int]  # loops whose iterations run at once, by their place from the outermost
    producers: Sequence[Producer]


def is_legal(nest: Nest, *, with_tails: bool = False) -> bool:
    keeps_updates = all(p.keeps_updates for p in nest.producers)
    return keeps_updates and _has_places(nest) and _can_share(nest) and _Run(nest, with_tails).is_legal()


def _can_share(nest: Nest) -> bool:
    """Neither of two Funcs in shared loops needs the other, and both are computed in one place."""
    made = {p.name: p for p in nest.producers}
    return all(
        p.compute == made[p.shares_with].compute and p.shares_with not in _all(p, made)
        for p in nest.producers
        if p.shares_with
    )


def _all(producer: Producer, made: Mapping[str, Producer]) -> set[str]:
    """What it needs, directly or not."""
    direct = {name for name, _ in producer.reads}
    return direct.union(*(_all(made[name], made) for name in direct))


def _has_places(nest: Nest) -> bool:
    """Each producer is stored around where it is computed, with no parallel loop between, and computed around all that
    read it.
    """
    made = {p.name: p for p in nest.producers}
    for reader in nest.producers:
        for name in () if reader.is_inlined else _direct(reader.reads, made):
            if made[name].compute > reader.compute:
                return False
    kept = [p for p in nest.producers if not p.is_inlined]
    return all(p.store <= p.compute and not nest.parallel & set(range(p.store, p.compute)) for p in kept)


def _direct(reads: Reads, made: Mapping[str, Producer]) -> Iterator[str]:
    """Names of what is read, through what is inlined."""
    for name, _ in reads:
        if made[name].is_inlined:
            yield from _direct(made[name].reads, made)
        else:
            yield name


class _Run:
    def __init__(self, nest: Nest, with_tails: bool) -> None:
        self.nest, self.with_tails = nest, with_tails
        self.made = {p.name: p for p in nest.producers}
        self.dates = {c: nest.date(c) for c in itertools.product(*map(range, nest.size))}
        self.kept: dict[tuple[str, Date, Cell], Cell] = {}  # by memory and place
        self.touched: dict[tuple[str, Date, Cell], dict[Date, bool]] = {}  # by whom, and whether it writes

    def is_legal(self) -> bool:
        return self._level((), list(self.dates)) and not any(map(self._is_race, self.touched.values()))

    def _level(self, prefix: Date, points: list[Cell]) -> bool:
        """All that happens inside one iteration of the loops so far."""
        here = [p for p in self.nest.producers if p.compute == len(prefix) and not p.is_inlined]
        boxes = self._boxes(points, len(prefix))
        for producer in here:
            needed = boxes.get(producer.name, (range(0), range(0)))
            for cell in itertools.product(*_grown(needed, producer) if self.with_tails else needed):
                is_wanted = all(c in span for c, span in zip(cell, needed, strict=True))
                if is_wanted and not self._reads_well(producer.reads, cell, prefix):
                    return False
                self._touch(producer, cell, prefix, writes=True)
        if prefix and len(prefix) == len(next(iter(self.dates.values()))):
            return all(self._reads_well(self.nest.reads, cell, prefix) for cell in points)
        inner: dict[int, list[Cell]] = {}
        for cell in points:
            inner.setdefault(self.dates[cell][len(prefix)], []).append(cell)
        return all(self._level((*prefix, n), inner[n]) for n in sorted(inner))

    def _boxes(self, points: list[Cell], depth: int) -> dict[str, Box]:
        """What is needed of each producer that is computed here or further out, by what runs inside."""
        needed: dict[str, set[Cell]] = {}
        for cell in points:
            for name, at in self._read_cells(self.nest.reads, cell):
                needed.setdefault(name, set()).add(at)
        boxes: dict[str, Box] = {}
        for producer in reversed(self.nest.producers):
            if producer.name in needed and producer.compute >= depth and not producer.is_inlined:
                boxes[producer.name] = _hull(needed[producer.name])
                for cell in itertools.product(*boxes[producer.name]):
                    for name, at in self._read_cells(producer.reads, cell):
                        needed.setdefault(name, set()).add(at)
        return boxes

    def _read_cells(self, reads: Reads, cell: Cell) -> Iterator[tuple[str, Cell]]:
        for name, index in reads:
            if self.made[name].is_inlined:
                yield from self._read_cells(self.made[name].reads, index(cell))
            else:
                yield name, index(cell)

    def _reads_well(self, reads: Reads, cell: Cell, prefix: Date) -> bool:
        for name, at in self._read_cells(reads, cell):
            producer = self.made[name]
            if self.kept.get(self._place(producer, at, prefix)) != at:
                return False
            self._touch(producer, at, prefix, writes=False)
        return True

    def _place(self, producer: Producer, cell: Cell, prefix: Date) -> tuple[str, Date, Cell]:
        x, y = (c % producer.fold.get(d, 1 << 20) for d, c in enumerate(cell))
        return producer.name, prefix[: producer.store], (x, y)

    def _touch(self, producer: Producer, cell: Cell, prefix: Date, *, writes: bool) -> None:
        place = self._place(producer, cell, prefix)
        by = self.touched.setdefault(place, {})
        by[prefix] = by.get(prefix, False) or writes
        if writes:
            self.kept[place] = cell

    def _is_race(self, by: Mapping[Date, bool]) -> bool:
        """Whether two iterations are told apart first by a parallel loop, and one of them writes."""
        for one, other in itertools.combinations(by, 2):
            apart = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
            if apart in self.nest.parallel and (by[one] or by[other]):
                return True
        return False


def _hull(cells: set[Cell]) -> Box:
    (low_x, high_x), (low_y, high_y) = ((min(n), max(n)) for n in zip(*cells, strict=True))
    return range(low_x, high_x + 1), range(low_y, high_y + 1)


def _grown(box: Box, by: Producer) -> Box:
    x, y = (
        range(span.start, span.start + -(-max(len(span), least) // multiple) * multiple)
        for span, least, multiple in zip(box, by.least, by.multiple, strict=True)
    )
    return x, y
