"""One call of a pipeline that has kernels on a device: what its host's code asks for."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import prod
from typing import Protocol

import pyopencl as cl

from ...codegen.device import DeviceEntry
from ...errors import HalideError, UnsupportedTarget
from ..buffer import RawBuffer
from .devices import Device
from .memory import Memory, memory_of


class Built(Protocol):
    """Kernels that a device has (`program.Program`)."""

    @property
    def device(self) -> Device: ...
    @property
    def entries(self) -> Sequence[DeviceEntry]: ...
    @property
    def kernels(self) -> Sequence[cl.Kernel]: ...


class DeviceRun:
    """`memories` are by the numbers that the host's code knows: first the caller's buffers, then mirrors."""

    __slots__ = ("memories", "next", "program", "raws")

    def __init__(self, program: Built, raws: Sequence[RawBuffer]) -> None:
        self.program = program
        self.raws = raws
        self.memories: dict[int, Memory] = {}
        self.next = len(raws)

    def launch(self, number: int, shape: Sequence[int], memory: Sequence[int], values: bytes) -> None:
        """Have the device run a kernel, after what was asked of it before."""
        entry, kernel = self.program.entries[number], self.program.kernels[number]
        device, (groups, threads) = self.program.device, (shape[:3], shape[3:])
        if 0 in groups:
            return
        self._check(entry, kernel, threads)
        memories = [self.memory(m) for m in memory]
        for m in memories:
            m.to_device()
        starts = [m.start for m in memories]
        numbers = struct.pack(f"={len(starts)}q", *starts) + values or bytes(8)
        with device.lock:
            for place, m in enumerate(memories):
                kernel.set_arg(place, m.buffer)
            kernel.set_arg(len(memories), numbers)
            work = tuple(g * t for g, t in zip(groups, threads, strict=True))
            try:
                cl.enqueue_nd_range_kernel(device.queue, kernel, work, tuple(threads))
            except cl.Error as error:
                raise _failed(entry, device.name, error) from None
        for n, m, is_written in zip(memory, memories, entry.written, strict=True):
            m.device_newer |= is_written
            if is_written and n < len(self.raws):
                self.raws[n].is_new = False

    def arguments(self, number: int) -> tuple[int, int]:
        """How many buffers and how many scalars a kernel takes."""
        entry = self.program.entries[number]
        return len(entry.buffers), len(entry.scalars)

    def memory(self, number: int) -> Memory:
        """The memory behind a number; a buffer of the caller gets its own when a kernel first wants it."""
        found = self.memories.get(number)
        if found is None:
            raw = self.raws[number]
            known = raw.on_device
            found = known if isinstance(known, Memory) and known.device is self.program.device else memory_of(raw)
            raw.on_device = found
            found.host_newer |= raw.is_exposed
            self.memories[number] = found
        return found

    def mirror(self, size: int, host: int) -> int:
        """Memory on the device, and its number."""
        made = Memory(self.program.device, size, host)
        made.host_newer = False
        self.next += 1
        self.memories[self.next] = made
        return self.next

    def release(self, number: int) -> None:
        """The memory is needed no more, once the kernels that use it are done."""
        made = self.memories.pop(number)
        if made.is_shared and made.host:
            made.device.queue.finish()  # the host takes its memory back

    def to_host(self, number: int, *, writes: bool) -> None:
        """The host reads a buffer now, or writes to it."""
        memory = self.memory(number)
        memory.to_host()
        memory.host_newer |= writes

    def finish(self) -> None:
        """Buffers whose arrays others hold have what the device wrote. Memory of the host is not in use any more."""
        if self.program.device.shares_memory:
            self.program.device.queue.finish()
        for number, memory in self.memories.items():
            if number < len(self.raws) and self.raws[number].is_exposed:
                memory.to_host()

    def _check(self, entry: DeviceEntry, kernel: cl.Kernel, threads: Sequence[int]) -> None:
        device = self.program.device.device
        local = kernel.get_work_group_info(cl.kernel_work_group_info.LOCAL_MEM_SIZE, device)
        if local > device.local_mem_size:
            raise UnsupportedTarget(
                entry.directive,
                reason=(f"a block would share {local} bytes, and the device has {device.local_mem_size}",),
                accepted="smaller tiles",
            )
        most = kernel.get_work_group_info(cl.kernel_work_group_info.WORK_GROUP_SIZE, device)
        limits = device.max_work_item_sizes
        if prod(threads) > most or any(t > m for t, m in zip(threads, limits, strict=False)):
            shown = " x ".join(map(str, threads))
            raise UnsupportedTarget(
                entry.directive,
                reason=(f"a block would have {shown} threads, and {self.program.device.name} has at most {most}",),
                accepted="fewer threads in a block",
            )


def _failed(entry: DeviceEntry, device: str, error: cl.Error) -> HalideError:
    return HalideError(f"the OpenCL device {device} does not run {entry.directive}", reason=(str(error),))
