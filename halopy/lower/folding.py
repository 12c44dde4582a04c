"""A Rewriter whose results are folded where they changed: `0*3 + 1` comes back as `1`."""

from __future__ import annotations

from ..ir import build
from ..ir.expr import Binary, Call, Cast, Not, Select, const_value
from ..ir.node import Node
from ..ir.rewrite import Rewriter
from ..ir.stmt import NOTHING, If, Stmt
from .likely import LIKELY


class FoldingRewriter(Rewriter):
    """Rebuilds changed expressions with the constructors that fold, and drops decided branches."""

    def rebuild(self, node: Node) -> Node:
        new: Node = super().rebuild(node)
        return new if new is node else _folded(new)


def _folded(node: Node) -> Node:
    if isinstance(node, Binary):
        return build.binary(type(node), node.a, node.b)
    if isinstance(node, Select):
        return build.select(node.condition, node.a, node.b)
    if isinstance(node, Not):
        return build.logical_not(node.a)
    if isinstance(node, Cast):
        return build.cast(node.dtype, node.a)
    if isinstance(node, Call) and node.name in LIKELY and const_value(node.args[0]) is not None:
        return node.args[0]
    if isinstance(node, If):
        return _branch(node)
    return node


def _branch(stmt: If) -> Stmt:
    decided = const_value(stmt.condition)
    if decided is None:
        return stmt
    return stmt.then if decided else (stmt.otherwise or NOTHING)
