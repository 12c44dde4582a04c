"""Fetch into caches what a later iteration reads, at the start of a loop's body.

    for y:                                 for y:
      for x:                                 if rows y + 3, y + 4 are there:       GuardWithIf
        f(x, y) = g(x, y) + g(x, y + 1) ->     for k, j: prefetch g(x.lo + k*16, y + 3 + j)
                                             for x: ...

The region is that of the loop's body, all that is computed inside included, with the variable of the loop that
gives the distance moved on. One address per line of the cache is fetched. A prefetch in a vectorized loop stands
before that loop, and fetches for all lanes; what is stored inside the loop itself is not there yet, and not fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..dtypes import DType
from ..ir.build import add, as_expr, div, ge, le, logical_and, maximum, minimum, mul, sub
from ..ir.expr import TRUE, Expr, Read, Var, const_value
from ..ir.interval import Interval
from ..ir.program import buffer_property
from ..ir.refs import FunctionRef
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..ir.stmt import For, If, LoopKind, Stmt, block
from ..ir.stmt import Prefetch as PrefetchStmt
from ..schedule.directives import Prefetch, PrefetchBound
from ..schedule.fused_nests import OwnLoop
from ..schedule.nest import StageNest
from ..schedule.prefetches import prefetches
from .place_functions import Level
from .regions import Regions, output_buffer
from .stage_loops import loop_name

_LINE = 64  # bytes that come into a cache together
_UNROLLED = 8  # rows, or lines of a row, that are no loop

Ends: TypeAlias = "tuple[Expr, Expr]"  # first and last


@dataclass(frozen=True, slots=True)
class _Source:
    """Memory that may be fetched: a name that is read, its types, the dimensions densest first, and what it holds."""

    name: str
    dtypes: tuple[DType, ...]
    order: tuple[int, ...]
    held: tuple[Interval, ...]


def fetch_ahead(regions: Regions, level: Level) -> list[Stmt]:
    """What stands at the start of the body of a loop."""
    if level.func is None or not level.loop:
        return []
    return [
        stmt
        for own in regions.fused.sharers(level)
        for number, prefetch in enumerate(prefetches(regions.nest(own.func, own.stage)))
        if _standing(regions.nest(own.func, own.stage), prefetch.at) == own.loop
        for source in _sources(regions, prefetch, level)
        for stmt in _fetch(regions, prefetch, own, level, source, f"{own.func}.s{own.stage}.ahead{number}")
    ]


def _standing(nest: StageNest, at: str) -> str | None:
    """The loop in which the prefetch stands: the first from `at` outwards that is no vector."""
    dims = nest.dims[nest.loop_names.index(at) :]
    return next((d.name for d in dims if d.kind is not LoopKind.VECTORIZED), None)


def _sources(regions: Regions, prefetch: Prefetch, level: Level) -> Iterator[_Source]:
    placement, program = regions.placement, regions.placement.program
    if not isinstance(prefetch.source, FunctionRef):
        for image in program.images.values():
            if image.ref is prefetch.source:
                held = _caller_box(image.name, image.rank)
                yield _Source(image.name, (image.dtype,), tuple(range(image.rank)), held)
        return
    wanted = program.names.get(prefetch.source)
    outside = placement.path(level)[1:]
    for name, function in program.functions.items():
        if placement.originals.get(name, name) != wanted or placement.store[name] not in outside:
            continue
        order = placement.schedules[name].storage_order(function.args)
        is_output = name in program.outputs
        held = _caller_box(output_buffer(function, 0), function.rank) if is_output else regions.storage_box(name)
        yield _Source(name, function.dtypes, tuple(map(function.args.index, order)), held)


def _caller_box(buffer: str, rank: int) -> tuple[Interval, ...]:
    box = []
    for d in range(rank):
        low = buffer_property(buffer, "min", d)
        box.append(Interval(low, sub(add(low, buffer_property(buffer, "extent", d)), 1)))
    return tuple(box)


def _fetch(
    regions: Regions, prefetch: Prefetch, own: OwnLoop, level: Level, source: _Source, prefix: str
) -> Iterator[Stmt]:
    box = _box_ahead(regions, prefetch, own, level, source)
    if box is None:
        return
    within, inside = _within(box, list(map(_ends, source.held)), prefetch.bound)
    for element, dtype in enumerate(source.dtypes):
        stmt = _lines(source, element, dtype, inside, prefix)
        yield stmt if within is TRUE else If(within, stmt)


def _ends(interval: Interval) -> Ends:
    assert interval.lo is not None and interval.hi is not None, "boxes have ends"
    return interval.lo, interval.hi


def _box_ahead(regions: Regions, prefetch: Prefetch, own: OwnLoop, level: Level, source: _Source) -> list[Ends] | None:
    """What the body of the loop reads so many iterations later; None where that may be anything, or is nothing."""
    at = regions.placement.level(own.func, own.stage, prefetch.at)
    distance = regions.placement.level(own.func, own.stage, prefetch.distance)
    assert distance.func is not None, "a loop belongs to a Func"
    variable = loop_name(distance.func, distance.stage, distance.loop)
    later = {variable: add(Var(variable), prefetch.offset)}
    box = []
    for interval in regions.read_inside(source.name, at, len(source.held)):
        if interval.lo is None or interval.hi is None:
            return None
        lo, hi = (substitute(regions.expand(e, distance), later) for e in _ends(interval))
        seen = regions.seen_from(Interval(lo, hi), at, level)
        if seen.lo is None or seen.hi is None:
            return None
        box.append((simplify(seen.lo), simplify(seen.hi)))
    return box or None


def _within(box: Sequence[Ends], held: Sequence[Ends], bound: PrefetchBound) -> tuple[Expr, list[Ends]]:
    """The condition under which to fetch, and the ends of what is fetched."""
    condition: Expr = TRUE
    inside: list[Ends] = []
    for (lo, hi), (first, last) in zip(box, held, strict=True):
        if bound is PrefetchBound.CLAMP:
            inside.append((_clamped(lo, first, last), _clamped(hi, first, last)))
            continue
        if bound is PrefetchBound.GUARD_WITH_IF:
            condition = logical_and(condition, logical_and(ge(lo, first), le(hi, last)))
        inside.append((lo, hi))
    return simplify(condition), inside


def _clamped(e: Expr, first: Expr, last: Expr) -> Expr:
    return simplify(minimum(maximum(e, first), last))


def _lines(source: _Source, element: int, dtype: DType, box: Sequence[Ends], prefix: str) -> Stmt:
    """Loops over the rows of a box, and over the lines of each row."""
    names = [f"{prefix}.{source.name}.{d}" for d in range(len(box))]
    step = max(1, _LINE // dtype.bytes)
    index = [Var(name) for name in names]
    places: list[Expr] = list(index)
    if box:
        dense = source.order[0]
        places[dense] = add(box[dense][0], mul(index[dense], step))
    stmt: Stmt = PrefetchStmt(Read(source.name, tuple(places), element, dtype))
    for d in source.order:
        lo, hi = box[d]
        start, span = (as_expr(0), div(sub(hi, lo), step)) if d == source.order[0] else (lo, sub(hi, lo))
        trips = simplify(add(span, 1))
        known = const_value(trips)
        kind = LoopKind.UNROLLED if known is not None and known <= _UNROLLED else LoopKind.SERIAL
        stmt = For(names[d], start, trips, kind, stmt)
    return block(stmt)
