"""Arrays that carry the values of an element type, and conversions between types.

Every type is carried by the NumPy type of the same layout, except bfloat16: it is carried as the
float32 of the same value, and only `from_storage` and `to_storage` see its 16 bits.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..dtypes import FLOAT32, Code, DType

Array: TypeAlias = NDArray[Any]  # the element type is known only at run time


def carrier(dtype: DType) -> np.dtype[Any]:
    """The NumPy type of arrays that hold values of `dtype`."""
    return FLOAT32.to_numpy() if dtype.code == Code.BFLOAT else dtype.to_numpy()


def from_storage(array: Array, dtype: DType) -> Array:
    """Values of an array that is laid out as in memory."""
    if dtype.code != Code.BFLOAT:
        return array
    return (array.astype(np.uint32) << np.uint32(16)).view(np.float32)


def to_storage(array: Array, dtype: DType) -> Array:
    """The array as it is laid out in memory."""
    if dtype.code != Code.BFLOAT:
        return array.astype(dtype.to_numpy(), copy=False)
    return (np.ascontiguousarray(array).view(np.uint32) >> np.uint32(16)).astype(np.uint16).reshape(array.shape)


def as_values(array: object, dtype: DType) -> Array:
    """The array in the carrier of `dtype`, floats rounded, integers wrapped."""
    if dtype.code == Code.BFLOAT:
        return _round_to_bfloat(np.asarray(array))
    return np.asarray(array).astype(carrier(dtype), copy=False)


def _round_to_bfloat(array: Array) -> Array:
    """The nearest bfloat16, ties to even; wider values pass through float32."""
    single = np.ascontiguousarray(array, dtype=np.float32)
    bits = single.view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    kept = np.where(np.isnan(single), bits | np.uint32(0x400000), rounded) & np.uint32(0xFFFF0000)
    return kept.astype(np.uint32).view(np.float32).reshape(array.shape)


def convert(array: Array, source: DType, target: DType) -> Array:
    """`Cast`: integers wrap, floats round, float to integer truncates and saturates, to bool is `!= 0`."""
    if target.is_bool:
        return np.asarray(array != 0)
    if target.is_integer and source.is_float:
        return _float_to_integer(array, target)
    if target.is_float and source.is_integer and target.bits < 32:
        return as_values(array.astype(np.float64 if target.code == Code.FLOAT else np.float32), target)
    return as_values(array, target)


def _float_to_integer(array: Array, target: DType) -> Array:
    whole = np.trunc(array.astype(np.float64))
    beyond = float(target.max + 1)
    inside = (whole >= float(target.min)) & (whole < beyond)
    result = np.where(inside, whole, 0.0).astype(carrier(target))
    result = np.where(whole >= beyond, carrier(target).type(target.max), result)
    return np.where(whole < float(target.min), carrier(target).type(target.min), result)
