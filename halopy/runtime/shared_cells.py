"""Which cells of two buffers are the same memory.

    a of [0, 8) x [0, 6),  b is rows 2 to 5 of it        a(x, y + 2) is b(x, y)
    red and green of an interleaved picture              none, though one lies between the other

Coordinates of dimensions with equal strides are paired; of each pair the difference counts. Where the addresses
allow one choice of differences, cells that meet are apart by just these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..ir.shared_memory import Tie
from .buffer import RawBuffer

_MOST_STEPS = 2000  # choices that are tried
_MOST_WORK = 1_000_000  # of NumPy's search


class Irregular(Exception):
    """Cells are shared, or may be, but not all at one distance."""


@dataclass(frozen=True, slots=True)
class _Unknown:
    """An integer from `low` to `high`, which moves the address by `stride` elements."""

    dims: tuple[int | None, int | None]
    stride: int
    low: int
    high: int

    @property
    def reach(self) -> tuple[int, int]:
        """The least and greatest that it moves the address by."""
        ends = self.stride * self.low, self.stride * self.high
        return min(ends), max(ends)


def shared_cells(one: RawBuffer, other: RawBuffer) -> tuple[Tie, ...] | None:
    """The ties of cells that are shared; None where none is. Raises Irregular."""
    if not np.may_share_memory(one.array, other.array):
        return None
    if 0 in one.extents or 0 in other.extents:
        return None
    between = _address(other) - _address(one)
    size = one.array.itemsize
    if size != other.array.itemsize or between % size:
        _check_apart(one, other)
        return None
    unknowns = _unknowns(one, other)
    unknowns.sort(key=lambda u: -abs(u.stride))
    search = _Search(unknowns)
    found = search.solutions(between // size)
    if search.gave_up or len(found) > 1:
        _check_apart(one, other)
        return None
    return tuple(_tie(u, n, one, other) for u, n in zip(unknowns, found[0], strict=True)) if found else None


def _check_apart(one: RawBuffer, other: RawBuffer) -> None:
    """Raises Irregular unless no byte is shared."""
    try:
        shared = np.shares_memory(one.array, other.array, max_work=_MOST_WORK)  # type: ignore[arg-type]  # any number
    except np.exceptions.TooHardError:
        shared = True
    if shared:
        raise Irregular


def _address(buffer: RawBuffer) -> int:
    address: int = buffer.array.__array_interface__["data"][0]
    return address


def _unknowns(one: RawBuffer, other: RawBuffer) -> list[_Unknown]:
    """Differences of paired coordinates, and the coordinates that have no partner, all counted from the mins."""
    free = list(range(len(other.extents)))
    found: list[_Unknown] = []
    for d, (extent, stride) in enumerate(zip(one.extents, one.strides, strict=True)):
        partner = next((e for e in _nearest_first(free, d) if _alike(extent, stride, other, e, same=d == e)), None)
        if partner is None:
            found.append(_Unknown((d, None), stride, 0, extent - 1))
        else:
            free.remove(partner)
            found.append(_Unknown((d, partner), stride, 1 - other.extents[partner], extent - 1))
    return [*found, *(_Unknown((None, e), -other.strides[e], 0, other.extents[e] - 1) for e in free)]


def _nearest_first(dims: Sequence[int], dim: int) -> list[int]:
    return sorted(dims, key=lambda e: abs(e - dim))


def _alike(extent: int, stride: int, other: RawBuffer, dim: int, *, same: bool) -> bool:
    if extent == 1 and other.extents[dim] == 1:
        return same  # of a single place, the stride means nothing
    return stride == other.strides[dim]


def _tie(unknown: _Unknown, found: int, one: RawBuffer, other: RawBuffer) -> Tie:
    mine, its = unknown.dims
    low = 0 if mine is None else one.mins[mine]
    if its is None:
        return mine, None, low + found
    return (None, its, other.mins[its] + found) if mine is None else (mine, its, low - other.mins[its] + found)


class _Search:
    """Values of the unknowns that together move the address by a given distance, the widest strides first."""

    def __init__(self, unknowns: Sequence[_Unknown]) -> None:
        self.unknowns = unknowns
        self.steps = 0
        reaches = [u.reach for u in unknowns]
        self.rest = [tuple(map(sum, zip((0, 0), *reaches[n + 1 :], strict=True))) for n in range(len(unknowns))]

    @property
    def gave_up(self) -> bool:
        return self.steps > _MOST_STEPS

    def solutions(self, distance: int) -> list[tuple[int, ...]]:
        """Two, where there are more than one."""
        found: list[tuple[int, ...]] = []
        for solution in self._from(0, distance):
            found.append(solution)
            if len(found) > 1:
                break
        return found

    def _from(self, n: int, distance: int) -> Iterator[tuple[int, ...]]:
        if n == len(self.unknowns):
            if distance == 0:
                yield ()
            return
        for value in self._values(n, distance):
            self.steps += 1
            if self.gave_up:
                return
            for others in self._from(n + 1, distance - value * self.unknowns[n].stride):
                yield (value, *others)

    def _values(self, n: int, distance: int) -> range:
        """Those after which the others may reach the rest."""
        unknown, (least, most) = self.unknowns[n], self.rest[n]
        if unknown.stride == 0:
            return range(unknown.low, unknown.high + 1)
        ends = distance - most, distance - least
        if unknown.stride < 0:
            ends = -ends[1], -ends[0]
        stride = abs(unknown.stride)
        return range(max(unknown.low, -(-ends[0] // stride)), min(unknown.high, ends[1] // stride) + 1)
