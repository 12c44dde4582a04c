"""What sums of squares say about their roots.

x*x + 2*y*y <= 9        ->        -3 <= x <= 3  and  -2 <= y <= 2
"""

from __future__ import annotations

from math import isqrt

from ..ir.build import le, sub
from ..ir.expr import GE, GT, LE, LT, Compare, Expr, Mul
from ..ir.linear import linear


def roots(condition: Expr) -> list[Expr]:
    """What follows from a condition, linear in what it squares; nothing where it is none on a sum of squares alone."""
    if not isinstance(condition, LE | LT | GE | GT) or not condition.a.dtype.is_index_like:
        return []
    low, high = _sides(condition)
    slack = linear(sub(high, low))  # >= 0, and > 0 for LT and GT
    room = slack.constant - (1 if isinstance(condition, LT | GT) else 0)
    squares = [(_root(term), -factor) for term, factor in slack.terms.items()]
    if room < 0 or any(root is None or factor <= 0 for root, factor in squares):
        return []
    found = [(root, isqrt(room // factor)) for root, factor in squares if root is not None]
    return [c for root, most in found for c in (le(-most, root), le(root, most))]


def _sides(condition: Compare) -> tuple[Expr, Expr]:
    """The lesser and the greater."""
    return (condition.a, condition.b) if isinstance(condition, LE | LT) else (condition.b, condition.a)


def _root(e: Expr) -> Expr | None:
    return e.a if isinstance(e, Mul) and e.a is e.b else None
