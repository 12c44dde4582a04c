"""Make thread loops of a block what one of its threads does.

    produce h {                                   produce h {
      gpu_thread (h.y, y0, 10) {                    for (h.y.turn, 0, …) {           10 rows by 8 threads
        gpu_thread (h.x, x0, 32) {                    let h.y = y0 + thread 1 + h.y.turn*8
          h[...] = in[...]                            let h.x = x0 + thread 0
        }                                      ->     h[...] = in[...]
      }                                             }
    }                                             }
                                                  barrier
    gpu_thread (f.ty, 0, 8) {                     let f.ty = thread 1
      gpu_thread (f.tx, 0, 32) {                  let f.tx = thread 0
        f[...] = h[...]                           f[...] = h[...]
      }
    }

The innermost thread loop is dimension 0. A block has as many threads in a dimension as the largest loop of a constant
extent asks for; a loop of more, or of an extent that only the kernel knows, gives each thread several turns, and one of
fewer leaves threads idle. What stands outside of thread loops is done by the first thread. Memory that is allocated
outside of thread loops is shared by the block, inside each thread has its own.

Barriers stand where a thread may touch what another thread of the block has written, or will write, since the last one.
No thread may miss one: where one would stand in a condition or a loop that not all threads share, the schedule is
refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...errors import UnsupportedTarget
from ...ir.build import add, div, eq, logical_and, lt, mul, sub
from ...ir.expr import Expr, Load, Var, const, const_value
from ...ir.node import find, walk
from ...ir.rewrite import free_vars
from ...ir.stmt import (
    NOTHING,
    Allocate,
    Barrier,
    Block,
    For,
    If,
    LetStmt,
    LoopKind,
    MemoryKind,
    Produce,
    Stmt,
    Store,
    block,
)
from .device_names import MOST_DIMENSIONS, thread, threads_of

_THREADS = (LoopKind.GPU_THREAD, LoopKind.GPU_LANE)


@dataclass(frozen=True, slots=True)
class Arranged:
    """What one thread does, and how many there are in each dimension."""

    body: Stmt
    threads: tuple[Expr, ...]


def arrange_threads(body: Stmt, directive: str) -> Arranged:
    """Raises UnsupportedTarget where threads would have to wait for each other and not all come there."""
    depth = _deepest(body)
    if depth > MOST_DIMENSIONS:
        raise UnsupportedTarget(
            directive,
            reason=[f"{depth} thread loops stand inside each other, and devices number {MOST_DIMENSIONS} dimensions"],
        )
    sizes = tuple(_size(body, dim) for dim in range(depth))
    arrange = _Arrange(sizes, directive)
    arranged, _ = arrange.sync(body, _NOTHING, (), uniform=True)
    return Arranged(arranged, sizes or (const(1),))


def _is_thread(stmt: Stmt) -> bool:
    return isinstance(stmt, For) and stmt.kind in _THREADS


def _deepest(stmt: Stmt) -> int:
    """How many thread loops stand inside each other."""
    if not stmt.kinds & For.bit:
        return 0
    below = max((_deepest(child) for child in stmt.children() if isinstance(child, Stmt)), default=0)
    return below + _is_thread(stmt)


def _size(body: Stmt, dim: int) -> Expr:
    """The threads in a dimension: the largest constant extent, else what the host can compute."""
    loops = [loop for loop in find(body, For) if _is_thread(loop) and _deepest(loop.body) == dim]
    constants = [int(n) for loop in loops if (n := const_value(loop.extent)) is not None]
    if constants:
        return const(max(1, *constants))
    bound = _bound_names(body)
    for loop in loops:
        if free_vars(loop.extent).isdisjoint(bound) and not loop.extent.has(Load):
            return loop.extent
    return const(1)


def _bound_names(body: Stmt) -> set[str]:
    return {s.name for s in find(body, For)} | {s.name for s in find(body, LetStmt)}


@dataclass(frozen=True, slots=True)
class _Pending:
    """Shared memory that threads have touched since the last barrier."""

    read: frozenset[str]
    written: frozenset[str]

    def meets(self, other: _Pending) -> bool:
        return bool(self.written & (other.read | other.written) or self.read & other.written)

    def and_(self, other: _Pending) -> _Pending:
        return _Pending(self.read | other.read, self.written | other.written)


_NOTHING = _Pending(frozenset(), frozenset())


class _Arrange:
    """`entered` are the dimensions whose thread loops stand around a statement; `uniform`: all threads of the block
    come to it the same number of times."""

    def __init__(self, sizes: Sequence[Expr], directive: str) -> None:
        self.sizes = sizes
        self.directive = directive
        self.private: set[str] = set()

    def sync(self, stmt: Stmt, pending: _Pending, entered: tuple[int, ...], uniform: bool) -> tuple[Stmt, _Pending]:
        """The statement for one thread, and what is pending after it."""
        if not _deepest(stmt):
            return self._leaf(stmt, pending, entered, uniform)
        if isinstance(stmt, Block):
            parts = []
            for part in stmt.stmts:
                arranged, pending = self.sync(part, pending, entered, uniform)
                parts.append(arranged)
            return block(*parts), pending
        if isinstance(stmt, LetStmt | Produce):
            body, pending = self.sync(stmt.body, pending, entered, uniform)
            return stmt.with_(body=body), pending
        if isinstance(stmt, Allocate):
            return self._shared(stmt, pending, entered, uniform)
        if isinstance(stmt, If):
            return self._choice(stmt, pending, entered, uniform)
        assert isinstance(stmt, For), f"a {type(stmt).__name__} with threads inside"
        return (self._thread_loop if _is_thread(stmt) else self._loop)(stmt, pending, entered, uniform)

    def _leaf(self, stmt: Stmt, pending: _Pending, entered: tuple[int, ...], uniform: bool) -> tuple[Stmt, _Pending]:
        """Nothing inside is about threads: it is done by the first thread of dimensions that are not entered."""
        own = {a.buffer for a in find(stmt, Allocate)}
        self.private |= own
        touched = _touched(stmt, self.private)
        others = [dim for dim in range(len(self.sizes)) if dim not in entered]
        if others and find(stmt, Store):
            stmt = If(_all([eq(thread(dim), 0) for dim in others]), stmt)
        if not pending.meets(touched):
            return stmt, pending.and_(touched)
        return block(self._barrier(uniform), stmt), touched

    def _barrier(self, uniform: bool) -> Stmt:
        if not uniform:
            raise UnsupportedTarget(
                self.directive,
                reason=[
                    "threads must wait for each other there, but not all threads of the block come there equally often"
                ],
                accepted="thread loops of equal constant extents, without conditions around them",
            )
        return Barrier()

    def _shared(
        self, stmt: Allocate, pending: _Pending, entered: tuple[int, ...], uniform: bool
    ) -> tuple[Stmt, _Pending]:
        """Memory with threads inside is shared by the block."""
        if entered:
            raise UnsupportedTarget(
                self.directive,
                reason=[
                    f"`{stmt.buffer}` would be shared by some of a block's threads: it is allocated inside one"
                    " thread loop and outside another"
                ],
                accepted="compute_at a loop over blocks, or the innermost loop over threads",
            )
        if const_value(stmt.size) is None:
            raise UnsupportedTarget(
                self.directive,
                reason=[f"`{stmt.buffer}` is shared by a block's threads, and its size {stmt.size} is no constant"],
                accepted="tiles of constant sizes, or bound_storage",
            )
        body, pending = self.sync(stmt.body, pending, entered, uniform)
        return stmt.with_(memory=MemoryKind.GPU_SHARED, body=body), pending

    def _choice(self, stmt: If, pending: _Pending, entered: tuple[int, ...], uniform: bool) -> tuple[Stmt, _Pending]:
        """What it waits for, it waits for before it is chosen: fewer barriers, and none that only some blocks meet."""
        touched = _Pending(frozenset(node.buffer for node in find(stmt.condition, Load)) - self.private, frozenset())
        first: Stmt = NOTHING
        inside = _touched(stmt, self.private | {a.buffer for a in find(stmt, Allocate)})
        if pending.meets(inside):
            first, pending = self._barrier(uniform), _NOTHING
        uniform = uniform and not (entered and _depends_on_threads(stmt.condition))
        then, after = self.sync(stmt.then, pending.and_(touched), entered, uniform)
        otherwise = stmt.otherwise
        if otherwise is not None:
            otherwise, other = self.sync(otherwise, pending.and_(touched), entered, uniform)
            after = after.and_(other)
        else:
            after = after.and_(pending)
        return block(first, If(stmt.condition, then, otherwise)), after

    def _loop(self, stmt: For, pending: _Pending, entered: tuple[int, ...], uniform: bool) -> tuple[Stmt, _Pending]:
        """A serial loop with threads inside: its last iteration is pending when the next begins."""
        uniform = uniform and not (entered and _depends_on_threads(stmt.min, stmt.extent))
        _, after = self.sync(stmt.body, pending, entered, uniform)
        body, after = self.sync(stmt.body, pending.and_(after), entered, uniform)
        return stmt.with_(body=body), after.and_(pending)

    def _thread_loop(
        self, stmt: For, pending: _Pending, entered: tuple[int, ...], uniform: bool
    ) -> tuple[Stmt, _Pending]:
        if not entered:  # what a nest of threads needs of others, it waits for before all of it
            touched = _touched(stmt, self.private | {a.buffer for a in find(stmt, Allocate)})
            if pending.meets(touched):
                arranged, after = self._threads(stmt, _NOTHING, entered, uniform)
                return block(self._barrier(uniform), arranged), after
            arranged, after = self._threads(stmt, _NOTHING, entered, uniform)
            return arranged, pending.and_(after)
        return self._threads(stmt, pending, entered, uniform)

    def _threads(self, stmt: For, pending: _Pending, entered: tuple[int, ...], uniform: bool) -> tuple[Stmt, _Pending]:
        dim = _deepest(stmt.body)
        size, number = self.sizes[dim], thread(dim)
        is_exact = stmt.extent is size
        inside, after = self.sync(stmt.body, pending, (*entered, dim), uniform and is_exact)
        if is_exact:
            return LetStmt(stmt.name, add(stmt.min, number), inside), after
        few, most = const_value(stmt.extent), const_value(size)
        if few is not None and most is not None and few < most:
            return If(lt(number, stmt.extent), LetStmt(stmt.name, add(stmt.min, number), inside)), after
        threads = size if most is not None else threads_of(dim)
        turn = f"{stmt.name}.turn"
        turns = div(add(sub(stmt.extent, number), sub(threads, 1)), threads)
        at = add(stmt.min, add(number, mul(Var(turn), threads)))
        return For(turn, const(0), turns, LoopKind.SERIAL, LetStmt(stmt.name, at, inside)), after


def _depends_on_threads(*nodes: Expr) -> bool:
    """Whether it may differ between threads: conservative, any name that is no symbol of the host may."""
    return any(free_vars(node) for node in nodes)


def _all(conditions: Sequence[Expr]) -> Expr:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = logical_and(whole, condition)
    return whole


def _touched(stmt: Stmt, private: Collection[str]) -> _Pending:
    nodes = list(walk(stmt))
    read = frozenset(node.buffer for node in nodes if isinstance(node, Load)) - frozenset(private)
    written = frozenset(node.buffer for node in nodes if isinstance(node, Store)) - frozenset(private)
    return _Pending(read, written)
