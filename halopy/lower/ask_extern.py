"""The regions that an extern stage computes and needs: its function is asked when the kernel runs.

    for h.y                        let g.asked = ask blur for the rows of g that all of h needs
      f, needed by extern g  ->    for h.y
                                     let g.asked.h.s0.y = ask blur for the row of g that is needed here
                                     let g.asked.h.s0.y.0.lo.1 = ..., g.asked.h.s0.y.0.hi.1 = ...

It is asked once at each level, from the root to where a region is wanted, as nothing else tells what the answers
inside a loop are together. What is answered inside is kept within the answer further out, so that this one holds all
that is stored, and all that is needed of inputs. The function may also answer that it computes more than is needed:
then it is asked for what it needs of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..ir.build import add, maximum, minimum, sub
from ..ir.expr import Effect, Expr, Var, const
from ..ir.extern import extern_call, extern_numbers, extern_service
from ..ir.interval import Interval, union
from ..ir.rewrite import free_vars
from ..ir.services import AskedEnd, AskExtern
from .place_functions import ROOT_LEVEL, Level

if TYPE_CHECKING:
    from .regions import Regions

Box = tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """The regions that a function needs of its arguments, numbers having none; and of what they are, by name."""

    arguments: tuple[Box, ...]
    by_name: Mapping[str, Box]


class Answers:
    """What functions were asked for one placed program, and what they answer."""

    def __init__(self) -> None:
        self.questions: dict[tuple[str, Level], _Question] = {}
        self.needs: dict[tuple[str, Level], Needs] = {}
        self.ranges: dict[Level, dict[str, Interval]] = {}  # symbols bound at a level, and what they range over


def computed_by_extern(regions: Regions, func: str, level: Level) -> Box:
    """What is computed of an extern stage inside a level around its loops: at least what is needed."""
    return _growing(regions, func, level).own()


def needed_by_extern(regions: Regions, func: str, level: Level) -> Needs:
    """What an extern stage needs inside a level that encloses the calls."""
    known = regions.answers.needs
    if (func, level) not in known:
        loops = regions.nest(func, 0).loop_names
        question = _ask_for_needs(regions, func, level) if loops else _growing(regions, func, level)
        outer = None if level == ROOT_LEVEL else needed_by_extern(regions, func, regions.placement.enclosing(level))
        known[func, level] = question.needs(outer)
    return known[func, level]


def depends_on_answers(regions: Regions, func: str, inside: Level, keep: Sequence[str]) -> bool:
    """Whether the region of a Func may change in any way from iteration to iteration, as functions answer."""
    names = {name for ranges in regions.answers.ranges.values() for name in ranges}
    ends = [end for interval in regions.needed(func) for end in interval] if names else []
    return any(end is not None and names & free_vars(regions.expand(end, inside, keep)) for end in ends)


def _growing(regions: Regions, func: str, level: Level) -> _Question:
    """The question whether the function computes more than is needed, and what it needs then."""
    known, placement = regions.answers.questions, regions.placement
    if (func, level) not in known:
        outer = None if level == ROOT_LEVEL else computed_by_extern(regions, func, placement.enclosing(level))
        lives_longer = placement.store[func] != placement.compute[func] or func in placement.hoist
        required = [regions.seen_from(i, placement.compute[func], level) for i in regions.required(func)]
        manners = _Manners(True, outer is not None, outer is not None and lives_longer)
        known[func, level] = _Question(regions, func, level, "asked", required, outer or (), manners)
    return known[func, level]


def _ask_for_needs(regions: Regions, func: str, level: Level) -> _Question:
    """The question what is needed for the tiles that are computed inside a level, which may pass the Func's end."""
    reach = regions.instances((func, 0), level, slid=False)
    box = [reach[name] for name in regions.functions[func].args]
    return _Question(regions, func, level, "tiles", box, (), _Manners(False, False, False))


class _Manners(NamedTuple):
    """As of AskExtern."""

    grows: bool
    outer: bool
    stays: bool


class _Question:
    def __init__(
        self,
        regions: Regions,
        func: str,
        level: Level,
        what: str,
        box: Sequence[Interval],
        outer: Sequence[Interval],
        manners: _Manners,
    ) -> None:
        place = f".{level.func}.s{level.stage}.{level.loop}" if level.func is not None else ""
        self.name, self.outer = f"{func}.{what}{place}", outer
        self.call = extern_service(regions.placement.program, func, regions.placement.originals.get(func, func))
        self.rank = len(box)
        self.bindings = regions.scope(level).bindings
        self.ranges = regions.answers.ranges.setdefault(level, {}) if level != ROOT_LEVEL else {}
        numbers = extern_numbers(regions.functions[func])
        service = AskExtern(self.name, self.call, self.rank, *manners)
        self.bindings.append((self.name, Effect(service, const(0), (*numbers, *sizes(box), *sizes(outer)))))
        self._own: Box | None = None

    def own(self) -> Box:
        if self._own is None:
            self._own = self._told(len(self.call.arguments), self.rank, self.outer)
        return self._own

    def needs(self, outer: Needs | None) -> Needs:
        arguments = tuple(
            self._told(at, argument.rank, outer.arguments[at] if outer else ())
            for at, argument in enumerate(self.call.arguments)
        )
        by_name: dict[str, Box] = {}
        for argument, box in zip(self.call.arguments, arguments, strict=True):
            if argument.name:
                by_name[argument.name] = tuple(map(union, by_name.get(argument.name, box), box))
        return Needs(arguments, by_name)

    def _told(self, argument: int, rank: int, outer: Sequence[Interval]) -> Box:
        return tuple(self._interval(argument, d, outer[d] if outer else None) for d in range(rank))

    def _interval(self, argument: int, dim: int, outer: Interval | None) -> Interval:
        """One dimension of the answer, inside of the one further out."""
        name = f"{self.name}.{argument}"
        low = self._bind(f"{name}.min.{dim}", Effect(AskedEnd(self.name, argument, dim, 0), const(0), ()))
        extent = self._bind(f"{name}.extent.{dim}", Effect(AskedEnd(self.name, argument, dim, 1), const(0), ()))
        high = sub(add(low, extent), 1)
        if outer is None:
            return Interval(low, high)
        assert outer.lo is not None and outer.hi is not None, "boxes have ends"
        low = self._bind(f"{name}.lo.{dim}", minimum(maximum(low, outer.lo), maximum(outer.hi, outer.lo)), outer)
        high = self._bind(f"{name}.hi.{dim}", minimum(maximum(high, outer.lo), outer.hi), outer)
        return Interval(low, high)

    def _bind(self, name: str, value: Expr, reach: Interval | None = None) -> Expr:
        self.bindings.append((name, value))
        if reach is not None:
            self.ranges[name] = reach
        return Var(name)


def sizes(box: Sequence[Interval]) -> list[Expr]:
    """Min and extent of each dimension."""
    found: list[Expr] = []
    for interval in box:
        assert interval.lo is not None and interval.hi is not None, "boxes have ends"
        found += [interval.lo, maximum(add(sub(interval.hi, interval.lo), 1), 0)]
    return found


def is_extern(regions: Regions, func: str) -> bool:
    """Whether a function outside computes the Func."""
    return extern_call(regions.functions[func]) is not None
