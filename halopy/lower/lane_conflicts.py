"""Whether iterations of a loop, run side by side as vector lanes, would see or leave other values in memory.

    f[x] = 1; f[x + 1] = 2         the last store to an element would be another one: yes
    h[in[x]] = h[in[x]] + 1        lanes may meet in one bin: yes
    f[x] = f[x - 1] + 1            lane 1 reads what lane 0 stores: yes
    f[x] = f[x - w] + 1            rows an unknown stride apart: no
    s[0] = s[0] + x                left to `reduce_lanes`, as it is within one statement

The schedule is taken to be legal: only what is certain to meet, or has no affine address, counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd

from ..ir import build
from ..ir.expr import Add, Expr, Load, Ramp, Var, const_value
from ..ir.linear import LinearForm, linear
from ..ir.node import Node, find
from ..ir.stmt import Allocate, For, LetStmt, Stmt, Store
from . import lanes
from .reduce_lanes import is_reduction
from .widen import Widener, same_for_all

_Trips = Mapping[str, int | None]  # of the loops inside, by name; None where not constant


@dataclass(frozen=True)
class _Access:
    """A load or store in a loop body; `index` is widened over the loop's iterations."""

    at: Load | Store
    within: Stmt
    position: int
    index: Expr
    depends: bool  # on the iteration
    trips: _Trips


def lanes_conflict(body: Stmt, widen: Widener) -> bool:
    """Whether running `body` as vectors, statement by statement, may give other results than iteration by iteration."""
    shared = _shared_buffers(body)
    if not shared:
        return False
    accesses = list(_Accesses(shared).of(body, widen, {}))
    return any(
        _meet(store, other, widen.count)
        for store in accesses
        if type(store.at) is Store
        for other in accesses
        if other.at.buffer == store.at.buffer
    )


def _shared_buffers(body: Stmt) -> set[str]:
    """Buffers from outside that the body writes, and reads or writes at another place or another time."""
    stored = Counter(n.buffer for n in find(body, Store))
    loaded = {n.buffer for n in find(body, Load)}
    inner = {n.buffer for n in find(body, Allocate)}
    return {name for name, times in stored.items() if times > 1 or name in loaded or body.has(For)} - inner


class _Accesses:
    """Lists accesses to some buffers in program order."""

    def __init__(self, buffers: set[str]) -> None:
        self.buffers = buffers
        self.position = 0

    def of(self, stmt: Stmt, widen: Widener, trips: _Trips) -> Iterator[_Access]:
        for child in stmt.children():
            if not isinstance(child, Stmt):
                yield from self._loads(child, stmt, widen, trips)
        if isinstance(stmt, Store) and stmt.buffer in self.buffers:
            yield self._access(stmt, stmt, widen, trips)
        elif isinstance(stmt, LetStmt):
            widen = _with_let(widen, stmt)
        elif isinstance(stmt, For):
            trips = {**trips, stmt.name: _constant(stmt.extent)}
            if widen.depends(stmt.min):
                widen = widen.under({**widen.values, stmt.name: _running(stmt, widen)}, widen.mask)
        for child in stmt.children():
            if isinstance(child, Stmt):
                yield from self.of(child, widen, trips)

    def _loads(self, e: Node, within: Stmt, widen: Widener, trips: _Trips) -> Iterator[_Access]:
        for node in find(e, Load):
            if node.buffer in self.buffers:
                yield self._access(node, within, widen, trips)

    def _access(self, at: Load | Store, within: Stmt, widen: Widener, trips: _Trips) -> _Access:
        self.position += 1
        wide = widen(at.index)
        same = at.index if wide is at.index else same_for_all(wide, widen.count)
        return _Access(at, within, self.position, wide if same is None else same, same is None, trips)


def _with_let(widen: Widener, stmt: LetStmt) -> Widener:
    value = widen(stmt.value)
    return widen.under({**widen.values, stmt.name: value}, widen.mask)


def _running(loop: For, widen: Widener) -> Expr:
    """A loop that starts elsewhere in each iteration: its variable, counted from there."""
    return lanes.binary(Add, widen.full(loop.min), build.broadcast(Var(loop.name), widen.count))


def _constant(e: Expr) -> int | None:
    value = const_value(e)
    return None if value is None else int(value)


def _meet(store: _Access, other: _Access, count: int) -> bool:
    """Whether an iteration stores where another of the same vector loads or stores, which then happen out of order."""
    if not store.depends:
        if other.within is not store.within:
            return True
        return bool(store.trips) and type(other.at) is Load and type(store.at) is Store and not is_reduction(store.at)
    if type(store.index) is not Ramp:
        return other is not store or bool(store.trips)
    ahead = _Distance.between(store, other, count)
    return ahead is not None and any(
        ahead.may_be_zero(i, j)
        for i in range(count)
        for j in range(count)
        if (ahead.ranges and i != j) or (i > j if store.position < other.position else i < j)
    )


@dataclass(frozen=True)
class _Distance:
    """Address of a store in iteration i minus that of another access in iteration j: constant + step*i - other_step*j,
    plus any multiple up to `trips - 1` of each coefficient in `ranges`: what loops inside add."""

    constant: int
    step: int
    other_step: int
    ranges: tuple[tuple[int, int], ...]

    @staticmethod
    def between(store: _Access, other: _Access, count: int) -> _Distance | None:
        """None where it is not made of constants: then legality is the schedule's."""
        mine, theirs = _Affine.of(store, count), _Affine.of(other, count)
        if mine is None or theirs is None:
            return None
        gap = mine.form.plus(theirs.form, -1)
        if gap.terms:
            # At unequal steps they do meet somewhere; at equal ones they may be different rows.
            return None if mine.step == theirs.step else _ANYWHERE
        ranges = (*mine.ranges, *((-c, trips) for c, trips in theirs.ranges))
        if store is other and not ranges:
            return None
        return _Distance(gap.constant, mine.step, theirs.step, ranges)

    def may_be_zero(self, i: int, j: int) -> bool:
        start = self.constant + self.step * i - self.other_step * j
        low = start + sum(min(0, c * (trips - 1)) for c, trips in self.ranges)
        high = start + sum(max(0, c * (trips - 1)) for c, trips in self.ranges)
        divisor = gcd(*(c for c, _ in self.ranges))
        return low <= 0 <= high and (start % divisor == 0 if divisor else start == 0)


_ANYWHERE = _Distance(0, 0, 0, ((1, 2),))


@dataclass(frozen=True)
class _Affine:
    """An address: form + step*iteration + what `ranges` add."""

    form: LinearForm
    step: int
    ranges: tuple[tuple[int, int], ...]

    @staticmethod
    def of(access: _Access, count: int) -> _Affine | None:
        index, ranges, step = access.index, [], 0
        if access.depends:
            if type(index) is not Ramp or index.lanes % count or const_value(index.stride) is None:
                return None
            stride, group = int(const_value(index.stride) or 0), index.lanes // count
            ranges, step, index = [(stride, group)] if group > 1 else [], stride * group, index.base
        while type(index) is Ramp and const_value(index.stride) is not None:
            ranges.append((int(const_value(index.stride) or 0), index.lanes))
            index = index.base
        if index.dtype.lanes > 1:
            return None
        form = linear(index)
        inside = {term: term.name for term in form.terms if type(term) is Var and term.name in access.trips}
        if any(access.trips[name] is None for name in inside.values()):
            return None
        ranges += [(form.terms[term], access.trips[name] or 0) for term, name in inside.items()]
        rest = {term: c for term, c in form.terms.items() if term not in inside}
        return _Affine(LinearForm(rest, form.constant), step, tuple(ranges))
