"""Conversions between element types: of Python numbers, of literals, of expressions."""

from __future__ import annotations

import math
import warnings

import numpy as np

from ...dtypes import BOOL, FLOAT32, INT32, INT64, DType
from ...errors import TypeMismatch
from ...ir.expr import NE, Broadcast, Call, Cast, Const, Expr, const, round_to
from ...ir.node import walk
from ...source import caller

_warned: dict[str | tuple[str, type[Warning], int], int] = {}  # so that a line warns once
_SHOWN_NODES = 60  # longer expressions are not quoted in messages


def show(e: Expr) -> str:
    """The expression as quoted in messages; long ones only by their size."""
    for count, _ in enumerate(walk(e)):
        if count == _SHOWN_NODES:
            return "<a long expression>"
    return str(e)


def typed(e: Expr) -> str:
    """The expression and its type, for messages."""
    return f"`{show(e)}` of type {e.dtype}"


def as_integer(value: object) -> int | None:
    """A Python or NumPy integer or boolean as an int; None for anything else."""
    if isinstance(value, int | np.integer | np.bool_):
        return int(value)
    return None


def integer_literal(value: int) -> Expr:
    """An int32 literal, or an int64 one where 32 bits are too few."""
    for dtype in (INT32, INT64):
        if dtype.can_hold(value):
            return Const(value, dtype)
    raise TypeMismatch(
        f"the integer {value} does not fit int64",
        location=caller(),
        accepted="integers in [-2**63, 2**63), or hl.u64(value) up to 2**64 - 1",
    )


def float_literal(value: float) -> Expr:
    """A float32 literal. Warns where that loses precision, as hl.f32 and hl.f64 say explicitly what is meant."""
    rounded = round_to(value, FLOAT32)
    if rounded != value and not math.isnan(value):
        where = caller()
        warnings.warn_explicit(
            f"the floating-point value {value!r} is taken as a float32 and loses precision;"
            " write hl.f32(...) or hl.f64(...) to say which is meant",
            RuntimeWarning,
            where.file,
            where.line,
            registry=_warned,
        )
    return Const(rounded, FLOAT32)


def number(value: object) -> Expr | None:
    """The literal that a Python or NumPy number stands for; None for anything else."""
    if isinstance(value, bool | np.bool_):
        return const(int(value), BOOL)
    integer = as_integer(value)
    if integer is not None:
        return integer_literal(integer)
    if isinstance(value, float | np.floating):
        return float_literal(float(value))
    return None


def has_value(dtype: DType, value: int | float) -> bool:
    """Whether the type has exactly this value."""
    if dtype.is_integer:
        return math.isfinite(value) and int(value) == value and dtype.can_hold(int(value))
    if not dtype.is_float:
        return False
    return math.isnan(value) or round_to(float(value), dtype) == value


def holds(wide: DType, narrow: DType) -> bool:
    """Whether every value of `narrow` is one of `wide`."""
    if wide is narrow:
        return True
    if wide.lanes != narrow.lanes or wide.code == narrow.code == wide.code.BFLOAT:
        return wide.lanes == narrow.lanes and narrow.bits <= wide.bits
    if wide.is_int:
        return (narrow.is_int and narrow.bits <= wide.bits) or (narrow.is_uint and narrow.bits < wide.bits)
    if wide.is_uint:
        return narrow.is_uint and narrow.bits <= wide.bits
    return wide.code == wide.code.FLOAT and _float_holds(wide, narrow)


def _float_holds(wide: DType, narrow: DType) -> bool:
    if narrow.code == narrow.code.BFLOAT:
        return wide.bits > narrow.bits
    if narrow.is_float:
        return narrow.bits <= wide.bits
    return wide.bits >= 32 and narrow.is_integer and 2 * narrow.bits <= wide.bits


def cast(dtype: DType, e: Expr) -> Expr:
    """e converted to the type; literals are converted at once. A scalar fills all lanes of a vector type.

    A boolean is a one-bit integer here as elsewhere in Halide: it takes the lowest bit of what is converted to it.
    """
    if e.dtype is dtype:
        return e
    if dtype.lanes != e.dtype.lanes and e.dtype.lanes != 1:
        raise TypeMismatch(f"cannot convert {typed(e)} to {dtype}: the numbers of lanes differ", location=caller())
    if dtype.code != e.dtype.code and dtype.code.HANDLE in (dtype.code, e.dtype.code):
        raise TypeMismatch(
            f"cannot convert {typed(e)} to {dtype}",
            location=caller(),
            accepted="hl.reinterpret between a handle and a uint64",
        )
    if dtype.lanes != e.dtype.lanes:
        return Broadcast(cast(dtype.element, e), dtype.lanes)
    if isinstance(e, Const):
        return _fold(dtype, e)
    return _lowest_bit(e) if dtype.is_bool else Cast(dtype, e)


def _lowest_bit(e: Expr) -> Expr:
    integer = e if e.dtype.is_integer else Cast(INT32.with_lanes(e.dtype.lanes), e)
    bit = Call("bitwise_and", (integer, const(1, integer.dtype)), integer.dtype)
    return NE(bit, const(0, integer.dtype))


def _fold(dtype: DType, literal: Const) -> Expr:
    value = literal.value
    if dtype.is_bool:
        return const(int(value) & 1 if math.isfinite(value) else 0, dtype)
    if dtype.is_float or not literal.dtype.is_float:
        return const(value, dtype)
    if math.isnan(value):
        return const(0, dtype)
    if math.isinf(value):
        return const(dtype.max if value > 0 else dtype.min, dtype)
    # Out of range: what casting through int64 gives, which is what Halide folds to.
    return const(math.trunc(value), dtype)


def lossless_cast(dtype: DType, e: Expr) -> Expr | None:
    """e in the other type where no value can change, else None."""
    if e.dtype is dtype:
        return e
    if holds(dtype, e.dtype):
        return cast(dtype, e)
    if isinstance(e, Cast) and holds(e.dtype, e.a.dtype):
        return lossless_cast(dtype, e.a)
    if isinstance(e, Const) and has_value(dtype, e.value):
        return const(e.value, dtype)
    return None
