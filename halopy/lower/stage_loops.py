"""The loops of one stage: their ranges, and the stage's own variables as expressions of them.

    f(x) over [m, m + n), split(x, xo, xi, 8)          loop xo over [0, (n + 7)/8), loop xi over [0, 8)
                                                       x = m + xo*8 + xi                     RoundUp
                                                       x = m + min(xo*8, n - 8) + xi         ShiftInwards
                                                       x = m + xo*8 + xi, if x <= m + n - 1  GuardWithIf

A guard that is decided before the innermost loop is tested there: inside it the split variable has a name
of its own (`Hoisted.symbol`), known to lie in its range, so that what is computed inside needs no clamps. The
start of a shifted tile has a name too, so that differences of places in one tile are seen to be constant.

`StageLoops.box` answers the question that regions are made of: which values do the stage's variables
take while some loops stand still and the others run?
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ir.build import add, as_expr, div, ge, le, maximum, minimum, mod, mul, sub
from ..ir.expr import Call, Expr, Var, const_value
from ..ir.interval import Interval, Scope, bounds_of
from ..ir.stmt import LoopKind
from ..schedule.directives import Fuse, LoopStep, Skew, Split, Tail
from ..schedule.nest import StageNest


@dataclass(frozen=True, slots=True)
class Range:
    """[min, min + extent) before splits and tails."""

    min: Expr
    extent: Expr

    @property
    def last(self) -> Expr:
        return sub(add(self.min, self.extent), 1)


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of the nest under its unique name."""

    name: str
    range: Range
    kind: LoopKind


@dataclass(frozen=True, slots=True)
class TileReach:
    """A tail that may pass the end: ShiftInwards does with fewer than `factor` iterations, RoundUp wants multiples."""

    loop: str
    factor: Expr
    extent: Expr
    tail: Tail


_SHIFTED = (Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS_AND_BLEND)
_OVERRUNNING = (Tail.ROUND_UP, Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS_AND_BLEND)
_GUARDED = (
    Tail.GUARD_WITH_IF,
    Tail.PREDICATE,
    Tail.PREDICATE_LOADS,
    Tail.PREDICATE_STORES,
    Tail.ROUND_UP_AND_BLEND,
)
_ENDING = (*_GUARDED, Tail.SHIFT_INWARDS_AND_BLEND)  # never pass the end


def loop_name(func: str, stage: int, loop: str) -> str:
    """The name of a loop, unique in a kernel."""
    return f"{func}.s{stage}.{loop}"


@dataclass(frozen=True, slots=True)
class Hoisted:
    """Inside the loop `loop`, `symbol` stands for `value`: the start of a tile, or a variable with its guard.

    With `last` given, the body runs only where the value is at most that.
    """

    loop: str
    symbol: str
    value: Expr
    last: Expr | None = None


class StageLoops:
    """Applies a nest's steps to the ranges of a stage's own variables.

    `fits` says that a run-time check keeps every tile of an own variable, or of a loop fused of some, inside its
    range (see `tails`), as for outputs; elsewhere a fused loop is never passed. Tiles of a loop that a split made may
    pass its end: what they reach of the output is checked as a whole.
    """

    def __init__(self, func: str, nest: StageNest, own: Mapping[str, Range], *, fits: bool = False) -> None:
        self.func, self.nest, self.fits = func, nest, fits
        self.steps: list[_Step] = []
        current = {name: _Symbol(name, r) for name, r in own.items()}
        self.own = dict(current)
        self._fused: set[_Symbol] = set()
        for step in nest.steps:
            self._apply(step, current)
        self.loops = {
            d.name: Loop(loop_name(func, nest.stage, d.name), current[d.name].range, d.kind) for d in nest.dims
        }
        self._final = current
        self.hoisted = self._hoist()

    def _apply(self, step: LoopStep, current: dict[str, _Symbol]) -> None:
        made: _Step
        if isinstance(step, Split):
            old = current[step.old]
            if old in self._fused and not self.fits:
                # Past the end of a fused loop lie whole rows that nobody asked for, and inputs may not have.
                step = replace(step, tail=Tail.GUARD_WITH_IF)
            made = _split(step, current, self.fits and (old in self._fused or old in self.own.values()))
        elif isinstance(step, Fuse):
            made = _fuse(step, current)
            self._fused.update(made.made)
        elif isinstance(step, Skew):
            made = _skew(step, current)
        else:
            current[step.new] = current.pop(step.old)
            return
        self.steps.append(made)

    def _hoist(self) -> dict[str, list[Hoisted]]:
        """What outer loops decide, by loop, each after what it depends on."""
        depths = {symbol: depth for depth, symbol in enumerate(self._final[name] for name in self.loops)}
        names = list(self.loops)
        hoisted: dict[str, list[Hoisted]] = {}
        for number, step in reversed(list(enumerate(self.steps))):
            depth = min(depths[symbol] for symbol in step.made)
            depths.update(dict.fromkeys(step.consumed, depth))
            if not isinstance(step, _SplitStep):
                continue
            name = loop_name(self.func, self.nest.stage, step.old.name)
            known = self._known(after=number)
            at = depths[step.outer]
            if at > 0 and step.tail in _SHIFTED:
                base = Hoisted(names[at], f"{name}.base{number or ''}", step.start(known[step.outer], _likely))
                hoisted.setdefault(base.loop, []).append(base)
                step.base = base
            elif depth > 0 and step.tail in _GUARDED:
                guard = Hoisted(names[depth], f"{name}.at{number or ''}", step.value(known), step.old.range.last)
                hoisted.setdefault(guard.loop, []).append(guard)
                step.guard = guard
        return hoisted

    def _known(self, after: int = -1) -> dict[_Symbol, Expr]:
        """Symbols in terms of the loop variables, by undoing the steps that come after one."""
        known: dict[_Symbol, Expr] = {s: Var(self.loops[name].name) for name, s in self._final.items()}
        for step in reversed(self.steps[after + 1 :]):
            step.define(known)
        return known

    def values(self) -> dict[str, Expr]:
        """Each of the stage's own variables in terms of the loop variables and the guards' symbols."""
        known = self._known()
        return {name: known[symbol] for name, symbol in self.own.items()}

    def guards(self) -> list[Expr]:
        """Conditions under which an innermost iteration counts, hoisted ones apart."""
        known = self._known()
        return [c for step in reversed(self.steps) for c in step.guards(known)]

    def box(self, fixed: Collection[str]) -> dict[str, Interval]:
        """The values of each own variable while loops named in `fixed` (as in the nest) stand still."""
        known: dict[_Symbol, Interval | None] = {}
        for name, symbol in self._final.items():
            var = Var(self.loops[name].name)
            known[symbol] = Interval(var, var) if name in fixed else None  # None: runs over its whole range
        for step in reversed(self.steps):
            step.bound(known, fixed)
        return {name: _interval(symbol, known) for name, symbol in self.own.items()}

    def grain(self, own: str) -> int | None:
        """Of how many values of an own variable its loops run over any multiple exactly; None where that is unknown."""
        # For how many values of the variable one iteration stands; 0: a guard ends them.
        units: dict[_Symbol, int] = {self.own[own]: 1}
        inner: set[_Symbol] = set()
        largest = 1
        for step in self.steps:
            if not inner.union(units).intersection((*step.consumed, *step.made)):
                continue
            factor = const_value(step.step.factor) if isinstance(step, _SplitStep) else None
            if not isinstance(step, _SplitStep) or not isinstance(factor, int):
                return None
            is_guarded = step.tail in _GUARDED
            if step.old in inner and not (step.divides or is_guarded):
                return None
            if step.old in units:
                units[step.outer] = 0 if is_guarded else units.pop(step.old) * factor
                largest = max(largest, units[step.outer])
            inner.update((step.inner,) if step.old not in inner else step.made)
        return largest

    def tails(self) -> list[TileReach]:
        """The tails that pass the end of their loop where the extent does not fit."""
        return [s.requirement for s in self.steps if isinstance(s, _SplitStep) and s.requirement is not None]


class _Symbol:
    """A loop at some point of the steps; a name may come back after a split consumed it.

    `is_clamped`: it counts tiles that are shifted inwards, so iterations past its end repeat the last tile.
    """

    __slots__ = ("is_clamped", "name", "range")

    def __init__(self, name: str, range: Range, *, is_clamped: bool = False) -> None:
        self.name, self.range, self.is_clamped = name, range, is_clamped


def _interval(symbol: _Symbol, known: Mapping[_Symbol, Interval | None]) -> Interval:
    interval = known[symbol]
    return Interval(symbol.range.min, symbol.range.last) if interval is None else interval


class _Step:
    """One replacement of loops, read backwards from the final loops to the stage's own variables."""

    consumed: Sequence[_Symbol]
    made: Sequence[_Symbol]

    def define(self, known: dict[_Symbol, Expr]) -> None:
        raise NotImplementedError

    def guards(self, known: Mapping[_Symbol, Expr]) -> list[Expr]:  # noqa: ARG002 - a step without guards
        return []

    def bound(self, known: dict[_Symbol, Interval | None], fixed: Collection[str]) -> None:
        """The values of what is consumed, from those of what is made, while the loops in `fixed` stand still."""
        raise NotImplementedError


def _split(step: Split, current: dict[str, _Symbol], fits: bool) -> _Step:
    old = current.pop(step.old)
    trips = div(add(old.range.extent, sub(step.factor, 1)), step.factor)
    tiles_clamped = old.is_clamped or step.tail in _SHIFTED
    outer = current[step.outer] = _Symbol(step.outer, Range(as_expr(0), trips), is_clamped=tiles_clamped)
    inner = current[step.inner] = _Symbol(step.inner, Range(as_expr(0), step.factor), is_clamped=old.is_clamped)
    return _SplitStep(step, old, outer, inner, fits and not old.is_clamped)


def _fuse(step: Fuse, current: dict[str, _Symbol]) -> _Step:
    inner, outer = current.pop(step.inner), current.pop(step.outer)
    trips = mul(inner.range.extent, outer.range.extent)
    fused = current[step.fused] = _Symbol(step.fused, Range(as_expr(0), trips))
    return _FuseStep(inner, outer, fused)


def _skew(step: Skew, current: dict[str, _Symbol]) -> _Step:
    old, by = current[step.loop], current[step.by]
    last = mul(by.range.last, step.factor)
    low = add(old.range.min, mul(by.range.min, step.factor) if step.factor > 0 else last)
    trips = add(old.range.extent, mul(sub(by.range.extent, 1), abs(step.factor)))
    skewed = current[step.loop] = _Symbol(step.loop, Range(low, trips), is_clamped=old.is_clamped)
    return _SkewStep(old, by, skewed, step.factor)


class _SplitStep(_Step):
    def __init__(self, step: Split, old: _Symbol, outer: _Symbol, inner: _Symbol, fits: bool) -> None:
        self.step, self.old, self.outer, self.inner, self.fits = step, old, outer, inner, fits
        self.consumed = (old,)
        self.made = (outer, inner)
        self.guard: Hoisted | None = None  # stands for the variable split
        self.base: Hoisted | None = None  # stands for the start of the tile
        extent, factor = const_value(old.range.extent), const_value(step.factor)
        self.divides = extent is not None and factor is not None and extent % factor == 0

    @property
    def tail(self) -> Tail:
        return Tail.ROUND_UP if self.divides else self.step.tail

    @property
    def requirement(self) -> TileReach | None:
        if self.divides or not self.fits or self.tail not in _OVERRUNNING:
            return None
        return TileReach(self.step.old, self.step.factor, self.old.range.extent, self.tail)

    def start(self, outer: Expr, steady: Callable[[Expr], Expr] = lambda e: e) -> Expr:
        """Where the tile begins; `steady` marks what it is away from the end."""
        offset = mul(outer, self.step.factor)
        if self.tail in _SHIFTED:
            # max: where there are too few iterations, the only tile starts at the beginning
            extent = self.old.range.extent
            room = sub(extent if self.fits else maximum(extent, self.step.factor), self.step.factor)
            offset = minimum(steady(offset), room)
        return add(self.old.range.min, offset)

    def value(self, known: Mapping[_Symbol, Expr]) -> Expr:
        """The variable split in terms of the loops made."""
        start = self.start(known[self.outer], _likely) if self.base is None else Var(self.base.symbol)
        return add(start, known[self.inner])

    def define(self, known: dict[_Symbol, Expr]) -> None:
        known[self.old] = self.value(known) if self.guard is None else Var(self.guard.symbol)

    def guards(self, known: Mapping[_Symbol, Expr]) -> list[Expr]:
        if self.guard is not None:
            return []
        if self.tail in _GUARDED:
            return [_likely(le(known[self.old], self.old.range.last))]
        if self.tail is Tail.SHIFT_INWARDS_AND_BLEND:
            unshifted = add(self.old.range.min, mul(known[self.outer], self.step.factor))
            first = _likely(ge(known[self.old], unshifted))
            # A tile longer than its loop cannot be shifted: it passes the end, where other tiles have been.
            return [first] if self.fits else [first, _likely(le(known[self.old], self.old.range.last))]
        return []

    def bound(self, known: dict[_Symbol, Interval | None], fixed: Collection[str]) -> None:
        if known[self.outer] is None and known[self.inner] is None:
            known[self.old] = self._whole()
            return
        if self.guard is not None and self.guard.loop in fixed:
            known[self.old] = Interval(Var(self.guard.symbol), Var(self.guard.symbol))
            return
        outer, inner = _interval(self.outer, known), _interval(self.inner, known)
        scope: Scope = {"outer": outer, "inner": inner}
        is_seen = self.base is not None and self.base.loop in fixed  # further out the symbol is not known yet
        start = Var(self.base.symbol) if is_seen and self.base is not None else self.start(Var("outer"))
        reach = bounds_of(add(start, Var("inner")), scope)
        if self.tail in _ENDING and reach.hi is not None:
            reach = Interval(reach.lo, minimum(reach.hi, self.old.range.last))
        known[self.old] = reach

    def _whole(self) -> Interval | None:
        """The computed range where both loops run; None: exactly the range asked for."""
        old = self.old.range
        if self.divides or self.fits or self.tail in _ENDING:
            return None
        if self.tail is Tail.ROUND_UP:
            return Interval(old.min, sub(add(old.min, mul(self.outer.range.extent, self.step.factor)), 1))
        # a maximum of two ends, not of two extents: seen from further out each has bounds of its own
        return Interval(old.min, maximum(old.last, sub(add(old.min, self.step.factor), 1)))


class _FuseStep(_Step):
    def __init__(self, inner: _Symbol, outer: _Symbol, fused: _Symbol) -> None:
        self.inner, self.outer, self.fused = inner, outer, fused
        self.consumed = (inner, outer)
        self.made = (fused,)

    def define(self, known: dict[_Symbol, Expr]) -> None:
        fused = known[self.fused]
        known[self.inner] = add(self.inner.range.min, mod(fused, self.inner.range.extent))
        known[self.outer] = add(self.outer.range.min, div(fused, self.inner.range.extent))

    def bound(self, known: dict[_Symbol, Interval | None], fixed: Collection[str]) -> None:  # noqa: ARG002 - names nothing
        fused = known[self.fused]
        if fused is None:
            known[self.inner] = known[self.outer] = None
            return
        scope: Scope = {"fused": fused}
        both: dict[_Symbol, Expr] = {self.fused: Var("fused")}
        self.define(both)
        known[self.inner] = bounds_of(both[self.inner], scope)
        size, start = self.inner.range.extent, self.outer.range.min
        # rises with the fused loop, which runs only where the inner one has iterations: the size is positive
        known[self.outer] = Interval(*(None if end is None else add(start, div(end, size)) for end in fused))


class _SkewStep(_Step):
    """The variable skewed is inside its range, or the iteration does nothing."""

    def __init__(self, old: _Symbol, by: _Symbol, skewed: _Symbol, factor: int) -> None:
        self.old, self.by, self.skewed, self.factor = old, by, skewed, factor
        self.consumed = (old,)
        self.made = (skewed, by)

    def define(self, known: dict[_Symbol, Expr]) -> None:
        known[self.old] = self._value(known[self.skewed], known[self.by])

    def guards(self, known: Mapping[_Symbol, Expr]) -> list[Expr]:
        old = known[self.old]
        return [_likely(ge(old, self.old.range.min)), _likely(le(old, self.old.range.last))]

    def bound(self, known: dict[_Symbol, Interval | None], fixed: Collection[str]) -> None:  # noqa: ARG002 - names nothing
        if known[self.skewed] is None:
            known[self.old] = None
            return
        scope: Scope = {"skewed": _interval(self.skewed, known), "by": _interval(self.by, known)}
        reach = bounds_of(self._value(Var("skewed"), Var("by")), scope)
        low, last = self.old.range.min, self.old.range.last
        known[self.old] = Interval(
            low if reach.lo is None else maximum(reach.lo, low), last if reach.hi is None else minimum(reach.hi, last)
        )

    def _value(self, skewed: Expr, by: Expr) -> Expr:
        return sub(skewed, mul(by, self.factor))


def _likely(e: Expr) -> Expr:
    return Call("likely", (e,), e.dtype)
