"""What can be decided about the body of a loop for its steady state, and which iterations are steady.

Only what runs in an innermost loop or differs between vector lanes is worth a steady state: the clamp of
a row's coordinate costs nothing where the loop over its pixels stands inside. A schedule may say otherwise. In a block
of a device each thread evaluates everything, so all of it is worth it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..dtypes import INT32
from ..ir.build import add, sub
from ..ir.expr import (
    EQ,
    FALSE,
    GE,
    GT,
    LT,
    NE,
    TRUE,
    And,
    Call,
    Compare,
    Expr,
    Load,
    Max,
    Min,
    Not,
    Or,
    Select,
    const_value,
)
from ..ir.linear import difference
from ..ir.node import Node, find, mask
from ..ir.simplify import simplify
from ..ir.stmt import For, If, LoopKind, LoopPartition
from .likely import LIKELY, strip_likely
from .solve import Bounds, Inside, Solver, exact_bounds

_NEAR = 8  # iterations from an end of the loop
_DEEPEST = 50  # choices within choices; a boundary condition has a few, and each is solved through all it holds
_CHOICES = mask(Min, Max, Select)


@dataclass(slots=True)
class Decisions:
    """In the iterations within `bounds`, each key of `replaced` equals its value.

    `lanes` are the vector loops among whose lanes a key may differ, `tested` those where such a key is a condition.
    """

    bounds: Bounds = field(default_factory=Bounds)
    replaced: dict[Expr, Expr] = field(default_factory=dict)
    lanes: set[str] = field(default_factory=set)
    tested: set[str] = field(default_factory=set)


def decide(loop: For) -> Decisions:
    """All that the loop's own variable decides."""
    candidates = [n for n in find(loop.body, Min, Max, Select, If, Call) if type(n) is not Call or n.name in LIKELY]
    return _Decider(loop).all(_shallow(loop, candidates)) if candidates else Decisions()


def _shallow(loop: For, candidates: list[Node]) -> list[Node]:
    """Those that hold few choices one within the other: the work for all of them grows with their number only."""
    depths: dict[Node, int] = {}
    stack: list[Node] = [loop.body]
    while stack:
        node = stack[-1]
        inside = [child for child in node.children() if child.kinds & _CHOICES]
        waiting = [child for child in inside if child not in depths]
        if waiting:
            stack.extend(waiting)
            continue
        own = 1 if isinstance(node, Min | Max | Select) else 0
        depths[stack.pop()] = own + max((depths[child] for child in inside), default=0)
    return [n for n in candidates if depths.get(n.condition if isinstance(n, If) else n, 0) <= _DEEPEST]


def is_innermost(loop: For) -> bool:
    """Whether no loop stands inside, vector lanes apart."""
    return all(inner.kind is LoopKind.VECTORIZED for inner in find(loop.body, For))


class _Decider:
    """Collects decisions about one loop."""

    def __init__(self, loop: For) -> None:
        self.loop = loop
        self.inside = Inside.of(loop)
        self.found = Decisions()
        self.solver = Solver(self.inside, self.found.replaced)
        self.innermost = is_innermost(loop)
        innermost = [inner for inner in find(loop, For) if is_innermost(inner)]
        self.hot = {inner.name for inner in innermost}
        self.vectors = {inner.name for inner in innermost if inner.kind is LoopKind.VECTORIZED}
        # A constant size of an innermost loop lets the C compiler unroll it.
        sizes = (inner.extent for inner in innermost if inner is not loop and const_value(inner.extent) is None)
        self.sizes = {n for size in sizes for n in find(size, Min, Max, Select)}

    def all(self, candidates: list[Node]) -> Decisions:
        for node in candidates:  # operands before what uses them: a clamp is a max of a min
            if not self._matters(node.condition if isinstance(node, If) else node):
                continue
            if isinstance(node, Min | Max):
                self._extremum(node)
            elif isinstance(node, Select):
                self._select(node)
            elif isinstance(node, If) and node.otherwise is None:
                self._condition(node.condition, True, certain=True)
            elif isinstance(node, Call) and node.dtype.is_bool and self._counts(node):
                self._condition(node.args[0], True, certain=True)
        return self.found

    def _matters(self, node: Node) -> bool:
        always = self.loop.partition is LoopPartition.ALWAYS or self.loop.kind is LoopKind.GPU_BLOCK
        return always or node in self.sizes or self.inside.uses(node, self.hot)

    def _counts(self, mark: Call) -> bool:
        return mark.name == "likely" or self.innermost

    def _is_marked(self, e: Expr) -> bool:
        return any(call.name in LIKELY and self._counts(call) for call in find(e, Call))

    def _take(self, node: Expr, value: Expr, bounds: Bounds) -> None:
        self.found.replaced[node] = value
        lanes = {name for name in self.vectors if self.inside.uses(node, {name})}
        self.found.lanes |= lanes
        if not isinstance(node, Min | Max):
            self.found.tested |= lanes
        self.found.bounds.extend(bounds)

    def _extremum(self, node: Min | Max) -> None:
        """In the steady state the operand that is marked, or else the one that moves, is the result."""
        if node.dtype is not INT32:
            return
        marks = self._is_marked(node.a), self._is_marked(node.b)
        moves = marks if marks[0] != marks[1] else (self.inside.reaches(node.a), self.inside.reaches(node.b))
        if moves[0] == moves[1]:
            return
        kept, other = (node.a, node.b) if moves[0] else (node.b, node.a)
        bounds = self._keeping(node, kept, other)
        if bounds and moves is not marks and self._is_rare(bounds):
            kept, other = other, kept
            bounds = self._keeping(node, kept, other)
        if bounds:
            self._take(node, kept, bounds)

    def _keeping(self, node: Min | Max, kept: Expr, other: Expr) -> Bounds | None:
        kept, other = strip_likely(kept), strip_likely(other)
        return self.solver.not_negative(sub(other, kept) if isinstance(node, Min) else sub(kept, other))

    def _select(self, node: Select) -> None:
        """The marked operand, or what holds for all but a few iterations at an end."""
        marks = self._is_marked(node.a), self._is_marked(node.b)
        if marks[0] != marks[1]:
            self._condition(node.condition, marks[0], certain=True)
        elif not self._is_marked(node.condition):
            self._condition(node.condition, True, certain=False)

    def _condition(self, condition: Expr, truth: bool, *, certain: bool) -> None:
        """Decide the comparisons that make up a condition. If not `certain` of the truth, the one that is common."""
        if isinstance(condition, Call) and condition.name in LIKELY:
            self._condition(condition.args[0], truth, certain=certain)
        elif isinstance(condition, Not):
            self._condition(condition.a, not truth, certain=certain)
        elif isinstance(condition, And | Or):
            if not certain or truth == isinstance(condition, And):
                self._condition(condition.a, truth, certain=certain)
                self._condition(condition.b, truth, certain=certain)
        elif isinstance(condition, Compare) and condition not in self.found.replaced:
            self._comparison(condition, truth, certain)

    def _comparison(self, condition: Compare, truth: bool, certain: bool) -> None:
        choices = [
            (holds, bounds)
            for holds in ((truth,) if certain else (True, False))
            for gap in gaps(condition, holds)
            if (bounds := self.solver.not_negative(strip_likely(gap)))
        ]
        good = [c for c in choices if (not self._is_rare(c[1]) if certain else self._is_common(c[1]))]
        for holds, bounds in (good or (choices if certain else []))[:1]:
            self._take(condition, TRUE if holds else FALSE, bounds)

    def _is_rare(self, bounds: Bounds) -> bool:
        """Whether only a few iterations at an end of the loop are within the bounds."""
        return any(self._from_start(e) for e in bounds.before) or any(self._from_end(e) for e in bounds.at_least)

    def _is_common(self, bounds: Bounds) -> bool:
        """Whether all but a few iterations at the ends of the loop are within the bounds."""
        near = all(map(self._from_start, bounds.at_least)) and all(map(self._from_end, bounds.before))
        return near and not bounds.only_if

    def _from_start(self, e: Expr) -> bool:
        return self._is_near(e, self.loop.min)

    def _from_end(self, e: Expr) -> bool:
        return self._is_near(add(self.loop.min, self.loop.extent), e)

    def _is_near(self, a: Expr, b: Expr) -> bool:
        gap = difference(simplify(a), simplify(b))
        trips = const_value(self.loop.extent)
        return gap is not None and gap <= (_NEAR if trips is None else min(_NEAR, trips // 4))


def is_range(condition: Expr, name: str) -> bool:
    """Whether a condition holds for a range of a variable's values, whose ends are sums."""
    if isinstance(condition, And):
        return is_range(condition.a, name) and is_range(condition.b, name)
    if not isinstance(condition, Compare) or condition.has(Load):
        return False
    solved = [exact_bounds(gap, name) for gap in gaps(condition, True)]
    return len(solved) == 1 and solved[0] is not None


def gaps(condition: Compare, holds: bool) -> Iterator[Expr]:
    """Expressions, each of which makes the condition hold, or not, where it is not negative."""
    a, b = condition.a, condition.b
    if a.dtype is not INT32:
        return
    if isinstance(condition, EQ | NE):
        if isinstance(condition, NE) == holds:
            yield sub(sub(a, b), 1)
            yield sub(sub(b, a), 1)
        return
    if isinstance(condition, GT | GE):
        a, b = b, a
    strict = isinstance(condition, LT | GT)
    if holds:
        yield sub(sub(b, a), 1) if strict else sub(b, a)
    else:
        yield sub(a, b) if strict else sub(sub(a, b), 1)
