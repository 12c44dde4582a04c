"""Comparisons: decided where the difference of the sides has a known sign, else in one canonical form.

x + 3 < y + 5   ->  x < y + 2         x*8 < 20  ->  x < 3         3 <= x  ->  x >= 3
"""

from __future__ import annotations

from math import gcd
from typing import Any

from ...dtypes import BOOL, DType
from .. import expr as ir
from ..build import broadcast
from ..expr import EQ, GE, GT, LE, LT, NE, Broadcast, Expr, const, const_value
from ..fold import fold_binary
from ..linear import LinearForm, linear, wrapped
from ..order import order_key
from .algebra import Algebra, holds_data, may_wrap
from .sums import from_form

_SWAPPED = {LT: GT, GT: LT, LE: GE, GE: LE, EQ: EQ, NE: NE}


def make_compare(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """A comparison of simplified operands."""
    x, y = const_value(a), const_value(b)
    result = BOOL.with_lanes(a.dtype.lanes)
    if x is not None and y is not None:
        return const(fold_binary(operator, x, y, a.dtype.element), result)
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(operator, a.value, b.value), a.lanes)
    if a.dtype.is_bool:
        return _compare_bools(s, operator, a, b)
    decided = _decide(s, operator, a, b)
    if decided is not None:
        return const(decided, result)
    if a.dtype.is_index_like:
        return _canonical(s, operator, a, b)
    if a.dtype.is_integer and operator in (EQ, NE):
        return _equality(s, operator, linear(a).plus(linear(b), -1), a.dtype)
    if x is not None or (operator in (GT, GE) and y is None):
        return _SWAPPED[operator](b, a)
    return operator(a, b)  # type: ignore[no-any-return]


def _compare_bools(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    if a is b:
        return const(operator in (EQ, LE, GE), a.dtype)
    y = const_value(b) if const_value(a) is None else const_value(a)
    if y is not None and operator in (EQ, NE):
        other = a if const_value(a) is None else b
        return other if bool(y) == (operator is EQ) else s.make(ir.Not, other)
    return operator(a, b)  # type: ignore[no-any-return]


def _decide(s: Algebra, operator: Any, a: Expr, b: Expr) -> bool | None:
    if a is b:
        return (operator in (EQ, LE, GE)) if a.dtype.is_integer else None
    if operator in (GT, GE):
        return _decide(s, _SWAPPED[operator], b, a)
    if not a.dtype.is_integer or may_wrap(s, a, b):
        return None
    at_most = s.facts.at_most
    if operator is LT:
        return True if at_most(a, b, -1) else False if at_most(b, a) else None
    if operator is LE:
        return True if at_most(a, b) else False if at_most(b, a, -1) else None
    apart = at_most(a, b, -1) or at_most(b, a, -1)
    return (operator is NE) if apart else None


def _canonical(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """An undecided comparison of index-like integers."""
    if operator in (GT, GE):
        a, b, operator = b, a, _SWAPPED[operator]
    if may_wrap(s, a, b):
        return operator(a, b)  # type: ignore[no-any-return]
    form = linear(a).plus(linear(b), -1)
    if operator in (EQ, NE):
        return _equality(s, operator, form, a.dtype)
    # form <= -1, divided by what all coefficients share
    limit = -1 - form.constant if operator is LT else -form.constant
    if not a.dtype.can_hold(limit + 1) or not a.dtype.can_hold(-limit):
        return operator(a, b)  # type: ignore[no-any-return]
    common = gcd(*form.terms.values())
    terms = {t: c // common for t, c in form.terms.items()}
    limit //= common
    if len(terms) > 1 and holds_data(a, b) and not _is_part(limit + 1 if limit else 0, linear(b).constant):
        return operator(a, b)  # type: ignore[no-any-return]
    return _ordered(s, terms, limit, a.dtype)


def _is_part(addend: int, of: int) -> bool:
    """Whether a sum that holds `of` holds with the addend in its place: it is nearer to 0, on the same side."""
    return min(of, 0) <= addend <= max(of, 0)


def _ordered(s: Algebra, terms: dict[Expr, int], limit: int, dtype: DType) -> Expr:
    """terms <= limit, with gains on the left and losses on the right."""
    gains = LinearForm({t: c for t, c in terms.items() if c > 0})
    losses = LinearForm({t: -c for t, c in terms.items() if c < 0})
    if not gains.terms:
        return _against_literal(s, losses, -limit, GE, GT, dtype)
    if not losses.terms:
        return _against_literal(s, gains, limit, LE, LT, dtype)
    left = from_form(s, gains, dtype)
    if limit == 0:
        return LE(left, from_form(s, losses, dtype))
    return LT(left, from_form(s, losses.plus(LinearForm({}, limit + 1)), dtype))


def _against_literal(s: Algebra, form: LinearForm, limit: int, closed: Any, strict: Any, dtype: DType) -> Expr:
    """x <= 0 and x >= 0 as they are, other limits as x < n and x >= n."""
    left = from_form(s, form, dtype)
    if closed is LE and limit != 0:
        return strict(left, const(limit + 1, dtype))  # type: ignore[no-any-return]
    return closed(left, const(limit, dtype))  # type: ignore[no-any-return]


def _equality(s: Algebra, operator: Any, form: LinearForm, dtype: DType) -> Expr:
    """form == 0 or form != 0; holds modulo 2**bits, so for all integers."""
    form = wrapped(form.terms, form.constant, dtype)
    if not form.terms:
        return const((dtype.wrap(form.constant) == 0) == (operator is EQ), BOOL.with_lanes(dtype.lanes))
    if dtype.is_index_like:
        common = gcd(*form.terms.values())
        if form.constant % common:
            return const(operator is NE, BOOL.with_lanes(dtype.lanes))
        form = LinearForm({t: c // common for t, c in form.terms.items()}, form.constant // common)
    else:
        form = LinearForm({t: _signed(c, dtype.bits) for t, c in form.terms.items()}, form.constant)
    first = min(form.terms, key=order_key)
    if form.terms[first] < 0:
        form = form.times(-1)
    gains = LinearForm({t: c for t, c in form.terms.items() if c > 0})
    losses = LinearForm({t: -c for t, c in form.terms.items() if c < 0}, -form.constant)
    if not gains.terms:
        gains, losses = losses, gains
    left, right = from_form(s, gains, dtype), from_form(s, losses, dtype)
    decided = None if dtype.is_index_like else _decide(s, operator, left, right)
    return operator(left, right) if decided is None else const(decided, BOOL.with_lanes(dtype.lanes))


def _signed(c: int, bits: int) -> int:
    """c modulo 2**bits in (-half, half]: negating it, all but half changes sides."""
    half = 1 << (bits - 1)
    return half - (half - c) % (1 << bits)
