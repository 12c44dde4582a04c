"""What follows from conditions in canonical form; where that is not seen soon, it may all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product
from math import prod

from ...ir import expr as ir
from ...ir.expr import FALSE, TRUE, Expr, Var, const
from ...ir.order import order_key
from ..validation.names import names_in
from .inequalities import BUDGET, FEW_CASES, contradict
from .polynomials import (
    ONE,
    Monomial,
    Polynomial,
    at_least_zero,
    constant,
    minus,
    negation,
    plus,
    polynomial,
    scaled,
    written,
)
from .samples import Sample, Unsaid

ROUNDS = (0, 1, 3, 4)  # how far from a question is looked for what answers it


class Facts:
    """Conditions that hold at a place, and what names stand for there."""

    def __init__(
        self,
        conditions: Iterable[Expr],
        definitions: Mapping[str, Expr],
        samples: Callable[[], Sequence[Sample]] | None = None,
        checked: Iterable[Expr] = (),
    ) -> None:
        told = dict.fromkeys(c for c in conditions if c is not TRUE)
        self.conditions = tuple(told)
        self.definitions = definitions
        self.checked = tuple(dict.fromkeys(c for c in checked if c is not TRUE))
        self._known = {*self.conditions, *self.checked}
        self._answers: dict[Expr, bool] = {}
        self._samples = samples
        self.shown: Sample | None = None  # the last in which something asked about did not hold

    def imply(self, goal: Expr) -> bool:
        """Surely. Where not, it may be so all the same."""
        found = self._answers.get(goal)
        if found is None:
            found = self._answers[goal] = self._implies(goal)
        return found

    def quickly_imply(self, goal: Expr) -> bool:
        """Surely, by what is known close by."""
        if goal is TRUE or goal in self._known or self._answers.get(goal):
            return True
        if self._is_missed(goal):
            return False
        direct = [c for c in self.conditions if names_in(c) <= names_in(goal)]
        return all(
            contradict([missed, *direct], FEW_CASES) or contradict([missed, *self.near([missed], 1)], FEW_CASES)
            for missed in opposites(goal)
        )

    def _implies(self, goal: Expr) -> bool:
        if goal is TRUE or goal in self._known or FALSE in self._known:
            return True
        if isinstance(goal, ir.And):
            return self.imply(goal.a) and self.imply(goal.b)
        if isinstance(goal, ir.Or) and (self.imply(goal.a) or self.imply(goal.b)):
            return True
        if isinstance(goal, ir.EQ) and goal.a.has(ir.Min, ir.Max) and goal.a.dtype.is_index_like:
            gap = polynomial(goal.a)
            return self.imply(at_least_zero(gap)) and self.imply(at_least_zero(scaled(gap, -1)))
        if self._is_missed(goal):
            return False
        every, some = _operands(goal)
        if len(every) > 1:
            return all(map(self.imply, every))
        if len(some) > 1 and any(map(self.quickly_imply, some)):
            return True
        for missed in opposites(goal):
            near: list[Expr] = []
            for further in ROUNDS:
                before, near = near, self.near([missed], further)
                if len(near) > len(before) and contradict([missed, *near]):
                    break
            else:
                return False
        return True

    def exclude(self, conditions: Sequence[Expr]) -> bool:
        """Whether these surely do not hold all, together with what is known."""
        if FALSE in conditions or FALSE in self._known:
            return True
        if any(_holds(sample, conditions) for sample in self._some()):
            return False
        return any(contradict([*conditions, *self.near(conditions, further)]) for further in ROUNDS)

    def _some(self) -> Sequence[Sample]:
        return () if self._samples is None else self._samples()

    def _is_missed(self, goal: Expr) -> bool:
        """Whether it does not hold in one of the samples."""
        self.shown = next((sample for sample in self._some() if _holds(sample, opposites(goal), any)), self.shown)
        return self.shown is not None and _holds(self.shown, opposites(goal), any)

    def near(self, goals: Iterable[Expr], further: int) -> list[Expr]:
        """What is known about the names in the goals; and about names in that, as often as said.

        What was checked before counts in the last of ROUNDS only.
        """
        told = (*self.conditions, *self.checked) if further == ROUNDS[-1] else self.conditions
        BUDGET.spend(len(told) * (further + 1))
        names = {name for goal in goals for name in names_in(goal)}
        found: dict[Expr, None] = {}
        for turn in range(further + 1):
            for name in sorted(names & self.definitions.keys()):
                gap = minus({(Var(name),): 1}, polynomial(self.definitions[name]))
                found.setdefault(ir.EQ(written(gap), const(0)))
            names |= {name for c in found for name in names_in(c)}
            for c in told:
                if not names.isdisjoint(names_in(c)) if turn else names_in(c) <= names:
                    found.setdefault(c)
            names |= {name for c in found for name in names_in(c)}
        return list(found)

    def is_zero(self, p: Polynomial) -> bool:
        """Surely, whatever the strides are that it has factors of."""
        known = constant(p)
        if known is not None:
            return known == 0
        return all(self.imply(ir.EQ(written(piece), const(0))) for piece in pieces(p))


def _holds(sample: Sample, conditions: Iterable[Expr], quantifier: Callable[[Iterable[object]], bool] = all) -> bool:
    """Whether all conditions hold in a sample, or any."""
    try:
        return quantifier(map(sample, conditions))
    except Unsaid:
        return False


def _operands(goal: Expr) -> tuple[list[Expr], list[Expr]]:
    """Conditions that together are the goal, and such of which one is enough.

    x >= max(a, b)   ->   x >= a, x >= b               max(a, b) >= x   ->   a >= x, b >= x
    """
    p = polynomial(goal.a) if isinstance(goal, ir.GE) and goal.a.dtype.is_index_like else {}
    for kinds in ((ir.Min, ir.Max), (ir.Max, ir.Min)):
        for term, c in p.items():
            kind = kinds[0] if c > 0 else kinds[1]
            if len(term) == 1 and type(term[0]) is kind:
                rest = {t: k for t, k in p.items() if t is not term}
                found = [at_least_zero(plus(rest, polynomial(e), c)) for e in ir.chained(kind, term[0])]
                return (found, []) if kinds[0] is ir.Min else ([], found)
    return [], []


def opposites(goal: Expr) -> list[Expr]:
    """Conditions, of which one holds where the goal does not."""
    if isinstance(goal, ir.EQ) and goal.a.dtype.is_index_like:
        gap = polynomial(goal.a)
        return [at_least_zero(plus(gap, {ONE: -1})), at_least_zero(plus(scaled(gap, -1), {ONE: -1}))]
    return [negation(goal)]


def pieces(p: Polynomial) -> list[Polynomial]:
    """Sums without products, all of which are 0 only if p is: y*s - a*s + x  ->  y - a, x."""
    products = [term for term in p if len(term) > 1]
    if not products:
        return [p] if p else []
    counts: dict[Expr, int] = {}
    for term in products:
        for atom in dict.fromkeys(term):
            counts[atom] = counts.get(atom, 0) + 1
    factor = min(counts, key=lambda atom: (-counts[atom], order_key(atom)))
    inside: dict[Monomial, int] = {}
    outside: dict[Monomial, int] = {}
    for term, c in p.items():
        if len(term) > 1 and factor in term:
            rest = list(term)
            rest.remove(factor)
            inside[tuple(rest)] = c
        else:
            outside[term] = c
    if (factor,) in outside:
        inside[ONE] = outside.pop((factor,))
    return [*pieces(inside), *pieces(outside)]


def is_partition(facts: Facts, parts: Sequence[Sequence[Expr]]) -> bool:
    """Whether wherever the facts hold, the conditions of exactly one part hold. False also where that is not seen."""
    asked = [c for part in parts for c in part]
    return any(_is_one_met(facts.near(asked, further), parts) for further in ROUNDS)


def _is_one_met(known: Sequence[Expr], parts: Sequence[Sequence[Expr]]) -> bool:
    apart = all(contradict([*known, *one, *other]) for one, other in combinations(parts, 2))
    missed = [[m for c in part for m in opposites(c)] for part in parts]
    count = prod(map(len, missed))
    return apart and count <= _MOST_CASES and all(contradict([*known, *case]) for case in product(*missed))


_MOST_CASES = 64
