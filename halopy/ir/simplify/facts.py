"""What is known where an expression stands: ranges of variables, values of lets, conditions that hold."""

from __future__ import annotations

from collections.abc import Mapping

from ...dtypes import INT32
from .. import expr as ir
from ..expr import Expr, Var, const, const_value
from ..linear import LinearForm, linear
from ..order import order_key
from ..ranges import Range, Ranges, intersect
from ..scope import Interval, Scope, numeric_range

_FUEL = 6
_MARKS = ("likely", "likely_if_innermost", "promise_clamped", "unsafe_promise_clamped", "strict_float")
_Terms = Mapping[Expr, int]


class Facts:
    """Numeric and symbolic bounds of variables, and what conditions and lets are known to be."""

    def __init__(self, scope: Scope | None = None) -> None:
        self.numbers: dict[str, Range] = {}
        self.intervals: dict[str, Interval] = {}
        self.values: dict[str, Expr] = {}
        self.known: dict[Expr, Expr] = {}
        self.ranges = Ranges(self.numbers)
        for name, interval in (scope or {}).items():
            self.bound(name, interval)

    def copy(self) -> Facts:
        """The same facts, to be extended apart from these."""
        other = Facts()
        other.numbers.update(self.numbers)
        other.intervals.update(self.intervals)
        other.values.update(self.values)
        other.known.update(self.known)
        return other

    def bound(self, name: str, interval: Interval) -> None:
        """The variable lies in the interval."""
        lo, hi = numeric_range(interval, self.ranges)
        self.numbers[name] = (lo, hi)
        self.intervals[name] = interval

    def binds(self, name: str) -> bool:
        return name in self.numbers or name in self.values

    def assume(self, condition: Expr, holds: bool) -> None:
        """The (simplified) condition is known to hold, or not to."""
        self.known[condition] = const(holds, condition.dtype)
        if isinstance(condition, ir.And if holds else ir.Or):
            self.assume(condition.a, holds)
            self.assume(condition.b, holds)
        elif isinstance(condition, ir.Not):
            self.assume(condition.a, not holds)
        elif isinstance(condition, ir.Compare) and condition.a.dtype is INT32:
            self._assume_compare(type(condition), condition.a, condition.b, holds)

    def _assume_compare(self, operator: type, a: Expr, b: Expr, holds: bool) -> None:
        if operator is ir.EQ or operator is ir.NE:
            if (operator is ir.EQ) == holds:
                self._assume_at_most(a, b, 0)
                self._assume_at_most(b, a, 0)
            return
        if operator in (ir.GT, ir.GE):
            a, b = b, a
        strict = operator in (ir.LT, ir.GT)
        if holds:
            self._assume_at_most(a, b, -1 if strict else 0)
        else:
            self._assume_at_most(b, a, 0 if strict else -1)

    def _assume_at_most(self, a: Expr, b: Expr, slack: int) -> None:
        """a <= b + slack. Tightens the ranges of a and b where they are variables."""
        if isinstance(a, Var):
            self._tighten(a.name, (None, _plus(self.ranges.of(b)[1], slack)))
        if isinstance(b, Var):
            self._tighten(b.name, (_plus(self.ranges.of(a)[0], -slack), None))

    def _tighten(self, name: str, r: Range) -> None:
        self.numbers[name] = intersect(self.numbers.get(name, (None, None)), r)
        self.ranges.forget()

    def at_most(self, a: Expr, b: Expr, slack: int = 0, strictly: bool = False) -> bool:
        """Whether a <= b + slack (`strictly`: a < b + slack) is known, in every lane."""
        if not a.dtype.is_index_like:
            high, low = self.ranges.of(a)[1], self.ranges.of(b)[0]
            if high is None or low is None:
                return False
            return high < low + slack if strictly else high <= low + slack
        slack -= strictly
        gap = linear(a).plus(linear(b), -1)
        return self.negative(gap.terms, gap.constant - slack - 1)

    def negative(self, terms: _Terms, constant: int) -> bool:
        """Whether the sum of index-like terms is known to be less than 0, in every lane."""
        form = self._one_lane(terms, constant)
        return self._negative(form.terms, form.constant, _FUEL)

    def _one_lane(self, terms: _Terms, constant: int) -> LinearForm:
        """Ramps and broadcasts as their value in one lane, the same lane for all."""
        form = LinearForm(terms, constant)
        for term, c in terms.items():
            if isinstance(term, ir.Broadcast) and term.value.dtype.lanes == 1:
                form = form.plus(LinearForm({term: 1}), -c).plus(linear(term.value), c)
            elif isinstance(term, ir.Ramp) and term.base.dtype.lanes == 1:
                stride = const_value(term.stride)
                if stride is not None:
                    lane = Var(f"lane of {term.lanes}", term.base.dtype)
                    self.numbers[lane.name] = (0, term.lanes - 1)
                    value = linear(term.base).plus(LinearForm({lane: int(stride)}))
                    form = form.plus(LinearForm({term: 1}), -c).plus(value, c)
        return form

    def _negative(self, terms: _Terms, constant: int, fuel: int) -> bool:
        high = self.ranges.of_form(terms, constant)[1]
        if high is not None and high < 0:
            return True
        if fuel == 0:
            return False
        openable = [t for t in terms if type(t) in _OPENED or self._end(t, terms[t]) is not None]
        if len(openable) > 1:
            openable.sort(key=order_key)
        for term in openable:
            c = terms[term]
            choices = _open(term, c, self.ranges) or self._ended(term, c)
            if choices is not None:
                every, forms = choices
                rest = LinearForm(terms, constant).plus(LinearForm({term: 1}), -c)
                sums = (rest.plus(form) for form in forms)
                answers = (self._negative(s.terms, s.constant, fuel - 1) for s in sums)
                return all(answers) if every else any(answers)
        return False

    def _ended(self, term: Expr, c: int) -> _Choices | None:
        end = self._end(term, c)
        return None if end is None else (True, (linear(end).times(c),))

    def _end(self, term: Expr, c: int) -> Expr | None:
        """The end of a variable's interval that makes c * variable greatest."""
        interval = self.intervals.get(term.name) if isinstance(term, Var) else None
        end = interval and (interval.hi if c > 0 else interval.lo)
        return None if end is None or isinstance(end, ir.Const) or end is term else end


_Choices = tuple[bool, tuple[LinearForm, ...]]
_OPENED = (ir.Min, ir.Max, ir.Select, ir.Call, ir.Div, ir.Mod)


def _open(term: Expr, c: int, ranges: Ranges) -> _Choices | None:
    """Sums that bound c * term from above: (True, …) where only all of them together do, (False, …) where each does."""
    if isinstance(term, ir.Min | ir.Max):
        return (type(term) is ir.Max) == (c > 0), (linear(term.a).times(c), linear(term.b).times(c))
    if isinstance(term, ir.Select):
        return True, (linear(term.a).times(c), linear(term.b).times(c))
    if isinstance(term, ir.Call) and term.name in _MARKS:
        return True, (linear(term.args[0]).times(c),)
    if isinstance(term, ir.Div) and (divisor := const_value(term.b)) is not None and divisor > 0:
        # a - (divisor - 1) <= (a / divisor) * divisor <= a
        if c % int(divisor):
            return None
        slack = 0 if c > 0 else 1 - int(divisor)
        return True, (linear(term.a).plus(LinearForm({}, slack)).times(c // int(divisor)),)
    if isinstance(term, ir.Mod) and c > 0 and const_value(term.b) is None:
        low = ranges.of(term.b)[0]
        if low is not None and low > 0:
            return True, (linear(term.b).plus(LinearForm({}, -1)).times(c),)
    return None


def _plus(n: int | float | None, slack: int) -> int | float | None:
    return None if n is None else n + slack
