"""A vector expression for one of its lanes, which may be any of a progression.

    in[ramp(b, 1, 8)] + x8(c)    lane j     ->   in[b + j] + c
    interleaved(r, g, b)         lane 3j+1  ->   g of lane j

Where one expression does not do for all lanes of a progression, it is asked about in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...ir import build
from ...ir import expr as ir
from ...ir.expr import Expr, Var, const

LANE = Var("lane")


@dataclass(frozen=True, slots=True)
class Progression:
    """Lanes start, start + step, …: `count` of them, numbered by LANE."""

    start: int
    step: int
    count: int

    def lane(self) -> Expr:
        return build.add(const(self.start), build.mul(LANE, self.step) if self.count > 1 else const(0))

    def __getitem__(self, n: int) -> int:
        return self.start + self.step * n

    @property
    def last(self) -> int:
        return self[self.count - 1]


class Apart(Exception):
    """The lanes of a progression have no common expression."""


class Unknown(Exception):
    """What is combined of several lanes has no expression for one."""


class OneLane:
    """Expressions for a progression of lanes; `vectors` are what names of vectors stand for."""

    def __init__(self, vectors: Mapping[str, Expr]) -> None:
        self.vectors = vectors
        self._memo: dict[tuple[Expr, Progression], Expr] = {}

    def __call__(self, e: Expr, lanes: Progression) -> Expr:
        if e.dtype.lanes == 1 and not (isinstance(e, Var) and e.name in self.vectors):
            return e
        found = self._memo.get((e, lanes))
        if found is None:
            found = self._memo[e, lanes] = self._one(e, lanes)
        return found

    def _one(self, e: Expr, lanes: Progression) -> Expr:
        if isinstance(e, Var):
            if e.name not in self.vectors:
                raise Unknown
            return self(self.vectors[e.name], lanes)
        if isinstance(e, ir.Ramp):
            return self._ramp(e, lanes)
        if isinstance(e, ir.Broadcast):
            return self(e.value, self._within(e.value.dtype.lanes, lanes)[1])
        if isinstance(e, ir.Shuffle):
            return self._shuffled(e, lanes)
        if isinstance(e, ir.VectorReduce):
            raise Unknown
        if isinstance(e, ir.Let):
            inner = OneLane({**self.vectors, e.name: e.value}) if e.value.dtype.lanes > 1 else self
            body = inner(e.body, lanes)
            return body if e.value.dtype.lanes > 1 else ir.Let(e.name, e.value, body)
        fields = [self._field(value, lanes) for value in e.fields()]
        scalar: Expr = type(e)(*fields)
        return scalar

    def _field(self, value: Any, lanes: Progression) -> Any:
        if isinstance(value, Expr):
            return self(value, lanes)
        if isinstance(value, tuple):
            return tuple(self._field(item, lanes) for item in value)
        return value.element if hasattr(value, "element") else value

    def _ramp(self, e: ir.Ramp, lanes: Progression) -> Expr:
        turn, place = self._within(e.base.dtype.lanes, lanes)
        return build.add(self(e.base, place), build.mul(self(e.stride, place), turn))

    def _within(self, size: int, lanes: Progression) -> tuple[Expr, Progression]:
        """For vectors of a size laid end to end: which of them, and which lane of it."""
        if size == 1:
            return lanes.lane(), Progression(0, 0, lanes.count)
        if lanes.start // size == lanes.last // size:
            return const(lanes.start // size), Progression(lanes.start % size, lanes.step, lanes.count)
        if lanes.step % size == 0:
            turn = Progression(lanes.start // size, lanes.step // size, lanes.count).lane()
            return turn, Progression(lanes.start % size, 0, lanes.count)
        raise Apart

    def _shuffled(self, e: ir.Shuffle, lanes: Progression) -> Expr:
        picked = [e.indices[lanes[n]] for n in range(lanes.count)]
        step = picked[1] - picked[0] if lanes.count > 1 else 0
        if any(b - a != step for a, b in pairwise(picked)):
            raise Apart
        start = 0
        for vector in e.vectors:
            end = start + vector.dtype.lanes
            if start <= picked[0] < end and start <= picked[-1] < end:
                return self(vector, Progression(picked[0] - start, step, lanes.count))
            start = end
        raise Apart
