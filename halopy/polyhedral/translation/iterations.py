"""Whether the copies of a statement do each of its iterations once.

Iterations of loops that were unrolled, or became lanes, are listed; for those that the same copies may do, one question
says whether exactly one does, whatever the other loop variables are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod

from ...ir import expr as ir
from ...ir.expr import Expr, Var, const, const_value
from .actions import at_lane, names_of
from .copies import Copy
from .facts import Facts, is_partition
from .inequalities import BUDGET, TOO_LONG
from .one_lane import LANE
from .paths import Leaf
from .polynomials import Polynomial, Scope, constant, minus, number, plus, written
from .samples import samples
from .texts import COPIED, Before

_MOST = 4096
_PLACE = 10  # operations that looking at one counts as
_Place = tuple[int, ...]  # the iteration of each loop that was unrolled, or became lanes


def doubt(before: Before, leaf: Leaf, copies: Sequence[Copy]) -> str:
    """Why some iteration may be done by no copy, or by two; empty where each is done once."""
    iterations = _Iterations(before, leaf, copies)
    return "too many iterations were unrolled" if iterations.total > _MOST else iterations.doubt()


class _Iterations:
    """Those of one leaf; `listed` are loops that were unrolled or became lanes, with how many there are."""

    def __init__(self, before: Before, leaf: Leaf, copies: Sequence[Copy]) -> None:
        self.before, self.leaf, self.copies = before, leaf, copies
        gone = [loop for loop in leaf.loops if any(loop.name in c.variables for c in copies)]
        self.single: dict[str, Polynomial] = {}  # loops that were one iteration
        for loop in gone:
            if const_value(loop.extent) == 1:
                self.single[loop.name] = before.scope(leaf.path, self.single).integer(loop.min)
        copied = [loop for loop in gone if loop.kind in COPIED and loop.name not in self.single]
        sizes = [(loop.name, loop.min, const_value(loop.extent)) for loop in copied]
        scope = self.scope = before.scope(leaf.path, self.single)
        self.listed = {name: int(size) for name, _, size in sizes if size is not None}
        self.lows = {name: scope.integer(low) for name, low, size in sizes if size is not None}
        self.total = prod(self.listed.values())
        self.known = before.conditions(leaf.path, scope)

    def doubt(self) -> str:
        if ir.FALSE in self.known:
            return ""
        doers: dict[_Place, list[tuple[Copy, int]]] = {}
        for copy in self.copies:
            for n in range(copy.lanes.count):
                for place in self._places(copy, n):
                    doers.setdefault(place, []).append((copy, n))
        for place in product(*map(range, self.listed.values())):
            if BUDGET.is_spent():
                return TOO_LONG
            BUDGET.spend(_PLACE)
            done = doers.get(place, [])
            if not self._is_done_once(place, done):
                at = ", ".join(f"{name} = {n}" for name, n in zip(self.listed, place, strict=True))
                said = "is not done" if not done else "may not be done, or twice"
                return f"an iteration{' with ' * bool(at)}{at} {said}"
        return ""

    def _places(self, copy: Copy, n: int) -> Iterator[_Place]:
        """Which listed iterations a lane may do: one, or any of loops that are still there."""
        choices: list[Sequence[int]] = []
        for name, size in self.listed.items():
            value = copy.variables.get(name)
            offset = None if value is None else constant(minus(at_lane(value, n), self.lows[name]))
            choices.append(range(size) if offset is None else [offset])
        yield from product(*choices)

    def _is_done_once(self, place: _Place, done: Sequence[tuple[Copy, int]]) -> bool:
        if len(done) == 1 and self._does_all(done[0][0]):
            return True
        offsets = zip(self.listed, place, strict=True)
        at = {**self.single, **{name: plus(self.lows[name], number(n)) for name, n in offsets}}
        scope = Scope(at)
        given = [c for c in map(scope.condition, self.known) if c is not ir.TRUE]
        if ir.FALSE in given:
            return True
        parts = [[c for c in _conditions_at(copy, n, at) if c not in given] for copy, n in done]
        if len(parts) == 1 and not parts[0]:
            return True
        facts = self._facts([*given, *self._in_loop_variables(given)], at)
        if not parts:
            return facts.exclude(given)
        left = [[c for c in part if not (len(part) > 1 and facts.quickly_imply(c))] for part in parts]
        return is_partition(facts, left) if len(left) > 1 else all(map(facts.imply, left[0]))

    def _in_loop_variables(self, given: Sequence[Expr]) -> list[Expr]:
        """What is known without names for sums of loop variables, of which copies speak directly."""
        loops = {loop.name for loop in self.leaf.loops}
        sums = {name: p for name, p in self.before.definitions.items() if loops & names_of(p)}
        scope = Scope(sums)
        return [c for c in map(scope.condition, given) if c is not ir.TRUE and c not in given]

    def _does_all(self, copy: Copy) -> bool:
        """Whether it does just one of the listed iterations, and asks for no more than the loops do."""
        variables = copy.variables.keys() - self.single.keys()
        listed = all(name in self.listed and copy.value(name, 0) is not None for name in variables)
        return listed and not {c for c in copy.conditions if c is not ir.TRUE} - {*self.known}

    def _facts(self, given: Sequence[Expr], at: Mapping[str, Polynomial]) -> Facts:
        definitions = {name: written(Scope(at).integer(written(p))) for name, p in self.before.definitions.items()}
        integer = Scope({**self.scope.values, **at}).integer
        loops = [(s.name, integer(s.min), integer(s.extent)) for s in self.leaf.loops if s.name not in at]
        return Facts(given, definitions, cache(lambda: samples(loops, 1, given, definitions)))


def _conditions_at(copy: Copy, n: int, at: Mapping[str, Polynomial]) -> list[Expr]:
    """When the copy's lane runs, in variables of the loops as built."""
    scope = Scope({**at, LANE.name: number(n)})
    found = [scope.condition(c) for c in _without_any(copy.conditions)]
    for name, value in copy.variables.items():
        mine = at.get(name, {(Var(name),): 1})
        gap = minus(mine, at_lane(value, n))
        if gap:
            found.append(ir.EQ(written(gap), const(0)))
    return [c for c in dict.fromkeys(found) if c is not ir.TRUE]


def _without_any(conditions: Sequence[Expr]) -> list[Expr]:
    """Without tests whether some lane is active, where each lane has a test of its own."""
    return [c for c in conditions if not (isinstance(c, ir.VectorReduce) and c.op == "or")]
