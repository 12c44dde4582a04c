"""Algebra of ramps and broadcasts: operators on vectors that keep addresses affine.

    ramp(a, 1, 8) + x8(b)    ->   ramp(a + b, 1, 8)
    x8(a) * x8(b)            ->   x8(a*b)
    min(ramp(a, s, 8), ramp(b, s, 8))  ->  ramp(min(a, b), s, 8)

Ramps in int32 and int64 are indices: they are assumed not to overflow.
"""

from __future__ import annotations

from ..ir import build
from ..ir.expr import Add, Broadcast, Compare, Div, Expr, Max, Min, Mod, Mul, Ramp, Shuffle, Sub, const_value
from ..ir.node import NodeMeta


def binary(operator: NodeMeta, a: Expr, b: Expr) -> Expr:
    """`operator` on two vectors of equal lanes, as a ramp or broadcast where it is one."""
    if type(a) is Broadcast and type(b) is Broadcast and a.value.dtype.lanes == b.value.dtype.lanes:
        return build.broadcast(binary(operator, a.value, b.value), a.lanes)
    affine = None
    if type(a) is Ramp and a.dtype.is_integer:
        affine = _on_ramps(operator, a, _as_ramp(b, a))
    elif type(b) is Ramp and b.dtype.is_integer:
        affine = _on_ramps(operator, _as_ramp(a, b), b)
    return affine or build.binary(operator, a, b)


def _as_ramp(e: Expr, like: Ramp) -> Ramp | None:
    """A ramp or broadcast as a ramp with the shape of another."""
    inner = like.base.dtype.lanes
    if type(e) is Ramp:
        return e if e.lanes == like.lanes else None
    if (
        type(e) is Broadcast
        and e.value.dtype.lanes * e.lanes == inner * like.lanes
        and inner % e.value.dtype.lanes == 0
    ):
        base = build.broadcast(e.value, inner // e.value.dtype.lanes)
        return Ramp(base, build.mul(base, 0), like.lanes)
    return None


def _on_ramps(operator: NodeMeta, a: Ramp | None, b: Ramp | None) -> Expr | None:
    """The answer where it is affine in the lane."""
    if a is None or b is None:
        return None
    if operator is Add or operator is Sub:
        return ramp(binary(operator, a.base, b.base), binary(operator, a.stride, b.stride), a.lanes)
    if operator is Mul and const_value(b.stride) == 0:
        return ramp(binary(Mul, a.base, b.base), binary(Mul, a.stride, b.base), a.lanes)
    if operator is Mul and const_value(a.stride) == 0:
        return _on_ramps(Mul, b, a)
    if a.dtype.is_index_like:
        return _on_index_ramps(operator, a, b)
    return None


def _on_index_ramps(operator: NodeMeta, a: Ramp, b: Ramp) -> Expr | None:
    """What holds where nothing overflows."""
    if a.stride is b.stride:
        if operator is Min or operator is Max:
            return ramp(binary(operator, a.base, b.base), a.stride, a.lanes)
        if issubclass(operator, Compare):
            return build.broadcast(binary(operator, a.base, b.base), a.lanes)
    step, divisor = const_value(a.stride), const_value(b.base)
    if step is not None and divisor is not None and const_value(b.stride) == 0 and divisor > 0 and step % divisor == 0:
        if operator is Div:
            return ramp(binary(Div, a.base, b.base), binary(Div, a.stride, b.base), a.lanes)
        if operator is Mod:
            return build.broadcast(binary(Mod, a.base, b.base), a.lanes)
    return None


def ramp(base: Expr, stride: Expr, lanes: int) -> Expr:
    """A ramp; a ramp of ramps that goes straight on becomes one."""
    if lanes == 1:
        return base
    step = const_value(stride)
    if step == 0 and base.dtype.is_integer:
        return build.broadcast(base, lanes)
    if type(base) is Ramp and base.base.dtype.lanes == 1 and step is not None:
        inner = const_value(base.stride)
        if inner is not None and inner * base.lanes == step:
            return Ramp(base.base, base.stride, base.lanes * lanes)
    return Ramp(base, stride, lanes)


def repeat_each(e: Expr, group: int, times: int) -> Expr:
    """Each group of adjacent lanes `times` times in a row: (a, b, c, d) by 2, 2 -> (a, b, a, b, c, d, c, d)."""
    if times == 1:
        return e
    if type(e) is Broadcast and e.value.dtype.lanes == group:
        return build.broadcast(e.value, e.lanes * times)
    if type(e) is Ramp and e.base.dtype.lanes == group:
        return ramp(build.broadcast(e.base, times), build.broadcast(e.stride, times), e.lanes)
    starts = range(0, e.dtype.lanes, group)
    return Shuffle((e,), tuple(start + k for start in starts for _ in range(times) for k in range(group)))


def lanes_of(e: Expr, start: int, count: int) -> Expr:
    """`count` adjacent lanes of a vector."""
    if count == e.dtype.lanes:
        return e
    if type(e) is Broadcast and start % e.value.dtype.lanes == 0 and count == e.value.dtype.lanes:
        return e.value
    return Shuffle((e,), tuple(range(start, start + count)))
