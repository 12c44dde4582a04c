"""When an instance of a stage runs: the date that its loops give it, one number or two per loop.

    r over [m, m + n), split(r, ro, ri, 8)     ro: (r - m) / 8       ri: (r - m) % 8
    fuse(x, y, f) of [mx, mx + 4), [my, ...)   f:  (y - my)*4 + (x - mx)
    the same, with an extent n that is no number   f:  the pair ((y - my), (x - mx))
    skew(x, t, 2)                              x:  x + 2*t
    split(r, ro, ri, n), n a Param             ro: grows with r, somehow      ri: grows with r, where ro is equal

Tails that run an instance again, or past the end, make no difference here: each instance is dated by the run that
counts. Where they would matter, `schedule.tails` refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...ir.build import add, as_expr, div, mod, mul, sub
from ...ir.expr import Expr, Var, const_value
from ...schedule.directives import Fuse, Skew, Split
from ...schedule.nest import StageNest
from ..question import NotAffine

Date = tuple[Expr, ...]  # compared lexicographically


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a split makes of the date `base`, by a factor of which nothing is known: of the outer, or the inner loop."""

    base: Date
    split: int
    is_inner: bool
    why: str


@dataclass(frozen=True, slots=True)
class Range:
    """[min, min + extent)."""

    min: Expr
    extent: Expr


@dataclass(frozen=True, slots=True)
class _Loop:
    date: Date
    range: Range
    unknown: Unknown | None = None


def loop_dates(nest: StageNest, own: Mapping[str, Range]) -> tuple[Date, ...]:
    """The dates of the nest's loops, the outermost first, in the stage's own variables. Raises NotAffine."""
    return tuple(_known(date) for date in vague_dates(nest, own))


def vague_dates(nest: StageNest, own: Mapping[str, Range]) -> tuple[Date | Unknown, ...]:
    """The same, where of some not all is known. Raises NotAffine."""
    loops = {name: _Loop((Var(name),), span) for name, span in own.items()}
    for number, step in enumerate(nest.steps):
        if isinstance(step, Split):
            _split(step, number, loops)
        elif isinstance(step, Fuse):
            _fuse(step, loops)
        elif isinstance(step, Skew):
            _skew(step, loops)
        else:
            loops[step.new] = loops.pop(step.old)
    return tuple(loops[dim.name].unknown or loops[dim.name].date for dim in reversed(nest.dims))


def _known(date: Date | Unknown) -> Date:
    if isinstance(date, Unknown):
        raise NotAffine(date.why)
    return date


def _split(step: Split, number: int, loops: dict[str, _Loop]) -> None:
    old = _exact(loops.pop(step.old))
    why = ""
    if const_value(step.factor) is None:
        why = f"the factor {step.factor} of loop {step.old} is no number"
    elif len(old.date) > 1:
        why = f"loop {step.old} is split, and fused of loops of which the inner one has no number as extent"
    if why:
        for name, is_inner in ((step.outer, False), (step.inner, True)):
            loops[name] = _Loop(old.date, old.range, Unknown(old.date, number, is_inner, why))
        return
    place = sub(old.date[0], old.range.min)
    trips = div(add(old.range.extent, sub(step.factor, 1)), step.factor)
    loops[step.outer] = _Loop((div(place, step.factor),), Range(as_expr(0), trips))
    loops[step.inner] = _Loop((mod(place, step.factor),), Range(as_expr(0), step.factor))


def _exact(loop: _Loop) -> _Loop:
    if loop.unknown is not None:
        raise NotAffine(loop.unknown.why)
    return loop


def _skew(step: Skew, loops: dict[str, _Loop]) -> None:
    old, by = _exact(loops[step.loop]), _exact(loops[step.by])
    if len(old.date) > 1 or len(by.date) > 1:
        raise NotAffine(f"loop {step.loop} is skewed after loops were fused, the inner one with no number as extent")
    low, last = by.range.min, sub(add(by.range.min, by.range.extent), 1)
    start = add(old.range.min, mul(low if step.factor > 0 else last, step.factor))
    extent = add(old.range.extent, mul(sub(by.range.extent, 1), abs(step.factor)))
    loops[step.loop] = _Loop((add(old.date[0], mul(by.date[0], step.factor)),), Range(start, extent))


def _fuse(step: Fuse, loops: dict[str, _Loop]) -> None:
    inner, outer = _exact(loops.pop(step.inner)), _exact(loops.pop(step.outer))
    span = Range(as_expr(0), mul(inner.range.extent, outer.range.extent))
    is_one = const_value(inner.range.extent) is not None and len(inner.date) == len(outer.date) == 1
    if is_one:
        rows = mul(sub(outer.date[0], outer.range.min), inner.range.extent)
        loops[step.fused] = _Loop((add(rows, sub(inner.date[0], inner.range.min)),), span)
    else:
        loops[step.fused] = _Loop((*outer.date, *inner.date), span)
