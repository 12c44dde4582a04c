"""Intervals made of intervals by their ends, whatever they are about.

|[a, b]|  ->  [0, max(b, -a)]          [a, b] / c  ->  in order, and anything where c is 0
"""

from __future__ import annotations

import math

from . import build
from . import expr as ir
from .expr import Expr, const, const_value
from .node import walk
from .scope import Interval

MONOTONE = {
    "saturating_cast": (1,), "saturating_add": (1, 1), "saturating_sub": (1, -1), "widening_add": (1, 1),
    "widening_sub": (1, -1), "halving_add": (1, 1), "rounding_halving_add": (1, 1), "bitwise_not": (-1,),
    "floor": (1,), "ceil": (1,), "round": (1,), "trunc": (1,),
}  # fmt: skip


def monotone(e: ir.Call, args: list[Interval]) -> Interval:
    """Of an operator that rises or falls with each argument."""
    ends = []
    for low in (True, False):
        chosen = tuple(i.lo if (d > 0) == low else i.hi for i, d in zip(args, MONOTONE[e.name], strict=True))
        ends.append(build.call(e.name, tuple(c for c in chosen if c is not None), e.dtype.element))
    return Interval(*ends)


def distance(e: ir.Call, a: Interval, b: Interval) -> Interval:
    """|a - b|, which is unsigned."""
    dtype = e.dtype.element
    if a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        return Interval(const(0, dtype), const(dtype.max, dtype))
    return Interval(const(0, dtype), build.cast(dtype, build.maximum(build.sub(a.hi, b.lo), build.sub(b.hi, a.lo))))


def magnitude(e: ir.Call, a: Interval, sign: int) -> Interval:
    """|a|, where the sign of a is known or 0."""
    dtype = e.dtype.element
    lo, hi = a
    if sign > 0:
        return Interval(lo and build.cast(dtype, lo), hi and build.cast(dtype, hi))
    if sign < 0:
        lo, hi = hi and build.sub(0, hi), lo and build.sub(0, lo)
        return Interval(lo and build.cast(dtype, lo), hi and build.cast(dtype, hi))
    if lo is None or hi is None:
        return Interval(const(0, dtype), const(dtype.max, dtype))
    return Interval(const(0, dtype), build.cast(dtype, build.maximum(hi, build.sub(0, lo))))


def ordered(a: Expr, b: Expr) -> Interval:
    """The interval between two ends, whichever is greater. Floats that have no order, as one is no number: anything."""
    low, high = build.minimum(a, b), build.maximum(a, b)
    if not a.dtype.is_float or (const_value(a) is not None and const_value(b) is not None):
        return Interval(low, high)
    is_number = build.logical_or(build.le(a, b), build.le(b, a))
    least, greatest = (const(end, a.dtype) for end in (-math.inf, math.inf))
    return Interval(build.select(is_number, low, least), build.select(is_number, high, greatest))


def numbers_only(i: Interval) -> Interval:
    """The interval of floats; where an end is no number, such as a sum of infinities, anything."""
    lo, hi = i
    assert lo is not None and hi is not None, "there are two ends"
    if const_value(lo) is None:
        lo = build.select(build.eq(lo, lo), lo, const(-math.inf, lo.dtype))
    if const_value(hi) is None:
        hi = build.select(build.eq(hi, hi), hi, const(math.inf, hi.dtype))
    return Interval(lo, hi)


def quotient_by_any_sign(a: Interval, divisor: Expr) -> Interval:
    """The quotients of the ends, in order; by zero, anything."""
    assert a.lo is not None and a.hi is not None, "the caller has checked"
    low, high = build.div(a.lo, divisor), build.div(a.hi, divisor)
    is_zero = build.eq(divisor, const(0, divisor.dtype))
    least, greatest = (const(end, divisor.dtype) for end in (-math.inf, math.inf))
    lo, hi = ordered(low, high)
    assert lo is not None and hi is not None, "there are two ends"
    return Interval(build.select(is_zero, least, lo), build.select(is_zero, greatest, hi))


def is_always_a_number(e: Expr) -> bool:
    """Whether it is a float of arithmetic on integers, so that it is no NaN."""
    return e.dtype.is_float and all(
        not e.dtype.is_float
        or isinstance(e, ir.Const | ir.Cast | ir.Add | ir.Sub | ir.Mul | ir.Min | ir.Max)
        or (isinstance(e, ir.Div) and bool(const_value(e.b)))
        or (isinstance(e, ir.Call) and e.name in ("abs", "floor", "ceil", "round", "trunc"))
        for e in walk(e)
        if isinstance(e, Expr)
    )
