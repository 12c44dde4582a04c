"""The mark on what holds in the steady state, how to take it off, and what an expression is there."""

from __future__ import annotations

from typing import TypeVar

from ..ir.expr import Call, Expr, Max, Min, Select
from ..ir.node import Node
from ..ir.rewrite import Rewriter

_Node = TypeVar("_Node", bound=Node)

LIKELY = ("likely", "likely_if_innermost")


class _StripLikely(Rewriter):
    only = (Call,)

    def rewrite_Call(self, call: Call) -> Expr:
        rebuilt: Expr = self(call.args[0]) if call.name in LIKELY else self.rebuild(call)
        return rebuilt


def strip_likely(node: _Node) -> _Node:
    """The same without marks."""
    stripped: _Node = _StripLikely()(node)
    return stripped


class _SteadyState(Rewriter):
    only = (Min, Max, Select)

    def rewrite_Min(self, e: Min) -> Expr:
        return self._chosen(e)

    def rewrite_Max(self, e: Max) -> Expr:
        return self._chosen(e)

    def rewrite_Select(self, e: Select) -> Expr:
        rebuilt: Expr = self(e.a) if _is_likely(e.condition) else self.rebuild(e)
        return rebuilt

    def _chosen(self, e: Min | Max) -> Expr:
        marked = [operand for operand in (e.a, e.b) if _is_likely(operand)]
        rebuilt: Expr = self(marked[0]) if len(marked) == 1 else self.rebuild(e)
        return rebuilt


def _is_likely(e: Expr) -> bool:
    return isinstance(e, Call) and e.name in LIKELY


def steady_state(e: Expr) -> Expr:
    """What the expression is where all marks hold."""
    chosen: Expr = strip_likely(_SteadyState()(e))
    return chosen
