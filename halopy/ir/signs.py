"""Numbers that sums of index-like terms do not exceed, and with them proofs that a sum is negative.

First from the numeric ranges of its terms. Where these do not do, a term is replaced by what bounds
it, and that may cancel against the others:

    min(x, n) - x  <=  x - x          (n/8)*8 - n  <=  n - n          x - n  <=  (n - 1) - n  for x in [0, n)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import expr as ir
from .expr import Expr, Var, const_value
from .fold import Number
from .linear import LinearForm, linear
from .order import order_key
from .ranges import Range, Ranges
from .scope import Interval

_FUEL = 5  # how many replacements deep
_SIGHT = 4  # how far down nests a common term is looked for
_MARKS = ("likely", "likely_if_innermost", "promise_clamped", "unsafe_promise_clamped", "strict_float")
_OPENED = (ir.Min, ir.Max, ir.Select, ir.Call, ir.Div, ir.Mod)

# (True, sums): the term is at most the greatest of these sums; (False, sums): it is at most each.
_Choices = tuple[bool, tuple[LinearForm, ...]]


class Signs:
    """Proofs under given ranges and intervals of variables."""

    def __init__(self, numbers: dict[str, Range], intervals: Mapping[str, Interval], ranges: Ranges) -> None:
        self.numbers, self.intervals, self.ranges = numbers, intervals, ranges
        self._reach: list[dict[Expr, frozenset[Expr]]] = [{} for _ in range(_SIGHT + 1)]

    def forget(self) -> None:
        """Drop what was remembered, after `intervals` changed."""
        for known in self._reach:
            known.clear()

    def negative(self, terms: Mapping[Expr, int], constant: int) -> bool:
        """Whether the sum is known to be less than 0, in every lane."""
        form = self._one_lane(LinearForm(terms, constant))
        greatest = self._greatest(form, -1, _FUEL if len(form.terms) > 1 else 0)
        return greatest is not None and greatest < 0

    def greatest(self, form: LinearForm) -> Number | None:
        """A number that the sum does not exceed in any lane."""
        return self._greatest(self._one_lane(form), None, _FUEL)

    def _one_lane(self, form: LinearForm) -> LinearForm:
        """Ramps and broadcasts as their value in one lane, the same lane for all."""
        for term, c in form.terms.items():
            if isinstance(term, ir.Broadcast) and term.value.dtype.lanes == 1:
                form = _replaced(form, term, linear(term.value).times(c))
            elif isinstance(term, ir.Ramp) and term.base.dtype.lanes == 1:
                stride = const_value(term.stride)
                if stride is not None:
                    lane = Var(f"lane of {term.lanes}", term.base.dtype)
                    self.numbers[lane.name] = (0, term.lanes - 1)
                    value = linear(term.base).plus(LinearForm({lane: int(stride)} if stride else {}))
                    form = _replaced(form, term, value.times(c))
        return form

    def _greatest(self, form: LinearForm, enough: Number | None, fuel: int) -> Number | None:
        """Replaces terms at most `fuel` deep; ends when the number is at most `enough`."""
        best = self.ranges.of_form(form.terms, form.constant)[1]
        if fuel == 0 or (best is None and not self._may_cancel(form)):
            return best
        if best is not None and enough is not None and best <= enough:
            return best
        for term in self._openable(form):
            choices = self._open(term, form.terms[term])
            if choices is not None:
                every, bounds = choices
                found = (self._greatest(_replaced(form, term, bound), enough, fuel - 1) for bound in bounds)
                return _lesser(best, _greatest_of_all(found, enough) if every else _least_known(found, enough))
        return best

    def _may_cancel(self, form: LinearForm) -> bool:
        """Whether each unbounded term shares something with another one, at least inside."""
        for term, c in form.terms.items():
            if self.ranges.of(term)[1 if c > 0 else 0] is None and not self._shares(term, form):
                return False
        return True

    def _shares(self, term: Expr, form: LinearForm) -> bool:
        if len(form.terms) == 1:
            return bool(_parts(term))
        reach = self._reaches(term)
        return any(not reach.isdisjoint(self._reaches(t)) for t in form.terms if t is not term)

    def _openable(self, form: LinearForm) -> list[Expr]:
        """Terms whose bounds may cancel against other terms, in the same order for equal sums."""
        found = [t for t in form.terms if (type(t) in _OPENED or self._ends(t)) and self._shares(t, form)]
        if len(found) > 1:
            found.sort(key=order_key)
        return found

    def _reaches(self, term: Expr, sight: int = _SIGHT) -> frozenset[Expr]:
        """The terms that can appear where this one is replaced by its bounds, itself included."""
        known = self._reach[sight]
        found = known.get(term)
        if found is None:
            reach = {term}
            if sight:
                for part in (*_parts(term), *self._ends(term)):
                    for t in linear(part).terms:
                        reach |= self._reaches(t, sight - 1)
            found = known[term] = frozenset(reach)
        return found

    def _ends(self, term: Expr) -> tuple[Expr, ...]:
        """The symbolic ends of a variable's interval."""
        interval = self.intervals.get(term.name) if isinstance(term, Var) else None
        if interval is None:
            return ()
        return tuple(e for e in interval if e is not None and e is not term and const_value(e) is None)

    def _open(self, term: Expr, c: int) -> _Choices | None:
        """What bounds c * term from above."""
        if isinstance(term, Var):
            interval = self.intervals.get(term.name)
            end = interval and (interval.hi if c > 0 else interval.lo)
            return (True, (linear(end).times(c),)) if end is not None and end in self._ends(term) else None
        if isinstance(term, ir.Min | ir.Max):
            return (type(term) is ir.Max) == (c > 0), (linear(term.a).times(c), linear(term.b).times(c))
        if isinstance(term, ir.Div):
            return _open_quotient(term, c)
        if isinstance(term, ir.Mod):
            low = self.ranges.of(term.b)[0]
            divisor = linear(term.b).plus(LinearForm({}, -1))
            return (True, (divisor.times(c),)) if c > 0 and low is not None and low > 0 else None
        parts = _parts(term)
        return (True, tuple(linear(p).times(c) for p in parts)) if parts else None


def _parts(term: Expr) -> tuple[Expr, ...]:
    """The expressions that bound a term, up to constants and factors."""
    if isinstance(term, ir.Min | ir.Max | ir.Select):
        return term.a, term.b
    if isinstance(term, ir.Div):
        return (term.a,)
    if isinstance(term, ir.Mod):
        return (term.b,)
    if isinstance(term, ir.Call) and term.name in _MARKS:
        return (term.args[0],)
    return ()


def _open_quotient(term: ir.Div, c: int) -> _Choices | None:
    """a - (divisor - 1) <= (a / divisor) * divisor <= a."""
    divisor = const_value(term.b)
    if divisor is None or divisor <= 0 or c % int(divisor):
        return None
    slack = 0 if c > 0 else 1 - int(divisor)
    return True, (linear(term.a).plus(LinearForm({}, slack)).times(c // int(divisor)),)


def _replaced(form: LinearForm, term: Expr, bound: LinearForm) -> LinearForm:
    return form.plus(LinearForm({term: 1}), -form.terms[term]).plus(bound)


def _lesser(a: Number | None, b: Number | None) -> Number | None:
    return b if a is None else a if b is None else min(a, b)


def _greatest_of_all(found: Iterator[Number | None], enough: Number | None) -> Number | None:
    """The greatest, if all are known, and none is too great already."""
    greatest: Number | None = None
    for n in found:
        if n is None or (enough is not None and n > enough):
            return None
        greatest = n if greatest is None else max(greatest, n)
    return greatest


def _least_known(found: Iterator[Number | None], enough: Number | None) -> Number | None:
    least: Number | None = None
    for n in found:
        least = _lesser(least, n)
        if least is not None and enough is not None and least <= enough:
            break
    return least
