"""Which read of an input reaches past its buffer, and where.

    g(x) = image(x + 5)   over [0, 9], image holds [0, 9]     ->     g, (x + 5,), {x: 9}, which needs image(14)

Asked for after a run was refused, with the shapes of that run. All Funcs are looked at by themselves, also those that
are substituted into their readers, so that the read is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, product
from math import prod

from ..ir.expr import Expr, const, const_value
from ..ir.function import Definition
from ..ir.program import Program
from ..ir.rewrite import free_vars, substitute
from ..ir.simplify import simplify
from ..polyhedral.footprint import footprint
from ..schedule.directives import (
    ROOT,
    Async,
    ComputeAt,
    ComputeWith,
    Directive,
    FoldStorage,
    HoistStorage,
    Memoize,
    RingBuffer,
    StoreAt,
)
from ..schedule.nest import FuncSchedule
from .build_loop_nests import build_loop_nests
from .place_functions import ROOT_LEVEL, place_functions
from .query_bounds import known_at_root
from .regions import Regions
from .stage_reads import StageReads, reads_of_stage

_MOST_POINTS = 4096
_MOST_FILLED = 2048
_PLACES = (ComputeAt, StoreAt, HoistStorage, FoldStorage, RingBuffer, ComputeWith, Async, Memoize)
_FEW = 8  # values of a variable that are all tried


@dataclass(frozen=True, slots=True)
class Blame:
    """A read of `index` in a stage of a Func. At the point, if one was found, it is the `place` of the input."""

    func: str
    stage: int
    args: tuple[str, ...]
    index: tuple[Expr, ...]
    definition: Definition
    point: Mapping[str, int] | None = None
    place: tuple[int, ...] | None = None


def blame_reads(
    program: Program,
    schedules: Mapping[str, FuncSchedule],
    known: Mapping[str, Expr],
    image: str,
    dim: int,
    held: range,
) -> Blame | None:
    """The read of an image at places of a dimension that are not held, where shapes and scalars are these constants."""
    apart = {name: _at_root(program, name, schedule) for name, schedule in schedules.items()}
    regions = Regions(place_functions(program, apart))
    values = known_at_root(build_loop_nests(regions), dict(known))
    found = (
        blame for user in regions.readers.get(image, []) for blame in _of_stage(regions, user, values, image, dim, held)
    )
    blames = list(found)
    return next((b for b in blames if b.point is not None), blames[0] if blames else None)


def _at_root(program: Program, name: str, schedule: FuncSchedule) -> FuncSchedule:
    """The same loops, with all of a Func computed before any of its readers."""
    if name in program.outputs:
        return schedule
    root = Directive(ComputeAt(ROOT), 0, None, f"{name}.compute_root()")
    kept = [d for d in schedule.directives if not isinstance(d.action, _PLACES)]
    return replace(schedule, directives=(*kept, root))


def _of_stage(
    regions: Regions, user: tuple[str, int], known: Mapping[str, Expr], image: str, dim: int, held: range
) -> Iterator[Blame]:
    func, stage = user
    definition = regions.functions[func].definitions[stage]
    reads = reads_of_stage(definition)
    scope = regions.instances(user, ROOT_LEVEL, slid=False)
    for index in reads.by_name[image]:
        named, wider = regions.values.named(index[dim], scope)
        low, high = (_number(end, known) for end in footprint((named,), wider, reads.predicate)[0])
        if (low is not None and low < held.start) or (high is not None and high >= held.stop):
            wanted = low if low is not None and low < held.start else high
            point = _point({n: (_number(i.lo, known), _number(i.hi, known)) for n, i in scope.items()},
                           reads, index[dim], known, held, wanted)  # fmt: skip
            place = None if point is None else _place(index, point, known)
            name = regions.placement.originals.get(func, func)
            function = regions.functions[func]
            yield Blame(
                name, function.written_stage(stage), function.args, index, definition, point if place else None, place
            )


def _point(
    ranges: Mapping[str, tuple[int | None, int | None]],
    reads: StageReads,
    index: Expr,
    known: Mapping[str, Expr],
    held: range,
    wanted: int | None,
) -> dict[str, int] | None:
    """Values of a stage's variables at which the index is not held: the wanted one, if it is among those tried."""
    tried = free_vars(index) | (frozenset() if reads.predicate is None else free_vars(reads.predicate))
    likely = [n for n in (wanted, held.start - 1, held.stop) if n is not None]  # where a variable is the index
    few = {name: _candidates(*ends, likely if name in tried else None) for name, ends in ranges.items()}
    best = None
    for numbers in islice(chain(product(*few.values()), product(*_filled(few, ranges, tried))), _MOST_POINTS):
        point = dict(zip(ranges, numbers, strict=True))
        at = {**known, **{name: const(number) for name, number in point.items()}}
        value = _number(index, at)
        holds = reads.predicate is None or _number(reads.predicate, at) == 1
        if value is not None and holds and value not in held:
            if value == wanted:
                return point
            best = best or point
    return best


def _filled(
    few: dict[str, Sequence[int]], ranges: Mapping[str, tuple[int | None, int | None]], tried: frozenset[str]
) -> list[Sequence[int]]:
    """All values instead of a few, of as many of the variables that matter as there is time for."""
    whole = {n: range(low, high + 1) for n, (low, high) in ranges.items() if low is not None and high is not None}
    for name in sorted(tried & whole.keys(), key=lambda n: len(whole[n])):
        more = {**few, name: whole[name]}
        if prod(map(len, more.values())) <= _MOST_FILLED:
            few = more
    return list(few.values())


def _candidates(low: int | None, high: int | None, likely: Sequence[int] | None) -> Sequence[int]:
    """Values to try; of a variable that does not matter one."""
    if low is None or high is None or low > high:
        return ()
    if likely is None:
        return (low,)
    if high - low < _FEW:
        return range(low, high + 1)
    return tuple(dict.fromkeys([n for n in likely if low <= n <= high] + [low, high, low + 1, high - 1]))


def _place(index: tuple[Expr, ...], point: Mapping[str, int], known: Mapping[str, Expr]) -> tuple[int, ...] | None:
    at = {**known, **{name: const(number) for name, number in point.items()}}
    place = [_number(e, at) for e in index]
    return None if None in place else tuple(n for n in place if n is not None)


def _number(e: Expr | None, known: Mapping[str, Expr]) -> int | None:
    value = None if e is None else const_value(simplify(substitute(e, known)))
    return None if value is None else int(value)
