"""For which values of a loop variable a comparison holds, whatever the loops inside are at.

    xo*8 + xi - 1 >= 0  for all xi in [0, 8)     ->     xo >= ceil(1 / 8)
    w - 1 - (xo*8 + xi) >= 0                     ->     xo < (w - 8)/8 + 1

Sums of int32 are assumed not to overflow. Where a term is no sum (min, max, select, division,
remainder), its own bounds stand in, so that an answer may be too narrow, but never too wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from math import gcd

from ..dtypes import INT32
from ..ir.build import add, div, sub
from ..ir.expr import Call, Div, Expr, Load, Max, Min, Mod, Select, Var, const_value
from ..ir.linear import LinearForm, expr_of, linear
from ..ir.node import Node
from ..ir.rewrite import free_vars
from ..ir.stmt import For, LetStmt, Stmt

_MARKS = ("likely", "likely_if_innermost", "promise_clamped", "unsafe_promise_clamped")
_MOST_CASES = 8  # that one comparison may fall into
_MOST_STEPS = 64
_LONGEST = 1 << 10  # trips of an inner loop that are decided together


class Bounds:
    """The values of a loop variable from all of `at_least` on, and before all of `before`, if `only_if` holds."""

    def __init__(self) -> None:
        # coefficient*x + terms + constant >= 0: of those that differ in the constant alone, the strictest.
        self._sums: dict[tuple[int, frozenset[tuple[Expr, int]]], LinearForm] = {}

    def __bool__(self) -> bool:
        return bool(self._sums)

    def add(self, coefficient: int, rest: LinearForm) -> None:
        """Require coefficient*x + rest >= 0."""
        key = (coefficient, frozenset(rest.terms.items()))
        known = self._sums.get(key)
        if known is None or rest.constant < known.constant:
            self._sums[key] = rest

    def extend(self, other: Bounds) -> None:
        for (coefficient, _), rest in other._sums.items():
            self.add(coefficient, rest)

    @property
    def at_least(self) -> list[Expr]:
        """ceil(-rest / coefficient)"""
        return [div(sub(c - 1, _sum(rest)), c) for (c, _), rest in self._sums.items() if c > 0]

    @property
    def before(self) -> list[Expr]:
        """floor(rest / -coefficient) + 1"""
        return [add(div(_sum(rest), -c), 1) for (c, _), rest in self._sums.items() if c < 0]

    @property
    def only_if(self) -> list[Expr]:
        """What must not be negative for there to be any."""
        return [_sum(rest) for (c, _), rest in self._sums.items() if c == 0]


def _sum(rest: LinearForm) -> Expr:
    return expr_of(rest, INT32)


@dataclass(frozen=True)
class Inside:
    """Names bound in the body of a loop: lets by value, loops by range, and how deep each stands."""

    variable: str
    values: Mapping[str, Expr]
    ranges: Mapping[str, tuple[Expr, Expr]]
    depth: Mapping[str, int]

    @staticmethod
    def of(loop: For) -> Inside:
        values: dict[str, Expr] = {}
        ranges: dict[str, tuple[Expr, Expr]] = {}
        depth: dict[str, int] = {loop.name: 0}
        for number, stmt in enumerate(_bindings(loop.body), start=1):
            twice = stmt.name in depth
            depth[stmt.name] = number
            if twice:  # bound twice: neither meaning is known where the name is met
                values.pop(stmt.name, None)
                ranges.pop(stmt.name, None)
            elif isinstance(stmt, For):
                ranges[stmt.name] = (stmt.min, stmt.extent)
            else:
                values[stmt.name] = stmt.value
        return Inside(loop.name, values, ranges, depth)

    def moves(self, e: Expr) -> bool:
        """Whether `e` may differ between iterations of the loop or of those inside."""
        return not self.depth.keys().isdisjoint(free_vars(e))

    def reaches(self, e: Expr) -> bool:
        """Whether the loop variable itself is used in `e`, through lets and the ranges of loops inside."""
        return self._meets(e, {self.variable}, self.ranges)

    def uses(self, e: Node, names: Set[str]) -> bool:
        """Whether one of the names is used in `e`, through lets."""
        return self._meets(e, names, {})

    def _meets(self, e: Node, names: Set[str], ranges: Mapping[str, tuple[Expr, Expr]]) -> bool:
        todo, seen = list(free_vars(e)), set[str]()
        while todo:
            name = todo.pop()
            if name in names:
                return True
            if name not in seen:
                seen.add(name)
                for part in (self.values.get(name), *ranges.get(name, ())):
                    todo.extend(() if part is None else free_vars(part))
        return False


def _bindings(body: Stmt) -> Iterator[For | LetStmt]:
    """Loops and lets, outer ones first."""
    todo: list[Stmt] = [body]
    while todo:
        stmt = todo.pop(0)
        if isinstance(stmt, For | LetStmt):
            yield stmt
        todo.extend(child for child in stmt.children() if isinstance(child, Stmt))


def exact_bounds(e: Expr, variable: str) -> Bounds | None:
    """The values of one variable for which e >= 0, no fewer and no more; None where that is not known."""
    form, x, bounds = linear(e), Var(variable), Bounds()
    if e.dtype is not INT32 or x not in form.terms:
        return None
    if any(term is not x and variable in free_vars(term) for term in form.terms):
        return None
    return bounds if _solve(form, x, bounds) else None


def _solve(form: LinearForm, x: Var, bounds: Bounds) -> bool:
    """Add where form >= 0. False where it never holds."""
    c = form.terms.get(x, 0)
    rest = form.plus(LinearForm({x: 1}), -c)
    if c == 0 and not rest.terms:
        return rest.constant >= 0
    bounds.add(c, rest)
    return True


class Solver:
    """Answers about one loop. `chosen` says which operand a min, max or select has been decided to be."""

    def __init__(self, inside: Inside, chosen: Mapping[Expr, Expr]) -> None:
        self.inside = inside
        self.chosen = chosen

    def not_negative(self, e: Expr) -> Bounds | None:
        """Where e >= 0, for all iterations of loops inside. None where the loop variable does not decide it."""
        if e.dtype is not INT32:
            return None
        cases = self._least(linear(e))
        if cases is None or not any(self._variable in case.terms for case in cases):
            return None
        if any(term.has(Load) for case in cases for term in case.terms):  # memory may change during the loop
            return None
        bounds = Bounds()
        for case in cases:
            if not _solve(case, self._variable, bounds):
                return None
        return bounds

    @property
    def _variable(self) -> Var:
        return Var(self.inside.variable)

    def _least(self, form: LinearForm) -> list[LinearForm] | None:
        """Sums of the loop variable and of what is fixed, the least of which is a lower bound of `form`."""
        done: list[LinearForm] = []
        todo = [form]
        steps = 0
        while todo:
            steps += 1
            form = todo.pop()
            term = self._deepest(form)
            if term is None:
                done.append(form)
                continue
            cases = self._replace(form, term)
            if cases is None or steps > _MOST_STEPS or len(done) + len(todo) + len(cases) > _MOST_CASES:
                return None
            todo += cases
        return done

    def _deepest(self, form: LinearForm) -> Expr | None:
        """The term to replace next: what is no Var first, then the innermost name, so that sums cancel."""
        moving = [t for t in form.terms if t is not self._variable and self.inside.moves(t)]
        if not moving:
            return None
        return max(
            moving, key=lambda t: self.inside.depth.get(t.name, 0) if isinstance(t, Var) else len(self.inside.depth) + 1
        )

    def _replace(self, form: LinearForm, term: Expr) -> list[LinearForm] | None:
        """Sums without `term`, the least of which is a lower bound of `form`."""
        c = form.terms[term]
        rest = form.plus(LinearForm({term: 1}), -c)

        def each(*parts: Expr) -> list[LinearForm]:
            return [rest.plus(linear(part), c) for part in parts]

        if term in self.chosen:
            return each(self.chosen[term])
        if isinstance(term, Var):
            return self._replace_name(term, c, each)
        if isinstance(term, Min | Max):
            both = (type(term) is Min) == (c > 0)
            return each(term.a, term.b) if both else each(term.a if self.inside.moves(term.a) else term.b)
        if isinstance(term, Select):
            return each(term.a, term.b)
        if isinstance(term, Call) and term.name in _MARKS:
            return each(term.args[0])
        if isinstance(term, Div | Mod):
            return _replace_quotient(rest, term, c)
        return None

    def _replace_name(self, name: Var, c: int, each: Callable[..., list[LinearForm]]) -> list[LinearForm] | None:
        """A let by its value, a loop inside by the end of its range."""
        if name.name in self.inside.values:
            return each(self.inside.values[name.name])
        if name.name not in self.inside.ranges:
            return None
        low, extent = self.inside.ranges[name.name]
        trips = const_value(extent)
        if trips is None or trips > _LONGEST:
            return None
        return each(low if c > 0 else add(low, int(trips) - 1))


def _replace_quotient(rest: LinearForm, term: Div | Mod, c: int) -> list[LinearForm] | None:
    """c*(a / d) >= c/d * (a - (d - 1)) for positive c, c/d * a for negative; remainders lie in [0, d - 1]."""
    value = const_value(term.b)
    if value is None or value <= 0:
        return None
    d = int(value)
    if isinstance(term, Mod):
        return [LinearForm(rest.terms, rest.constant + (0 if c > 0 else c * (d - 1)))]
    numerator = linear(term.a).plus(LinearForm({}, -(d - 1) if c > 0 else 0))
    shared = gcd(c, d)
    return [rest.times(d // shared).plus(numerator, c // shared)]
