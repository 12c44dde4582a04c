"""Memory of the device for a piece of the host's, and who of the two wrote last."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pyopencl.array

from ...errors import BufferError, UnsupportedTarget
from ..buffer import RawBuffer
from ..host_runs import DEVICES
from .devices import Device, current_device, device_of

_copy: Any = cl.enqueue_copy  # its declaration does not know what it takes
_TOO_LARGE = (cl.status_code.MEM_OBJECT_ALLOCATION_FAILURE, cl.status_code.OUT_OF_RESOURCES,
              cl.status_code.OUT_OF_HOST_MEMORY, cl.status_code.INVALID_BUFFER_SIZE)  # fmt: skip


class Memory:
    """`size` bytes on a device; `host` is the address of as many on the host, 0 for none.

    `start` is the place of element 0, in elements. Where the device works in the host's memory, nothing is ever copied.
    """

    __slots__ = ("_is_foreign", "buffer", "device", "device_newer", "host", "host_newer", "offset", "size", "start")

    def __init__(
        self,
        device: Device,
        size: int,
        host: int = 0,
        start: int = 0,
        *,
        what: str = "",
        buffer: Any = None,
    ) -> None:
        """New memory on the device, unless there is a `buffer` already, which then has the newer elements."""
        self.device, self.size, self.host, self.start = device, max(size, 1), host, start
        DEVICES.are_used = True
        self.host_newer, self.device_newer = host != 0 and buffer is None, buffer is not None
        self._is_foreign, self.offset = buffer is not None, 0
        if buffer is not None:
            self.buffer = buffer
            return
        flags = cl.mem_flags.READ_WRITE
        try:
            if host and device.shares_memory:
                block = (ctypes.c_char * self.size).from_address(host)
                self.buffer = cl.Buffer(device.context, flags | cl.mem_flags.USE_HOST_PTR, hostbuf=block)
            else:
                self.buffer = cl.Buffer(device.context, flags, self.size)
        except cl.Error as error:
            raise _no_room(error, device, self.size, what) from None

    @property
    def is_shared(self) -> bool:
        return self.host != 0 and self.device.shares_memory and not self._is_foreign

    def to_device(self) -> None:
        """The device may read it now."""
        if self.host_newer and self.host and not self.is_shared:
            block = (ctypes.c_char * self.size).from_address(self.host)
            _copy(self.device.queue, self.buffer, block, is_blocking=True, **self._part("dst_offset"))
        self.host_newer = False

    def to_host(self) -> None:
        """The host may read it now."""
        if self.device_newer and self.host:
            if self.is_shared:
                self.device.queue.finish()
            else:
                block = (ctypes.c_char * self.size).from_address(self.host)
                _copy(self.device.queue, block, self.buffer, is_blocking=True, **self._part("src_offset"))
        self.device_newer = False

    def _part(self, name: str) -> dict[str, int]:
        """Where the elements begin in memory that somebody else has allocated."""
        return {name: self.offset} if self._is_foreign else {}

    def finish(self) -> None:
        """All that was asked of the device is done."""
        self.device.queue.finish()


def memory_of(raw: RawBuffer, name: str = "") -> Memory:
    """Memory on the current device for a buffer: all between its first and its last byte."""
    size = raw.dtype.bytes
    ends = [(extent - 1) * stride * size for extent, stride in zip(raw.extents, raw.strides, strict=True)]
    low = sum(end for end in ends if end < 0)
    high = sum(end for end in ends if end > 0) + size
    if 0 in raw.extents:
        low, high = 0, size
    memory = Memory(current_device(), high - low, raw.host + low, -low // size, what=name)
    memory.host_newer = not raw.is_new
    return memory


def is_device_array(source: object) -> bool:
    """Whether it is an array of pyopencl's."""
    return isinstance(source, cl.array.Array)


def wrapped(source: cl.array.Array) -> tuple[npt.NDArray[Any], Memory]:
    """An array on a device, without a copy: room for it on the host, and its memory.

    Raises BufferError for one whose elements are not dense.
    """
    if not source.flags.c_contiguous or source.queue is None:
        raise BufferError(
            "an array of pyopencl that is no dense block of memory, or has no queue", accepted="a contiguous Array"
        )
    host = np.empty(source.shape, source.dtype)
    device, size = device_of(source.queue), source.dtype.itemsize
    address = host.__array_interface__["data"][0]
    memory = Memory(device, host.nbytes, address, source.offset // size, buffer=source.base_data)
    memory.offset = source.offset
    return host, memory


def _no_room(error: cl.Error, device: Device, size: int, what: str) -> Exception:
    if error.code not in _TOO_LARGE:
        return UnsupportedTarget(f"the OpenCL device {device.name} gives no memory", reason=(str(error),))
    return UnsupportedTarget(
        f"the OpenCL device {device.name} has no room for {size} bytes" + (f" of `{what}`" if what else ""),
        reason=(
            f"it has {device.device.global_mem_size} bytes,"
            f" and at most {device.device.max_mem_alloc_size} in one piece",
        ),
        accepted="smaller images, or a target without opencl",
    )
