"""What a Buffer is made of, shared by all handles of it: an array in place, and where its region starts."""

from __future__ import annotations

import ctypes
import itertools
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...dtypes import DType
from ...errors import BufferError
from ...ir.refs import ImageRef
from ...runtime.buffer import RawBuffer

Array = npt.NDArray[Any]
_numbers = itertools.count()
_ALIGNMENT = 128  # bytes; what Halide's own allocations have


class BufferContents:
    """Elements in a NumPy array whose last axis is dimension 0. The array is kept alive, and never copied.

    `is_shared`: others hold the array, and may read and write it at any time. Of one that is not, a device may have the
    only copy that is up to date: `array` tells its shape, and its elements are those of `read()` and `elements()`. Of
    one that `is_new` nobody has written any.
    """

    __slots__ = ("__weakref__", "_image", "_raw", "array", "dtype", "is_new", "is_shared", "mins", "name", "prepared")

    def __init__(
        self,
        array: Array,
        dtype: DType,
        mins: Sequence[int] | None = None,
        name: str = "",
        *,
        is_new: bool = False,
    ) -> None:
        self.is_shared, self.is_new = not is_new, is_new
        self.array = array
        self.dtype = dtype
        self.mins = (0,) * array.ndim if mins is None else tuple(mins)
        self.name = name or f"b{next(_numbers)}"
        self._raw: RawBuffer | None = None
        self._image: ImageRef | None = None
        self.prepared: object | None = None  # the last call that filled this buffer, ready to be made again

    @property
    def raw(self) -> RawBuffer:
        """What kernels are given. Another object whenever the shape has changed."""
        if self._raw is None:
            self._raw = RawBuffer(self.array, self.mins, self.dtype)
            self._raw.is_exposed, self._raw.is_new = self.is_shared, self.is_new
        return self._raw

    def read(self) -> Array:
        """The elements now, to be looked at."""
        if self._raw is not None and self._raw.on_device is not None:
            self._raw.on_device.to_host()
        return self.array

    def elements(self) -> Array:
        """The elements, for others to keep: they may read and write them from now on."""
        self.is_shared, self.is_new = True, False
        if self._raw is not None:
            self._raw.is_exposed, self._raw.is_new = True, False
        return self.read()

    def edited(self) -> Array:
        """The elements now, to be written to before anything else is done."""
        array = self.read()
        self.is_new = False
        if self._raw is not None:
            self._raw.written_by_host()
        return array

    def adopt(self, raw: RawBuffer) -> None:
        """What a run left on the device for this memory."""
        self.raw.on_device = raw.on_device

    def reshape(self, array: Array, mins: Sequence[int]) -> None:
        """Describe the same elements otherwise."""
        self.read()
        self.array, self.mins, self._raw = array, tuple(mins), None

    def without_memory(self) -> ShapeOnly:
        """The same shape, with no elements."""
        shape = ShapeOnly(self.dtype, self.array.shape[::-1], self.name)
        shape.set_shape(self.mins, self.array.shape[::-1], [abs(stride) for stride in self.raw.strides])
        return shape

    @property
    def image(self) -> ImageRef:
        """The buffer's identity inside expressions."""
        if self._image is None:
            self._image = ImageRef(self.name, self.dtype, self.array.ndim, self)
        return self._image


class ShapeOnly(BufferContents):
    """A buffer without memory, for which a run finds the shape that it would need."""

    __slots__ = ("strides",)

    def __init__(self, dtype: DType, extents: Sequence[int], name: str = "") -> None:
        super().__init__(_no_memory(dtype, extents), dtype, name=name)
        self.strides: tuple[int, ...] | None = None  # None: dense

    @property
    def raw(self) -> RawBuffer:
        if self._raw is None:
            extents = self.array.shape[::-1]
            strides = self.strides or tuple(math.prod(extents[:d]) for d in range(len(extents)))
            self._raw = RawBuffer.without_memory(self.array, self.mins, strides, self.dtype)
        return self._raw

    def set_shape(self, mins: Sequence[int], extents: Sequence[int], strides: Sequence[int]) -> None:
        """The shape that was found."""
        self.strides = tuple(strides)
        self.reshape(_no_memory(self.dtype, extents), mins)

    def allocated(self) -> BufferContents:
        """A buffer of this shape, with memory of zeros."""
        extents, strides = self.raw.extents, self.raw.strides
        size = 1 + sum((extent - 1) * abs(stride) for extent, stride in zip(extents, strides, strict=True))
        memory = allocate(self.dtype, [max(size, 0)])
        memory[...] = 0
        steps = [stride * memory.itemsize for stride in reversed(strides)]
        array = (
            np.ndarray(extents[::-1], memory.dtype, memory, strides=steps) if 0 not in extents else self.array.copy()
        )
        return BufferContents(array, self.dtype, self.mins, self.name)


def _no_memory(dtype: DType, extents: Sequence[int]) -> Array:
    return np.broadcast_to(np.zeros((), dtype.to_numpy()), tuple(extents)[::-1])


def allocate(dtype: DType, extents: Sequence[int]) -> Array:
    """A new dense array, dimension 0 innermost and last, aligned for vectors. Its elements are not initialised."""
    return allocate_at(dtype, extents)[0]


def allocate_at(dtype: DType, extents: Sequence[int]) -> tuple[Array, int]:
    """`allocate`, and the address of the first element."""
    element = dtype.to_numpy()
    size = math.prod(extents) * element.itemsize + _ALIGNMENT
    if size > sys.maxsize:
        raise BufferError(f"a buffer of {' * '.join(map(str, extents))} elements of {dtype} fits in no memory")
    block = np.empty(size, np.uint8)
    address = ctypes.addressof(ctypes.c_char.from_buffer(block))  # type: ignore[arg-type]  # faster than asking it
    start = -address % _ALIGNMENT
    return np.ndarray(tuple(extents)[::-1], element, block, start), address + start
