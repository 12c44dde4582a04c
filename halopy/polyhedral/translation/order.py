"""Whether printed statements that touch the same memory come in the order of the loops as built.

    for x in [0, s): S(x)              x < s  comes before  x >= s
    for x in [s, n): S'(x)

    unrolled u: A(u); B(u)    ->    A(0); B(0); A(1); B(1)     but neither  A(0); A(1); B(0); B(1)
                                                               nor  B(0); A(0); B(1); A(1)

Iterations of loops that run at once have no order. So of a vectorised loop all lanes of one statement may come before
the next, and a vector is loaded before it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from ...ir.expr import Effect, Load
from ...ir.node import find
from ...ir.stmt import Store
from ..validation.actors import CONCURRENT
from ..validation.names import names_in
from . import early_reads
from .actions import at_lane
from .copies import Copy
from .facts import Facts
from .inequalities import BUDGET
from .one_lane import LANE
from .paths import Guard, Leaf, Loop, Memory, Step, Turn, base_name
from .polynomials import ONE, Polynomial, at_least_zero, minus, plus
from .texts import After, Before

_MOST_PAIRS = 20_000


def doubts(before: Before, after: After, copies: Sequence[Copy]) -> list[tuple[Copy, Copy, str]]:
    """Pairs of statements of which the later may have to come first, and why."""
    return _Order(before, after).doubts(copies)


class _Order:
    def __init__(self, before: Before, after: After) -> None:
        self.before, self.after = before, after
        self._touched: dict[Leaf, tuple[frozenset[str], frozenset[str]]] = {}

    def doubts(self, copies: Sequence[Copy]) -> list[tuple[Copy, Copy, str]]:
        copies = sorted(copies, key=lambda copy: copy.order)
        found = [(copy, copy, why) for copy in copies if (why := self._alone(copy))]
        classes = list({self._class_of(copy): copy for copy in copies}.values())
        pairs = [(a, b) for a, b in combinations(classes, 2) if self._conflict(a.leaf, b.leaf)]
        if len(pairs) > _MOST_PAIRS or (pairs and BUDGET.is_spent()):
            return [*found, (*pairs[0], "too many statements touch the same memory")]
        return [*found, *((a, b, why) for a, b in pairs if (why := self._doubt(a, b)))]

    def _class_of(self, copy: Copy) -> object:
        """What alone counts for the order of a copy."""
        values = tuple((name, frozenset(p.items())) for name, p in copy.variables.items() if self._is_serial(name))
        return copy.order, copy.original, values

    def _is_serial(self, name: str) -> bool:
        return self.before.loops[name].kind not in CONCURRENT

    def _conflict(self, one: Leaf, other: Leaf) -> bool:
        writes, touches = self._memory(one)
        others_writes, others_touches = self._memory(other)
        return not (writes.isdisjoint(others_touches) and others_writes.isdisjoint(touches))

    def _memory(self, leaf: Leaf) -> tuple[frozenset[str], frozenset[str]]:
        """What a statement writes, and what it touches; with `everything` of all that is not only memory."""
        found = self._touched.get(leaf)
        if found is None:
            node, memory = leaf.node, {step.buffer: step.number for step in leaf.path if isinstance(step, Memory)}
            own = early_reads.expressions(leaf, self.after.early)
            loads = {load.buffer for e in own for load in find(e, Load)}
            writes = {f"{b} {memory.get(b, 0)}" for b in ([node.buffer] if isinstance(node, Store) else [])}
            if any(e.has(Effect) for e in own) or (not isinstance(node, Store) and not loads):
                writes.add("everything")
            touches = {f"{b} {memory.get(b, 0)}" for b in loads}
            found = self._touched[leaf] = frozenset(writes), frozenset({*writes, *touches, "everything"})
        return found

    def _alone(self, copy: Copy) -> str:
        """Why one statement may do its own iterations in another order."""
        original = self.before.leaves[copy.original]
        node = copy.leaf.node
        if isinstance(node, Store) and not node.has(Effect) and all(v.buffer != node.buffer for v in find(node, Load)):
            return ""
        for loop in original.loops:
            value = copy.variables.get(loop.name)
            varies = value is not None and copy.lanes.count > 1 and at_lane(value, 0) != at_lane(value, 1)
            if varies and loop.kind not in CONCURRENT:
                return f"it does iterations of {loop.name} at once"
        return ""

    def _doubt(self, one: Copy, other: Copy) -> str:
        """For statements in the order of the text."""
        mine, its = self.before.leaves[one.original], self.before.leaves[other.original]
        if self._are_exclusive(one.leaf, other.leaf) or self._are_exclusive(mine, its):
            return ""
        shared = [a for a, b in zip(one.leaf.loops, other.leaf.loops, strict=False) if a.number == b.number]
        why = self._carried_doubt(one, other, [base_name(loop.name) for loop in shared])
        return why or self._within_doubt(one, other, {loop.number for loop in shared})

    def _are_exclusive(self, one: Leaf, other: Leaf) -> bool:
        """Whether only one of them runs, or they are in different tasks, in the same iteration."""
        previous: Step | None = None
        for a, b in zip(one.path, other.path, strict=False):
            if isinstance(a, Turn) and isinstance(b, Turn) and a.block == b.block and a.position != b.position:
                return a.is_task or isinstance(previous, Guard)
            if isinstance(a, Guard) and isinstance(b, Guard) and a.condition is b.condition:
                previous = a
                continue
            if a != b:
                return False
            previous = a
        return False

    def _carried_doubt(self, one: Copy, other: Copy, shared: Sequence[str]) -> str:
        """In two iterations of a loop around both, what is outside of it in the loops as built must be the same."""
        if not shared:
            return ""
        for loop in self.before.leaves[one.original].loops:
            if loop.name == shared[-1]:
                return ""
            if loop.name in shared or loop.kind in CONCURRENT:
                continue
            ranges = [self._range(copy, loop) for copy in (one, other)]
            (low, high), (other_low, other_high) = ranges
            if not (low == high == other_low == other_high):
                return f"iterations of {loop.name} are mixed"
        return ""

    def _within_doubt(self, one: Copy, other: Copy, shared: set[int]) -> str:
        """In one iteration of all loops around both."""
        mine, its = self.before.leaves[one.original].path, self.before.leaves[other.original].path
        for a, b in zip(mine, its, strict=False):
            if isinstance(a, Turn) and isinstance(b, Turn):
                if a.position != b.position:
                    return "" if a.position < b.position else "it comes first in the loops"
            elif isinstance(a, Loop) and isinstance(b, Loop) and a.kind not in CONCURRENT:
                if self._is_shared(a, one, shared) and self._is_shared(a, other, shared):
                    continue
                facts = _without(one.facts, self._inner(mine, a))
                (_, high), (low, _) = self._range(one, a), self._range(other, a)
                gap = minus(low, high)
                if facts.imply(at_least_zero(plus(gap, {ONE: -1}))):
                    return ""
                if not facts.imply(at_least_zero(gap)):
                    return f"whether its {a.name} comes first is not known"
        return ""

    def _inner(self, path: Iterable[object], loop: Loop) -> set[str]:
        """Variables of this loop and of those inside."""
        names = [step.name for step in path if isinstance(step, Loop)]
        return set(names[names.index(loop.name) :])

    def _is_shared(self, loop: Loop, copy: Copy, shared: set[int]) -> bool:
        return any(s.number in shared and base_name(s.name) == loop.name for s in copy.leaf.loops)

    def _range(self, copy: Copy, loop: Loop) -> tuple[Polynomial, Polynomial]:
        """The least and greatest iteration of a loop as built that a copy does."""
        value = copy.variables.get(loop.name)
        if value is not None:
            ends = at_lane(value, 0), at_lane(value, copy.lanes.count - 1)
            return ends if value.get((LANE,), 0) >= 0 else (ends[1], ends[0])
        step = next(s for s in copy.leaf.loops if base_name(s.name) == loop.name)
        low, extent = self.after.ranges[step.number]
        return low, plus(plus(low, extent), {ONE: -1})


def _without(facts: Facts, names: set[str]) -> Facts:
    """What is known without those names."""
    return Facts([c for c in facts.conditions if names.isdisjoint(names_in(c))], facts.definitions, None, facts.checked)
