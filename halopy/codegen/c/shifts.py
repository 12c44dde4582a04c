"""Shifts by any amount, written with C's shifts, which know amounts within the width only."""

from __future__ import annotations

from ...dtypes import DType
from ...ir.expr import GT, LT, Add, Call, Cast, Expr, Min, Select, Sub, const, const_value
from .bits import bitwise, plain_shift, reinterpret, shifted, unsigned


def any_shift(call: Call) -> Expr:
    """Shifts by any amount: constants become C's shift, the rest a choice of C's shifts."""
    a, by = call.args
    left = call.name == "shift_left"
    amount = const_value(by)
    if amount is not None:
        return constant_shift(a, int(amount) if left else -int(amount))
    forward = _in_range_shift("left" if left else "right", a, by)
    if by.dtype.is_uint:
        return forward
    backward = _in_range_shift("right" if left else "left", a, Sub(const(0, by.dtype), by))
    return Select(LT(by, const(0, by.dtype)), backward, forward)


def constant_shift(a: Expr, amount: int) -> Expr:
    """a << amount, to the right where the amount is negative."""
    bits = a.dtype.bits
    if amount >= 0:
        return shifted("left", a, amount) if amount < bits else const(0, a.dtype)
    if -amount >= bits and a.dtype.is_uint:
        return const(0, a.dtype)
    return shifted("right", a, min(-amount, bits - 1))


def _in_range_shift(direction: str, a: Expr, by: Expr) -> Expr:
    """Shift by a `by` that counts as unsigned; by the width or more leaves 0, or the sign."""
    counts, bits = unsigned(by.dtype), a.dtype.bits
    count = reinterpret(by, counts)
    if direction == "right" and a.dtype.is_int:
        return plain_shift("right", a, _amount(Min(count, const(bits - 1, counts)), a.dtype))
    safe = _amount(bitwise("and", count, const(bits - 1, counts)), a.dtype)
    return Select(LT(count, const(bits, counts)), plain_shift(direction, a, safe), const(0, a.dtype))


def _amount(count: Expr, dtype: DType) -> Expr:
    """The shift count in the type of what is shifted, as vector shifts want it."""
    return count if count.dtype is dtype else Cast(dtype, count)


def has_average(dtype: DType) -> bool:
    """Whether (a + b + 1) >> 1 is one instruction."""
    return dtype.lanes > 1 and dtype.is_uint and dtype.bits in (8, 16)


def rounding_shift(call: Call) -> Expr:
    """The plain shift, plus the last bit that a right shift drops."""
    a, by = call.args
    left = call.name == "rounding_shift_left"
    amount = const_value(by)
    if amount is not None:
        total = int(amount) if left else -int(amount)
        if total >= 0:
            return constant_shift(a, total)
        if has_average(a.dtype):
            return Call("rounding_halving_add", (constant_shift(a, total + 1), const(0, a.dtype)), a.dtype)
        return Add(constant_shift(a, total), bitwise("and", constant_shift(a, total + 1), const(1, a.dtype)))
    one, zero = const(1, by.dtype), const(0, by.dtype)
    name = "shift_left" if left else "shift_right"
    plain = Call(name, (a, by), a.dtype)
    if by.dtype.is_uint and left:
        return plain
    before = Call(name, (a, Add(by, one) if left else Sub(by, one)), a.dtype)
    rounds = LT(by, zero) if left else GT(by, zero)
    return Add(plain, Select(rounds, bitwise("and", before, const(1, a.dtype)), const(0, a.dtype)))
