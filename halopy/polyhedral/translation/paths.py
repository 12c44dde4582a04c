"""Where statements stand that do something: the loops, names and conditions around each, outermost first.

for x in [0, n):              store f     around it: loop x, name b, condition c
  let b = x*4
  if c: f[b] = g[b]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ...ir.expr import Effect, Expr, Load
from ...ir.node import find
from ...ir.stmt import (
    Allocate,
    Assert,
    Atomic,
    Await,
    Block,
    Evaluate,
    For,
    Fork,
    If,
    LetStmt,
    LoopKind,
    Prefetch,
    Produce,
    Publish,
    Stmt,
    Store,
)


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop at one place in the text, by number."""

    number: int
    name: str
    min: Expr
    extent: Expr
    kind: LoopKind


@dataclass(frozen=True, slots=True)
class Name:
    """A let."""

    number: int
    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that holds, or does not; or one that was checked before."""

    condition: Expr
    holds: bool = True
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """Scratch memory."""

    number: int
    buffer: str
    size: Expr


@dataclass(frozen=True, slots=True)
class Turn:
    """The statement of a block, by number; of a fork the task."""

    block: int
    position: int
    is_task: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """Inside an Atomic."""


Step: TypeAlias = Loop | Name | Guard | Memory | Turn | Turns
Path: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A statement that reads or writes memory, or tells another thread something. Each is equal to itself alone."""

    node: Stmt
    path: Path

    @property
    def loops(self) -> list[Loop]:
        return [step for step in self.path if isinstance(step, Loop)]

    def allocates(self, buffer: str) -> bool:
        """Whether the buffer is scratch memory."""
        return any(isinstance(step, Memory) and step.buffer == buffer for step in self.path)


def base_name(name: str) -> str:
    """A name of a copy as it was before copies were made."""
    return name.split("'")[0]


def key_of(node: Stmt) -> tuple[str, str]:
    """What kind of thing is done, and to what."""
    if isinstance(node, Store):
        return "store", node.buffer
    if isinstance(node, LetStmt):
        return "let", base_name(node.name)
    if isinstance(node, Publish | Await):
        return type(node).__name__, node.counter
    effects = [str(effect.service) for effect in find(node, Effect)]
    return type(node).__name__, " ".join(effects)


class Paths:
    """Collects the leaves of a statement, in the order of the text."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, stmt: Stmt, path: Path = ()) -> Iterator[Leaf]:
        if isinstance(stmt, Block):
            block = self._number()
            checked: Path = ()
            for n, part in enumerate(stmt.stmts):
                yield from self.of(part, (*path, *checked, Turn(block, n)))
                if isinstance(part, Assert):
                    checked = (*checked, Guard(part.condition, is_checked=True))
        elif isinstance(stmt, For):
            loop = Loop(self._number(), stmt.name, stmt.min, stmt.extent, stmt.kind)
            yield from self.of(stmt.body, (*path, loop))
        elif isinstance(stmt, LetStmt):
            if stmt.value.has(Load, Effect):
                block = self._number()
                yield Leaf(stmt, (*path, Turn(block, 0)))
                path = (*path, Turn(block, 1))
            yield from self.of(stmt.body, (*path, Name(self._number(), stmt.name, stmt.value)))
        elif isinstance(stmt, If):
            block = self._number()
            yield from self.of(stmt.then, (*path, Guard(stmt.condition), Turn(block, 0)))
            if stmt.otherwise is not None:
                yield from self.of(stmt.otherwise, (*path, Guard(stmt.condition, False), Turn(block, 1)))
        elif isinstance(stmt, Fork):
            block = self._number()
            yield from self.of(stmt.producer, (*path, Turn(block, 0, True)))
            yield from self.of(stmt.consumer, (*path, Turn(block, 1, True)))
        elif isinstance(stmt, Allocate):
            yield from self.of(stmt.body, (*path, Memory(self._number(), stmt.buffer, stmt.size)))
        elif isinstance(stmt, Produce):
            yield from self.of(stmt.body, path)
        elif isinstance(stmt, Atomic):
            yield from self.of(stmt.body, (*path, Turns()))
        elif not isinstance(stmt, Prefetch) and not (isinstance(stmt, Evaluate | Assert) and not stmt.has(Effect)):
            yield Leaf(stmt, path)

    def _number(self) -> int:
        self.count += 1
        return self.count
