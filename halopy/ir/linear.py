"""Integer expressions as sums: constant + coefficient * term + …

    (x + 3)*8 - (y + x)*4 + 1   ->   {x: 4, y: -4}, 25

Holds modulo 2**bits, so for every integer type. Terms are what is no sum itself: variables, calls,
quotients. `expr_of` writes a form back in canonical order, terms of one coefficient gathered, so
that equal sums become the same node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..dtypes import DType
from .expr import Add, Broadcast, Const, Expr, Mul, Sub, const, const_value
from .order import order_key


@dataclass(frozen=True, slots=True)
class LinearForm:
    """The sum of `terms`, each times its coefficient (never 0), and `constant`."""

    terms: Mapping[Expr, int]
    constant: int = 0

    def plus(self, other: LinearForm, factor: int = 1) -> LinearForm:
        """self + other * factor, in plain integers."""
        terms = dict(self.terms)
        for term, c in other.terms.items():
            total = terms.get(term, 0) + c * factor
            if total:
                terms[term] = total
            else:
                terms.pop(term, None)
        return LinearForm(terms, self.constant + other.constant * factor)

    def times(self, factor: int) -> LinearForm:
        if factor == 0:
            return LinearForm({})
        return LinearForm({t: c * factor for t, c in self.terms.items()}, self.constant * factor)


def linear(e: Expr) -> LinearForm:
    """The linear form of an integer expression; parts that are shared are added up once."""
    kind = type(e)
    if kind is Const:
        return LinearForm({}, int(e.value))  # type: ignore[attr-defined]
    if kind not in _SUMS or not e.dtype.is_integer:
        value = const_value(e) if kind is Broadcast and e.dtype.is_integer else None
        return LinearForm({e: 1}) if value is None else LinearForm({}, int(value))
    found = _forms.get(e)
    if found is None:
        if len(_forms) > _LIMIT:
            _forms.clear()
        found = _forms[e] = wrapped(*_collect(e), e.dtype)
    return found


_LIMIT = 1 << 14
_forms: dict[Expr, LinearForm] = {}  # may be emptied at any time


def difference(a: Expr, b: Expr) -> int | None:
    """a - b where that is one number whatever the variables are, else None. Modulo 2**bits."""
    if a is b:
        return 0
    if not a.dtype.is_integer:
        return None
    form = linear(a).plus(linear(b), -1)
    form = wrapped(form.terms, form.constant, a.dtype)
    return None if form.terms else form.constant


def expr_of(form: LinearForm, dtype: DType) -> Expr:
    """The form as an expression in canonical order: great coefficients first, the constant last."""
    form = wrapped(form.terms, form.constant, dtype)
    gains: list[Expr] = []
    losses: list[Expr] = []
    for size, positive, negative in _by_size(form.terms):
        if size == 1:
            gains += positive
            losses += negative
        elif positive:
            gains.append(Mul(_chain(positive, negative), const(size, dtype)))
        else:
            losses.append(Mul(_chain(negative, []), const(size, dtype)))
    if not gains and len(losses) == 1 and form.constant == 0:
        (only,) = losses
        factor = _factor(only)
        if factor is not None and type(only) is Mul:
            return Mul(only.a, const(-factor, dtype))
        return Sub(const(0, dtype), only)
    if not gains:
        return _chain([const(form.constant, dtype)], losses)
    return _with_constant(_chain(gains, losses), form.constant, dtype)


def sum_of(terms: Iterable[tuple[Expr, int]], constant: int, dtype: DType) -> Expr:
    """The canonical sum of expressions (sums themselves, or not) times numbers."""
    total = LinearForm({}, constant)
    for e, factor in terms:
        total = total.plus(linear(e), factor)
    return expr_of(total, dtype)


def _accumulate(terms: dict[Expr, int], term: Expr, c: int) -> None:
    total = terms.get(term, 0) + c
    if total:
        terms[term] = total
    else:
        terms.pop(term, None)


def _factor(e: Expr) -> int | None:
    """The number that a product multiplies by; None for what is no product with a literal."""
    value = const_value(e.b) if type(e) is Mul else None
    return None if value is None else int(value)


_SUMS = (Add, Sub, Mul)


def _collect(root: Expr) -> tuple[dict[Expr, int], int]:
    """Coefficients flow from the root to the terms, each distinct sum once, users before what they use."""
    weight: dict[Expr, int] = {root: 1}
    terms: dict[Expr, int] = {}
    constant = 0
    for e in _users_first(root):
        w = weight[e]
        if type(e) is Add or type(e) is Sub:
            weight[e.a] = weight.get(e.a, 0) + w
            weight[e.b] = weight.get(e.b, 0) + (w if type(e) is Add else -w)
        elif (factor := _factor(e)) is not None:
            assert type(e) is Mul, "only products have factors"
            weight[e.a] = weight.get(e.a, 0) + w * factor
        elif (value := const_value(e)) is not None:
            constant += w * int(value)
        else:
            _accumulate(terms, e, w)
    return terms, constant


def _users_first(root: Expr) -> list[Expr]:
    """Sums and their terms, each once, after all sums that contain it."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        e, done = stack.pop()
        if done:
            order.append(e)
        elif e not in seen:
            seen.add(e)
            stack.append((e, True))
            if type(e) is Add or type(e) is Sub:
                stack.append((e.b, False))
                stack.append((e.a, False))
            elif _factor(e) is not None:
                stack.append((e.a, False))  # type: ignore[attr-defined]
    order.reverse()
    return order


def wrapped(terms: Mapping[Expr, int], constant: int, dtype: DType) -> LinearForm:
    """The form with all numbers as the type has them."""
    if dtype.is_int and dtype.bits >= _USUAL_BITS:
        limit = 1 << (_USUAL_BITS - 1)
        if -limit <= constant < limit and all(c and -limit <= c < limit for c in terms.values()):
            return LinearForm(terms, constant)
    small = {term: _centred(c, dtype) for term, c in terms.items()}
    return LinearForm({t: c for t, c in small.items() if c}, _centred(constant, dtype))


_USUAL_BITS = 32  # of indices; their numbers are mostly small


def _centred(value: int, dtype: DType) -> int:
    """The value modulo 2**bits; for unsigned types, what lies just below 2**bits counts as negative."""
    value = dtype.wrap(value)
    limit = 1 << dtype.bits
    if dtype.is_uint and not dtype.is_bool and value > limit - (1 << (dtype.bits // 2)):
        return value - limit
    return value


def _by_size(terms: Mapping[Expr, int]) -> list[tuple[int, list[Expr], list[Expr]]]:
    """(|coefficient|, terms with it, terms with its negative), the greatest first."""
    if len(terms) == 1:
        ((term, c),) = terms.items()
        return [(abs(c), [term], [])] if c > 0 else [(abs(c), [], [term])]
    groups: dict[int, tuple[list[Expr], list[Expr]]] = {}
    for term in sorted(terms, key=order_key):
        c = terms[term]
        groups.setdefault(abs(c), ([], []))[c < 0].append(term)
    return [(size, *groups[size]) for size in sorted(groups, reverse=True)]


def _chain(gains: list[Expr], losses: list[Expr]) -> Expr:
    total = gains[0]
    for term in gains[1:]:
        total = Add(total, term)
    for term in losses:
        total = Sub(total, term)
    return total


def _with_constant(e: Expr, constant: int, dtype: DType) -> Expr:
    if constant == 0:
        return e
    if constant < 0 and dtype.is_uint:
        return Sub(e, const(-constant, dtype))
    return Add(e, const(constant, dtype))
