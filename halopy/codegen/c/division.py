"""Euclidean division and remainder by constants, without a division instruction."""

from __future__ import annotations

from ...dtypes import DType
from ...ir.expr import LT, Cast, Div, Expr, Mod, Mul, Select, Sub, const
from .bits import bitwise, reinterpret, shifted, unsigned


def div_by_constant(node: Div, divisor: int) -> Expr:
    """Euclidean division by a non-zero constant."""
    a, dtype = node.a, node.dtype
    if divisor == 1:
        return a
    if divisor < 0:
        if divisor == dtype.min:  # the quotient of a and the least number: 1 where a is negative
            return Select(LT(a, const(0, dtype)), const(1, dtype), const(0, dtype))
        return Sub(const(0, dtype), Div(a, const(-divisor, dtype)))
    if divisor & (divisor - 1) == 0:
        return shifted("right", a, divisor.bit_length() - 1)
    if dtype.is_int:
        # ~((~a) / c) is a / c rounded down for negative a; `sign` is all ones there.
        sign = (
            shifted("right", a, dtype.bits - 1) if dtype.bits > 8 else reinterpret_mask(LT(a, const(0, dtype)), dtype)
        )
        magnitude = reinterpret(bitwise("xor", a, sign), unsigned(dtype))
        quotient = Div(magnitude, const(divisor, unsigned(dtype)))
        return bitwise("xor", reinterpret(quotient, dtype), sign)
    return _byte_div(a, divisor)


def reinterpret_mask(condition: Expr, dtype: DType) -> Expr:
    """All ones where the condition holds."""
    return Select(condition, const(-1, dtype), const(0, dtype))


def _byte_div(a: Expr, divisor: int) -> Expr:
    """a / divisor for uint8 vectors, in uint16: gcc 12 divides bytes one lane at a time (374 instructions for 64)."""
    wide_type = a.dtype.with_bits(16)
    wide = Cast(wide_type, a)
    for shift in range(8, 17):
        factor = (1 << shift) // divisor + 1
        if 255 * factor < 1 << 16 and all(n * factor >> shift == n // divisor for n in range(256)):
            product = Mul(wide, const(factor, wide_type))
            return Cast(a.dtype, shifted("right", product, shift) if shift < 16 else const(0, wide_type))
    return Cast(a.dtype, Div(wide, const(divisor, wide_type)))


def mod_by_constant(node: Mod, divisor: int) -> Expr:
    """Euclidean remainder by a non-zero constant."""
    a, dtype = node.a, node.dtype
    size = abs(divisor)
    if size & (size - 1) == 0:
        return bitwise("and", a, const(size - 1, dtype))
    return Sub(a, Mul(Div(a, const(size, dtype)), const(size, dtype)))
