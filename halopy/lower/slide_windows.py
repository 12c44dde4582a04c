"""Compute only what is new where a Func's memory outlives the loop in which it is computed.

    store g                                        store g
    for y                                          for y
      compute g over rows [y - 1, y + 1]     ->      compute g over rows [y == first ? y - 1 : y + 1, y + 1]
      use rows [y - 1, y + 1]                        use rows [y - 1, y + 1]

Let need(y) = [lo(y), hi(y)] be what one iteration uses. If lo and hi never fall as y grows, then after the
iteration all of need(y) is valid provided each iteration computes [max(lo(y), hi(y - 1) + 1), hi(y)], and the
first one all: what need(y) shares with earlier needs lies in [lo(y), hi(y - 1)], which is part of need(y - 1).
The mirrored statement holds where both never rise. Rows below lo(y) are dead, so memory can be folded:
at most max(hi - lo + 1) rows are alive at once. Where hi(y - 1) < lo(y), no row outlives its iteration, and the
same holds for dimensions that loops further in move.

A loop that moves nothing, with none further in that does, leaves all of its first iteration's box valid. A loop that
runs once is none.

Loops of the Func's own that are split compute whole tiles: so many rows of [lo(y), hi(y)] are computed once more
that no tile has a tail, or all of need(y) is, as if nothing slid. What those rows are made of is part of what all
of need(y) is made of, which is what producers that slide are asked for: so it is there.

Nothing is reused unless all loops from the storage inwards are serial, exactly one dimension moves with the
loop, no loop between moves it too, and every update of the Func is pure in it and reads only its own row. A Func
with updates must be so in the dimensions too that loops further in move, and guards must end its tiles: what is
finished would be begun anew. So must they those of one that is async: what is computed anew may be in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import lcm
from typing import TYPE_CHECKING

from ..dtypes import BOOL
from ..ir.build import add, as_expr, div, gt, maximum, minimum, mul, select, sub
from ..ir.expr import Call, Expr, Var, const_value
from ..ir.interval import Interval, constant_bounds
from ..ir.monotonic import Trend, trend
from ..ir.rewrite import free_vars, substitute
from ..ir.simplify import simplify
from ..ir.stmt import LoopKind, MemoryKind
from ..schedule.directives import Async
from ..schedule.initial import pure_variables
from .ask_extern import depends_on_answers, is_extern
from .constant_extent import most
from .likely import steady_state
from .place_functions import Level

if TYPE_CHECKING:
    from .regions import Regions


@dataclass(frozen=True, slots=True)
class Slide:
    """The box that is computed anew; by dimension, how many rows are kept, where that is a number.

    `carrier` is the outermost loop whose iterations share rows; None: none do. `along` has the loops whose iterations
    compute nothing that earlier ones use, with the dimension that each moves, if any.
    """

    box: tuple[Interval, ...]
    folds: Mapping[int, int]
    carrier: Level | None
    along: Mapping[Level, int | None]


def slide(regions: Regions, func: str, box: tuple[Interval, ...]) -> Slide | None:
    """The new part of a box along the loops between the Func's store and compute levels; None: all of it."""
    levels = [v for v in _loops_between(regions, func) if not regions.runs_once(v)]
    if not levels:
        return None
    names = [regions.fused.variable(func, v) for v in levels]
    if None in names:
        return None  # needed now for one stage and now for another of those that share the loop
    if is_extern(regions, func) or depends_on_answers(regions, func, levels[-1], [n for n in names if n is not None]):
        return None  # nobody knows how a window moves that a function answers
    return _slide(regions, func, box, levels, [n for n in names if n is not None])


def _slide(
    regions: Regions, func: str, box: tuple[Interval, ...], levels: Sequence[Level], names: Sequence[str]
) -> Slide | None:
    ends = list(box)
    grains = [_grain(regions, func, d) for d in range(len(box))]
    moved: list[tuple[int, Level]] = []
    moves = [_moves(regions, i, levels[-1], names) for i in box]
    for depth, (v, name) in enumerate(zip(levels, names, strict=True)):
        dims = [d for d, m in enumerate(moves) if name in m]
        if len(dims) != 1 or moves[dims[0]] != {name} or not grains[dims[0]]:
            continue
        if not _rows_stay(regions, func, [d for d, m in enumerate(moves) if m & set(names[:depth])]):
            continue
        new = _new_part(regions, ends[dims[0]], v, name, grains[dims[0]])
        if new is not None:
            ends[dims[0]] = new
            moved.append((dims[0], v))
    folds, carrier = _folds(regions, func, box, grains, moved) if moved else ({}, None)
    still = list(takewhile(lambda loop: not any(loop[1] in m for m in moves), zip(levels, names, strict=True)))
    alone = next((d for d, grain in enumerate(grains) if grain), None) if still else None
    if alone is not None:
        ends[alone] = _once(regions, ends[alone], still)
    elif not moved:
        return None
    along = {v: dim for dim, v in moved} | {v: None for v, _ in still if alone is not None}
    return Slide(tuple(ends), folds, still[-1][0] if carrier is None and alone is not None else carrier, along)


def _once(regions: Regions, interval: Interval, loops: Sequence[tuple[Level, str]]) -> Interval:
    """The interval in the first iteration of all loops, later nothing."""
    lo, hi = interval
    assert lo is not None and hi is not None, "boxes have ends"
    span = sub(hi, lo)
    for v, name in loops:
        span = select(Call("likely", (gt(Var(name), regions.fused.start(v, name)),), BOOL), -1, span)
    return Interval(lo, add(lo, span))


def _loops_between(regions: Regions, func: str) -> list[Level]:
    """Loops inside the store level and around the compute level, innermost first; none unless all are serial."""
    placement = regions.placement
    store = placement.store[func]
    levels = []
    for level in placement.path(placement.compute[func]):
        if level == store:
            break
        levels.append(level)
    for level in levels:
        assert level.func is not None, "the root is never inside another level"
        if level.loop:
            dim = regions.nest(level.func, level.stage).dim(level.loop)
            if dim is None or dim.kind not in (LoopKind.SERIAL, LoopKind.UNROLLED):
                return []
    return [level for level in levels if level.loop]


def _moves(regions: Regions, interval: Interval, outermost: Level, loops: Sequence[str]) -> set[str]:
    """Which of the loops the interval depends on."""
    found: set[str] = set()
    for end in interval:
        assert end is not None, "boxes have ends"
        found |= free_vars(regions.expand(end, outermost, loops)) & set(loops)
    return found


def _grain(regions: Regions, func: str, dim: int) -> int:
    """Of how many rows any multiple may be computed apart; 0: none, as an update or an unknown tail mixes rows."""
    function = regions.functions[func]
    name = function.args[dim]
    grain = 1
    for stage in range(len(function.definitions)):
        own = regions.grain(func, stage, name) if name in pure_variables(function, stage) else None
        if own is None or any(index[dim] is not Var(name) for index in regions.own_reads(func, stage)):
            return 0
        grain = lcm(grain, own)
    is_remade = function.updates or regions.placement.schedules[func].last(Async)
    return 0 if is_remade and grain > 1 else grain


def _rows_stay(regions: Regions, func: str, moved: Sequence[int]) -> bool:
    """Whether loops further in, which move these dimensions, leave alone what their earlier iterations computed.

    An early stage of a larger box than the last one has would begin anew what is finished.
    """
    return not regions.functions[func].updates or all(_grain(regions, func, d) for d in moved)


def _new_part(regions: Regions, interval: Interval, v: Level, loop: str, grain: int) -> Interval | None:
    assert interval.lo is not None and interval.hi is not None and v.func is not None, "boxes have ends"
    lo, hi = regions.expand(interval.lo, v, [loop]), regions.expand(interval.hi, v, [loop])
    trends = {trend(lo, loop), trend(hi, loop)} - {Trend.CONSTANT}
    previous = {loop: sub(Var(loop), 1)}
    first = regions.fused.start(v, loop)
    later = Call("likely", (gt(Var(loop), first),), BOOL)
    span = sub(interval.hi, interval.lo)
    if trends == {Trend.RISING}:
        fresh = simplify(maximum(lo, simplify(add(substitute(hi, previous), 1))))
        if grain > 1:
            fresh = simplify(maximum(lo, sub(add(hi, 1), _whole_tiles(sub(hi, fresh), grain))))
        start = select(later, fresh, interval.lo)
        return Interval(start, add(start, select(later, simplify(sub(hi, fresh)), span)))
    if trends == {Trend.FALLING}:
        fresh = simplify(minimum(hi, simplify(sub(substitute(lo, previous), 1))))
        if grain > 1:
            fresh = simplify(minimum(hi, add(sub(lo, 1), _whole_tiles(sub(fresh, lo), grain))))
        return Interval(interval.lo, add(interval.lo, select(later, simplify(sub(fresh, lo)), span)))
    return None


def _whole_tiles(span: Expr, grain: int) -> Expr:
    """The number of rows rounded up: to what it is in most iterations where it is never more."""
    rows = simplify(add(span, 1))
    most_rows, usual = most(rows), const_value(simplify(steady_state(rows)))
    if most_rows is not None and usual is not None and -(-usual // grain) == -(-most_rows // grain):
        return as_expr(-(-most_rows // grain) * grain)
    return mul(div(add(rows, grain - 1), grain), grain)


def _folds(
    regions: Regions,
    func: str,
    box: tuple[Interval, ...],
    grains: Sequence[int],
    moved: Sequence[tuple[int, Level]],
) -> tuple[dict[int, int], Level | None]:
    """Rows kept per dimension, from the outermost loop inwards up to the first whose iterations share rows."""
    folds: dict[int, int] = {}
    reach = regions.reach(func)
    for dim, v in reversed(moved):
        rows = _fold_factor(regions, reach[dim], v)
        if rows is not None and not (_is_dense_in_vectors(regions, func, dim) and (folds or grains[dim] > 1)):
            folds[dim] = rows
        if not _stands_apart(regions, func, box[dim], v):
            return folds, v
    return folds, None


def _stands_apart(regions: Regions, func: str, interval: Interval, v: Level) -> bool:
    """Whether no iteration uses a row that the one before it used."""
    assert interval.lo is not None and interval.hi is not None and v.func is not None, "boxes have ends"
    loop = regions.fused.variable(func, v)
    assert loop is not None, "the window slides along the loop"
    lo, hi = regions.expand(interval.lo, v, [loop]), regions.expand(interval.hi, v, [loop])
    previous = {loop: sub(Var(loop), 1)}
    gaps = sub(lo, substitute(hi, previous)), sub(substitute(lo, previous), hi)
    return any((constant_bounds(simplify(gap))[0] or 0) > 0 for gap in gaps)


def _is_dense_in_vectors(regions: Regions, func: str, dim: int) -> bool:
    """Whether vectors may run along the dimension, which a fold would tear apart."""
    schedules = regions.placement.schedules
    if schedules[func].memory is MemoryKind.REGISTER:
        return False  # which has no room for more
    args = regions.functions[func].args
    users = {func, *(user for user, _ in regions.readers.get(func, []))}
    dims = (d for user in users for nest in schedules[user].nests for d in nest.dims)
    vectors = any(d.kind is LoopKind.VECTORIZED for d in dims)
    return vectors and schedules[func].storage_order(args)[0] == args[dim]


def _fold_factor(regions: Regions, interval: Interval, v: Level) -> int | None:
    """The least power of two that holds all rows alive at once; None where that is no number."""
    lo, hi = interval
    assert lo is not None and hi is not None, "boxes have ends"
    alive = simplify(add(sub(regions.expand(hi, v), regions.expand(lo, v)), 1))
    rows = most(alive)
    if rows is None or not 0 < rows <= 1 << 16:
        return None
    return 1 << (rows - 1).bit_length()
