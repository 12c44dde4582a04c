"""Run loops over the iterations that do something, and drop what has no effect.

    for (x, 0, 100) {                       for (x, max(0, a), …) {
      if (x >= a && x < b) {                  out[x] = 1
        out[x] = 1                     ->   }
      }
    }

A condition that is the same in all iterations moves out of the loop. Scratch memory that nothing
reads goes, with the stores to it; so do stores of what is there already, and empty loops. What calls a
service (an `Effect`) stays.
"""

from __future__ import annotations

from collections import Counter

from ..ir.build import add, logical_and, maximum, minimum, sub
from ..ir.expr import And, Compare, Effect, Expr, Load
from ..ir.node import find
from ..ir.rewrite import Rewriter, free_vars, substitute
from ..ir.services import touched_buffers
from ..ir.stmt import NOTHING, Allocate, Atomic, Evaluate, For, If, LetStmt, LoopKind, Produce, Stmt, Store
from .decisions import gaps
from .likely import strip_likely
from .solve import Bounds, exact_bounds


def trim_no_ops(stmt: Stmt) -> Stmt:
    read = {load.buffer for load in find(stmt, Load)}
    if stmt.has(Effect):
        read |= {store.buffer for store in find(stmt, Store) if store.has(Effect)}  # storing is what calls the service
        read |= {buffer for effect in find(stmt, Effect) for buffer in touched_buffers(effect.service)}
    allocated = Counter(allocation.buffer for allocation in find(stmt, Allocate))
    trimmed: Stmt = _TrimNoOps(read, {name for name, times in allocated.items() if times > 1})(stmt)
    return trimmed


class _TrimNoOps(Rewriter):
    """Inner loops first, so that conditions move outwards as far as they can."""

    only = (For, Allocate, Store, Evaluate)

    def __init__(self, read: set[str], copied: set[str]) -> None:
        super().__init__()
        self.read = read
        self.copied = copied  # what is allocated under one name in several places

    def rewrite_For(self, loop: For) -> Stmt:
        body: Stmt = self(loop.body)
        if body is NOTHING:
            return NOTHING
        if body is not loop.body:
            loop = loop.with_(body=body)
        if loop.kind in (LoopKind.SERIAL, LoopKind.PARALLEL):
            return _Trimmed(loop).result()
        return loop

    def rewrite_If(self, stmt: If) -> Stmt:
        then: Stmt = self(stmt.then)
        otherwise: Stmt | None = None if stmt.otherwise is None else self(stmt.otherwise)
        if then is NOTHING and otherwise in (None, NOTHING):
            return NOTHING
        return If(stmt.condition, then, None if otherwise is NOTHING else otherwise)

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        body: Stmt = self(stmt.body)
        return NOTHING if body is NOTHING else LetStmt(stmt.name, stmt.value, body)

    def rewrite_Produce(self, stmt: Produce) -> Stmt:
        body: Stmt = self(stmt.body)
        return NOTHING if body is NOTHING else Produce(stmt.name, body)

    def rewrite_Atomic(self, stmt: Atomic) -> Stmt:
        body: Stmt = self(stmt.body)
        return NOTHING if body is NOTHING else Atomic(stmt.name, stmt.shared, body)

    def rewrite_Evaluate(self, stmt: Evaluate) -> Stmt:
        return stmt if stmt.has(Effect) else NOTHING

    def rewrite_Store(self, stmt: Store) -> Stmt:
        there = Load(stmt.buffer, stmt.index, stmt.value.dtype, stmt.predicate)
        return NOTHING if stmt.value is there else stmt

    def rewrite_Allocate(self, stmt: Allocate) -> Stmt:
        is_read = self._is_read(stmt)
        body: Stmt = self(stmt.body if is_read else _WithoutStores(stmt.buffer)(stmt.body))
        if body is NOTHING or not is_read:
            return body
        return stmt if body is stmt.body else Allocate(stmt.buffer, stmt.dtype, stmt.size, stmt.memory, body)

    def _is_read(self, stmt: Allocate) -> bool:
        name = stmt.buffer
        if name not in self.copied:
            return name in self.read
        if any(name in touched_buffers(effect.service) for effect in find(stmt.body, Effect)):
            return True
        stores = find(stmt.body, Store) if stmt.body.has(Effect) else []
        return any(load.buffer == name for load in find(stmt.body, Load)) or any(
            store.buffer == name and store.has(Effect) for store in stores
        )


class _WithoutStores(Rewriter):
    """Drops the stores to one buffer."""

    only = (Store,)

    def __init__(self, buffer: str) -> None:
        super().__init__()
        self.buffer = buffer

    def rewrite_Store(self, stmt: Store) -> Stmt:
        return NOTHING if stmt.buffer == self.buffer else stmt


class _Trimmed:
    """One loop whose body is a condition, under lets that it may use."""

    def __init__(self, loop: For) -> None:
        self.loop = loop
        self.outside: list[Expr] = []  # parts of the condition that no iteration changes
        self.bounds = Bounds()

    def result(self) -> Stmt:
        body, lets = self.loop.body, []
        while isinstance(body, LetStmt):
            lets.append(body)
            body = body.body
        if not isinstance(body, If) or body.otherwise is not None:
            return self.loop
        left = [part for part in _parts(body.condition) if not self._takes(part, lets)]
        if not self.outside and not self.bounds:
            return self.loop
        inner = If(_all(left), body.then) if left else body.then
        for let in reversed(lets):
            inner = LetStmt(let.name, let.value, inner)
        loop = self._shorter(inner)
        return If(_all(self.outside), loop) if self.outside else loop

    def _takes(self, part: Expr, lets: list[LetStmt]) -> bool:
        """Whether the part of the condition is now the loop's range, or stands outside."""
        plain = strip_likely(part)
        for let in reversed(lets):
            if let.name in free_vars(plain):
                plain = substitute(plain, {let.name: let.value})
        if plain.has(Load, Effect):
            return False
        if self.loop.name not in free_vars(plain):
            self.outside.append(plain)
            return True
        if not isinstance(plain, Compare):
            return False
        solved = [exact_bounds(gap, self.loop.name) for gap in gaps(plain, True)]
        if len(solved) != 1 or solved[0] is None:
            return False
        self.bounds.extend(solved[0])
        return True

    def _shorter(self, body: Stmt) -> Stmt:
        loop = self.loop
        start, end = loop.min, add(loop.min, loop.extent)
        for e in self.bounds.at_least:
            start = maximum(e, start)
        for e in self.bounds.before:
            end = minimum(e, end)
        trips = loop.extent if not self.bounds else maximum(sub(end, start), 0)
        return For(loop.name, start, trips, loop.kind, body, loop.partition)


def _parts(condition: Expr) -> list[Expr]:
    if isinstance(condition, And):
        return [*_parts(condition.a), *_parts(condition.b)]
    return [condition]


def _all(parts: list[Expr]) -> Expr:
    condition = parts[0]
    for part in parts[1:]:
        condition = logical_and(condition, part)
    return condition
