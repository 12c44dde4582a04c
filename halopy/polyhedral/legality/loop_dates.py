"""When an instance of a stage runs: the date that its loops give it, one number or two per loop.

    r over [m, m + n), split(r, ro, ri, 8)     ro: (r - m) / 8       ri: (r - m) % 8
    fuse(x, y, f) of [mx, mx + 4), [my, ...)   f:  (y - my)*4 + (x - mx)
    the same, with an extent n that is no number   f:  the pair ((y - my), (x - mx))
    skew(x, t, 2)                              x:  x + 2*t

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
class Range:
    """[min, min + extent)."""

    min: Expr
    extent: Expr


@dataclass(frozen=True, slots=True)
class _Loop:
    date: Date
    range: Range


def loop_dates(nest: StageNest, own: Mapping[str, Range]) -> tuple[Date, ...]:
    """The dates of the nest's loops, the outermost first, in the stage's own variables. Raises NotAffine."""
    loops = {name: _Loop((Var(name),), span) for name, span in own.items()}
    for step in nest.steps:
        if isinstance(step, Split):
            _split(step, loops)
        elif isinstance(step, Fuse):
            _fuse(step, loops)
        elif isinstance(step, Skew):
            _skew(step, loops)
        else:
            loops[step.new] = loops.pop(step.old)
    return tuple(loops[dim.name].date for dim in reversed(nest.dims))


def _split(step: Split, loops: dict[str, _Loop]) -> None:
    old = loops.pop(step.old)
    if const_value(step.factor) is None:
        raise NotAffine(f"the factor {step.factor} of loop {step.old} is no number")
    if len(old.date) > 1:
        raise NotAffine(f"loop {step.old} is split, and fused of loops of which the inner one has no number as extent")
    place = sub(old.date[0], old.range.min)
    trips = div(add(old.range.extent, sub(step.factor, 1)), step.factor)
    loops[step.outer] = _Loop((div(place, step.factor),), Range(as_expr(0), trips))
    loops[step.inner] = _Loop((mod(place, step.factor),), Range(as_expr(0), step.factor))


def _skew(step: Skew, loops: dict[str, _Loop]) -> None:
    old, by = loops[step.loop], loops[step.by]
    if len(old.date) > 1 or len(by.date) > 1:
        raise NotAffine(f"loop {step.loop} is skewed after loops were fused, the inner one with no number as extent")
    low, last = by.range.min, sub(add(by.range.min, by.range.extent), 1)
    start = add(old.range.min, mul(low if step.factor > 0 else last, step.factor))
    extent = add(old.range.extent, mul(sub(by.range.extent, 1), abs(step.factor)))
    loops[step.loop] = _Loop((add(old.date[0], mul(by.date[0], step.factor)),), Range(start, extent))


def _fuse(step: Fuse, loops: dict[str, _Loop]) -> None:
    inner, outer = loops.pop(step.inner), loops.pop(step.outer)
    span = Range(as_expr(0), mul(inner.range.extent, outer.range.extent))
    is_one = const_value(inner.range.extent) is not None and len(inner.date) == len(outer.date) == 1
    if is_one:
        rows = mul(sub(outer.date[0], outer.range.min), inner.range.extent)
        loops[step.fused] = _Loop((add(rows, sub(inner.date[0], inner.range.min)),), span)
    else:
        loops[step.fused] = _Loop((*outer.date, *inner.date), span)
