"""The mark on what holds in the steady state, and how to take it off."""

from __future__ import annotations

from typing import TypeVar

from ..ir.expr import Call, Expr
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
