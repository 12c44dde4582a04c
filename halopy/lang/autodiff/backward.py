"""From the adjoints of some values to those of all that they read.

    value  a[x] * sin(b[x])        adjoint  d
    reads  a[x]: d * sin(b[x])     b[x]: d * a[x] * cos(b[x])

What is chosen by a condition stays under it to the end: select(c, d * f, 0), not select(c, d, 0) * f, so that no NaN
of the other side gets in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from ...ir import build
from ...ir import expr as nodes
from ...ir.expr import Expr
from ...ir.node import mask
from .rules import Condition, shares

Guard = tuple[Condition, ...]
READS = mask(nodes.FuncAccess, nodes.ImageAccess, nodes.Param)
MOST_GUARDS = 6  # different ones of one node; more are gathered into one sum


class Term(NamedTuple):
    """`adjoint` where all of `guard` holds, else 0."""

    guard: Guard
    adjoint: Expr


def backward(values: Sequence[Expr], adjoints: Sequence[Expr | None]) -> dict[Expr, Expr]:
    """The adjoint of each float read in the values (FuncAccess, ImageAccess, Param).

    The values have no lets and no effects. Raises Underivable.
    """
    terms: dict[Expr, list[Term]] = {}
    roots = [(v, d) for v, d in zip(values, adjoints, strict=True) if d is not None]
    for value, adjoint in roots:
        terms.setdefault(value, []).append(Term((), adjoint))
    found: dict[Expr, Expr] = {}
    for node in _users_first([value for value, _ in roots]):
        merged = _merged(terms.get(node, []))
        if type(node).bit & READS:
            if merged:
                found[node] = _sum(merged)
            continue
        for term in merged:
            for share in shares(node, term.adjoint):
                guard = term.guard if share.only_where is None else _joined(term.guard, share.only_where)
                if guard is not None and _is_active(share.operand):
                    terms.setdefault(share.operand, []).append(Term(guard, share.adjoint))
    return found


def _is_active(e: Expr) -> bool:
    return e.dtype.is_float and bool(e.kinds & READS)


def _users_first(roots: Sequence[Expr]) -> list[Expr]:
    """The float nodes above reads, each after all that use it; what reads are indexed by is not looked at."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack = [(root, False) for root in roots if _is_active(root)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if not type(node).bit & READS:
                stack.extend((c, False) for c in node.children() if isinstance(c, Expr) and _is_active(c))
    return order[::-1]


def _joined(guard: Guard, condition: Condition) -> Guard | None:
    """Both; None where they exclude each other."""
    e, value = condition
    if (e, not value) in guard:
        return None
    return guard if condition in guard else (*guard, condition)


def _merged(terms: Sequence[Term]) -> list[Term]:
    """One term for each guard, what holds either way without one, and not too many."""
    sums: dict[Guard, Expr] = {}
    for guard, adjoint in terms:
        sums[guard] = build.add(sums[guard], adjoint) if guard in sums else adjoint
    for guard in sorted(sums, key=len, reverse=True):
        if guard and guard in sums:
            _merge_with_opposite(sums, guard)
    merged = [Term(guard, adjoint) for guard, adjoint in sums.items()]
    return [Term((), _sum(merged))] if len(merged) > MOST_GUARDS else merged


def _merge_with_opposite(sums: dict[Guard, Expr], guard: Guard) -> None:
    *outer, (condition, value) = guard
    opposite = (*outer, (condition, not value))
    if sums.get(opposite) is sums[guard]:
        adjoint, rest = sums.pop(guard), tuple(outer)
        del sums[opposite]
        sums[rest] = build.add(sums[rest], adjoint) if rest in sums else adjoint


def _sum(terms: Sequence[Term]) -> Expr:
    return reduce(build.add, [_guarded(*term) for term in terms])


def _guarded(guard: Guard, adjoint: Expr) -> Expr:
    zero = nodes.const(0, adjoint.dtype)
    for condition, value in reversed(guard):
        adjoint = build.select(condition, adjoint, zero) if value else build.select(condition, zero, adjoint)
    return adjoint
