"""Minima and maxima: a nest of one kind is a set of operands, in which what another one beats is dropped.

    min(x + 3, x + 1)  ->  x + 1          min(x + 2, y + 3)  ->  min(y + 1, x) + 2

For index-like types the set is seen through sums, and what all operands share stands outside.
"""

from __future__ import annotations

from typing import Any

from .. import expr as ir
from ..build import broadcast
from ..expr import Broadcast, Expr, Max, Min, const, const_value
from ..fold import fold_binary
from ..linear import LinearForm, linear
from ..order import order_key
from .algebra import Algebra, holds_data
from .sums import from_form
from .tables import MAX, MIN

_MANY = 8


def make_extremum(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """min or max of simplified operands."""
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(operator, a.value, b.value), a.lanes)
    if a.dtype.is_float:
        return _float_extremum(s, operator, a, b)
    operands, others = _operands(s, operator, a), _operands(s, operator, b)
    if len(others) > len(operands):
        operands, others = others, operands
    if len(operands) + len(others) > _MANY:
        return a if _beats(s, operator, a, b) else b if _beats(s, operator, b, a) else operator(a, b)
    for e in others:  # those of one nest were compared when it was made
        operands = _with(s, operator, operands, e)
    if len(operands) == 1:
        return operands[0]
    if not a.dtype.is_index_like:
        return _nest(operator, operands)
    return _around_common_terms(s, operator, operands)


def _float_extremum(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr:
    """NaN makes the order of operands matter, so they stay where they are."""
    x, y = const_value(a), const_value(b)
    if x is not None and y is not None:
        return const(fold_binary(operator, x, y, a.dtype.element), a.dtype)
    if a is b:
        return a
    if s.facts.at_most(a, b, strictly=True):
        return a if operator is Min else b
    if s.facts.at_most(b, a, strictly=True):
        return b if operator is Min else a
    return operator(a, b)  # type: ignore[no-any-return]


def _operands(s: Algebra, operator: Any, e: Expr) -> list[Expr]:
    """The operands of a nest, also of one inside a sum; parts beyond the first few stay whole."""
    found: list[Expr] = []
    todo = [e]
    while todo:
        part = todo.pop()
        inner = _parts(s, operator, part) if len(found) + len(todo) < _MANY else None
        if inner is None:
            found.append(part)
        else:
            todo += inner
    return found


def _parts(s: Algebra, operator: Any, e: Expr) -> tuple[Expr, Expr] | None:
    """a and b of min(a, b); a + c and b + c of min(a, b) + c."""
    if type(e) is operator:
        return e.a, e.b  # type: ignore[attr-defined]
    if not e.dtype.is_index_like or type(e) not in (ir.Add, ir.Sub) or holds_data(e):
        return None
    form = linear(e)
    nests = [t for t, c in form.terms.items() if type(t) is operator and c == 1]
    if len(nests) != 1:
        return None
    (nest,) = nests
    rest = form.plus(LinearForm({nest: -1}))
    a, b = rest.plus(linear(nest.a)), rest.plus(linear(nest.b))  # type: ignore[attr-defined]
    if not (e.dtype.can_hold(a.constant) and e.dtype.can_hold(b.constant)):
        return None
    return from_form(s, a, e.dtype), from_form(s, b, e.dtype)


def _with(s: Algebra, operator: Any, operands: list[Expr], e: Expr) -> list[Expr]:
    """The operands and one more, without what another one beats, joined where a row joins them."""
    if any(_beats(s, operator, other, e) for other in operands):
        return operands
    operands = [other for other in operands if not _beats(s, operator, e, other)]
    for other in operands:
        joined = _join(s, operator, other, e)
        if joined is not None:
            return _with(s, operator, [o for o in operands if o is not other], joined)
    return [*operands, e]


def _beats(s: Algebra, operator: Any, winner: Expr, loser: Expr) -> bool:
    if winner is loser:
        return True
    return s.facts.at_most(winner, loser) if operator is Min else s.facts.at_most(loser, winner)


def _join(s: Algebra, operator: Any, a: Expr, b: Expr) -> Expr | None:
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype is b.value.dtype:
        return broadcast(s.make(operator, a.value, b.value), a.lanes)
    opposite = Max if operator is Min else Min
    if type(a) in (opposite, ir.Select) or type(b) in (opposite, ir.Select):
        rows = MIN if operator is Min else MAX
        return rows.apply((a, b), s) or rows.apply((b, a), s)
    return None


def _around_common_terms(s: Algebra, operator: Any, operands: list[Expr]) -> Expr:
    """The nest inside what all operands share, and inside the constant of its first operand."""
    dtype = operands[0].dtype
    forms = [linear(e) for e in operands]
    common = {t: c for t, c in forms[0].terms.items() if all(f.terms.get(t) == c for f in forms)}
    outside = LinearForm(common)
    leaders = [(min(map(order_key, terms)), f.constant) for f in forms if (terms := f.plus(outside, -1).terms)]
    shift = min(leaders)[1] if leaders else 0
    if holds_data(*operands) or not all(dtype.can_hold(f.constant - shift) for f in forms):
        shift = 0
    outside = LinearForm(common, shift)
    if not outside.terms and not outside.constant:
        return _nest(operator, operands)
    inside = _nest(operator, [from_form(s, f.plus(outside, -1), dtype) for f in forms])
    return from_form(s, outside.plus(linear(inside)), dtype)


def _nest(operator: Any, operands: list[Expr]) -> Expr:
    """Operands in canonical order, a literal last."""
    ordered = sorted(operands, key=lambda e: (const_value(e) is not None, order_key(e)))
    total = ordered[0]
    for e in ordered[1:]:
        total = operator(total, e)
    return total
