"""The legality of a stage's loops by running them: each instance with its place in the nest, each pair compared.

Nothing is shared with what is tested but the definition and the directives: loops are run one iteration after the
other, and variables are computed from them, where the analysis goes the other way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import halopy as hl
from halopy.ir.expr import Expr, FuncAccess, Param, Var
from halopy.ir.function import Function
from halopy.ir.groups import elements_of
from halopy.ir.node import find
from halopy.ir.rewrite import Rewriter
from halopy.schedule.directives import Fuse, Rename, Skew, Split
from halopy.schedule.initial import pure_variables
from halopy.schedule.nest import StageNest
from halopy.witness import Witness

from ..ir.evaluation import evaluate

SIZE = 3  # of the region in each pure variable
Values = dict[str, int]


@dataclass(frozen=True)
class Point:
    """An instance, with the iteration of the loops in which it runs, the outermost first."""

    variables: Values
    loops: tuple[int, ...]
    writes: frozenset[tuple[int, ...]]
    reads: frozenset[tuple[int, ...]]


class Stage:
    """One update of a Func, for certain values of its Params."""

    def __init__(self, func: hl.Func, number: int, params: Mapping[str, int] | None = None) -> None:
        self.function: Function = func._contents.defined_function
        self.contents, self.number = func._contents, number
        self.definition = self.function.definitions[number]
        self.params = dict(params or {})
        domain = self.definition.rdom
        self.ranges = {v.name: (self.value(v.min, {}), self.value(v.extent, {})) for v in domain.vars} if domain else {}
        for name in pure_variables(self.function, number):
            self.ranges[name] = self.params.get(f"{name}.min", 0), self.params.get(f"{name}.extent", SIZE)

    def value(self, e: Expr, at: Values) -> int:
        return int(evaluate(_Named()(e), {**at, **self.params})[0])

    def exists(self, at: Values) -> bool:
        inside = all(low <= at[name] < low + extent for name, (low, extent) in self.ranges.items())
        predicate = self.definition.rdom.predicate if self.definition.rdom else None
        return inside and (predicate is None or bool(self.value(predicate, at)))

    def touched(self, at: Values) -> tuple[frozenset[tuple[int, ...]], frozenset[tuple[int, ...]]]:
        """The elements written and read by an instance."""
        writes, reads = set(), set()
        for element in elements_of(self.definition):
            writes.add(tuple(self.value(e, at) for e in element.index))
            for root in (*element.index, *element.values):
                for access in find(root, FuncAccess):
                    if access.ref is self.contents:
                        reads.add(tuple(self.value(e, at) for e in access.index))
        return frozenset(writes), frozenset(reads)

    def date(self, at: Values) -> tuple[int, ...]:
        """The algorithm's own order."""
        return tuple(at[name] for name in reversed(self.ranges))

    def points(self, nest: StageNest) -> Iterator[Point]:
        """What the nest runs, in the order of its serial loops."""
        run = _Run(nest, self.ranges)
        for loops in itertools.product(*(range(low, low + extent) for low, extent in run.loops())):
            at = run.variables(loops)
            if at is not None and self.exists(at):
                yield Point(at, loops, *self.touched(at))


class _Named(Rewriter):
    only = (Param,)

    def rewrite_Param(self, p: Param) -> Expr:
        return Var(p.ref.name, p.dtype)


class _Run:
    """The loops of a nest with their ranges, and what their iterations are in the stage's own variables."""

    def __init__(self, nest: StageNest, own: Mapping[str, tuple[int, int]]) -> None:
        self.names = list(reversed(nest.loop_names))
        self.own = list(own)
        self.current = {name: (name, span) for name, span in own.items()}  # loop -> (unique symbol, range)
        self.undo: list[Callable[[Values], bool]] = []
        for number, step in enumerate(nest.steps):
            self._apply(step, number)

    def loops(self) -> list[tuple[int, int]]:
        return [self.current[name][1] for name in self.names]

    def variables(self, loops: tuple[int, ...]) -> Values | None:
        known = {self.current[name][0]: value for name, value in zip(self.names, loops, strict=True)}
        if all(undo(known) for undo in reversed(self.undo)):
            return {name: known[name] for name in self.own}
        return None

    def _apply(self, step: Split | Fuse | Rename | Skew, number: int) -> None:
        if isinstance(step, Rename):
            self.current[step.new] = self.current.pop(step.old)
        elif isinstance(step, Skew):
            (old, (low, extent)), (by, (start, count)) = self.current[step.loop], self.current[step.by]
            made, ends = f"{step.loop}'{number}", [step.factor * start, step.factor * (start + count - 1)]
            self.current[step.loop] = (made, (low + min(ends), extent + max(ends) - min(ends)))
            self.undo.append(lambda known: _set(known, old, known[made] - step.factor * known[by], low, extent))
        elif isinstance(step, Split):
            old, (low, extent) = self.current.pop(step.old)
            factor = int(step.factor.value)
            outer, inner = f"{step.outer}'{number}", f"{step.inner}'{number}"
            self.current[step.outer] = (outer, (0, -(-extent // factor)))
            self.current[step.inner] = (inner, (0, factor))
            self.undo.append(lambda known: _set(known, old, low + known[outer] * factor + known[inner], low, extent))
        else:
            (inner, (low, extent)), (outer, (start, count)) = (self.current.pop(n) for n in (step.inner, step.outer))
            fused = f"{step.fused}'{number}"
            self.current[step.fused] = (fused, (0, extent * count))
            self.undo.append(
                lambda known: (
                    _set(known, inner, low + known[fused] % extent, low, extent)
                    and _set(known, outer, start + known[fused] // extent, start, count)
                )
            )


def _set(known: Values, name: str, value: int, low: int, extent: int) -> bool:
    known[name] = value
    return low <= value < low + extent


def conflicts(a: Point, b: Point) -> bool:
    """Whether both touch an element that one of them writes."""
    return bool(a.writes & (b.writes | b.reads) or a.reads & b.writes)


def is_legal(stage: Stage, nest: StageNest, order_matters: bool = True) -> bool:
    """Whether the nest keeps the order of all pairs of instances that conflict."""
    points = sorted(stage.points(nest), key=lambda p: stage.date(p.variables))
    at_once = [d.kind.value not in ("for", "unrolled") for d in reversed(nest.dims)]
    for source, sink in itertools.combinations(points, 2):
        if conflicts(source, sink):
            differing = next(n for n, (a, b) in enumerate(zip(source.loops, sink.loops, strict=True)) if a != b)
            if at_once[differing] or (order_matters and source.loops > sink.loops):
                return False
    return True


def check_witness(witness: Witness, stage: Stage, nest: StageNest) -> None:
    """Both iterations are there, in this order in the algorithm, touch the cell as said, and the nest breaks them."""
    points = {stage.date(p.variables): p for p in stage.points(nest)}
    found = []
    for instance in (witness.source, witness.sink):
        at = {name.replace(".", "$"): value for name, value in instance.variables.items()}
        assert stage.exists(at), f"{instance} is an iteration"
        found.append(points[stage.date(at)])
    source, sink = found
    assert stage.date(source.variables) < stage.date(sink.variables)
    assert witness.cell.coordinates in (source.writes if witness.source_writes else source.reads)
    assert witness.cell.coordinates in (sink.writes if witness.sink_writes else sink.reads)
    assert witness.source_writes or witness.sink_writes
    differing = next(n for n, (a, b) in enumerate(zip(source.loops, sink.loops, strict=True)) if a != b)
    is_at_once = list(reversed(nest.dims))[differing].kind.value not in ("for", "unrolled")
    assert is_at_once or source.loops > sink.loops
