"""The dependences that a nest of loops breaks.

    serial loop       source -> sink   where all loops outside agree, and date(sink) < date(source)
    loop run at once  source -> sink   where all loops outside agree, and date(sink) != date(source)

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

AT_ONCE = (LoopKind.PARALLEL, LoopKind.VECTORIZED)


@dataclass(frozen=True, slots=True)
class TimedLoop:
    """A loop with the date that it gives each instance, in canonical form."""

    dim: Dim
    date: tuple[Expr, ...]
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


def as_run(nest: StageNest, dates: Sequence[tuple[Expr, ...]]) -> list[TimedLoop]:
    """The loops, the outermost first, threads of a device before the other loops of their block."""
    loops = [TimedLoop(d, date, is_at_once(d)) for d, date in zip(reversed(nest.dims), dates, strict=True)]
    first = next((n for n, loop in enumerate(loops) if loop.dim.kind.is_on_device), len(loops))
    return loops[:first] + sorted(loops[first:], key=lambda loop: not loop.dim.kind.is_on_device)


def violation(
    dependence: Dependence, loops: Sequence[TimedLoop], affine: Affine, *, is_order_free: bool
) -> Violation | None:
    """The outermost loop that breaks the dependence; None where none does. Where the order is free, only races do."""
    agreeing = dependence.pairs
    for loop in loops:
        for part in loop.date:
            date = affine.function(part)
            later = date.gt_map(date)
            wrong = later.union(date.lt_map(date)) if loop.is_at_once else later
            if loop.is_at_once or not is_order_free:
                broken = agreeing.intersect(wrong)
                if not broken.is_empty():
                    return Violation(dependence, broken, loop)
            agreeing = agreeing.intersect(date.eq_map(date))
        if agreeing.is_empty():
            return None
    return None
