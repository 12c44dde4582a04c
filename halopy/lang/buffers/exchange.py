"""Memory from and for other libraries, shared and kept alive; and single elements as numbers."""

from __future__ import annotations

from builtins import BufferError as BaseBufferError
from typing import Any

import numpy as np
import numpy.typing as npt

from ...dtypes import BFLOAT16, DType, accepted
from ...errors import BufferError, MistypedBuffer, TypeMismatch
from ...ir.expr import round_to
from ...source import caller
from ..expressions.expr import Number
from .contents import Array

_CPU = (1, 0)  # DLPack's number of the kind of device, and which of them
_ACCEPTED = "a NumPy array, or anything on the CPU with the buffer protocol, __array_interface__ or __dlpack__"


class BufferExchange:
    """The part of Buffer that gives its memory to other libraries. Axes are reversed: b[x, y] is array[y, x]."""

    __slots__ = ()

    def _elements(self) -> Array:
        raise NotImplementedError

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The elements as an array, axes reversed: the same memory, unless another dtype or a copy is asked for."""
        array = self._elements()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def numpy_view(self, reverse_axes: bool = True) -> Array:
        """The elements as an array that shares the memory."""
        array = self._elements()
        return array if reverse_axes else array.transpose()

    def __dlpack__(
        self,
        *,
        stream: object | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """The memory as a DLPack capsule, which keeps it alive: `np.from_dlpack(buffer)`, `torch.from_dlpack(buffer)`.

        bfloat16 travels as uint16, since NumPy has no such type.
        """
        asked = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        return self._elements().__dlpack__(**{name: value for name, value in asked.items() if value is not None})  # type: ignore[arg-type]

    def __dlpack_device__(self) -> tuple[int, int]:
        """The CPU, in DLPack's numbers."""
        return _CPU

    def __buffer__(self, flags: int) -> memoryview:
        """The buffer protocol, from Python 3.12 on."""
        return self._elements().data


def array_of(source: object) -> Array:
    """What offers its memory, as an array that shares it; lists and numbers do not. Raises MistypedBuffer."""
    if isinstance(source, np.ndarray):
        return source
    if hasattr(source, "__array_interface__") or hasattr(source, "__array_struct__"):
        return np.asarray(source)
    if hasattr(source, "__dlpack__"):
        return _of_dlpack(source)
    try:
        return np.asarray(memoryview(source))  # type: ignore[arg-type]
    except TypeError:
        if hasattr(source, "__array__"):
            return np.asarray(source)
        raise MistypedBuffer(
            f"a {type(source).__name__} is no memory that a Buffer could use", location=caller(), accepted=_ACCEPTED
        ) from None


def _of_dlpack(source: Any) -> Array:
    try:
        array = np.from_dlpack(source)
    except (TypeError, ValueError, RuntimeError, BaseBufferError) as refused:
        raise BufferError(
            f"a {type(source).__name__} does not give its memory",
            location=caller(),
            reason=[str(refused)],
            accepted=_ACCEPTED,
        ) from refused
    if not array.flags.writeable and hasattr(source, "__array__"):
        # Capsules of before DLPack 1.0 do not say whether they may be written; the array that shares the memory does.
        other = np.asarray(source)
        if np.may_share_memory(other, array) and other.dtype == array.dtype:
            return other
    return array


def number_of(dtype: DType, item: int | float | bool) -> int | float | bool:
    """The number that an item of an array means: bfloat16 lives in arrays as its bits."""
    return float(np.uint32(int(item) << 16).view(np.float32)) if dtype is BFLOAT16 else item


def element_of(dtype: DType, value: Number, name: str) -> Number:
    """The number as an array has it, for an element of that type.

    Raises TypeMismatch where an integer type does not have it.
    """
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, bool | int | float) and dtype is BFLOAT16:
        return int(np.float32(round_to(float(number), dtype)).view(np.uint32)) >> 16
    if isinstance(number, bool | int | float) and (dtype.is_float or dtype.is_bool):
        return bool(number) if dtype.is_bool else number
    if isinstance(number, bool | int) and dtype.can_hold(number):
        return number
    raise TypeMismatch(
        f"{value!r} is no element of Buffer `{name}` of type {dtype}",
        location=caller(),
        accepted=f"integers from {dtype.min} to {dtype.max}" if dtype.is_integer else accepted((dtype,)),
    )
