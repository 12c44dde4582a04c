"""The two halves of a statement that computes a Func and uses it: what only computes it, and all the rest.

for y                             for y                   for y
  produce e, which g reads          produce e
  if c(y)                           if c(y)                 if c(y)
    produce g              ->         produce g     and       waits
  h(y) = g(y) + g(y + 1)                                    h(y) = g(y) + g(y + 1)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..ir.expr import Effect, Expr, Read
from ..ir.node import find
from ..ir.rewrite import ScopedRewriter
from ..ir.services import CallExtern
from ..ir.stmt import (
    NOTHING,
    Assert,
    Await,
    Block,
    For,
    If,
    LetStmt,
    Produce,
    Provide,
    Publish,
    Realize,
    Reserve,
    Stmt,
    block,
)


def names_read(stmt: Stmt) -> frozenset[str]:
    """The Funcs and images that a statement reads."""
    given = (argument.name for call in _calls(stmt) for argument in call.arguments if argument.name)
    return frozenset((*(read.name for read in find(stmt, Read)), *given))


def names_written(stmt: Stmt) -> frozenset[str]:
    """The Funcs that a statement computes."""
    return frozenset((*(provide.name for provide in find(stmt, Provide)), *(call.func for call in _calls(stmt))))


def _calls(stmt: Stmt) -> Iterator[CallExtern]:
    services = (effect.service for effect in find(stmt, Effect))
    return (service for service in services if isinstance(service, CallExtern))


def consumer_half(stmt: Stmt, func: str, waits: Stmt, taken: Collection[str]) -> Stmt:
    """The statement with `waits` where it computed the Func, the last of them as late as it can be, without the
    production of those that are taken along."""
    half: Stmt = _ConsumerHalf(func, waits, taken)(stmt)
    return half


def producer_half(stmt: Stmt, funcs: Collection[str]) -> Stmt | None:
    """What of the statement decides how the Funcs are computed, and the waits on the way. None where a service is
    called there, which must happen once."""
    halving = _ProducerHalf(funcs)
    half: Stmt = halving(stmt)
    return None if halving.calls else half


def place_await(wait: Await, stmt: Stmt, func: str) -> tuple[Stmt, Stmt]:
    """What of the statement comes before the first use of the Func, and the statement with the wait there."""
    if isinstance(stmt, Block):
        at = next((k for k, part in enumerate(stmt.stmts) if func in names_read(part)), len(stmt.stmts))
        if at == len(stmt.stmts):
            return stmt, block(stmt, wait)
        before, part = place_await(wait, stmt.stmts[at], func)
        return block(*stmt.stmts[:at], before), block(*stmt.stmts[:at], part, *stmt.stmts[at + 1 :])
    if isinstance(stmt, LetStmt) and not any(read.name == func for read in find(stmt.value, Read)):
        before, body = place_await(wait, stmt.body, func)
        return before, LetStmt(stmt.name, stmt.value, body)
    if isinstance(stmt, Realize | Reserve):
        before, body = place_await(wait, stmt.body, func)
        return before, stmt.with_(body=body)
    return NOTHING, block(wait, stmt)


def _has_production(stmt: Stmt, funcs: Collection[str]) -> bool:
    return any(produce.name in funcs for produce in find(stmt, Produce))


class _WithoutMemory(ScopedRewriter):
    """Takes no memory for Funcs that a half has nothing to do with."""

    def rewrite_Realize(self, r: Realize) -> Stmt:
        body: Stmt = self(r.body)
        return r.with_(body=body) if r.name in names_read(body) | names_written(body) else body

    def rewrite_Reserve(self, r: Reserve) -> Stmt:
        body: Stmt = self(r.body)
        return r.with_(body=body) if any(inside.name == r.name for inside in find(body, Realize)) else body


class _ConsumerHalf(_WithoutMemory):
    only = (Produce, Realize)

    def __init__(self, func: str, waits: Stmt, taken: Collection[str]) -> None:
        super().__init__()
        self.func, self.waits, self.taken = func, waits, taken

    def rewrite_Produce(self, produce: Produce) -> Stmt:
        if produce.name == self.func:
            return self.waits
        if produce.name in self.taken:
            return NOTHING
        rebuilt: Stmt = self.rebuild(produce)
        return rebuilt

    def rewrite_Block(self, stmt: Block) -> Stmt:
        parts = stmt.stmts
        at = next((k for k, s in enumerate(parts) if isinstance(s, Produce) and s.name == self.func), len(parts))
        before = map(self, parts[:at])
        if at == len(parts):
            return block(*before)
        *first, wait = self.waits.stmts if isinstance(self.waits, Block) else (self.waits,)
        assert isinstance(wait, Await), "the last wait is for the Func"
        return block(*before, *first, place_await(wait, block(*map(self, parts[at + 1 :])), self.func)[1])


class _ProducerHalf(_WithoutMemory):
    def __init__(self, funcs: Collection[str]) -> None:
        super().__init__()
        self.funcs = funcs
        self.calls = False  # a service, on the way to the production

    def __call__(self, node: object) -> Stmt:
        assert isinstance(node, Stmt), "only statements are halved"
        if isinstance(node, Await | Publish):
            return node
        if isinstance(node, Assert) and not node.has(Read, Effect):
            return node
        if not _has_production(node, self.funcs):
            return NOTHING
        self.calls = self.calls or any(child.has(Effect) for child in node.children() if isinstance(child, Expr))
        half: Stmt = self._visit(node)
        return half

    def rewrite_Produce(self, produce: Produce) -> Stmt:
        return produce if produce.name in self.funcs else self(produce.body)

    def rewrite_For(self, loop: For) -> Stmt:
        return For(loop.name, loop.min, loop.extent, loop.kind, self(loop.body), loop.partition)

    def rewrite_LetStmt(self, let: LetStmt) -> Stmt:
        return LetStmt(let.name, let.value, self(let.body))

    def rewrite_If(self, stmt: If) -> Stmt:
        return If(stmt.condition, self(stmt.then), None if stmt.otherwise is None else self(stmt.otherwise))

    def rewrite_Block(self, stmt: Block) -> Stmt:
        return block(*map(self, stmt.stmts))
