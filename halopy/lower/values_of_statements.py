"""Rewrite what each statement computes. Loads are shared within a statement only: between two, memory may change."""

from __future__ import annotations

from collections.abc import Callable

from ..ir.expr import Expr
from ..ir.node import NodeMeta
from ..ir.rewrite import Rewriter
from ..ir.stmt import LetStmt, Stmt, Store


def rewrite_values(stmt: Stmt, wanted: NodeMeta, change: Callable[[Expr], Expr]) -> Stmt:
    """The statement with each value that is stored, or bound, changed if nodes of the class `wanted` are in it."""
    rewritten: Stmt = _Values(wanted, change)(stmt) if stmt.has(wanted) else stmt
    return rewritten


class _Values(Rewriter):
    only = (Store, LetStmt)

    def __init__(self, wanted: NodeMeta, change: Callable[[Expr], Expr]) -> None:
        super().__init__()
        self.wanted, self.change = wanted, change

    def changed(self, value: Expr) -> Expr:
        return self.change(value) if value.has(self.wanted) else value

    def rewrite_Store(self, store: Store) -> Stmt:
        value = self.changed(store.value)
        return store if value is store.value else store.with_(value=value)

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        value, body = self.changed(stmt.value), self(stmt.body)
        return stmt if value is stmt.value and body is stmt.body else LetStmt(stmt.name, value, body)
