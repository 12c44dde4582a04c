"""Expressions on bits that other rules are made of."""

from __future__ import annotations

from ...dtypes import Code, DType
from ...ir.expr import Call, Expr, const


def unsigned(dtype: DType) -> DType:
    return dtype.with_code(Code.UINT)


def reinterpret(a: Expr, dtype: DType) -> Expr:
    return a if a.dtype is dtype else Call("reinterpret", (a,), dtype)


def bitwise(name: str, *args: Expr) -> Expr:
    return Call(f"bitwise_{name}", args, args[0].dtype)


def plain_shift(direction: str, a: Expr, by: Expr) -> Expr:
    """C's shift: `by` is known to lie in [0, bits)."""
    return Call(f"c_shift_{direction}", (a, by), a.dtype)


def shifted(direction: str, a: Expr, by: int) -> Expr:
    return plain_shift(direction, a, const(by, a.dtype)) if by else a
