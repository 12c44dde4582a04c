"""Definitions that write several places at once, by `scatter` and `gather`.

    f(scatter(3, 5)) = f(gather(5, 3)) + 1     ->     f(3) = f(5) + 1
                                                      f(5) = f(3) + 1     with both values taken before

The values of all elements are taken before any is written; they are written in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from .expr import Call, Expr
from .function import Definition
from .map_definitions import map_definition
from .node import Node, find
from .rewrite import Rewriter

GROUP = "scatter_gather"


def groups_in(roots: Sequence[Expr]) -> list[Call]:
    """The distinct groups in some expressions."""
    return [call for root in roots if root.has(Call) for call in find(root, Call) if call.name == GROUP]


def elements_of(definition: Definition) -> tuple[Definition, ...]:
    """The definition for each element of its groups; itself where it has none."""
    groups = groups_in((*definition.index, *definition.values))
    if not groups:
        return (definition,)
    return tuple(map_definition(definition, _Element(k)) for k in range(len(groups[0].args)))


def last_element(e: Expr) -> Expr:
    """The value that stays where all elements are written to one place."""
    groups = groups_in((e,))
    if not groups:
        return e
    last: Expr = _Element(len(groups[0].args) - 1)(e)
    return last


class _Element(Rewriter):
    only = (Call,)

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def rewrite_Call(self, call: Call) -> Node:
        if call.name == GROUP:
            return call.args[self.number]
        rebuilt: Node = self.rebuild(call)
        return rebuilt
