"""What a Buffer has to say about its copy on an OpenCL device.

Nobody has to call any of it. An array that others hold is copied to the device before each run that reads it there, and
back after each that writes it. Memory that only the Buffer knows is copied when a kernel or the host needs what the
other wrote last. After `copy_to_device()` the Buffer follows Halide's rules, whoever else holds its array: the device's
copy counts until `set_host_dirty()`, and the host's after `copy_to_host()`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ...dtypes import from_numpy
from ...errors import MistypedBuffer, UnsupportedTarget
from ...source import caller
from ...target_features import DeviceAPI
from ..targets.target import Target
from .contents import BufferContents

if TYPE_CHECKING:
    from ...runtime.buffer import DeviceMemory


class BufferDevice:
    """The part of Buffer that is about its copy on a device. Numbers given back are Halide's 0 for success."""

    __slots__ = ()

    @property
    def _contents(self) -> BufferContents:
        raise NotImplementedError

    @property
    def _on_device(self) -> DeviceMemory | None:
        return self._contents.raw.on_device

    def has_device_allocation(self) -> bool:
        """Whether a device has memory for it."""
        return self._on_device is not None

    def host_dirty(self) -> bool:
        """Whether the device has an older copy."""
        return self._on_device is not None and self._on_device.host_newer

    def device_dirty(self) -> bool:
        """Whether the device has a newer copy."""
        return self._on_device is not None and self._on_device.device_newer

    def set_host_dirty(self, dirty: bool = True) -> None:
        """The elements on the host were changed, or were not."""
        if self._on_device is not None:
            self._on_device.host_newer = dirty

    def set_device_dirty(self, dirty: bool = True) -> None:
        """The elements on the device were changed, or were not."""
        if self._on_device is not None:
            self._on_device.device_newer = dirty

    def copy_to_host(self) -> int:
        """The elements on the host are those that the device wrote last. Gives Halide's 0 for success."""
        self._contents.read()
        return 0

    def device_sync(self) -> int:
        """Wait until the device has done what was asked of it."""
        if self._on_device is not None:
            self._on_device.finish()
        return 0

    def copy_to_device(
        self, device_api: DeviceAPI | Target = DeviceAPI.Default_GPU, target: Target | None = None
    ) -> int:
        """The device has the elements. Raises UnsupportedTarget where there is no such device."""
        self._allocated("copy_to_device", device_api, target).to_device()
        return 0

    def device_malloc(
        self, device_api: DeviceAPI | Target = DeviceAPI.Default_GPU, target: Target | None = None
    ) -> int:
        """The device has memory for the elements. Raises UnsupportedTarget where there is no such device."""
        self._allocated("device_malloc", device_api, target)
        return 0

    def device_free(self) -> int:
        """The device's memory is given back. What only it has is lost."""
        self._contents.raw.on_device = None
        return 0

    def device_deallocate(self) -> None:
        """The device's memory is given back. What only it has is lost."""
        self._contents.raw.on_device = None

    def device_detach_native(self) -> int:
        """The Buffer forgets the device's memory."""
        self._contents.raw.on_device = None
        return 0

    def _get_raw_halide_buffer_t(self) -> int:
        """The address of its `halide_buffer_t`, for functions that were compiled ahead of time.

        It stands until the shape changes, while the Buffer is alive.
        """
        return self._contents.raw.address

    def _allocated(self, asked: str, device: DeviceAPI | Target, target: Target | None) -> DeviceMemory:
        api = device if isinstance(device, DeviceAPI) else DeviceAPI.Default_GPU
        if api not in (DeviceAPI.Default_GPU, DeviceAPI.OpenCL):
            raise UnsupportedTarget(
                f"{asked}({', '.join(str(a) for a in (device, target) if a is not None)}) of `{self._contents.name}`",
                location=caller(),
                reason=["the only devices are those of OpenCL"],
                accepted="DeviceAPI.OpenCL",
            )
        raw = self._contents.raw
        if raw.on_device is None:
            raw.on_device = _opencl().memory_of(raw, self._contents.name)
        raw.is_exposed = self._contents.is_shared = False
        return raw.on_device


def is_of_pyopencl(source: object) -> bool:
    """Whether pyopencl made it."""
    return type(source).__module__.startswith("pyopencl")


def of_device_array(source: object, name: str) -> BufferContents:
    """The contents of a Buffer in an array of pyopencl's. Raises MistypedBuffer for anything else of pyopencl's."""
    opencl = _opencl()
    if not opencl.is_device_array(source):
        raise MistypedBuffer(
            f"a {type(source).__name__} of pyopencl is no memory that a Buffer could use",
            location=caller(),
            accepted="a pyopencl.array.Array, which knows its shape and type",
        )
    array, memory = opencl.wrapped(source)
    contents = BufferContents(array, from_numpy(array.dtype), name=name, is_new=True)
    contents.raw.on_device = memory
    return contents


def _opencl() -> Any:
    return importlib.import_module("...runtime.opencl", __package__)  # it takes long to load
