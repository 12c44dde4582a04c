"""Which iterations of unrolled loops, and of loops that became lanes, a printed statement may be.

    f[(xo*4 + xi)*8 + v]  beside  f[xo*32 + 8 + lane]     ->     xi = 1, v = lane

Nothing rests on it: what is found is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from ...ir.expr import Expr, Var, const_value
from ..validation.names import names_in
from .actions import LANE_TERM, Action, action, loads_in, names_of
from .one_lane import LANE, Progression
from .paths import Leaf, Loop, Name, base_name
from .polynomials import Polynomial, minus, number, plus, polynomial
from .texts import COPIED, After, Before, Surroundings

_MOST_TRIES = 24


class Guesses:
    """A printed statement beside a leaf of the loops as built; `missing` are loops that are not around it any more."""

    def __init__(
        self,
        before: Before,
        after: After,
        leaf: Leaf,
        printed: Leaf,
        around: Surroundings,
        lanes: Progression,
        done: Action,
    ) -> None:
        self.before, self.after, self.leaf, self.around, self.lanes, self.done = (
            before,
            after,
            leaf,
            around,
            lanes,
            done,
        )
        names = [base_name(loop.name) for loop in printed.loops]
        self.kept = set(names)
        self.missing = [loop for loop in leaf.loops if loop.name not in self.kept]
        self.fits = _is_part(names, [loop.name for loop in leaf.loops])
        outside = {loop.name for loop in leaf.loops[: self._first_missing()]}
        parents = tuple(loop.number for loop in printed.loops if base_name(loop.name) in outside)
        self.turn_key = parents, frozenset((done.index or {}).items())

    def _first_missing(self) -> int:
        """How many loops are around the first that is not there any more."""
        loops = self.leaf.loops
        return loops.index(self.missing[0]) if self.missing else len(loops)

    def all(self, turn: int) -> Iterator[dict[str, Polynomial]]:
        """Values of the loop variables that are not there, likely ones first."""
        if not self.fits:
            return
        known: dict[str, Polynomial] = {}
        unknown: dict[str, int] = {}
        left: dict[str, list[Polynomial]] = {}  # loops of which one iteration is left
        for loop in self.missing:
            extent = const_value(loop.extent)
            if loop.name in self.around.replaced:
                known[loop.name] = self.around.replaced[loop.name]
            elif extent == 1:
                known[loop.name] = self.before.scope(self.leaf.path, known).integer(loop.min)
            elif extent is not None and loop.kind in COPIED:
                unknown[loop.name] = int(extent)
            else:
                left[loop.name] = self._ends(loop, known)
        for values in islice(product(*left.values()), _MOST_TRIES):
            alone = {**known, **dict(zip(left, values, strict=True))}
            yield from self._guesses(alone, unknown, turn) if unknown else [alone]

    def _ends(self, loop: Loop, known: Mapping[str, Polynomial]) -> list[Polynomial]:
        """The first iteration of a loop, the last, and those next to what is left of it elsewhere."""
        scope = self.before.scope(self.leaf.path, known)
        low, extent = scope.integer(loop.min), scope.integer(loop.extent)
        found = [low, plus(plus(low, extent), number(-1)), *self.after.ends.get(loop.name, [])]
        others = {name for name in self.before.loops if name not in self.kept}
        unbound = self.before.definitions.keys() - {step.name for step in self.leaf.path if isinstance(step, Name)}
        unique = {frozenset(p.items()): p for p in found}
        return [p for p in unique.values() if names_of(p).isdisjoint(others | unbound)]

    def _guesses(
        self, known: Mapping[str, Polynomial], unknown: Mapping[str, int], turn: int
    ) -> Iterator[dict[str, Polynomial]]:
        lows = {loop.name: loop.min for loop in self.missing}
        likely = self._likely(known, unknown, lows)
        choices = [self._choices(unknown[name], likely.get(name, [])) for name in unknown]
        combined = [dict(zip(unknown, chosen, strict=True)) for chosen in islice(product(*choices), 4 * _MOST_TRIES)]
        ambiguous = not any(likely.values())
        for k in range(len(combined)):
            offsets = combined[(turn * ambiguous + k) % len(combined)]
            scope = self.before.scope(self.leaf.path, known)
            values = dict(known)
            for name, offset in offsets.items():
                values[name] = plus(scope.integer(lows[name]), offset)
            yield values

    def _choices(self, extent: int, likely: list[Polynomial]) -> list[Polynomial]:
        lane: list[Polynomial] = [{LANE_TERM: 1}] if self.lanes.count == extent else []
        return [*likely, *(p for p in (*lane, *map(number, range(extent))) if p not in likely)]

    def _likely(
        self, known: Mapping[str, Polynomial], unknown: Mapping[str, int], lows: Mapping[str, Expr]
    ) -> dict[str, list[Polynomial]]:
        """Unknown offsets that addresses tell: those of stores, or else of loads that may be the same."""
        scope = self.before.scope(self.leaf.path, known)
        guess = dict(known)
        for name in unknown:
            guess[name] = plus(scope.integer(lows[name]), {(Var(f"?{name}"),): 1})
        mine = action(self.leaf.node, self.before.scope(self.leaf.path, guess))
        found: dict[str, list[Polynomial]] = {}
        if mine.index is not None and self.done.index is not None:
            for solution in _solutions(minus(mine.index, self.done.index), unknown, self.lanes.count):
                found.update((name, [p]) for name, p in solution.items())
        loads, others = (loads_in(a.values) for a in (mine, self.done))
        alike = ((a, b) for a in loads for b in others if a.buffer == b.buffer)
        for a, b in islice(alike, _MOST_TRIES) if found.keys() < unknown.keys() else ():
            for solution in _solutions(minus(polynomial(a.index), polynomial(b.index)), unknown, self.lanes.count):
                for name in solution.keys() - found.keys():
                    found[name] = [solution[name]]
        return found


def _is_part(some: Sequence[str], names: Sequence[str]) -> bool:
    """Whether some of the names, in their order."""
    rest = iter(names)
    return all(name in rest for name in some)


def _solutions(gap: Polynomial, unknown: Mapping[str, int], lanes: int) -> Iterator[dict[str, Polynomial]]:
    """Values of unknown offsets for which parts of the gap are 0, one part for each stride."""
    atoms = {Var(f"?{name}"): name for name in unknown}
    parts: dict[tuple[Expr, ...], dict[str, int]] = {}
    for term, c in gap.items():
        mine = [atom for atom in term if atom in atoms]
        rest = tuple(atom for atom in term if atom not in atoms)
        if any(name.startswith("?") for atom in rest for name in names_in(atom)) or len(mine) > 1:
            return  # inside a quotient, say
        if mine:
            parts.setdefault(rest, {})[atoms[mine[0]]] = c
    for rest, factors in parts.items():
        fixed = gap.get(rest, 0)
        slope = gap.get(tuple(sorted((*rest, LANE), key=id)), 0)
        assignments = _digits(factors, unknown, fixed, slope, lanes)
        if assignments is not None:
            yield assignments


def _digits(
    factors: Mapping[str, int], unknown: Mapping[str, int], fixed: int, slope: int, lanes: int
) -> dict[str, Polynomial] | None:
    """The one choice of offsets with sum of factor*offset + fixed + slope*lane = 0 in each lane, linear in the lane."""
    names = list(factors)
    size = 1
    for name in names:
        size *= unknown[name]
    if size > 4096:
        return None
    sums: dict[int, list[tuple[int, ...]]] = {}
    for offsets in product(*(range(unknown[name]) for name in names)):
        sums.setdefault(sum(factors[n] * o for n, o in zip(names, offsets, strict=True)), []).append(offsets)
    rows = [sums.get(-(fixed + slope * lane), []) for lane in range(lanes)]
    if any(len(row) != 1 for row in rows):
        return None
    first, second = rows[0][0], rows[1][0] if lanes > 1 else rows[0][0]
    steps = [b - a for a, b in zip(first, second, strict=True)]
    if any(row[0] != tuple(a + k * s for a, s in zip(first, steps, strict=True)) for k, row in enumerate(rows)):
        return None
    return {name: plus(number(a), {LANE_TERM: s} if s else {}) for name, a, s in zip(names, first, steps, strict=True)}
