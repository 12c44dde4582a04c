"""A NumPy array as Halide's `halide_buffer_t`."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtypes import DType, from_numpy
from ..errors import BufferError, TypeMismatch

Array = npt.NDArray[Any]

# device, device_interface, host, flags, type (code, bits, lanes), dimensions, dim, padding
_HEADER = "=QQQQBBHiQQ"
_DIMENSION = "iiiI"  # min, extent, stride in elements, flags
_HEADER_BYTES = struct.calcsize(_HEADER)
_INT32_MAX = 2**31 - 1


class RawBuffer:
    """A `halide_buffer_t` at `address` that describes `array` in place and keeps it alive.

    Dimension 0 is the last axis. The host pointer is the address of the element at `mins`, so a negative stride
    points down from there. Strides count elements. Nothing is copied.
    """

    __slots__ = ("_block", "address", "array", "dtype", "extents", "mins", "strides", "writeable")

    def __init__(self, array: Array, mins: Sequence[int] | None = None, dtype: DType | None = None) -> None:
        """`mins` count from dimension 0, all 0 when absent; `dtype` overrides the array's own (bfloat16 as uint16)."""
        self.array = array
        self.dtype = from_numpy(array.dtype) if dtype is None else _reinterpreted(array, dtype)
        self.extents = array.shape[::-1]
        self.strides = _element_strides(array)
        self.mins = (0,) * array.ndim if mins is None else tuple(mins)
        self.writeable = array.flags.writeable
        if len(self.mins) != array.ndim:
            raise BufferError(f"a buffer of {array.ndim} dimensions was given {len(self.mins)} mins")
        self._block = self._packed()

    def _packed(self) -> ctypes.Array[ctypes.c_char]:
        array, dtype = self.array, self.dtype
        host = array.__array_interface__["data"][0]
        if host % array.itemsize:
            raise BufferError(
                f"the array's elements are not aligned to {array.itemsize} bytes; pass np.require(a, requirements='A')"
            )
        make, layout = _layout(array.ndim)
        block = make()
        self.address = address = ctypes.addressof(block)
        shape: list[int] = []
        for size in zip(self.mins, self.extents, self.strides, strict=True):
            shape += (*size, 0)
        try:
            layout.pack_into(
                block, 0, 0, 0, host, 0, dtype.code, dtype.bits, 1, array.ndim, address + _HEADER_BYTES, 0, *shape
            )
        except struct.error:
            raise _too_large(self) from None
        return block

    def __repr__(self) -> str:
        box = ", ".join(f"[{low}, {low + extent})" for low, extent in zip(self.mins, self.extents, strict=True))
        return f"RawBuffer({self.dtype}, {box})"


@cache
def _layout(rank: int) -> tuple[type[ctypes.Array[ctypes.c_char]], struct.Struct]:
    layout = struct.Struct(_HEADER + rank * _DIMENSION)
    return ctypes.c_char * layout.size, layout


def _element_strides(array: Array) -> tuple[int, ...]:
    size = array.itemsize
    if size == 1:
        return array.strides[::-1]
    strides = []
    for stride, extent in zip(reversed(array.strides), reversed(array.shape), strict=True):
        if stride % size and extent > 1:
            raise BufferError(
                f"the array has a stride of {stride} bytes, which is no multiple of its {size}-byte elements",
                reason=("such arrays come from fields of structured types; pass a contiguous copy: a.copy()",),
            )
        strides.append(stride // size)
    return tuple(strides)


def _reinterpreted(array: Array, dtype: DType) -> DType:
    if array.dtype != dtype.to_numpy():
        raise TypeMismatch(f"{dtype} elements live in arrays of type {dtype.to_numpy()}, not {array.dtype}")
    return dtype


def _too_large(buffer: RawBuffer) -> BufferError:
    for dim, (low, extent, stride) in enumerate(zip(buffer.mins, buffer.extents, buffer.strides, strict=True)):
        for what, value in (("min", low), ("extent", extent), ("stride", stride)):
            if not -_INT32_MAX - 1 <= value <= _INT32_MAX:
                return BufferError(
                    f"{what} {value} of dimension {dim} does not fit in 32 bits",
                    accepted="mins, extents and strides (in elements) between -2**31 and 2**31 - 1",
                )
    return BufferError(f"an array of {len(buffer.mins)} dimensions does not fit a buffer")


def empty(dtype: DType, extents: Sequence[int], mins: Sequence[int] | None = None) -> RawBuffer:
    """A new dense buffer, dimension 0 innermost; its elements are not initialised."""
    return RawBuffer(np.empty(tuple(extents)[::-1], dtype.to_numpy()), mins, dtype)
