"""Minima and maxima: a nest of one kind is a set of operands, in which what another one beats is dropped.

    min(x + 3, x + 1)  ->  x + 1          min(x + 2, y + 3)  ->  min(y + 1, x) + 2
"""

from __future__ import annotations

from typing import Any


from ..build import broadcast
from ..expr import Broadcast, Expr, Min, Ramp, const, const_value
from ..fold import fold_binary
from ..linear import LinearForm, linear
from ..order import order_key
from .algebra import Algebra
from .sums import from_form
from .tables import EXTREMA

_MANY = 4


def make_extremum(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """min or max of simplified operands."""
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(operator, a.value, b.value), a.lanes)
    if a.dtype.is_float:
        return _float_extremum(s, operator, a, b)
    operands = _survivors(s, operator, _operands(operator, a), _operands(operator, b))
    if len(operands) == 1:
        return operands[0]
    return _without_common_terms(s, operator, operands) or _nest(s, operator, operands)


def _float_extremum(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """NaN makes the order of operands matter, so they stay where they are."""
    x, y = const_value(a), const_value(b)
    if x is not None and y is not None:
        return const(fold_binary(operator, x, y, a.dtype.element), a.dtype)
    if a is b:
        return a
    if s.facts.at_most(a, b):
        return a if operator is Min else b
    if s.facts.at_most(b, a, 0) and s.ranges.of(a) != s.ranges.of(b):
        return b if operator is Min else a
    return operator(a, b)  # type: ignore[no-any-return]


def _operands(operator: Any, e: Expr) -> list[Expr]:
    """The operands of a nest, the last written first; parts beyond the first few stay whole."""
    found: list[Expr] = []
    todo = [e]
    while todo:
        part = todo.pop()
        if type(part) is operator and len(found) + len(todo) < _MANY:
            todo += [part.a, part.b]  # type: ignore[attr-defined]
        else:
            found.append(part)
    return found


def _survivors(s: Algebra, operator: Any, some: list[Expr], others: list[Expr]) -> list[Expr]:
    """Operands that no other one beats. Those of one nest were compared when it was made."""
    others = [e for e in others if not any(_beats(s, operator, k, e) for k in some)]
    return [e for e in some if not any(_beats(s, operator, k, e) for k in others)] + others


def _beats(s: Algebra, operator: Any, winner: Expr, loser: Expr) -> bool:
    return s.facts.at_most(winner, loser) if operator is Min else s.facts.at_most(loser, winner)


def _without_common_terms(s: Algebra, operator: Any, operands: list[Expr]) -> Expr | None:
    """What all operands have in common (and the first one's constant) moved outside."""
    dtype = operands[0].dtype
    if not dtype.is_index_like or any(type(e) is Ramp for e in operands):
        return None
    forms = [linear(e) for e in operands]
    first = min(forms[1:], key=lambda f: len(f.terms), default=forms[0])
    common = {t: c for t, c in first.terms.items() if all(f.terms.get(t) == c for f in forms)}
    shift = _common_constant(operands, forms)
    if not common and not shift:
        return None
    outside = LinearForm(common, shift)
    inside = [from_form(s, f.plus(outside, -1), dtype) for f in forms]
    reduced = inside[0]
    for e in inside[1:]:
        reduced = s.make(operator, reduced, e)
    return from_form(s, outside.plus(linear(reduced)), dtype)


def _common_constant(operands: list[Expr], forms: list[LinearForm]) -> int:
    """The constant of the first operand in canonical order that is no literal."""
    pairs = [(order_key(_without_constant(f)), f.constant) for f in forms if f.terms]
    return min(pairs)[1] if pairs else 0


def _without_constant(form: LinearForm) -> Expr:
    """The term that stands for the operand when operands are sorted."""
    return min(form.terms, key=order_key)


def _nest(s: Algebra, operator: Any, operands: list[Expr]) -> Expr:
    """Operands in canonical order, a literal last; tables join what is left pairwise."""
    ordered = sorted(operands, key=lambda e: (const_value(e) is not None, order_key(e)))
    total = ordered[0]
    for e in ordered[1:]:
        joined: Expr = operator(total, e)
        total = EXTREMA.apply(joined, s) or joined
    return total


