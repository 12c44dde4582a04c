"""Replace each VECTORIZED loop by statements on vectors, one lane per iteration.

    vectorized (xi, 0, 8) {                   out[ramp(xo*8, 1, 8)] = in[ramp(xo*8 + 1, 1, 8)]
      out[xo*8 + xi] = in[xo*8 + xi + 1]  ->
    }

Needs constant extents; a ScheduleError names the loop that has none. Leaves no VECTORIZED loop
and no `likely` behind: what has no vector form runs as a serial loop over its lanes.

    if on lanes          stores under a mask; a range of lanes as a serial loop over it;
                         `likely`: a test of all lanes, and vectors where it holds
    memory               one copy per lane, lanes side by side
    same element         `h[0] = h[0] + f` becomes `h[0] = h[0] + reduce_add(f)` for integers
    other reductions     serial, so that the order of the loop is kept
    atomic               as above, for floats too; lanes that may meet in one element take turns
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..ir import build
from ..ir.expr import Add, And, Call, Effect, Expr, Load, Mul, Ramp, Var, VectorReduce, const, const_value
from ..ir.node import Node, find
from ..ir.rewrite import Rewriter, substitute
from ..ir.stmt import (
    NOTHING,
    Allocate,
    Assert,
    Atomic,
    Block,
    Evaluate,
    For,
    If,
    LetStmt,
    LoopKind,
    Prefetch,
    Produce,
    Stmt,
    Store,
    block,
)
from . import lanes
from .decisions import is_range
from .lane_conflicts import lanes_conflict
from .likely import LIKELY, strip_likely
from .reduce_lanes import reduce_lanes
from .unroll_loops import constant_extent, has_loop
from .widen import Widener, lanes_active, same_for_all


def vectorize_loops(stmt: Stmt) -> Stmt:
    vectorized: Stmt = _VectorizeLoops()(stmt) if has_loop(stmt, LoopKind.VECTORIZED) else stmt
    return strip_likely(vectorized)  # no later pass asks


class _VectorizeLoops(Rewriter):
    """Inner loops first, so that an outer one meets vectors already."""

    only = (For,)

    def rewrite_For(self, loop: For) -> Stmt:
        body = self(loop.body)
        if loop.kind is not LoopKind.VECTORIZED:
            return loop if body is loop.body else loop.with_(body=body)
        return _vectorize(loop.with_(body=body))


def _vectorize(loop: For) -> Stmt:
    count = constant_extent(loop)
    if count <= 1:
        only: Stmt = substitute(loop.body, {loop.name: loop.min}) if count else NOTHING
        return only
    widen = Widener({loop.name: lanes.ramp(loop.min, const(1, loop.min.dtype), count)}, count)
    if lanes_conflict(loop.body, widen):
        return For(loop.name, loop.min, loop.extent, LoopKind.SERIAL, strip_likely(loop.body))
    return _Lanes(loop, count, widen).run(loop.body)


Frame = tuple[str, Expr] | Expr  # a let, or a condition, around a statement


class _Unrepeatable(Exception):
    """A statement becomes a serial loop, but a let or condition around it reads what was stored since."""


@dataclass(frozen=True)
class _Lanes:
    """Turns statements of one loop into vector statements.

    `frames` are the lets and conditions that differ between lanes: a statement that becomes a
    serial loop gets them back in their scalar form.
    """

    loop: For
    count: int
    widen: Widener
    frames: tuple[Frame, ...] = ()
    unrepeatable: bool = False  # a frame would have another value after the body

    @property
    def mask(self) -> Expr | None:
        return self.widen.mask

    def run(self, stmt: Stmt) -> Stmt:
        return _RULES[type(stmt)](self, stmt)

    def scalar(self, stmt: Stmt) -> Stmt:
        """The statement once per lane, in order."""
        body = self._in_frames(strip_likely(stmt))
        return For(self.loop.name, self.loop.min, self.loop.extent, LoopKind.SERIAL, body)

    def _in_frames(self, stmt: Stmt) -> Stmt:
        if self.unrepeatable:
            raise _Unrepeatable
        for frame in reversed(self.frames):
            stmt = LetStmt(*frame, stmt) if isinstance(frame, tuple) else If(frame, stmt)
        return stmt

    def block(self, stmt: Block) -> Stmt:
        return block(*map(self.run, stmt.stmts))

    def produce(self, stmt: Produce) -> Stmt:
        return Produce(stmt.name, self.run(stmt.body))

    def evaluate(self, stmt: Evaluate) -> Stmt:
        return Evaluate(self.widen(stmt.value))

    def prefetch(self, stmt: Prefetch) -> Stmt:
        return self.scalar(stmt) if self.widen.depends(stmt.place) else stmt

    def check(self, stmt: Assert) -> Stmt:
        return self.scalar(stmt) if any(map(self.widen.depends, (stmt.condition, *stmt.args))) else stmt

    def for_(self, inner: For) -> Stmt:
        if self.widen.depends(inner.extent):
            return self.scalar(inner)
        if self.widen.depends(inner.min):
            start = build.as_expr(0, inner.min.dtype)
            body = substitute(inner.body, {inner.name: build.add(inner.min, Var(inner.name))})
            inner = inner.with_(min=start, body=body)
        return For(inner.name, inner.min, inner.extent, inner.kind, self.run(inner.body))

    def let(self, stmt: LetStmt) -> Stmt:
        wide = self.widen(stmt.value)
        if wide is stmt.value:
            return LetStmt(stmt.name, wide, self.run(stmt.body))
        name = f"{stmt.name}'v"
        bound, value = _bind(name, wide, self.count)
        inner = self._within((stmt.name, stmt.value), {stmt.name: value}, self.mask)
        changes = stmt.value.has(Effect) or _stores_what_it_reads(stmt.value, stmt.body)
        inner = replace(inner, unrepeatable=self.unrepeatable or changes)
        try:
            return LetStmt(name, bound, inner.run(stmt.body))
        except _Unrepeatable:
            return self.scalar(stmt)

    def _within(self, frame: Frame, values: dict[str, Expr], mask: Expr | None) -> _Lanes:
        widen = self.widen.under({**self.widen.values, **values}, mask)
        return replace(self, widen=widen, frames=(*self.frames, frame))

    def if_(self, stmt: If) -> Stmt:
        if not self.widen.depends(stmt.condition):
            otherwise = None if stmt.otherwise is None else self.run(stmt.otherwise)
            return If(stmt.condition, self.run(stmt.then), otherwise)
        if stmt.otherwise is None and type(stmt.condition) is And and not _is_likely(stmt.condition):
            first, second = stmt.condition.a, stmt.condition.b
            if not self.widen.depends(second):
                first, second = second, first
            if not self.widen.depends(first):
                return If(first, self.if_(If(second, stmt.then)))
        return self._if_on_lanes(stmt)

    def _if_on_lanes(self, stmt: If) -> Stmt:
        if self.mask is None and _is_likely(stmt.condition) and not stmt.condition.has(Effect):
            every = VectorReduce("and", self.widen.full(strip_likely(stmt.condition)), 1)
            slow = self.scalar(stmt.with_(condition=strip_likely(stmt.condition)))
            return If(every, self.run(stmt.then), slow)
        sides = [stmt.then, *([] if stmt.otherwise is None else [stmt.otherwise])]
        # Stores under a mask would each ask again; what calls a service does so for one active lane after the other.
        if _stores_what_it_reads(stmt.condition, *sides) or not all(map(_is_stores, sides)) or stmt.has(Effect):
            return self.scalar(stmt)
        condition = strip_likely(stmt.condition)
        if stmt.otherwise is None and self._is_range(condition):
            return self.scalar(stmt)
        mask = self.widen.full(condition)
        then = self._within(condition, {}, lanes_active(self.mask, mask)).run(stmt.then)
        if stmt.otherwise is None:
            return then
        opposite = lanes_active(self.mask, build.logical_not(mask))
        return block(then, self._within(build.logical_not(condition), {}, opposite).run(stmt.otherwise))

    def _is_range(self, condition: Expr) -> bool:
        """Whether the lanes for which it holds follow each other, so that a short serial loop does it."""
        for frame in reversed(self.frames):
            if isinstance(frame, tuple):
                condition = substitute(condition, dict([frame]))
        return is_range(condition, self.loop.name)

    def allocate(self, stmt: Allocate) -> Stmt:
        """Memory of its own for each iteration."""
        size = self.widen(stmt.size)
        if size is not stmt.size:
            size = same_for_all(size, self.count) or VectorReduce("max", size, 1)
        stmt = stmt.with_(size=size)
        lane = build.sub(Var(self.loop.name), self.loop.min)
        body = self.run(_Interleave(stmt, self.count, lane)(stmt.body))
        return Allocate(stmt.buffer, stmt.dtype, build.mul(size, self.count), stmt.memory, body)

    def store(self, stmt: Store) -> Stmt:
        if stmt.predicate is not None and (self.mask is not None or not self.widen.depends(stmt.index)):
            return self.scalar(stmt)
        index = self.widen(stmt.index)
        place = stmt.index if index is stmt.index else same_for_all(index, self.count)
        if place is not None:
            return self._same_place(stmt, place)
        predicate = None if stmt.predicate is None else self.widen.full(stmt.predicate)
        if self.mask is not None:
            predicate = lanes.repeat_each(self.mask, 1, stmt.value.dtype.lanes)
        row = Store(stmt.buffer, index, self.widen.full(stmt.value), predicate)
        if self.mask is not None and any(not self.widen.depends(load) for load in find(stmt, Load)):
            # What all lanes load at one place may only be loaded if some lane is active.
            return If(VectorReduce("or", self.mask, 1), row)
        return row

    def _same_place(self, stmt: Store, place: Expr) -> Stmt:
        """A store that hits the same elements in every iteration."""
        if stmt.predicate is not None or self.mask is not None or stmt.has(Effect):
            return self.scalar(stmt)
        if _reads(stmt, {stmt.buffer}):
            return reduce_lanes(stmt, place, self.widen) or self.scalar(stmt)
        if not self.widen.depends(stmt.value):
            return Store(stmt.buffer, place, stmt.value)
        last = build.add(self.loop.min, self.count - 1)
        return LetStmt(self.loop.name, last, self._in_frames(stmt))

    def atomic(self, stmt: Atomic) -> Stmt:
        """Lanes that all hit one element are combined first; others that may meet take turns."""
        store = stmt.body
        if isinstance(store, Store) and store.predicate is None and self.mask is None and not store.has(Effect):
            index = self.widen(store.index)
            place = store.index if index is store.index else same_for_all(index, self.count)
            if place is not None:
                reduced = reduce_lanes(store, place, self.widen, regroups=True)
                return self.scalar(stmt) if reduced is None else Atomic(stmt.name, stmt.shared, reduced)
        if stmt.shared or not all(map(self._is_apart, find(stmt, Store))):
            return self.scalar(stmt)
        return Atomic(stmt.name, stmt.shared, self.run(store))

    def _is_apart(self, store: Store) -> bool:
        """Whether no two lanes store to one element."""
        index = self.widen(store.index)
        return isinstance(index, Ramp) and index.base.dtype.lanes == 1 and const_value(index.stride) not in (None, 0)


_RULES: dict[type[Stmt], Callable[[_Lanes, Any], Stmt]] = {
    Block: _Lanes.block,
    Produce: _Lanes.produce,
    Evaluate: _Lanes.evaluate,
    Prefetch: _Lanes.prefetch,
    Assert: _Lanes.check,
    Atomic: _Lanes.atomic,
    For: _Lanes.for_,
    LetStmt: _Lanes.let,
    If: _Lanes.if_,
    Allocate: _Lanes.allocate,
    Store: _Lanes.store,
}


def _bind(name: str, wide: Expr, count: int) -> tuple[Expr, Expr]:
    """What a let binds to `name`, and what the vector is in its terms: addresses stay ramps."""
    same = same_for_all(wide, count)
    if same is not None:
        return same, build.broadcast(Var(name, same.dtype), count)
    if type(wide) is Ramp and wide.base.dtype.lanes == 1:
        return wide.base, lanes.ramp(Var(name, wide.base.dtype), wide.stride, wide.lanes)
    return wide, Var(name, wide.dtype)


def _reads(node: Node, buffers: set[str]) -> bool:
    return any(load.buffer in buffers for load in find(node, Load))


def _stores_what_it_reads(value: Expr, *bodies: Stmt) -> bool:
    """Whether `value` would be another one after `bodies`."""
    if not value.has(Load):
        return False
    return _reads(value, {store.buffer for body in bodies for store in find(body, Store)})


def _is_stores(stmt: Stmt) -> bool:
    """Nothing but stores, so that a mask can stand on each of them."""
    if isinstance(stmt, Block):
        return all(map(_is_stores, stmt.stmts))
    if isinstance(stmt, LetStmt | Produce):
        return _is_stores(stmt.body)
    if isinstance(stmt, If):
        return _is_stores(stmt.then) and (stmt.otherwise is None or _is_stores(stmt.otherwise))
    return isinstance(stmt, Store)


def _is_likely(e: Expr) -> bool:
    return any(call.name in LIKELY for call in find(e, Call))


class _Interleave(Rewriter):
    """Gives each of `count` iterations its own elements of a buffer."""

    only = (Load, Store)

    def __init__(self, memory: Allocate, count: int, lane: Expr) -> None:
        super().__init__()
        self.buffer, self.count, self.lane = memory.buffer, count, lane
        # Where inner loops already read vectors, an iteration's elements stay together.
        indices = [load.index for load in find(memory.body, Load) if load.buffer == memory.buffer]
        indices += [store.index for store in find(memory.body, Store) if store.buffer == memory.buffer]
        self.together = any(index.dtype.lanes > 1 for index in indices)
        self.size = memory.size

    def rewrite_Load(self, node: Load) -> Expr:
        node = self.rebuild(node)
        return node.with_(index=self._place(node.index)) if node.buffer == self.buffer else node

    def rewrite_Store(self, node: Store) -> Stmt:
        node = self.rebuild(node)
        return node.with_(index=self._place(node.index)) if node.buffer == self.buffer else node

    def rewrite_Allocate(self, node: Allocate) -> Stmt:
        return node if node.buffer == self.buffer else self.rebuild(node)

    def _place(self, index: Expr) -> Expr:
        count = index.dtype.lanes
        if self.together:
            return lanes.binary(Add, index, build.broadcast(build.mul(self.lane, self.size), count))
        scaled = lanes.binary(Mul, index, const(self.count, index.dtype))
        return lanes.binary(Add, scaled, build.broadcast(self.lane, count))
