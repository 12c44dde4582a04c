"""How far an async Func may be computed ahead of those who use it.

    store g                            for y (producer)                for y (consumer)
    for y                                wait until lo > hi(y) - 4       tell lo(y)
      compute g over [lo(y), hi(y)]      compute g                 and   wait for g
      use g, kept in 4 rows        ->    tell that g is made             use g

A producer that is ahead may write only what no iteration still running reads. Where every loop between slides along
its own dimension (`slide_windows`), what an iteration computes lies beyond all that earlier iterations use; so memory
that is not folded needs no waiting at all. Of F folded rows, those from hi - F + 1 on keep their places while row hi is
written, so the consumer must be done with what lies below: rows lo(y) and later are all that it still reads in
iteration y. The parts of a ring are F rows of iterations. The producer never waits for more than what the consumer
tells before it needs the same iteration, whatever the factor, so neither waits for ever.

A loop that runs ahead inside a row of a folded dimension would meet the next row's places; so it is the loop that
moves the innermost folded dimension, or if none is folded the outermost loop between, whose iterations run ahead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..ir.build import add, as_expr, sub
from ..ir.expr import Expr, const_value
from ..ir.interval import Interval
from ..ir.monotonic import Trend, trend
from ..ir.rewrite import free_vars
from ..ir.simplify import simplify
from ..ir.stmt import LoopKind
from ..schedule.directives import Async, Directive
from .place_functions import Level
from .regions import Regions
from .reserve_storage import iteration, slots
from .stage_loops import loop_name


@dataclass(frozen=True, slots=True)
class Room:
    """In one iteration: from where on places are still read, and from where on they are kept while it is computed."""

    used: Expr
    kept: Expr


@dataclass(frozen=True, slots=True)
class RunAhead:
    """An async Func, the loops whose iterations can run ahead, outermost first, and their room, if it is limited."""

    func: str
    directive: Directive
    loops: tuple[str, ...] = ()
    room: Room | None = None


def run_ahead(regions: Regions, realizations: Collection[str] = ()) -> dict[str, RunAhead]:
    """The async Funcs that a thread of its own may compute, producers first.

    Both halves have the realizations of a ring. Where these are reported, which is once for each, it has but one half.
    """
    placement = regions.placement
    alone = {group[0] for group in placement.fused.groups(placement.program.functions) if len(group) == 1}
    found = {}
    for func in placement.program.functions:
        directive = placement.schedules[func].last(Async)
        if directive is None or func in placement.program.outputs or func not in alone:
            continue
        if func in placement.hoist and placement.originals.get(func, func) in realizations:
            continue
        if all(_has_threads(regions, level) for level in placement.path(placement.compute[func])):
            found[func] = _ahead(regions, func, directive)
    return found


def _has_threads(regions: Regions, level: Level) -> bool:
    """Whether a thread can part inside the loop: not from lanes of a vector."""
    return _kind(regions, level) in (None, LoopKind.SERIAL, LoopKind.UNROLLED, LoopKind.PARALLEL)


def _is_in_order(regions: Regions, level: Level) -> bool:
    return _kind(regions, level) in (LoopKind.SERIAL, LoopKind.UNROLLED) and not regions.fused.is_shared(level)


def _kind(regions: Regions, level: Level) -> LoopKind | None:
    if level.func is None or not level.loop:
        return None
    dim = regions.nest(level.func, level.stage).dim(level.loop)
    return None if dim is None else dim.kind


def _ahead(regions: Regions, func: str, directive: Directive) -> RunAhead:
    placement = regions.placement
    slid = regions.slides.get(func)
    along: Mapping[Level, int | None] = slid.along if slid is not None else {}
    inside: list[Level] = []  # outermost first
    for level in _loops(regions, placement.compute[func], placement.store[func]):
        if not (level in along or regions.runs_once(level)) or not _is_in_order(regions, level):
            return RunAhead(func, directive, _names(inside, along))
        inside.insert(0, level)
        dim = along.get(level)
        if dim in regions.folds[func]:
            room = _room(regions, func, dim, level)
            return RunAhead(func, directive, _names(inside if room else inside[1:], along), room)
    loops = _names(inside, along)
    return _in_a_ring(regions, func, directive, loops) or RunAhead(func, directive, loops)


def _names(inside: Sequence[Level], along: Mapping[Level, int | None]) -> tuple[str, ...]:
    """The loops whose iterations all compute something, with those around them."""
    last = max((k for k, level in enumerate(inside) if along.get(level) is not None), default=-1)
    return tuple(map(_name, inside[: last + 1]))


def _loops(regions: Regions, inner: Level, outer: Level) -> Iterator[Level]:
    """The loops between two levels, innermost first."""
    for level in regions.placement.path(inner):
        if level == outer:
            return
        if level.loop:
            yield level


def _name(level: Level) -> str:
    assert level.func is not None, "a loop has a stage"
    return loop_name(level.func, level.stage, level.loop)


def _room(regions: Regions, func: str, dim: int, level: Level) -> Room | None:
    """The room of iterations that move a folded dimension; None where it is too small to be ahead."""
    lo, hi = regions.needed(func)[dim]
    factor = regions.folds[func][dim]
    assert lo is not None and hi is not None, "boxes have ends"
    kept, rows = const_value(factor), const_value(simplify(add(sub(hi, lo), 1)))
    if kept is not None and rows is not None and kept <= rows:
        return None
    first, last = (
        (lo, hi) if _is_rising(regions, Interval(lo, hi), level) else (sub(as_expr(0), hi), sub(as_expr(0), lo))
    )
    return Room(first, add(sub(last, factor), 1))


def _is_rising(regions: Regions, interval: Interval, level: Level) -> bool:
    name = _name(level)
    trends = {trend(regions.expand(end, level, [name]), name) for end in interval if end is not None}
    return Trend.RISING in trends


def _in_a_ring(regions: Regions, func: str, directive: Directive, inside: tuple[str, ...]) -> RunAhead | None:
    """Iterations that use the parts of a ring in turn; None where there is no ring, or but one part."""
    placement = regions.placement
    count = slots(regions, func)
    if func not in placement.hoist or const_value(count) == 1:
        return None
    levels: list[Level] = []
    for level in _loops(regions, placement.store[func], placement.hoist[func]):
        if not _is_in_order(regions, level) or any(_varies(regions, inner, level) for inner in levels):
            break  # whose numbers would not follow each other
        levels.append(level)
    if not levels:
        return None
    number = iteration(regions, levels)
    around = tuple(map(_name, reversed(levels)))
    return RunAhead(func, directive, (*around, *inside), Room(number, add(sub(number, count), 1)))


def _varies(regions: Regions, inner: Level, outer: Level) -> bool:
    """Whether the number of an inner loop's iterations changes with the outer loop."""
    name = _name(outer)
    assert inner.func is not None, "a loop has a stage"
    extent = regions.loops(inner.func, inner.stage).loops[inner.loop].range.extent
    return name in free_vars(regions.expand(extent, outer, [name]))
