"""Which iterations of the loops as built a printed statement does.

    for x in [0, n):                               for x in [0, n/8):
      vectorized (v, 0, 8):                  ->      f[ramp(x*8, 1, 8)] = g[…]          lane j: v = j
        if x*8 + v < m: f[x*8 + v] = g[x*8 + v]      under x*8 + 7 < m, say

Variables of loops that are still there are the same. Those of loops that were unrolled, or are lanes, are found by
comparing addresses. What was found is checked: in each iteration and lane the statement must store to the same
element, of the same elements, and the loops as built must do so too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ...ir.expr import Expr, Load, Var, VectorReduce, const_value
from ...ir.node import find
from ...ir.stmt import LetStmt, LoopKind, Stmt, Store
from . import early_reads
from .actions import LANE_TERM, Action, action, at_lane, names_of
from .alike import without_alike
from .chosen_loads import chosen_loads
from .facts import Facts
from .guesses import Guesses
from .inequalities import BUDGET, TOO_LONG
from .one_lane import LANE, OneLane, Progression, Unknown
from .paths import Leaf, Loop, Memory, Turns, base_name, key_of
from .polynomials import Polynomial, Scope, at_least_zero, constant, minus, number, plus, polynomial, written
from .samples import Sample, samples
from .statement_lanes import combined, lanes_of
from .texts import After, Before, Surroundings

_MOST_TRIES, _MOST_SHOWN = 12, 2
_COMPARISON = 10  # operations that one of addresses counts as


@dataclass(frozen=True)
class Copy:
    """Lanes of a printed statement, and which iterations of a leaf of the loops as built they are.

    `variables` are those of loops that are no longer there. `conditions` say when it happens.
    """

    leaf: Leaf
    order: int
    lanes: Progression
    original: int
    variables: Mapping[str, Polynomial]
    conditions: tuple[Expr, ...]
    facts: Facts

    def value(self, name: str, n: int) -> int | None:
        """Of a variable that is a number for each lane."""
        return constant(at_lane(self.variables[name], n))

    @cached_property
    def kept(self) -> set[str]:
        return {base_name(loop.name) for loop in self.leaf.loops}


@dataclass(frozen=True, slots=True)
class Lost:
    """A printed statement that does not do what the loops do, as far as could be seen; `why`, and `shown` where."""

    leaf: Leaf
    why: str
    shown: tuple[Mapping[str, int], ...] = ()


class Copies:
    """Finds the original of each printed statement."""

    def __init__(self, before: Before, after: After) -> None:
        self.before, self.after = before, after
        self._turns: dict[object, int] = {}
        self._found: dict[int, int] = {}

    def of(self, order: int) -> list[Copy] | Lost:
        """What the printed leaf with this number does, lanes with one expression together.

        Reads that stand there alone are looked at where they are used.
        """
        leaf = self.after.leaves[order]
        if isinstance(leaf.node, LetStmt) and leaf.node.name in self.after.early:
            return []
        why = early_reads.doubt(self.after.leaves, order, self.after.early)
        if why:
            return Lost(leaf, why)
        around = self.after.around(leaf)
        found: list[Copy] = []
        try:
            for lanes, node, masks in lanes_of(leaf.node, around):
                copy = self._copy(leaf, order, around, lanes, node, masks)
                several = self._apart(leaf, order, around, lanes) if isinstance(copy, Lost) else [copy]
                if isinstance(copy, Lost) and not several:
                    return copy
                found += several
        except Unknown:
            return Lost(leaf, "it combines lanes")
        return found

    def _apart(self, leaf: Leaf, order: int, around: Surroundings, lanes: Progression) -> list[Copy]:
        """The copies where lanes are iterations of two loops, of the inner one one iteration for each; or none.

        f[ramp(x*8, 1, 8)]     of     vectorized (a, 0, 4): vectorized (b, 0, 2): f[x*8 + a*2 + b]
        """
        for inner in self._inner_lanes(leaf, lanes.count):
            size = lanes.count // inner
            parts = [Progression(lanes[k], lanes.step * inner, size) for k in range(inner)]
            found: list[Copy] = []
            for some, node, masks in lanes_of(leaf.node, around, parts):
                copy = self._copy(leaf, order, around, some, node, masks)
                if isinstance(copy, Lost):
                    break
                found.append(copy)
            else:
                return found
        return []

    def _inner_lanes(self, leaf: Leaf, count: int) -> list[int]:
        """How many lanes inner loops of the originals have."""
        found = {}
        for original in self.before.by_key.get(key_of(leaf.node), []):
            loops = [s for s in self.before.leaves[original].loops if s.kind is LoopKind.VECTORIZED]
            size = const_value(loops[-1].extent) if len(loops) > 1 else None
            if size is not None and 1 < size < count and count % size == 0:
                found[int(size)] = True
        return list(found)

    def _copy(
        self, leaf: Leaf, order: int, around: Surroundings, lanes: Progression, node: Stmt, masks: Sequence[Expr]
    ) -> Copy | Lost:
        done = action(node, around.scope)
        when = [*around.conditions, *(around.scope.condition(c) for c in masks)]
        range_ = _range_of_lane(lanes)
        why, shown = "", list[Mapping[str, int]]()
        for original in sorted(self.before.by_key.get(key_of(leaf.node), []), key=lambda n: self._found.get(n, 0)):
            built = self.before.leaves[original]
            here = [*when, *_of_lanes_now_in_turn(built, leaf, around)]
            attempt = _Attempt(self.before, self.after, built, leaf, lanes, done, [*here, *range_])
            guesses = Guesses(self.before, self.after, built, leaf, around, lanes, done)
            key = original, guesses.turn_key
            for variables in islice(guesses.all(self._turns.get(key, 0)), _MOST_TRIES):
                if BUDGET.is_spent():
                    return Lost(leaf, TOO_LONG)
                doubt = attempt.doubt(variables, guesses.missing)
                if not doubt:
                    self._turns[key] = self._turns.get(key, 0) + 1
                    if not isinstance(node, Store | LetStmt):  # those that are alike come in turn
                        self._found[original] = self._found.get(original, 0) + 1
                    return Copy(leaf, order, lanes, original, variables, tuple(here), attempt.facts)
                why = why or doubt  # of the likeliest guess
                shown += [attempt.facts.shown.values] if attempt.facts.shown else []
        return Lost(leaf, why or "no statement of the loops is like it", tuple(shown[:_MOST_SHOWN]))


def _of_lanes_now_in_turn(built: Leaf, printed: Leaf, around: Surroundings) -> Iterator[Expr]:
    """Conditions on all lanes, for the one whose turn it is in a loop over them."""
    names = {base_name(loop.name): loop.name for loop in printed.loops}
    for loop in built.loops if around.lanes else ():
        if loop.kind is not LoopKind.VECTORIZED or loop.name not in names:
            continue
        here = minus(around.scope.integer(Var(loop.name)), around.scope.integer(loop.min))
        for condition in around.lanes:
            assert isinstance(condition, VectorReduce), "found by its class"
            count = condition.value.dtype.lanes
            if count == const_value(loop.extent):
                each = OneLane(around.vectors)(condition.value, Progression(0, 1, count))
                yield around.scope.under({LANE.name: here}).condition(each)


def _range_of_lane(lanes: Progression) -> list[Expr]:
    lane: Polynomial = {LANE_TERM: 1}
    return [] if lanes.count == 1 else [at_least_zero(lane), at_least_zero(minus(number(lanes.count - 1), lane))]


class _Attempt:
    """A printed statement beside one leaf of the loops as built."""

    def __init__(
        self,
        before: Before,
        after: After,
        leaf: Leaf,
        printed: Leaf,
        lanes: Progression,
        done: Action,
        conditions: Sequence[Expr],
    ) -> None:
        self.before, self.after, self.leaf, self.printed = before, after, leaf, printed
        self.lanes, self.done, self.conditions = lanes, done, conditions
        self.around = after.around(printed)
        self.kept = {base_name(loop.name) for loop in printed.loops}

    @cached_property
    def facts(self) -> Facts:
        """What holds in each iteration and lane of the printed statement."""
        definitions = {name: written(value) for name, value in self.before.definitions.items()}
        definitions.update(self.around.told)
        conditions, checked = self.conditions, self.around.checked
        found: list[list[Sample]] = []

        def some() -> list[Sample]:
            if not found:
                loops = [(base_name(s.name), *self.after.ranges[s.number]) for s in self.printed.loops]
                found.append(samples(loops, self.lanes.count, [*conditions, *checked], definitions))
            return found[0]

        return Facts(conditions, definitions, some, checked)

    def doubt(self, variables: Mapping[str, Polynomial], missing: Sequence[Loop]) -> str:
        """Why the statement may not be these iterations; empty where it is."""
        scope = self.before.scope(self.leaf.path, variables)
        facts = self.facts
        mine = action(self.leaf.node, scope)
        index, its = mine.index, self.done.index
        if index is not None and its is not None and not self._is_same(index, its, facts):
            return f"it stores to {written(its)}, the loops to {written(index)}"
        if combined(self.printed.node) is not None and not self._may_combine():
            return "it adds up iterations in another order"
        for loop in missing:
            if not all(map(facts.imply, _in_range(loop, scope))):
                return f"{loop.name} may be outside its loop"
        for condition in self.before.conditions(self.leaf.path, scope):
            if not facts.imply(condition):
                return f"it may happen where not {condition}"
        return self._memory_doubt(scope, facts) or self._reads_doubt(mine, facts)

    def _may_combine(self) -> bool:
        """Whether iterations may be grouped otherwise: bit by bit the same, or allowed by the schedule."""
        node = self.leaf.node
        takes_turns = any(isinstance(step, Turns) for step in self.leaf.path)
        return isinstance(node, Store) and (node.value.dtype.is_integer or takes_turns)

    def _memory_doubt(self, scope: Scope, facts: Facts) -> str:
        """Whether scratch memory is as large as it was, and another one in as many iterations."""
        touched = {n.buffer for n in find(self.printed.node, Load)}
        touched |= {self.printed.node.buffer} if isinstance(self.printed.node, Store) else set()
        printed = {step.buffer: n for n, step in enumerate(self.printed.path) if isinstance(step, Memory)}
        for n, step in enumerate(self.leaf.path):
            if not isinstance(step, Memory) or step.buffer not in touched:
                continue
            at = printed.get(step.buffer)
            if at is None:
                return f"{step.buffer} has no memory"
            loops = {s.name for s in self.leaf.path[:n] if isinstance(s, Loop)} & self.kept
            if loops != {base_name(s.name) for s in self.printed.path[:at] if isinstance(s, Loop)}:
                return f"{step.buffer} is allocated in other loops"
            other = self.printed.path[at]
            assert isinstance(other, Memory), "found by its class"
            mine, its = scope.integer(step.size), self.around.scope.integer(other.size)
            more = self._looked_through(minus(its, mine))
            if not facts.imply(at_least_zero(more)):
                return f"{step.buffer} has {other.size} elements, where the loops have {step.size}"
        return ""

    def _is_same(self, mine: Polynomial, its: Polynomial, facts: Facts) -> bool:
        BUDGET.spend(_COMPARISON)
        gap = minus(mine, its)
        if not gap:
            return True
        wider = self._looked_through(gap)
        return not wider or any(facts.is_zero(without_alike(p, facts.is_zero)) for p in (gap, wider))

    def _looked_through(self, gap: Polynomial) -> Polynomial:
        """With what strides and the like stand for, where that leaves nothing."""
        for _ in range(4):
            names = names_of(gap)
            values = {name: self.before.definitions[name] for name in names & self.before.definitions.keys()}
            if not values:
                break
            wider = Scope(values).integer(written(gap))
            if not wider:
                return wider
            if len(wider) > 4 * len(gap) + 8:
                break
            gap = wider
        return gap

    def _reads_doubt(self, mine: Action, facts: Facts) -> str:
        if mine.values == self.done.values:
            return ""
        ours, theirs = _by_load(mine.values), _by_load(self.done.values)
        used: set[Load] = set()
        for load, choices in theirs.items():
            match = next(
                (other for other in ours if other.buffer == load.buffer and self._meets(other, load, facts)), None
            )
            if match is not None:
                used.add(match)
            elif not any(_is_impossible(c, facts) for c in choices):
                return f"it reads {load}, which the loops do not"
        for load, choices in ours.items():
            if load in used or all(_is_impossible(c, facts) for c in choices):
                continue
            if not any(o.buffer == load.buffer and self._meets(load, o, facts) for o in theirs):
                return f"it does not read {load}"
        return ""

    def _meets(self, mine: Load, its: Load, facts: Facts) -> bool:
        return mine is its or self._is_same(polynomial(mine.index), polynomial(its.index), facts)


def _in_range(loop: Loop, scope: Scope) -> list[Expr]:
    offset = minus(scope.integer(Var(loop.name)), scope.integer(loop.min))
    extent = scope.integer(loop.extent)
    return [at_least_zero(offset), at_least_zero(plus(minus(extent, offset), number(-1)))]


def _is_impossible(choices: tuple[Expr, ...], facts: Facts) -> bool:
    return bool(choices) and facts.exclude(choices)


def _by_load(values: Sequence[Expr]) -> dict[Load, list[tuple[Expr, ...]]]:
    """Loads with the choices under which they count."""
    found: dict[Load, list[tuple[Expr, ...]]] = {}
    for load, choices in chosen_loads(values):
        found.setdefault(load, []).append(choices)
    return found
