"""And, or, not: a nest of one kind is a set of conditions."""

from __future__ import annotations

from typing import Any

from .. import expr as ir
from ..build import broadcast, logical_not
from ..expr import Broadcast, Expr, const, const_value
from ..node import NodeMeta
from ..order import order_key
from .algebra import Algebra
from .tables import AND, OR

_MANY = 8


def make_not(s: Algebra, _operator: NodeMeta, a: Expr) -> Expr:
    """The negation of a simplified condition."""
    if type(a) is Broadcast:
        return broadcast(make_not(s, ir.Not, a.value), a.lanes)
    opposite = logical_not(a)
    if isinstance(opposite, ir.Compare):
        return s.make(type(opposite), opposite.a, opposite.b)
    return opposite


def make_logic(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """And or Or of simplified conditions."""
    conditions, others = _conditions(operator, a), _conditions(operator, b)
    if len(others) > len(conditions):
        conditions, others = others, conditions
    if len(conditions) == 1:
        conditions, others = [], conditions + others
    # Those of one nest were joined when it was made.
    for e in others:
        known = const_value(e)
        if known is None:
            conditions = _with(s, operator, conditions, e)
        elif bool(known) is not (operator is ir.And):
            return e
    for e in conditions:
        if const_value(e) is not None:  # what two conditions contradict each other in
            return e
    if not conditions:
        return const(operator is ir.And, a.dtype)
    conditions.sort(key=order_key)
    total = conditions[0]
    for e in conditions[1:]:
        total = operator(total, e)
    return total


def _conditions(operator: Any, e: Expr) -> list[Expr]:
    """The operands of a nest; parts beyond the first few stay whole."""
    found: list[Expr] = []
    todo = [e]
    while todo:
        part = todo.pop()
        if type(part) is operator and len(found) + len(todo) < _MANY:
            todo += [part.a, part.b]  # type: ignore[attr-defined]
        else:
            found.append(part)
    return found


def _with(s: Algebra, operator: Any, conditions: list[Expr], e: Expr) -> list[Expr]:
    """The conditions and one more, joined with the first one that it can be joined with."""
    if e in conditions:
        return conditions
    for other in conditions:
        joined = _join(s, operator, other, e) or _join(s, operator, e, other)
        if joined is None:
            continue
        rest = [c for c in conditions if c is not other]
        known = const_value(joined)
        if known is not None and bool(known) is (operator is ir.And):
            return rest
        return _with(s, operator, rest, joined)
    return [*conditions, e]


def _join(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr | None:
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(operator, a.value, b.value), a.lanes)
    return (AND if operator is ir.And else OR).apply((a, b), s)
