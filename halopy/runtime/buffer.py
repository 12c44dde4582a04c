"""A NumPy array as Halide's `halide_buffer_t`."""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..dtypes import DType, from_numpy
from ..errors import BufferError, TypeMismatch

Array = npt.NDArray[Any]

# device, device_interface, host, flags, type (code, bits, lanes), dimensions, dim, padding
_HEADER = "=QQQQBBHiQQ"
_DIMENSION = "iii4x"  # min, extent, stride in elements, flags
_HOST, _HOST_AT = struct.Struct("=Q"), 16
_HEADER_BYTES = struct.calcsize(_HEADER)
_INT32_MAX = 2**31 - 1


class DeviceMemory(Protocol):
    """Memory of a device for a buffer, with who wrote last (`opencl.memory.Memory`)."""

    host_newer: bool
    device_newer: bool

    def to_device(self) -> None: ...
    def to_host(self) -> None: ...
    def finish(self) -> None: ...


class RawBuffer:
    """A `halide_buffer_t` at `address` that describes `array` in place and keeps it alive.

    Dimension 0 is the last axis. The host pointer is the address of the element at `mins`, so a negative stride
    points down from there. Strides count elements. Nothing is copied. `on_device` is the memory of a device for it, if
    any; `is_exposed`: others may read and write the array at any time; `is_new`: nobody has written elements.
    """

    on_device: DeviceMemory | None
    is_exposed: bool
    is_new: bool

    __slots__ = (
        "__weakref__", "_block", "address", "array", "dtype", "extents", "host", "is_exposed", "is_new", "mins",
        "on_device", "strides", "writeable",
    )  # fmt: skip

    def __init__(self, array: Array, mins: Sequence[int] | None = None, dtype: DType | None = None) -> None:
        """`mins` count from dimension 0, all 0 when absent; `dtype` overrides the array's own (bfloat16 as uint16)."""
        self.array = array
        self.dtype = from_numpy(array.dtype) if dtype is None else _reinterpreted(array, dtype)
        self.extents = extents = array.shape[::-1]
        self.strides = _element_strides(array, extents)
        self.mins = mins = (0,) * len(extents) if mins is None else tuple(mins)
        if len(mins) != len(extents):
            raise BufferError(f"a buffer of {len(extents)} dimensions was given {len(mins)} mins")
        host, read_only = array.__array_interface__["data"]
        self.writeable = not read_only
        if host % array.itemsize:
            raise _unaligned(array)
        self._block = self._packed(host)
        self.host, self.on_device, self.is_exposed, self.is_new = host, None, True, False

    @classmethod
    def without_memory(
        cls, array: Array, mins: Sequence[int], strides: Sequence[int], dtype: DType, *, writeable: bool = False
    ) -> RawBuffer:
        """A shape that has no memory yet: `array` tells its extents only."""
        made = cls.__new__(cls)
        made.array, made.dtype, made.extents = array, dtype, array.shape[::-1]
        made.mins, made.strides, made.writeable = tuple(mins), tuple(strides), writeable
        made._block = made._packed(0)
        made.host, made.on_device, made.is_exposed, made.is_new = 0, None, True, False
        return made

    def place(self, host: int) -> None:
        """The memory is at this address; the caller keeps it alive."""
        _HOST.pack_into(self._block, _HOST_AT, host)
        self.host, self.on_device = host, None

    def written_by_host(self) -> None:
        """Elements in the memory of the host are newer than any on a device."""
        self.is_new = False
        if self.on_device is not None:
            self.on_device.host_newer = True

    def _packed(self, host: int) -> ctypes.Array[ctypes.c_char]:
        rank = len(self.extents)
        make, pack_into = _layout(rank)
        block = make()
        self.address = address = ctypes.addressof(block)
        shape: list[int] = []
        for size in zip(self.mins, self.extents, self.strides):  # noqa: B905 (lengths are equal; `strict` costs time)
            shape += size
        dtype = self.dtype
        try:
            pack_into(block, 0, 0, 0, host, 0, dtype.code, dtype.bits, 1, rank, address + _HEADER_BYTES, 0, *shape)
        except struct.error:
            raise _too_large(self) from None
        return block

    def __repr__(self) -> str:
        box = ", ".join(f"[{low}, {low + extent})" for low, extent in zip(self.mins, self.extents, strict=True))
        return f"RawBuffer({self.dtype}, {box})"


@cache
def _layout(rank: int) -> tuple[type[ctypes.Array[ctypes.c_char]], Callable[..., None]]:
    layout = struct.Struct(_HEADER + rank * _DIMENSION)
    return ctypes.c_char * layout.size, layout.pack_into


def _element_strides(array: Array, extents: tuple[int, ...]) -> tuple[int, ...]:
    """Strides in elements. Where none is ever taken, dimension 0 has stride 1, which is what most kernels want."""
    size, strides = array.itemsize, array.strides[::-1]
    if 0 in extents:
        return tuple(math.prod(extents[:dim]) for dim in range(len(extents)))
    if size > 1:
        for stride, extent in zip(strides, extents, strict=True):
            if stride % size and extent > 1:
                raise _odd_stride(stride, size)
        strides = tuple([stride // size for stride in strides])
    return (1, *strides[1:]) if extents and extents[0] == 1 else strides


def _odd_stride(stride: int, size: int) -> BufferError:
    return BufferError(
        f"the array has a stride of {stride} bytes, which is no multiple of its {size}-byte elements",
        reason=("such arrays come from fields of structured types; pass a contiguous copy: a.copy()",),
    )


def _unaligned(array: Array) -> BufferError:
    return BufferError(
        f"the array's elements are not aligned to {array.itemsize} bytes; pass np.require(a, requirements='A')"
    )


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
