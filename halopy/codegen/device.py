"""What code generation hands to the runtime of a device: one text, and the kernels in it."""

from __future__ import annotations

from dataclasses import dataclass

from ..dtypes import DType


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A kernel: its arguments are the memory of `buffers`, of which it writes some, and a struct of numbers: where
    element 0 of each buffer is, then `scalars`, 8 bytes apart."""

    name: str
    buffers: tuple[str, ...]
    written: tuple[bool, ...]
    scalars: tuple[DType, ...]
    directive: str


@dataclass(frozen=True, slots=True)
class DeviceProgram:
    """The kernels of one pipeline, in the order in which the host numbers them."""

    text: str
    kernels: tuple[DeviceEntry, ...]
