"""Kernels built for a device, once for each text."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress

import pyopencl as cl

from ... import instrument
from ...codegen.device import DeviceEntry, DeviceProgram
from ...errors import BufferError, CompilerFailed
from ..buffer import RawBuffer
from ..cache import user_cache
from .devices import Device
from .memory import Memory
from .run import DeviceRun

_LOG_LINES = 12
_programs: dict[tuple[int, str], Program] = {}
_lock = threading.Lock()


class Program:
    """The kernels of one pipeline on one device."""

    __slots__ = ("device", "entries", "kernels", "source")

    def __init__(self, device: Device, built: cl.Program, program: DeviceProgram) -> None:
        self.device = device
        self.source, self.entries = program, program.kernels
        self.kernels: list[cl.Kernel] = [cl.Kernel(built, entry.name) for entry in program.kernels]

    def run(self, raws: Sequence[RawBuffer]) -> DeviceRun:
        """What one call of the pipeline on these buffers needs. It runs where their memory is.

        Raises BufferError where that is in two contexts.
        """
        places = {raw.on_device.device for raw in raws if isinstance(raw.on_device, Memory) and not raw.is_exposed}
        if len(places) > 1:
            raise BufferError(
                "buffers of one call are in the memory of two OpenCL contexts",
                reason=[f"on {place.name}" for place in places],
                accepted="buffers of one context, or copy_to_host() and device_free() before",
            )
        place = next(iter(places), self.device)
        return DeviceRun(self if place is self.device else load_program(place, self.source), raws)


def load_program(device: Device, program: DeviceProgram) -> Program:
    """Raises CompilerFailed with what the device's compiler says."""
    with _lock:
        key = (id(device), program.text)
        if key not in _programs:
            with instrument.timed("OpenCL compiler"):
                _programs[key] = Program(device, _built(device, program), program)
        return _programs[key]


def _built(device: Device, program: DeviceProgram) -> cl.Program:
    name, cache = _entry_name(device, program.text), user_cache()
    known = cache.read(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cl.CompilerWarning)
        if known is not None:
            with suppress(cl.Error):  # it may be of another version of the driver
                loaded: cl.Program = cl.Program(device.context, [device.device], [known]).build()
                return loaded
        try:
            built: cl.Program = cl.Program(device.context, program.text).build()
        except cl.Error as error:
            raise _failed(device, program.kernels, error) from None
    with suppress(OSError, cl.Error):  # it is built again next time
        cache.store(name, next(iter(built.binaries)))
    return built


def _entry_name(device: Device, text: str) -> str:
    d = device.device
    content = repr((text, d.name, d.vendor, d.version, d.driver_version, d.platform.version))
    return hashlib.sha256(content.encode()).hexdigest() + ".clbin"


def _failed(device: Device, kernels: tuple[DeviceEntry, ...], error: cl.Error) -> CompilerFailed:
    lines = [line for line in str(error).splitlines() if line.strip()]
    directives = "; ".join(dict.fromkeys(k.directive for k in kernels))
    return CompilerFailed(
        f"the compiler of the OpenCL device {device.name} refuses the kernels of {directives}",
        reason=tuple(lines[:_LOG_LINES]),
    )
