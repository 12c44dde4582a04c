"""Which device runs kernels: the one that `HALOPY_OPENCL_DEVICE` names, else a GPU, else the first.

`HALOPY_OPENCL_DEVICE` is `platform:device` by number, or a part of a device's or platform's name.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cache

import pyopencl as cl

from ... import instrument
from ...errors import HalideError, UnsupportedTarget
from .pocl_processor import name_processor

_EXTRA = "pip install 'pyopencl[pocl]' brings one for the processor"


@dataclass(frozen=True, eq=False, slots=True)
class Device:
    """A device with a context and a queue of its own; `shares_memory`: it works in the host's."""

    device: cl.Device
    context: cl.Context
    queue: cl.CommandQueue
    shares_memory: bool
    process: int
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def name(self) -> str:
        return str(self.device.name).strip()


def current_device() -> Device:
    """The device that the environment names now. Raises UnsupportedTarget where there is none."""
    device = _opened(instrument.setting("HALOPY_OPENCL_DEVICE") or "")
    if device.process != os.getpid():
        raise HalideError(
            f"the OpenCL device {device.name} was used before this process was forked",
            reason=("what a device holds belongs to the process that opened it",),
            accepted='multiprocessing.set_start_method("spawn"), or first use in the new process',
        )
    return device


def device_of(queue: cl.CommandQueue) -> Device:
    """The device of somebody else's queue, in its context; what runs there is put into this queue."""
    key = queue.int_ptr
    if key not in _adopted:
        device = queue.device
        _adopted[key] = Device(device, queue.context, queue, _shares_memory(device), os.getpid())
    return _adopted[key]


_adopted: dict[int, Device] = {}  # they keep their queues, so that no number is given twice


@cache
def _opened(wanted: str) -> Device:
    device = _chosen(wanted, _devices())
    name_processor(device)
    context = cl.Context([device])
    return Device(device, context, cl.CommandQueue(context), _shares_memory(device), os.getpid())


def _shares_memory(device: cl.Device) -> bool:
    return bool(device.type & cl.device_type.CPU) and bool(device.host_unified_memory)


def _devices() -> list[list[cl.Device]]:
    try:
        found = [platform.get_devices() for platform in cl.get_platforms()]
    except cl.Error:
        found = []
    if not any(found):
        raise UnsupportedTarget("no OpenCL device was found", accepted=_EXTRA)
    return found


def _chosen(wanted: str, found: list[list[cl.Device]]) -> cl.Device:
    every = [device for devices in found for device in devices]
    if not wanted:
        return next((d for d in every if d.type & cl.device_type.GPU), every[0])
    platform, colon, number = wanted.partition(":")
    if colon and platform.isdecimal() and number.isdecimal():
        if int(platform) < len(found) and int(number) < len(found[int(platform)]):
            return found[int(platform)][int(number)]
    else:
        for device in every:
            if wanted.lower() in f"{device.name} {device.platform.name}".lower():
                return device
    raise UnsupportedTarget(
        f"HALOPY_OPENCL_DEVICE={wanted} names no OpenCL device",
        accepted="; ".join(f"{p}:{n} ({d.name.strip()})" for p, ds in enumerate(found) for n, d in enumerate(ds)),
    )
