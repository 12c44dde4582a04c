"""Calls and casts."""

from __future__ import annotations

from typing import Any

from ...dtypes import DType
from .. import expr as ir
from ..build import broadcast, call, cast
from ..expr import Broadcast, Cast, Expr, Ramp, const, const_value
from .algebra import Algebra


def make_cast(s: Algebra, dtype: DType, a: Expr) -> Expr:
    """The cast of a simplified value."""
    if a.dtype is dtype or const_value(a) is not None:
        return cast(dtype, a)
    if type(a) is Broadcast:
        return broadcast(make_cast(s, dtype.with_lanes(a.value.dtype.lanes), a.value), a.lanes)
    if type(a) is Ramp and dtype.is_index_like and a.dtype.is_index_like and dtype.bits >= a.dtype.bits:
        element = dtype.with_lanes(a.base.dtype.lanes)
        return Ramp(make_cast(s, element, a.base), make_cast(s, element, a.stride), a.lanes)
    if type(a) is Cast and _passes_through(s, a.a, a.dtype, dtype):
        return make_cast(s, dtype, a.a)
    return Cast(dtype, a)


def _passes_through(s: Algebra, e: Expr, middle: DType, target: DType) -> bool:
    """Whether e -> middle -> target is e -> target."""
    source = e.dtype
    if target.is_bool or not middle.is_integer:
        # Any wider float keeps all values of a narrower one, and enough integers.
        return source.is_float and middle.is_float and _keeps_float(source, middle) and not target.is_bool
    if not source.is_integer or middle.is_bool:
        return False
    if target.is_integer and target.bits <= middle.bits:
        return True
    lo, hi = s.ranges.of(e)
    lo, hi = (source.min if lo is None else lo), (source.max if hi is None else hi)
    return middle.can_hold(int(lo)) and middle.can_hold(int(hi))


def _keeps_float(source: DType, middle: DType) -> bool:
    return middle.code == source.code and middle.bits >= source.bits


def make_call(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr:
    """The call on simplified arguments."""
    folded = call(e.name, args, e.dtype)
    if type(folded) is not ir.Call:
        return folded
    rule = _RULES.get(e.name)
    found = rule(s, e, args) if rule is not None else None
    if found is None and len(args) > 0 and all(type(a) is Broadcast for a in args):
        found = _broadcast(s, e, args)
    return folded if found is None else found


def _broadcast(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    inner = tuple(a.value for a in args if type(a) is Broadcast and a.value.dtype.lanes == 1)
    if len(inner) < len(args):
        return None
    scalar = ir.Call(e.name, inner, e.dtype.element)
    return broadcast(make_call(s, scalar, inner), e.dtype.lanes)


def _shift(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    """Shifts by a literal are products and quotients with a power of two."""
    by = const_value(args[1])
    if by is None:
        return None
    by = int(by) if e.name == "shift_left" else -int(by)
    if by == 0:
        return args[0]
    if 0 < by < e.dtype.bits:
        return s.make(ir.Mul, args[0], const(1 << by, e.dtype))
    if by < 0 and e.dtype.can_hold(1 << -by):
        return s.make(ir.Div, args[0], const(1 << -by, e.dtype))
    return None


def _bitwise_and(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    """Masks of low bits are remainders."""
    a, b = args if const_value(args[1]) is not None else (args[1], args[0])
    mask = const_value(b)
    if a is b:
        return a
    if mask is None:
        return None
    mask = int(mask)
    if mask == 0:
        return const(0, e.dtype)
    if mask == -1 or (e.dtype.is_uint and mask == e.dtype.max):
        return a
    if mask > 0 and mask & (mask + 1) == 0 and e.dtype.can_hold(mask + 1):
        return s.make(ir.Mod, a, const(mask + 1, e.dtype))
    return None


def _abs(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    low = s.ranges.of(args[0])[0]
    if e.dtype.is_integer and low is not None and low >= 0:
        return make_cast(s, e.dtype, args[0])
    return None


def _promise(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    a, low, high = args
    if e.dtype.is_integer and s.facts.at_most(low, a) and s.facts.at_most(a, high):
        return a
    return None


def _if_then_else(_s: Algebra, _e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    c = const_value(args[0])
    return None if c is None else args[1] if c else args[2]


def _saturating_cast(s: Algebra, e: ir.Call, args: tuple[Expr, ...]) -> Expr | None:
    (a,) = args
    if not a.dtype.is_integer or not e.dtype.is_integer:
        return None
    lo, hi = s.ranges.of(a)
    lo, hi = (a.dtype.min if lo is None else lo), (a.dtype.max if hi is None else hi)
    return make_cast(s, e.dtype, a) if e.dtype.can_hold(int(lo)) and e.dtype.can_hold(int(hi)) else None


_RULES: dict[str, Any] = {
    "shift_left": _shift,
    "shift_right": _shift,
    "bitwise_and": _bitwise_and,
    "abs": _abs,
    "promise_clamped": _promise,
    "if_then_else": _if_then_else,
    "saturating_cast": _saturating_cast,
}
