"""Memory of the device for a piece of the host's, and who of the two wrote last."""

from __future__ import annotations

import ctypes

import pyopencl as cl

from ...errors import UnsupportedTarget
from ..buffer import RawBuffer
from .devices import Device, current_device

_TOO_LARGE = (cl.status_code.MEM_OBJECT_ALLOCATION_FAILURE, cl.status_code.OUT_OF_RESOURCES,
              cl.status_code.OUT_OF_HOST_MEMORY, cl.status_code.INVALID_BUFFER_SIZE)  # fmt: skip


class Memory:
    """`size` bytes on a device; `host` is the address of as many on the host, 0 for none.

    `start` is the place of element 0, in elements. Where the device works in the host's memory, nothing is ever copied.
    """

    __slots__ = ("buffer", "device", "device_newer", "host", "host_newer", "size", "start")

    def __init__(self, device: Device, size: int, host: int = 0, start: int = 0, *, what: str = "") -> None:
        self.device, self.size, self.host, self.start = device, max(size, 1), host, start
        self.host_newer, self.device_newer = host != 0, False
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
        return self.host != 0 and self.device.shares_memory

    def to_device(self) -> None:
        """The device may read it now."""
        if self.host_newer and self.host and not self.is_shared:
            block = (ctypes.c_char * self.size).from_address(self.host)
            cl.enqueue_copy(self.device.queue, self.buffer, block, is_blocking=True)
        self.host_newer = False

    def to_host(self) -> None:
        """The host may read it now."""
        if self.device_newer and self.host:
            if self.is_shared:
                self.device.queue.finish()
            else:
                block = (ctypes.c_char * self.size).from_address(self.host)
                cl.enqueue_copy(self.device.queue, block, self.buffer, is_blocking=True)
        self.device_newer = False


def memory_of(raw: RawBuffer, name: str = "") -> Memory:
    """Memory on the current device for a buffer: all between its first and its last byte."""
    size, host = raw.dtype.bytes, raw.host
    ends = [(extent - 1) * stride * size for extent, stride in zip(raw.extents, raw.strides, strict=True)]
    low = sum(end for end in ends if end < 0)
    high = sum(end for end in ends if end > 0) + size
    if 0 in raw.extents:
        low, high = 0, size
    return Memory(current_device(), high - low, host + low, -low // size, what=name)


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
