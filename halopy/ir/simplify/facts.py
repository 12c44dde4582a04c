"""What is known where an expression stands: ranges of variables, values of lets, conditions that hold."""

from __future__ import annotations

from ...dtypes import INT32
from .. import expr as ir
from ..expr import Expr, Var, const
from ..linear import linear
from ..ranges import Range, Ranges, intersect
from ..scope import Interval, Scope, numeric_range
from ..signs import Signs


class Facts:
    """Numeric and symbolic bounds of variables, and what conditions and lets are known to be."""

    def __init__(self, scope: Scope | None = None) -> None:
        self.numbers: dict[str, Range] = {}
        self.intervals: dict[str, Interval] = {}
        self.values: dict[str, Expr] = {}
        self.known: dict[Expr, Expr] = {}
        self.ranges = Ranges(self.numbers)
        self.signs = Signs(self.numbers, self.intervals, self.ranges)
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
        self.signs.forget()

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
        return self.signs.negative(gap.terms, gap.constant - slack - 1)


def _plus(n: int | float | None, slack: int) -> int | float | None:
    return None if n is None else n + slack
