"""Indices that depend on memory: the same where they are computed alike, of elements that are the same.

h[int(g[min(x, n - 8)])]     beside     h[int(g[x])]         where x <= n - 8
"""

from __future__ import annotations

from collections.abc import Callable

from ...ir import expr as ir
from ...ir.expr import Expr
from .polynomials import Polynomial, in_any_order, minus, polynomial

IsZero = Callable[[Polynomial], bool]


def without_alike(gap: Polynomial, is_zero: IsZero) -> Polynomial:
    """A difference without terms that cancel, as they are computed alike."""
    left = dict(gap)
    data = [term for term in gap if any(atom.has(ir.Load) for atom in term)]
    for term in data:
        other = next((t for t in data if _cancel(left, term, t) and _are_alike(term, t, is_zero)), None)
        if other is not None:
            del left[term], left[other]
    return left


def _cancel(gap: Polynomial, term: tuple[Expr, ...], other: tuple[Expr, ...]) -> bool:
    return term in gap and other in gap and gap[term] == -gap[other]


def _are_alike(term: tuple[Expr, ...], other: tuple[Expr, ...], is_zero: IsZero) -> bool:
    """Whether two products are the same, all factors but one being equal."""
    mine = [atom for atom in term if atom not in other]
    its = [atom for atom in other if atom not in term]
    return len(term) == len(other) and len(mine) == len(its) == 1 and _is_alike(mine[0], its[0], is_zero)


def _is_alike(mine: Expr, its: Expr, is_zero: IsZero) -> bool:
    if mine is its:
        return True
    if type(mine) is not type(its) or mine.dtype is not its.dtype:
        return False
    if mine.dtype.is_index_like and isinstance(mine, ir.Add | ir.Sub | ir.Mul):
        gap = minus(polynomial(mine), polynomial(its))
        return is_zero(without_alike(gap, is_zero))
    if isinstance(mine, ir.Load) and isinstance(its, ir.Load):
        gap = without_alike(minus(polynomial(mine.index), polynomial(its.index)), is_zero)
        return mine.buffer == its.buffer and mine.predicate is its.predicate and is_zero(gap)
    fields, others = ([f for f in e.fields() if not _has_expressions(f)] for e in (mine, its))
    operands, its_operands = ([e for e in n.children() if isinstance(e, Expr)] for n in (mine, its))
    if fields != others or len(operands) != len(its_operands):
        return False
    orders = [its_operands]
    if in_any_order(mine):
        orders.append([its_operands[1], its_operands[0], *its_operands[2:]])
    return any(all(_is_alike(a, b, is_zero) for a, b in zip(operands, o, strict=True)) for o in orders)


def _has_expressions(field: object) -> bool:
    return isinstance(field, Expr) or (isinstance(field, tuple) and any(isinstance(item, Expr) for item in field))
