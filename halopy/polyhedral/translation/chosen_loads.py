"""Loads, with the choices that stand around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...ir.expr import Expr, Load, Select
from ...ir.node import Node
from .polynomials import negation


def chosen_loads(values: Sequence[Expr]) -> Iterator[tuple[Load, tuple[Expr, ...]]]:
    """Each load, as often as it counts under other choices. A choice that itself depends on memory counts as none."""
    stack: list[tuple[Node, tuple[Expr, ...]]] = [(value, ()) for value in reversed(values)]
    seen: set[tuple[Node, tuple[Expr, ...]]] = set()
    while stack:
        node, choices = stack.pop()
        if not node.has(Load) or (node, choices) in seen:
            continue
        seen.add((node, choices))
        if isinstance(node, Load):
            yield node, choices
        if isinstance(node, Select) and not node.condition.has(Load):
            stack += [(node.b, (*choices, negation(node.condition))), (node.a, (*choices, node.condition))]
        else:
            stack += [(child, choices) for child in reversed(node.children())]
