"""Integer division and remainder by literals: what divides leaves, the rest stays small.

    (x*8 + y + 19)/8  ->  x + (y + 3)/8 + 2          (x*8 + y)%8  ->  y%8

Valid where the sum does not wrap: always for index-like types, else where ranges show it.
"""

from __future__ import annotations

from math import gcd

from ...dtypes import DType
from .. import expr as ir
from ..build import broadcast, div, mod
from ..expr import Broadcast, Div, Expr, Mod, Ramp, const, const_value
from ..linear import LinearForm, linear
from ..ranges import quotient
from .algebra import Algebra
from .sums import from_form, make_sum


def make_div(s: Algebra, a: Expr, b: Expr) -> Expr:
    """a / b of simplified operands."""
    c = const_value(b)
    if a.dtype.is_float:
        if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
            return broadcast(make_div(s, a.value, b.value), a.lanes)
        return div(a, b)
    if c is None:
        return _div_by_unknown(s, a, b)
    c = int(c)
    if c == 0:
        return const(0, a.dtype)
    if c == 1:
        return a
    if const_value(a) is not None:
        return div(a, b)
    if c < 0:
        positive = s.make(Div, a, const(-c, a.dtype)) if a.dtype.can_hold(-c) and a.dtype.is_index_like else None
        return Div(a, b) if positive is None else make_sum(s, ir.Sub, const(0, a.dtype), positive)
    lo, hi = quotient(s.ranges.of(a), (c, c))
    if lo is not None and lo == hi:
        return const(lo, a.dtype)
    return _split_div(s, a, b, c)


def make_mod(s: Algebra, a: Expr, b: Expr) -> Expr:
    """a % b of simplified operands."""
    c = const_value(b)
    if a.dtype.is_float:
        return mod(a, b)
    if c is None:
        return _mod_by_unknown(s, a, b)
    c = int(c)
    if c == 0 or abs(c) == 1:
        return const(0, a.dtype)
    if const_value(a) is not None:
        return mod(a, b)
    if c < 0:
        return s.make(Mod, a, const(-c, a.dtype)) if a.dtype.can_hold(-c) else Mod(a, b)
    lo, hi = s.ranges.of(a)
    if lo is not None and hi is not None and lo // c == hi // c:
        return make_sum(s, ir.Sub, a, const(lo // c * c, a.dtype))
    return _split_mod(s, a, b, c)


def _div_by_unknown(s: Algebra, a: Expr, b: Expr) -> Expr:
    if const_value(a) == 0:
        return a
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(Div, a.value, b.value), a.lanes)
    if a is b and _nonzero(s, b):
        return const(1, a.dtype)
    if a.dtype.is_index_like and type(a) is ir.Mul and (a.a is b or a.b is b) and _nonzero(s, b):
        return a.b if a.a is b else a.a
    return Div(a, b)


def _mod_by_unknown(s: Algebra, a: Expr, b: Expr) -> Expr:
    if const_value(a) == 0 or a is b:
        return const(0, a.dtype)
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(Mod, a.value, b.value), a.lanes)
    (al, ah), (bl, _) = s.ranges.of(a), s.ranges.of(b)
    if al is not None and ah is not None and bl is not None and al >= 0 and ah < bl:
        return a
    if al is not None and al >= 0 and a.dtype.is_index_like and s.facts.at_most(a, b, -1):
        return a
    return Mod(a, b)


def _nonzero(s: Algebra, e: Expr) -> bool:
    lo, hi = s.ranges.of(e)
    return (lo is not None and lo > 0) or (hi is not None and hi < 0)


def _exact(s: Algebra, form: LinearForm, dtype: DType) -> bool:
    """Whether the sum, taken as plain numbers, is the value: it cannot wrap."""
    if dtype.is_index_like:
        return True
    lo, hi = s.ranges.of_form(form.terms, form.constant)
    return lo is not None and hi is not None and dtype.can_hold(int(lo)) and dtype.can_hold(int(hi))


def _split_div(s: Algebra, a: Expr, b: Expr, c: int) -> Expr:
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(Div, a.value, b.value), a.lanes)
    if type(a) is Div and (inner := const_value(a.b)) is not None and inner > 0:
        product = int(inner) * c
        return s.make(Div, a.a, const(product, a.dtype)) if a.dtype.can_hold(product) else Div(a, b)
    form = _lanewise(linear(a), a)
    if not _exact(s, form, a.dtype):
        return Div(a, b)
    whole = LinearForm({t: k // c for t, k in form.terms.items() if k % c == 0}, form.constant // c)
    rest = {t: k for t, k in form.terms.items() if k % c}
    start = form.constant % c
    common = gcd(c, *rest.values()) if rest else c
    remainder = LinearForm({t: k // common for t, k in rest.items()}, start // common)
    if not rest:
        return from_form(s, whole, a.dtype)
    if not _exact(s, remainder, a.dtype) or (not whole.terms and not whole.constant and common == 1):
        return Div(a, b)
    part = s.make(Div, from_form(s, remainder, a.dtype), const(c // common, a.dtype))
    return from_form(s, whole.plus(linear(part)), a.dtype)


def _lanewise(form: LinearForm, e: Expr) -> LinearForm:
    """Ramps whose stride is a literal as broadcast(base) + stride * ramp(0, 1)."""
    if e.dtype.lanes == 1:
        return form
    for term, k in form.terms.items():
        if type(term) is Ramp and term.base.dtype.lanes == 1 and (stride := const_value(term.stride)) is not None:
            dtype = term.base.dtype
            base = linear(term.base)
            parts = LinearForm({Broadcast(t, term.lanes): c for t, c in base.terms.items()}, base.constant)
            steps = LinearForm({Ramp(const(0, dtype), const(1, dtype), term.lanes): int(stride)})
            form = form.plus(LinearForm({term: -k})).plus(parts.plus(steps), k)
        elif type(term) is Broadcast and term.value.dtype.lanes == 1:
            base = linear(term.value)
            parts = LinearForm({Broadcast(t, term.lanes): c for t, c in base.terms.items()}, base.constant)
            form = form.plus(LinearForm({term: -k})).plus(parts, k)
    return form


def _split_mod(s: Algebra, a: Expr, b: Expr, c: int) -> Expr:
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(Mod, a.value, b.value), a.lanes)
    form = _lanewise(linear(a), a)
    # Modulo a power of two, wrapping does no harm.
    if not _exact(s, form, a.dtype) and (c & (c - 1)):
        return Mod(a, b)
    form = _open_remainders(s, form, c, a.dtype)
    terms = form.terms
    reduced = {t: _centred(k, c) for t, k in terms.items() if k % c}
    return _reduced_mod(s, a, b, c, reduced, form.constant % c)


def _open_remainders(s: Algebra, form: LinearForm, c: int, dtype: DType) -> LinearForm:
    """x % m as x, where m times its coefficient is a multiple of c."""
    for term, k in form.terms.items():
        inner = const_value(term.b) if type(term) is Mod else None
        if type(term) is Mod and inner is not None and inner > 0 and int(inner) * k % c == 0:
            value = linear(term.a)
            if not c & (c - 1) or _exact(s, value, dtype):
                form = form.plus(LinearForm({term: -k})).plus(value, k)
    return form


def _centred(k: int, c: int) -> int:
    """k modulo c, as near to 0 as can be."""
    k %= c
    return k - c if k > c // 2 else k


def _reduced_mod(s: Algebra, a: Expr, b: Expr, c: int, terms: dict[Expr, int], constant: int) -> Expr:
    if not terms:
        return const(constant, a.dtype)
    common = gcd(c, *terms.values())
    inner = LinearForm({t: k // common for t, k in terms.items()}, constant // common)
    argument = from_form(s, inner, a.dtype)
    if common == 1:
        if argument is a or (not a.dtype.is_index_like and (c & (c - 1)) and not _exact(s, inner, a.dtype)):
            return Mod(a, b)
        return s.make(Mod, argument, b)
    if not a.dtype.is_index_like and (c & (c - 1)):
        return Mod(a, b)
    small = s.make(Mod, argument, const(c // common, a.dtype))
    return from_form(s, linear(small).times(common).plus(LinearForm({}, constant % common)), a.dtype)
