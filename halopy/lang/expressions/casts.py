"""Conversions by name: `cast(UInt(8), e)`, `u8(e)` wrap; `u8_sat(e)` saturates; `reinterpret` keeps the bits."""

from __future__ import annotations

from ...dtypes import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    DType,
)
from ...errors import TypeMismatch
from ...ir.expr import Call, const
from ...source import caller
from . import conversion
from .conversion import as_integer, typed
from .expr import Expr, ToExpr, to_node
from .types import Type, to_dtype

__all__ = [
    "bf16", "cast", "f16", "f32", "f64", "i8", "i8_sat", "i16", "i16_sat", "i32", "i32_sat", "i64", "i64_sat",
    "reinterpret", "saturating_cast", "u8", "u8_sat", "u16", "u16_sat", "u32", "u32_sat", "u64", "u64_sat",
]  # fmt: skip


def cast(type: Type, expr: ToExpr) -> Expr:
    """The value in another type: integers wrap, floats truncate towards zero."""
    return Expr(conversion.cast(to_dtype(type), to_node(expr)))


def saturating_cast(type: Type, expr: ToExpr) -> Expr:
    """The value in another type, clamped to its range."""
    return _saturate(to_dtype(type), expr)


def reinterpret(type: Type, expr: ToExpr) -> Expr:
    """The same bits as another type of the same size."""
    dtype, e = to_dtype(type), to_node(expr)
    if dtype.bits * dtype.lanes != e.dtype.bits * e.dtype.lanes:
        raise TypeMismatch(
            f"cannot reinterpret {typed(e)} as {dtype}: {e.dtype.bits * e.dtype.lanes} bits"
            f" and {dtype.bits * dtype.lanes} bits",
            location=caller(),
        )
    return Expr(e if e.dtype is dtype else Call("reinterpret", (e,), dtype))


def _convert(dtype: DType, value: ToExpr) -> Expr:
    """A number is taken exactly where the type has it; an expression is cast."""
    integer = as_integer(value)
    if integer is not None:
        return Expr(const(integer, dtype))
    if isinstance(value, float) and dtype.is_float:
        return Expr(const(value, dtype))
    return Expr(conversion.cast(dtype, to_node(value)))


def _saturate(dtype: DType, value: ToExpr) -> Expr:
    e = to_node(value)
    return Expr(e if e.dtype is dtype else Call("saturating_cast", (e,), dtype))


def i8(value: ToExpr) -> Expr:
    """The expression as a signed integer of 8 bits; what does not fit wraps."""
    return _convert(INT8, value)


def i16(value: ToExpr) -> Expr:
    """The expression as a signed integer of 16 bits; what does not fit wraps."""
    return _convert(INT16, value)


def i32(value: ToExpr) -> Expr:
    """The expression as a signed integer of 32 bits; what does not fit wraps."""
    return _convert(INT32, value)


def i64(value: ToExpr) -> Expr:
    """The expression as a signed integer of 64 bits; what does not fit wraps."""
    return _convert(INT64, value)


def u8(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 8 bits; what does not fit wraps."""
    return _convert(UINT8, value)


def u16(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 16 bits; what does not fit wraps."""
    return _convert(UINT16, value)


def u32(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 32 bits; what does not fit wraps."""
    return _convert(UINT32, value)


def u64(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 64 bits; what does not fit wraps."""
    return _convert(UINT64, value)


def f16(value: ToExpr) -> Expr:
    """The expression as a float of 16 bits."""
    return _convert(FLOAT16, value)


def bf16(value: ToExpr) -> Expr:
    """The expression as a bfloat16."""
    return _convert(BFLOAT16, value)


def f32(value: ToExpr) -> Expr:
    """The expression as a float of 32 bits."""
    return _convert(FLOAT32, value)


def f64(value: ToExpr) -> Expr:
    """The expression as a float of 64 bits."""
    return _convert(FLOAT64, value)


def i8_sat(value: ToExpr) -> Expr:
    """The expression as a signed integer of 8 bits; what does not fit becomes the nearest value that does."""
    return _saturate(INT8, value)


def i16_sat(value: ToExpr) -> Expr:
    """The expression as a signed integer of 16 bits; what does not fit becomes the nearest value that does."""
    return _saturate(INT16, value)


def i32_sat(value: ToExpr) -> Expr:
    """The expression as a signed integer of 32 bits; what does not fit becomes the nearest value that does."""
    return _saturate(INT32, value)


def i64_sat(value: ToExpr) -> Expr:
    """The expression as a signed integer of 64 bits; what does not fit becomes the nearest value that does."""
    return _saturate(INT64, value)


def u8_sat(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 8 bits; what does not fit becomes the nearest value that does."""
    return _saturate(UINT8, value)


def u16_sat(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 16 bits; what does not fit becomes the nearest value that does."""
    return _saturate(UINT16, value)


def u32_sat(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 32 bits; what does not fit becomes the nearest value that does."""
    return _saturate(UINT32, value)


def u64_sat(value: ToExpr) -> Expr:
    """The expression as an unsigned integer of 64 bits; what does not fit becomes the nearest value that does."""
    return _saturate(UINT64, value)
