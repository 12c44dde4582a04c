"""A number that an extent never exceeds, so that small storage can have a size known to the compiler.

min(x*32 + 32, n) - x*32   ->   32          min(a, b) + rest is at most a + rest, and at most b + rest
"""

from __future__ import annotations

from ..ir.expr import Expr, Max, Min, Select
from ..ir.interval import constant_bounds
from ..ir.linear import LinearForm, expr_of, linear
from ..ir.simplify import simplify

_DEEPEST = 4


def most(extent: Expr, depth: int = 0) -> int | None:
    """The least constant upper bound that can be found by choosing operands of minima; None where there is none."""
    bound = constant_bounds(extent)[1]
    if depth == _DEEPEST:
        return bound
    form = linear(extent)
    for term, c in form.terms.items():
        for operands in _alternatives(term, c):
            bounds = [most(_with(form, term, c, e, extent), depth + 1) for e in operands]
            if None not in bounds:
                found = max(b for b in bounds if b is not None)
                bound = found if bound is None else min(bound, found)
    return bound


def _alternatives(term: Expr, c: int) -> list[tuple[Expr, ...]]:
    """Sets of operands; the term times c is at most the greatest of any one set's."""
    if isinstance(term, Min if c > 0 else Max):
        return [(term.a,), (term.b,)]
    if isinstance(term, Min | Max | Select):
        return [(term.a, term.b)]
    return []


def _with(form: LinearForm, term: Expr, c: int, operand: Expr, like: Expr) -> Expr:
    rest = LinearForm({t: k for t, k in form.terms.items() if t is not term}, form.constant)
    return simplify(expr_of(rest.plus(linear(operand), c), like.dtype))
