"""What one statement does in one iteration: where it stores, and of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...ir.expr import Expr, Load
from ...ir.node import find
from ...ir.stmt import Stmt, Store
from ..validation.names import names_in
from .one_lane import LANE
from .polynomials import Polynomial, Scope, number, plus

LANE_TERM = (LANE,)


@dataclass(frozen=True, slots=True)
class Action:
    """What a statement does in one iteration: where it stores, and what; canonical."""

    index: Polynomial | None
    values: tuple[Expr, ...]


def at_lane(p: Polynomial, n: int) -> Polynomial:
    """With a number for the lane."""
    factor = p.get(LANE_TERM, 0)
    return plus({t: c for t, c in p.items() if t != LANE_TERM}, number(factor * n)) if factor else p


def names_of(p: Polynomial) -> set[str]:
    return {name for term in p for atom in term for name in names_in(atom)}


def action(node: Stmt, scope: Scope) -> Action:
    """In the names of a scope. Vectors are one lane by now."""
    if isinstance(node, Store):
        return Action(scope.integer(node.index), (scope.expression(node.value),))
    return Action(None, tuple(scope.expression(e) for e in node.children() if isinstance(e, Expr)))


def loads_in(values: Sequence[Expr]) -> list[Load]:
    return [load for value in values for load in find(value, Load)]
