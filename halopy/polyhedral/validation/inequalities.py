"""What follows from linear inequalities between integers, by adding them up: quick, sure when it says yes.

    8*xo + xi - 1 >= n0   from   n0 <= xo*8   and   xi >= 1       by   xi := 1,  then   8*xo := n0

Of the terms of a sum that shall not be negative, the one that was bound last is replaced by a bound of it, until a
number is left. A minimum may be replaced by either part where it helps to be less, and by each in turn otherwise;
a quotient by what it is at least or at most; a choice by each of its sides, with its condition known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import gcd
from typing import Protocol, TypeAlias

from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    And,
    Call,
    Cast,
    Const,
    Div,
    Expr,
    Load,
    Max,
    Min,
    Mod,
    Mul,
    Or,
    Read,
    Select,
    Var,
    const_value,
)
from ...ir.linear import linear
from .budget import Budget
from .names import names_in

Sum: TypeAlias = tuple[Mapping[Expr, int], int]  # terms with factors, and a constant
_Case: TypeAlias = tuple[Mapping[Expr, Sum], tuple[Sum, ...], tuple[Sum, ...]]  # bounds; what holds; or else

_NEAREST, _DEEPEST, _ASTRAY, _MOST_STEPS, _MOST_PARTS = 5, 12, 4, 200, 64
_MOST_CASES = 8
_STEP = 20  # operations that a step counts as
ZERO: Sum = {}, 0
_TRANSPARENT = ("likely", "likely_if_innermost")


class Names(Protocol):
    """What is known of names."""

    def rank(self, name: str) -> int:
        """How late it is bound; 0 for what comes from outside."""

    def meaning(self, name: str) -> Expr | None:
        """What it stands for, if that is known."""

    def is_near(self, name: str) -> bool:
        """Whether its meaning is looked at first; there may be much behind others."""


class Facts:
    """What is known where some conditions hold."""

    def __init__(self, names: Names, conditions: Iterable[Expr], budget: Budget) -> None:
        self._names, self._budget = names, budget
        self._order: dict[Expr, tuple[int, int]] = {}
        self._bounds: dict[Expr, list[Sum]] = {}  # by the term that was bound last
        self._others: dict[Expr, list[Sum]] = {}  # by every other term
        facts = (fact for condition in dict.fromkeys(conditions) for fact in _simple_facts(condition))
        for fact in {_key(fact): fact for fact in facts}.values():
            self._learn(fact)

    def learn(self, condition: Expr) -> bool:
        """Whether the condition surely holds; where it does, it counts as a fact from now on, and the first of all."""
        holds = self.imply(condition)
        if holds:
            for fact in _simple_facts(condition):
                self._learn(fact, first=True)
        return holds

    def _learn(self, fact: Sum, *, first: bool = False) -> None:
        last = max(fact[0], key=self.order, default=None)
        for term in fact[0]:
            facts = (self._bounds if term is last else self._others).setdefault(term, [])
            facts.insert(0 if first else len(facts), fact)

    def imply(self, condition: Expr) -> bool:
        """Whether the condition surely holds. Where not, it may all the same."""
        if isinstance(condition, And):
            return all(map(self.imply, conjuncts(condition)))
        if isinstance(condition, Or):
            return self.imply(condition.a) or self.imply(condition.b)
        if isinstance(condition, Call) and condition.name in _TRANSPARENT:
            return self.imply(condition.args[0])
        if isinstance(condition, Const):
            return bool(condition.value)
        if isinstance(condition, NE):
            return self.imply(LT(condition.a, condition.b)) or self.imply(GT(condition.a, condition.b))
        wanted = _not_negative(condition)
        return bool(wanted) and all(map(self._is_not_negative, wanted))

    def _is_not_negative(self, wanted: Sum) -> bool:
        whole = [(wanted, ())]
        if self._are_shown(whole, _NEAREST):
            return True
        cases = self._cases(wanted)  # which may need bounds of the same term that contradict each other
        if len(cases) > 1 and self._are_shown(cases, _NEAREST):
            return True
        return self._are_shown(whole, _DEEPEST)

    def _are_shown(self, cases: Iterable[tuple[Sum, tuple[Sum, ...]]], depth: int) -> bool:
        return all(any(self._is_shown(*case, depth, deep) for deep in (False, True)) for case in cases)

    def _is_shown(self, wanted: Sum, given: tuple[Sum, ...], depth: int, deep: bool) -> bool:
        if self._budget.is_spent:
            return False
        search = Search(self, deep)
        found = search.shows(wanted, given, depth)
        self._budget.spend(_STEP * (_MOST_STEPS - search.steps + 1))
        return found

    def _cases(self, wanted: Sum) -> list[tuple[Sum, tuple[Sum, ...]]]:
        """Sums that all have to be not negative, and what is given for each: of a minimum, either part may be it."""
        found: list[tuple[Sum, tuple[Sum, ...]]] = []
        waiting: list[tuple[Sum, tuple[Sum, ...]]] = [(wanted, ())]
        while waiting and len(found) + len(waiting) <= _MOST_CASES:
            s, given = waiting.pop()
            meanings = [(t, n, self.definition(t, deep=False)) for t, n in s[0].items()]
            told = {t: _less(value, t, 1) for t, n, value in meanings if value and _chosen(value, n) is not None}
            choice = _chosen(s, 1)
            ways = [] if choice is None else _extremum(choice, at_least=s[0][choice] > 0)
            if told:
                waiting.append((_replaced(s, told), given))
            elif ways:
                waiting += [(_replaced(s, bounds), (*given, *holds)) for bounds, holds, _ in ways[0]]
            else:
                found.append((s, given))
        return [] if waiting else found

    def order(self, term: Expr) -> tuple[int, int]:
        """Later names first, and what they stand in before them."""
        found = self._order.get(term)
        if found is None:
            found = self._order[term] = max(map(self._names.rank, names_in(term)), default=0), _nesting(term)
        return found

    def definition(self, term: Expr, *, deep: bool) -> Sum | None:
        """What a name stands for."""
        if not isinstance(term, Var) or not (deep or self._names.is_near(term.name)):
            return None
        value = self._names.meaning(term.name)
        return None if value is None else sum_of(value)

    def about(self, term: Expr, given: tuple[Sum, ...]) -> Iterator[tuple[Sum, int]]:
        """Sums with this term that are not negative, and how far they may lead astray: least its own bounds."""
        yield from ((fact, 1) for fact in (*given, *self._bounds.get(term, ())) if term in fact[0])
        yield from ((fact, _ASTRAY) for fact in self._others.get(term, ()))


class Search:
    """One question. `given` are facts of the case that is looked at."""

    def __init__(self, facts: Facts, deep: bool) -> None:
        self.facts, self.deep, self.steps = facts, deep, _MOST_STEPS
        self.failed: dict[object, int] = {}

    def shows(self, wanted: Sum, given: tuple[Sum, ...], depth: int) -> bool:
        """Whether the sum is not negative."""
        wanted = _tightened(wanted)
        terms, constant = wanted
        if not terms:
            return constant >= 0
        if depth <= 0 or self.steps == 0:
            return False
        if self.failed and self.failed.get(_question(wanted, given), -1) >= depth:
            return False
        self.steps -= 1
        term = max(terms, key=self.facts.order) if len(terms) > 1 else next(iter(terms))
        for cases, cost in self._ways(wanted, term, given):
            if all(self._case(case, wanted, given, depth - cost) for case in cases):
                return True
        self.failed[_question(wanted, given)] = depth
        return False

    def _case(self, case: _Case, wanted: Sum, given: tuple[Sum, ...], depth: int) -> bool:
        """Whether it holds with bounds instead of terms; or the case cannot be, as something else holds surely."""
        bounds, holds, otherwise = case
        if holds:
            given = tuple(_replaced(fact, bounds) for fact in (*given, *holds))
            if any(not terms and constant < 0 for terms, constant in given):
                return True
        if self.shows(_replaced(wanted, bounds), given, depth):
            return True
        return any(self.shows(other, given, depth) for other in otherwise)

    def _ways(self, wanted: Sum, term: Expr, given: tuple[Sum, ...]) -> Iterator[tuple[list[_Case], int]]:
        """What the term may be replaced by, each way in cases of which one holds; and how much depth that costs.

        Of a term with a positive factor, what it is at least. The sum has the term with a negative one: 3 - 2*t where
        it is 3/2.
        """
        factor = wanted[0][term]
        meanings = self._meaning(term, wanted)
        if len(meanings) > 1:
            meanings.sort(key=lambda cases: self._promise(_replaced(wanted, cases[0][0])))
        for cases in meanings:
            yield cases, 0
        for fact, cost in self.facts.about(term, given):
            if (fact[0][term] > 0) == (factor > 0):
                yield [({term: plus(ZERO, fact, -1) if factor > 0 else fact}, (), ())], cost

    def _promise(self, s: Sum) -> tuple[int, ...]:
        """The less, the sooner it is looked at: what leaves nothing that was bound late, or else cancels most."""
        if self.deep or any(isinstance(term, Div) for term in s[0]):
            return (0, len(s[0]))
        return (1, *max(map(self.facts.order, s[0]), default=(0, 0)))

    def _meaning(self, term: Expr, wanted: Sum) -> list[list[_Case]]:
        """What follows from what the term is."""
        if isinstance(term, Var):
            definition = self.facts.definition(term, deep=self.deep)
            return [] if definition is None else [[({term: _less(definition, term, 1)}, (), ())]]
        if isinstance(term, Min | Max):
            return _extremum(term, at_least=wanted[0][term] > 0)
        if isinstance(term, Div):
            return _quotient(term, wanted[0][term])
        return _choice(term, wanted) if isinstance(term, Select) else []


def _chosen(s: Sum, factor: int) -> Min | Max | None:
    """A term of which either part may be what keeps the sum, times the factor, from being great."""
    return next((t for t, n in s[0].items() if isinstance(t, Min if n * factor > 0 else Max)), None)


def _extremum(e: Min | Max, *, at_least: bool) -> list[list[_Case]]:
    a, b = sum_of(e.a), sum_of(e.b)
    if a is None or b is None:
        return []
    is_a: dict[Expr, Sum] = {e: _less(a, e, 1)}
    is_b: dict[Expr, Sum] = {e: _less(b, e, 1)}
    if isinstance(e, Min) != at_least:
        return [[(is_a, (), ())], [(is_b, (), ())]]
    less, more = plus(a, b, -1), plus(b, a, -1)
    first, second = (more, less) if isinstance(e, Min) else (less, more)
    return [[(is_a, (first,), (_more(second, -1),)), (is_b, (second,), (_more(first, -1),))]]


def _quotient(e: Div, factor: int) -> list[list[_Case]]:
    """Exact where the quotient counts once:  a/n + k >= 0  <=>  a + n*k >= 0,   k - a/n >= 0  <=>  n*k + n - 1 >= a"""
    dividend, divisor = sum_of(e.a), int(const_value(e.b) or 0)
    if dividend is None or divisor <= 0:
        return []
    is_exact = factor in (1, -1)
    bound = _more(dividend, 1 - divisor) if (factor > 0) != is_exact else dividend
    return [[({e: _less(bound, e, divisor)}, (), ())]]


def _choice(e: Select, wanted: Sum) -> list[list[_Case]]:
    """One side or the other, of all choices by the same condition."""
    alike = [t for t in wanted[0] if isinstance(t, Select) and t.condition is e.condition]
    sides = [(t, sum_of(t.a), sum_of(t.b)) for t in alike]
    yes: dict[Expr, Sum] = {t: _less(a, t, 1) for t, a, b in sides if a is not None and b is not None}
    no: dict[Expr, Sum] = {t: _less(b, t, 1) for t, a, b in sides if a is not None and b is not None}
    condition = e.condition
    while isinstance(condition, Call) and condition.name in _TRANSPARENT:
        condition = condition.args[0]
    holds, fails = _not_negative(condition), _not_negative(build.logical_not(condition))
    if e not in yes:
        return []
    return [[(yes, holds, fails if len(fails) == 1 else ()), (no, fails, holds if len(holds) == 1 else ())]]


def _question(wanted: Sum, given: tuple[Sum, ...]) -> object:
    return _key(wanted), *map(_key, given)


def _key(s: Sum) -> object:
    return frozenset(s[0].items()), s[1]


def _less(bound: Sum, term: Expr, factor: int) -> Sum:
    """bound - factor*term"""
    return plus(bound, ({term: 1}, 0), -factor)


def _replaced(s: Sum, bounds: Mapping[Expr, Sum]) -> Sum:
    """The sum with bounds instead of terms, times a number: c*t + s with b - f*t  ->  f*s + c*b"""
    for term, bound in bounds.items():
        factor = s[0].get(term, 0)
        if factor:
            by = -bound[0][term]
            s = plus(plus(ZERO, s, by) if by != 1 else s, bound, factor)
    return s


def plus(a: Sum, b: Sum, factor: int = 1) -> Sum:
    """a + b * factor"""
    total = dict(a[0])
    for term, n in b[0].items():
        n = total.get(term, 0) + n * factor
        if n:
            total[term] = n
        else:
            total.pop(term, None)
    return total, a[1] + b[1] * factor


def _more(s: Sum, by: int) -> Sum:
    return s[0], s[1] + by


def _tightened(s: Sum) -> Sum:
    """The same, divided by what divides all factors: 4*x - 6 >= 0  ->  x - 2 >= 0"""
    common = gcd(*s[0].values())
    if common <= 1:
        return s
    return {t: n // common for t, n in s[0].items()}, s[1] // common


@lru_cache(maxsize=1 << 13)
def sum_of(e: Expr) -> Sum | None:
    """An integer expression as a sum of what is none; remainders are written with quotients. None: depends on data."""
    if not e.dtype.is_index_like or e.has(Read, Load):
        return None
    form = linear(e)
    total: Sum = {}, form.constant
    for term, factor in form.terms.items():
        part = _part(term)
        if part is None:
            return None
        total = plus(total, part, factor)
    return total


def _part(term: Expr) -> Sum | None:
    if isinstance(term, Call) and term.name in _TRANSPARENT:
        return sum_of(term.args[0])
    if isinstance(term, Cast) and term.a.dtype.is_index_like:
        return sum_of(term.a)
    factor = const_value(term.a) if isinstance(term, Mul) else None  # the user may write it first
    if isinstance(term, Mul) and factor is not None:
        times = sum_of(term.b)
        return None if times is None else plus(ZERO, times, int(factor))
    divisor = const_value(term.b) if isinstance(term, Mod) else None
    if isinstance(term, Mod) and divisor is not None and divisor > 0:
        dividend, quotient = sum_of(term.a), sum_of(build.div(term.a, term.b))
        if dividend is None or quotient is None:
            return None
        return plus(dividend, quotient, -int(divisor))
    return {term: 1}, 0


@lru_cache(maxsize=1 << 13)
def _not_negative(condition: Expr) -> tuple[Sum, ...]:
    """Sums that are not negative where the condition holds, all of them only there; none where there are no such."""
    if isinstance(condition, GE | GT):
        return _ordered(condition.b, condition.a, 1 if isinstance(condition, GT) else 0)
    if isinstance(condition, LE | LT):
        return _ordered(condition.a, condition.b, 1 if isinstance(condition, LT) else 0)
    if isinstance(condition, EQ):
        return _ordered(condition.a, condition.b, 0) + _ordered(condition.b, condition.a, 0)
    if isinstance(condition, And):
        parts = [_not_negative(part) for part in conjuncts(condition)]
        return tuple(s for part in parts for s in part) if all(parts) else ()
    if isinstance(condition, Call) and condition.name in _TRANSPARENT:
        return _not_negative(condition.args[0])
    return ()


@lru_cache(maxsize=1 << 13)
def _simple_facts(condition: Expr) -> tuple[Sum, ...]:
    """The same as _not_negative, with what holds of a maximum said of all its parts: a <= c, b <= c"""
    found: list[Sum] = []
    waiting = list(_not_negative(condition))
    while waiting:
        fact = waiting.pop()
        choice = next((t for t, n in fact[0].items() if isinstance(t, Max if n < 0 else Min)), None)
        parts = [None] if choice is None or len(found) + len(waiting) > _MOST_PARTS else [choice.a, choice.b]
        sums = [None if part is None else sum_of(part) for part in parts]
        if choice is None or None in sums:
            found.append(fact)
        else:
            waiting += [_replaced(fact, {choice: _less(part, choice, 1)}) for part in sums if part is not None]
    return tuple(found)


def _ordered(low: Expr, high: Expr, gap: int) -> tuple[Sum, ...]:
    a, b = sum_of(low), sum_of(high)
    return () if a is None or b is None else (_more(plus(b, a, -1), -gap),)


@lru_cache(maxsize=1 << 13)
def _nesting(e: Expr) -> int:
    """How many sums it is within."""
    return 0 if isinstance(e, Var) else 1 + max((_nesting(c) for c in e.children() if isinstance(c, Expr)), default=0)
