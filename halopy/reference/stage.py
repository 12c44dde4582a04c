"""One stage of a Func (its pure definition or one update), prepared for evaluation.

A stage runs over points: the pure variables range over a box, the reduction variables over their
domain where the predicate holds. Points are held as one array per variable; the arrays broadcast
against each other, pure dimensions in the last axes (innermost last), reductions before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..arithmetic.values import Array
from ..ir.contraction import contracted
from ..ir.expr import Expr, Var
from ..ir.function import Definition, Function, ReductionDomain
from ..ir.groups import elements_of
from ..ir.undefined import split_undefined
from .boxes import Box, axis_index, is_empty
from .tape import ReadElement, Tape, free_names, reads_of

Points: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Write:
    """What is written where, and under which condition each value is defined."""

    index: tuple[Expr, ...]
    values: tuple[Expr, ...]
    conditions: tuple[Expr, ...]


def _write_of(definition: Definition, *, exact: bool) -> Write:
    guarded = [split_undefined(v if exact else contracted(v)) for v in definition.values]
    return Write(definition.index, tuple(v for v, _ in guarded), tuple(c for _, c in guarded))


class Stage:
    """Stage `number` of `function`; 0 is the pure definition.

    `pure` names the pure variable of each dimension that has one. `writes` has one element, or several that
    happen at once; `action` computes of each the index, the values, and the conditions under which they are
    defined. `touches` computes the indexes that can be known before the stage runs: of its writes, then of
    `known_reads`. The predicate is known where it does not depend on the Func's own values, and flat where it
    also holds no pure variable. Floats of a stage that is not `exact` are rounded as kernels round them.
    """

    def __init__(self, function: Function, number: int, *, exact: bool = False) -> None:
        self.function = function
        self.number = number
        definition = function.definitions[number]
        self.index = definition.index
        self.rdom = definition.rdom or ReductionDomain(())
        self.reduction_names = [v.name for v in self.rdom.vars]
        self.pure = {
            d: arg
            for d, (arg, i) in enumerate(zip(function.args, self.index, strict=True))
            if type(i) is Var and i.name == arg and arg not in self.reduction_names
        }
        self._split_values(definition, exact)
        self._find_touches()

    def _split_values(self, definition: Definition, exact: bool) -> None:
        self.writes = tuple(_write_of(element, exact=exact) for element in elements_of(definition))
        self.action = Tape([e for w in self.writes for e in (*w.index, *w.values, *w.conditions)])
        self.predicate = None if self.rdom.predicate is None else Tape([self.rdom.predicate])
        self._bounds = Tape([e for v in self.rdom.vars for e in (v.min, v.extent)])

    def _find_touches(self) -> None:
        predicate = self.predicate.roots if self.predicate else ()
        self.predicate_is_known = self._is_known(predicate)
        self.predicate_is_flat = self.predicate_is_known and free_names(predicate).isdisjoint(self.pure.values())
        written = [e for w in self.writes for e in w.index]
        self.writes_are_known = self.predicate_is_known and self._is_known(written)
        reads = reads_of([*self.action.roots, *predicate])
        self.known_reads = [r for r in reads if self.predicate_is_known and self._is_known(r.index)]
        known = written if self.writes_are_known else []
        self.touches = Tape([*known, *(i for r in self.known_reads for i in r.index)])

    def _is_known(self, roots: Sequence[Expr]) -> bool:
        """Whether the values can be had before the stage runs: they do not depend on the Func's own."""
        return all(r.name != self.function.name for r in reads_of(roots))

    def reduction_bounds(self, variables: Points, read: ReadElement) -> list[tuple[int, int]]:
        """(min, extent) of each reduction variable."""
        ends = [int(e) for e in self._bounds.run(variables, read)]
        return list(zip(ends[0::2], ends[1::2], strict=True))

    def pure_points(self, box: Box) -> dict[str, Array] | None:
        """The pure variables over their dimensions of the box; None when there is no point."""
        if is_empty(tuple(box[d] for d in self.pure)):
            return None
        rank = len(box)
        return {arg: axis_index(*box[d], rank - 1 - d, rank) for d, arg in self.pure.items()}

    def whole_domain(self, box: Box, variables: Points, read: ReadElement) -> Points | None:
        """All points of the stage, without order; None when there is none. The predicate must be known."""
        bounds = self.reduction_bounds(variables, read)
        pure = self.pure_points(box)
        if pure is None or any(extent <= 0 for _, extent in bounds):
            return None
        rank, count = len(box), len(bounds)
        reduced = {
            name: axis_index(low, low + extent - 1, count - 1 - k, count + rank)
            for k, (name, (low, extent)) in enumerate(zip(self.reduction_names, bounds, strict=True))
        }
        return self.restrict(variables, {**pure, **reduced}, read)

    def select_flat(self, variables: Points, sequence: Points, read: ReadElement) -> Points:
        """The flat sequence of reduction points without those that a flat predicate excludes."""
        if self.predicate is None or not self.predicate_is_flat or not sequence:
            return sequence
        (holds,) = self.predicate.run({**variables, **sequence}, read)
        return {n: a[np.broadcast_to(holds, a.shape)] for n, a in sequence.items()}

    def restrict(self, variables: Points, points: Points, read: ReadElement) -> Points | None:
        """The points at which the predicate holds; None when there is none."""
        if any(a.size == 0 for a in points.values()):
            return None
        if self.predicate is None:
            return points
        (holds,) = self.predicate.run({**variables, **points}, read)
        rank = self.function.rank
        pure_extents = holds.shape[max(holds.ndim - rank, 0) :]
        if any(extent != 1 for extent in pure_extents):
            return _compress(holds, points, ())
        reduced = {n: points[n] for n in self.reduction_names}
        kept = _compress(holds, reduced, (1,) * rank)
        return None if kept is None else {**points, **kept}


def _compress(holds: Array, points: Points, tail: tuple[int, ...]) -> Points | None:
    """The points where `holds`, along one axis, followed by axes of the extents `tail`."""
    mask, *arrays = np.broadcast_arrays(holds, *points.values())
    if not mask.any():
        return None
    return {name: a[mask].reshape(-1, *tail) for name, a in zip(points, arrays, strict=True)}
