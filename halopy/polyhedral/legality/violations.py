"""The dependences that a nest of loops breaks.

    serial loop       source -> sink   where all loops outside agree, and date(sink) < date(source)
    loop run at once  source -> sink   where all loops outside agree, and date(sink) != date(source)

Of a loop whose date is not known exactly, all is wrong that may be: what it finds is no violation for sure.

The nest is legal iff no dependence has such a pair: then in the first loop that tells source and sink apart, the source
comes first. Vector lanes count as run at once together with all that stands inside them. On a device, loops outside
threads are no barrier for them, so threads count as standing outside of all loops in their block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import islpy as isl

from ...ir.expr import Expr
from ...ir.stmt import LoopKind
from ...schedule.nest import Dim, StageNest
from ..affine import Affine
from .dependences import Dependence
from .loop_dates import Date, Unknown

AT_ONCE = (LoopKind.PARALLEL, LoopKind.VECTORIZED)


@dataclass(frozen=True, slots=True)
class TimedLoop:
    """A loop with the date that it gives each instance, in canonical form."""

    dim: Dim
    date: Date | Unknown
    is_at_once: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """Pairs of a dependence that a loop runs in the wrong order, or at once."""

    dependence: Dependence
    pairs: isl.Map
    loop: TimedLoop


def is_at_once(dim: Dim) -> bool:
    """Whether iterations of the loop are in no order."""
    return dim.kind in AT_ONCE or dim.kind.is_on_device


def as_run(nest: StageNest, dates: Sequence[Date | Unknown]) -> list[TimedLoop]:
    """The loops, the outermost first, threads of a device before the other loops of their block."""
    loops = [TimedLoop(d, date, is_at_once(d)) for d, date in zip(reversed(nest.dims), dates, strict=True)]
    first = next((n for n, loop in enumerate(loops) if loop.dim.kind.is_on_device), len(loops))
    return loops[:first] + sorted(loops[first:], key=lambda loop: not loop.dim.kind.is_on_device)


def violation(
    dependence: Dependence, loops: Sequence[TimedLoop], affine: Affine, *, is_order_free: bool
) -> Violation | None:
    """The outermost loop that breaks the dependence; None where none does. Where the order is free, only races do."""
    agreeing = dependence.pairs
    halves: set[tuple[int, bool]] = set()  # of splits by an unknown factor, of which loops outside agree
    for loop in loops:
        for part in [loop.date] if isinstance(loop.date, Unknown) else loop.date:
            later, earlier, equal = _told_apart(part, halves, affine)
            wrong = later.union(earlier) if loop.is_at_once else later
            if loop.is_at_once or not is_order_free:
                broken = agreeing.intersect(wrong)
                if not broken.is_empty():
                    return Violation(dependence, broken, loop)
            agreeing = agreeing if equal is None else agreeing.intersect(equal)
        if agreeing.is_empty():
            return None
    return None


def _told_apart(
    part: Expr | Unknown, halves: set[tuple[int, bool]], affine: Affine
) -> tuple[isl.Map, isl.Map, isl.Map | None]:
    """Which pairs a loop may run the other way round, in their order, and in one iteration; None: any.

    An outer loop of a split is not later where the base is not, and nor is the inner one in one iteration of the outer.
    """
    if not isinstance(part, Unknown):
        date = affine.function(part)
        return date.gt_map(date), date.lt_map(date), date.eq_map(date)
    later, earlier, equal = _lexicographic(part.base, affine)
    is_whole = (part.split, not part.is_inner) in halves  # the other loop of the split agrees
    halves.add((part.split, part.is_inner))
    if part.is_inner and not is_whole:
        differ = later.union(earlier)
        return differ, differ, None
    return later, earlier, equal if is_whole else None


def _lexicographic(date: Date, affine: Affine) -> tuple[isl.Map, isl.Map, isl.Map]:
    parts = [affine.function(e) for e in date]
    later, earlier, equal = parts[0].gt_map(parts[0]), parts[0].lt_map(parts[0]), parts[0].eq_map(parts[0])
    for p in parts[1:]:
        later, earlier = later.union(equal.intersect(p.gt_map(p))), earlier.union(equal.intersect(p.lt_map(p)))
        equal = equal.intersect(p.eq_map(p))
    return later, earlier, equal
