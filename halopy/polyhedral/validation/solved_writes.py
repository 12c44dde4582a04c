"""The iteration that writes a cell: loops around a write, solved for what is read.

    for xo, xi: write f(base + xi)   base = n + min(xo*8, m)        c is read
        xo = (c - n) / 8,  xi = c - n - min(xo*8, m)                which has to be in the ranges of both loops

    for y: for row in [y > first ? y + 2 : y, y + 2]: write f(row)  and then  read f(c)
        row = c,  y = max(c - 2, first)                             the first iteration of y that comes to row c

Nothing is proved here: what is wanted of the loops comes with each solution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...dtypes import INT32
from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import FALSE, Call, Expr, Load, Max, Min, Read, Select, Var, const, const_value
from ...ir.linear import LinearForm, expr_of
from ...ir.rewrite import Rewriter, substitute
from .actors import CONCURRENT
from .events import Event, Loop
from .inequalities import ZERO, Sum, plus, sum_of
from .names import names_in
from .reads import Target, target

_OWN = "w:"
_MOST_WAYS = 8


def solved_writes(write: Event, reads: Target) -> Iterator[list[Expr]]:
    """What has to hold for some iteration of the write to write each cell that is read, and before it is read.

    First of those in earlier iterations of loops around both, where the memory outlives them.
    """
    mine, its = write.around.loops, reads.event.around.loops
    same = (d for d, (a, b) in enumerate(zip(mine, its, strict=False)) if a.name != b.name)
    shared = next(same, min(len(mine), len(its)))
    comes_first = next_position(write, shared) < next_position(reads.event, shared)
    for d in reversed(range(len(write.storage.around.loops), shared)):
        if mine[d].kind in CONCURRENT:
            break
        own = Var(mine[d].name)
        yield from _Write(write, reads, d).wanted(own if comes_first and d == shared - 1 else build.sub(own, 1))
    if comes_first:
        yield from _Write(write, reads, shared).wanted()


def next_position(event: Event, depth: int) -> int:
    """Where in the text it stands, or the loop that it is in, inside so many loops."""
    loops = event.around.loops
    return loops[depth].position if depth < len(loops) else event.position


def runs_each_once(write: Event) -> bool:
    """Whether no two iterations within the memory's life are the same instance: each loop is a digit of a variable."""
    return _Write(write, target([write]), len(write.storage.around.loops)).runs_each_once(write.at)


class _Write:
    """A write with names of its own for all that is inside of `depth` loops, but for what has no part in them."""

    def __init__(self, write: Event, reads: Target, depth: int) -> None:
        self.loops, self._depth = write.around.loops[depth:], depth
        self._lets, self._known = write.around.lets, reads.event.around.lets
        self._meant: dict[str, Expr] = {loop.name: Var(_OWN + loop.name) for loop in self.loops}
        self._free = {_OWN + loop.name for loop in self.loops}
        self.cell = [self._told(e) for e in write.cell]
        self.read = reads.cell
        same = set(reads.event.around.conditions)
        conditions = [(c, self._told(c)) for several in write.around.conditions for c in conjuncts(several)]
        several = {c for condition in same for c in conjuncts(condition)}
        self.conditions = [told for c, told in conditions if c not in several or told is not c or c.has(Read, Load)]

    def _told(self, e: Expr) -> Expr:
        """In names of its own, for what loops stand for only."""
        meant = {name: value for name in names_in(e) for value in [self._meaning(name)] if value is not None}
        result: Expr = substitute(e, meant)
        return result

    def _meaning(self, name: str) -> Expr | None:
        """What a name stands for that is not the same where the read stands."""
        named = self._lets.get(name)
        if named is not None and named.depth <= self._depth and name in self._known:
            return None
        if named is not None and name not in self._meant:
            value = named.value
            told = self._told(value)
            is_same = told is value and name in self._known and not value.has(Read, Load)
            self._meant[name] = Var(name, value.dtype) if is_same else told
        return self._meant.get(name)

    def wanted(self, last: Expr | None = None) -> Iterator[list[Expr]]:
        """What has to hold, for each way of solving; `last` is the greatest iteration of the first loop."""
        values = self._solved()
        if values is None:
            return
        unsolved = [loop for loop in self.loops if _OWN + loop.name not in values]
        if last is None:
            yield self._all(values)
            return
        carrier = self.loops[0]
        if carrier not in unsolved:
            yield [*self._all(values), build.le(values[_OWN + carrier.name], last)]
            return
        for value in self._first_iterations(carrier, values):
            at = {_OWN + carrier.name: value}
            solved = {name: substitute(e, at) for name, e in values.items()} | at
            yield [*self._all(solved), build.le(value, last)]

    def _all(self, values: dict[str, Expr]) -> list[Expr]:
        """What the write needs, with loops at these iterations, and others at their first."""
        wanted: list[Expr] = []
        for loop in self.loops:
            name = _OWN + loop.name
            low, extent = (substitute(self._told(e), values) for e in (loop.min, loop.extent))
            value = values.setdefault(name, low)
            if value is not low:
                wanted.append(build.le(low, value))
            wanted.append(build.lt(value, build.add(low, extent)))
        wanted += [build.eq(substitute(e, values), read) for e, read in zip(self.cell, self.read, strict=True)]
        return [*wanted, *(substitute(c, values) for c in self.conditions)]

    def runs_each_once(self, at: Sequence[Expr]) -> bool:
        """Whether these differ in any two iterations."""
        left = {_OWN + loop.name: loop for loop in self.loops}
        for e in at:
            whole = sum_of(self._told(e))
            if whole is None:
                return False
            moving = {term: abs(n) for term, n in whole[0].items() if not self._free.isdisjoint(names_in(term))}
            loops = [left.pop(term.name, None) if isinstance(term, Var) else None for term in moving]
            if None in loops or not self._are_digits(
                {loop: n for loop, n in zip(loops, moving.values(), strict=True) if loop}
            ):
                return False
        return all(const_value(loop.extent) == 1 for loop in left.values())

    def _are_digits(self, steps: Mapping[Loop, int]) -> bool:
        """Whether each loop steps over all that those with smaller steps reach, wherever larger ones are."""
        reach = 0
        for n, loop in enumerate(sorted(steps, key=lambda loop: steps[loop])):
            extent = const_value(loop.extent)
            is_last = n == len(steps) - 1
            if steps[loop] <= reach or not (is_last or self._free.isdisjoint(names_in(self._told(loop.min)))):
                return False
            if extent is None and not is_last:
                return False
            reach += steps[loop] * (int(extent or 1) - 1)
        return True

    def _solved(self) -> dict[str, Expr] | None:
        """Loops by name, as far as the cell determines them."""
        values: dict[str, Expr] = {}
        for mine, read in zip(self.cell, self.read, strict=True):
            if not self._solve(substitute(mine, values), read, values):
                return None
        return values

    def _solve(self, mine: Expr, read: Expr, values: dict[str, Expr]) -> bool:
        """Solves one index: great steps are quotients of what is left, the least is all that remains."""
        whole, wanted = sum_of(mine), sum_of(read)
        if whole is None or wanted is None:
            return False
        steps: dict[str, int] = {}
        for term, factor in whole[0].items():
            part = self._steady_part(term)
            if part is None:
                return False
            for variable, step in part[0].items():
                if not self._free.isdisjoint(names_in(variable)):
                    if not isinstance(variable, Var) or variable.name in steps:
                        return False
                    steps[variable.name] = factor * step
        for name in sorted(steps, key=lambda name: -abs(steps[name])):
            rest = wanted[0], wanted[1] - whole[1]
            for term, factor in whole[0].items():
                taken = self._taken(term, values)
                if taken is None:
                    return False
                rest = plus(rest, taken, -factor)
            values[name] = _quotient(rest, steps[name])
        return True

    def _taken(self, term: Expr, values: Mapping[str, Expr]) -> Sum | None:
        """A term with what is solved so far; as long as that is not all of it, its steady part, and 0 for the rest."""
        if self._free.isdisjoint(names_in(term) - values.keys()):
            return sum_of(substitute(term, values))
        steady = self._steady_part(term)
        if steady is None:
            return None
        known = {t: n for t, n in steady[0].items() if self._free.isdisjoint(names_in(t) - values.keys())}
        return sum_of(substitute(_expr((known, steady[1])), values))

    def _steady_part(self, term: Expr) -> Sum | None:
        """The term as a sum; of a minimum or maximum the part with variables, which counts until they are known."""
        if not isinstance(term, Min | Max) or self._free.isdisjoint(names_in(term)):
            return {term: 1}, 0
        sides = [side for side in (term.a, term.b) if not self._free.isdisjoint(names_in(side))]
        return sum_of(sides[0]) if len(sides) == 1 else None

    def _first_iterations(self, carrier: Loop, values: Mapping[str, Expr]) -> list[Expr]:
        """Iterations of the carrier that may be the first to come to the cell: by what it newly reaches, or at once."""
        low = self._told(carrier.min)
        found: list[Expr] = []
        for loop in self.loops[1:]:
            cell = sum_of(values.get(_OWN + loop.name, FALSE))
            last = build.add(loop.min, build.sub(loop.extent, 1))
            for edge, is_rising in ((last, True), (loop.min, False)):
                reached = sum_of(_Steady()(self._told(edge)))
                if cell is not None and reached is not None:
                    moving = Var(_OWN + carrier.name)
                    ways = (_iterations_to(cell, one, moving, is_rising=is_rising) for one in _without_choices(reached))
                    found += [build.maximum(away, low) for away in ways if away is not None]
        return list(dict.fromkeys([*found, low]))


def _without_choices(s: Sum) -> list[Sum]:
    """With either part of each minimum and maximum."""
    found: list[Sum] = []
    waiting = [s]
    while waiting and len(found) < _MOST_WAYS:
        top = waiting.pop()
        choice = next((term for term in top[0] if isinstance(term, Min | Max)), None)
        parts = [sum_of(part) for part in (choice.a, choice.b)] if choice is not None else []
        if choice is None or None in parts:
            found.append(top)
        else:
            rest = {term: n for term, n in top[0].items() if term is not choice}, top[1]
            waiting += [plus(rest, part, top[0][choice]) for part in parts if part is not None]
    return found


def _iterations_to(cell: Sum, edge: Sum, carrier: Var, *, is_rising: bool) -> Expr | None:
    """The first iteration in which the edge is at the cell or beyond; None where it does not move so."""
    step = edge[0].get(carrier, 0)
    others = plus(edge, ({carrier: step}, 0), -1)
    if step == 0 or (step > 0) != is_rising or any(carrier.name in names_in(term) for term in others[0]):
        return None
    away = plus(cell, others, -1) if is_rising else plus(others, cell, -1)
    return _quotient((away[0], away[1] + abs(step) - 1), abs(step))


class _Steady(Rewriter):
    """Choices as in all iterations but the first."""

    only = (Select,)

    def rewrite_Select(self, e: Select) -> Expr:
        is_likely = isinstance(e.condition, Call) and e.condition.name == "likely"
        result: Expr = self(e.a) if is_likely else self.rebuild(e)
        return result


def _quotient(s: Sum, divisor: int) -> Expr:
    """The sum over a number, which is exact or rounds towards what is less."""
    if divisor < 0:
        s, divisor = plus(ZERO, s, -1), -divisor
    return build.div(_expr(s), const(divisor))


def _expr(s: Sum) -> Expr:
    return expr_of(LinearForm(*s), INT32)
