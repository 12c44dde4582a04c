"""Store vectors that fill a row together as one vector.

    out[ramp(x*3, 3, 8)] = r
    out[ramp(x*3 + 1, 3, 8)] = g     ->    out[ramp(x*3, 1, 24)] = interleaved r, g, b
    out[ramp(x*3 + 2, 3, 8)] = b

Where none of the values reads the buffer. Lets that belong to one of the stores move in front.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.expr import Effect, Expr, Load, Ramp, Shuffle, const, const_value
from ..ir.linear import difference
from ..ir.node import find
from ..ir.rewrite import Rewriter
from ..ir.stmt import Block, LetStmt, Stmt, Store, block, let_all

_MOST = 4  # vectors that are interleaved


def interleave_stores(stmt: Stmt) -> Stmt:
    interleaved: Stmt = _InterleaveStores()(stmt)
    return interleaved


class _InterleaveStores(Rewriter):
    only = (Ramp,)

    def rewrite_Store(self, store: Store) -> Stmt:
        return store

    def rewrite_Block(self, stmt: Block) -> Stmt:
        done: list[Stmt] = []
        todo = [self(s) for s in stmt.stmts]
        while todo:
            group = _group(todo)
            if group:
                done.append(_interleaved(group))
                del todo[: len(group)]
            else:
                done.append(todo.pop(0))
        return stmt if len(done) == len(stmt.stmts) and all(map(_same, done, stmt.stmts)) else block(*done)


def _same(a: Stmt, b: Stmt) -> bool:
    return a is b


@dataclass(frozen=True)
class _Strided:
    """A store with a constant stride, and the lets around it."""

    lets: list[tuple[str, Expr]]
    store: Store
    ramp: Ramp
    stride: int


def _strided(stmt: Stmt) -> _Strided | None:
    lets: list[tuple[str, Expr]] = []
    while isinstance(stmt, LetStmt):
        lets.append((stmt.name, stmt.value))
        stmt = stmt.body
    if not isinstance(stmt, Store) or stmt.predicate is not None or not isinstance(stmt.index, Ramp):
        return None
    stride = const_value(stmt.index.stride)
    if stride is None or not 1 < stride <= _MOST or stmt.index.base.dtype.lanes != 1:
        return None
    parts = [stmt.value, *(value for _, value in lets)]
    if any(part.has(Effect) for part in parts):
        return None  # one statement would call once where there are several
    if any(load.buffer == stmt.buffer for part in parts for load in find(part, Load)):
        return None
    return _Strided(lets, stmt, stmt.index, int(stride))


def _group(todo: list[Stmt]) -> list[_Strided] | None:
    """The first statements, as many as their stride, if together they leave no gap; in order of address."""
    first = _strided(todo[0])
    if first is None or len(todo) < first.stride:
        return None
    group: dict[int, _Strided] = {}
    for stmt in todo[: first.stride]:
        other = _strided(stmt)
        if other is None or other.store.buffer != first.store.buffer or other.stride != first.stride:
            return None
        offset = difference(other.ramp.base, first.ramp.base)
        if offset is None or other.store.value.dtype is not first.store.value.dtype:
            return None
        group[offset] = other
    offsets = sorted(group)
    if offsets != list(range(offsets[0], offsets[0] + first.stride)):
        return None
    names = [name for member in group.values() for name, _ in member.lets]
    return [group[offset] for offset in offsets] if len(set(names)) == len(names) else None


def _interleaved(group: list[_Strided]) -> Stmt:
    count, lanes = len(group), group[0].ramp.lanes
    value = Shuffle(
        tuple(m.store.value for m in group), tuple(v * lanes + i for i in range(lanes) for v in range(count))
    )
    base = group[0].ramp.base
    row = Store(group[0].store.buffer, Ramp(base, const(1, base.dtype), lanes * count), value)
    return let_all([let for member in group for let in member.lets], row)
