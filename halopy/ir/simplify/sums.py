"""Sums and products.

Integer sums are written from their linear form, so equal sums become one node. What a linear form
does not see is done here: (x/8)*8 + x%8 is x, ramps and broadcasts add up lane by lane.
"""

from __future__ import annotations

from typing import Any

from ...dtypes import DType
from .. import expr as ir
from ..build import broadcast, ramp
from ..expr import Add, Broadcast, Expr, Mul, Ramp, Sub, const, const_value
from ..fold import fold_binary
from ..linear import LinearForm, expr_of, linear
from ..order import order_key
from .algebra import Algebra


def simplify_sum(s: Algebra, e: Any) -> Expr:
    """An Add, Sub or product with a literal, operands not yet simplified."""
    if e.dtype.is_float:
        return make_float(s, type(e), s(e.a), s(e.b))
    form = linear(e)
    if type(e) is Mul and e in form.terms:
        return make_product(s, s(e.a), s(e.b))
    total = LinearForm({}, form.constant)
    for term, c in form.terms.items():
        total = total.plus(linear(s(term)), c)
    return from_form(s, total, e.dtype)


def make_sum(s: Algebra, operator: type, a: Expr, b: Expr) -> Expr:
    """a + b or a - b of simplified operands."""
    if a.dtype.is_float:
        return make_float(s, operator, a, b)
    return from_form(s, linear(a).plus(linear(b), 1 if operator is Add else -1), a.dtype)


def from_form(s: Algebra, form: LinearForm, dtype: DType) -> Expr:
    """The simplified expression of a sum of simplified terms."""
    if len(form.terms) > 1 or dtype.lanes > 1:
        if dtype.lanes > 1:
            form = _join_lanes(s, form, dtype)
        if len(form.terms) <= _MANY:
            form = _join_remainders(s, form)
    return expr_of(form, dtype)


_MANY = 16


def make_product(s: Algebra, a: Expr, b: Expr) -> Expr:
    """a * b of simplified integers."""
    x, y = const_value(a), const_value(b)
    if x is not None or y is not None:
        factor, other = (x, b) if x is not None else (y, a)
        return from_form(s, linear(other).times(int(factor or 0)), a.dtype)
    if a.dtype.lanes > 1:
        joined = _lanes_product(s, a, b) or _lanes_product(s, b, a)
        if joined is not None:
            return joined
    # Literal factors go outside, where the linear form gathers them.
    factor_a, rest_a = _split_factor(a)
    factor_b, rest_b = _split_factor(b)
    if order_key(rest_b) < order_key(rest_a):
        rest_a, rest_b = rest_b, rest_a
    product = Mul(rest_a, rest_b)
    return product if factor_a * factor_b == 1 else expr_of(LinearForm({product: factor_a * factor_b}), a.dtype)


def _split_factor(e: Expr) -> tuple[int, Expr]:
    if type(e) is Mul and (c := const_value(e.b)) is not None:
        return int(c), e.a
    return 1, e


def make_float(s: Algebra, operator: type, a: Expr, b: Expr) -> Expr:
    """Only what IEEE arithmetic keeps exactly."""
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(make_float(s, operator, a.value, b.value), a.lanes)
    x, y = const_value(a), const_value(b)
    if x is not None and y is not None:
        return const(fold_binary(operator, x, y, a.dtype.element), a.dtype)  # type: ignore[arg-type]
    if operator is not Sub and x is not None:
        a, b, y = b, a, x
    if operator is Mul and y == 1:
        return a
    # x + -0 and x - 0 keep the sign of a zero x; x + 0 does not.
    if y == 0 and ((operator is Add and str(y) == "-0.0") or (operator is Sub and str(y) == "0.0")):
        return a
    return operator(a, b)  # type: ignore[no-any-return]


def _join_remainders(s: Algebra, form: LinearForm) -> LinearForm:
    """(a/c)*c + a%c -> a, and a - (a/c)*c -> a%c, times any factor."""
    for term, k in form.terms.items():
        if type(term) is not ir.Div:
            continue
        divisor = const_value(term.b)
        if divisor is None or divisor <= 0 or k % int(divisor):
            continue
        times = k // int(divisor)
        whole = linear(term.a)
        rest = ir.Mod(term.a, term.b)
        if form.terms.get(rest) == times:
            return _join_remainders(s, form.plus(LinearForm({term: -k, rest: -times})).plus(whole, times))
        if whole.terms and all(form.terms.get(t) == -times * c for t, c in whole.terms.items()):
            joined = form.plus(LinearForm({term: -k})).plus(whole, times)
            return joined.plus(linear(s.make(ir.Mod, term.a, term.b)), -times)
    return form


def _join_lanes(s: Algebra, form: LinearForm, dtype: DType) -> LinearForm:
    """All ramps and broadcasts of scalars as one; other vectors stay terms."""
    element = dtype.element
    flat = {t: c for t, c in form.terms.items() if _is_flat(t)}
    if not flat:
        return form
    base, stride = LinearForm({}, form.constant), LinearForm({})
    for term, c in flat.items():
        if type(term) is Ramp:
            base, stride = base.plus(linear(term.base), c), stride.plus(linear(term.stride), c)
        elif type(term) is Broadcast:
            base = base.plus(linear(term.value), c)
    rest = {t: c for t, c in form.terms.items() if t not in flat}
    if rest and not stride.terms and not stride.constant and not base.terms:
        return LinearForm(rest, base.constant)
    joined = ramp(from_form(s, base, element), from_form(s, stride, element), dtype.lanes)
    if const_value(joined) is not None:
        return LinearForm(rest, base.constant)
    return LinearForm(rest).plus(LinearForm({joined: 1}))


def _is_flat(e: Expr) -> bool:
    return (type(e) is Ramp and e.base.dtype.lanes == 1) or (type(e) is Broadcast and e.value.dtype.lanes == 1)


def _lanes_product(s: Algebra, a: Expr, b: Expr) -> Expr | None:
    """A ramp or broadcast times a broadcast."""
    if type(b) is not Broadcast or b.value.dtype.lanes != 1:
        return None
    if type(a) is Broadcast and a.value.dtype.lanes == 1:
        return broadcast(s.make(Mul, a.value, b.value), a.lanes)
    if type(a) is Ramp and a.base.dtype.lanes == 1:
        return ramp(s.make(Mul, a.base, b.value), s.make(Mul, a.stride, b.value), a.lanes)
    return None
