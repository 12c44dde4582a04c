"""What a Buffer has to say about devices: there is no copy of it on any."""

from __future__ import annotations

from ...errors import UnsupportedTarget
from ...source import caller
from ...target_features import DeviceAPI
from ..targets.target import Target
from .contents import BufferContents


class BufferDevice:
    """The part of Buffer that is about its copy on a device. Numbers given back are Halide's 0 for success."""

    __slots__ = ()

    @property
    def _contents(self) -> BufferContents:
        raise NotImplementedError

    def has_device_allocation(self) -> bool:
        """Whether a device has a copy: none does, as pipelines run on the CPU."""
        return False

    def host_dirty(self) -> bool:
        """Whether a device has an older copy: none has any."""
        return False

    def device_dirty(self) -> bool:
        """Whether a device has a newer copy: none has any."""
        return False

    def set_host_dirty(self, dirty: bool = True) -> None:
        """Without effect, as no device has a copy."""

    def set_device_dirty(self, dirty: bool = True) -> None:
        """Without effect, as no device has a copy."""

    def copy_to_host(self) -> int:
        """The elements are on the host already. Gives Halide's 0 for success."""
        return 0

    def device_sync(self) -> int:
        """Nothing to wait for."""
        return 0

    def copy_to_device(
        self, device_api: DeviceAPI | Target = DeviceAPI.Default_GPU, target: Target | None = None
    ) -> int:
        """Raises UnsupportedTarget, as there is no device."""
        raise self._no_device("copy_to_device", device_api, target)

    def device_malloc(
        self, device_api: DeviceAPI | Target = DeviceAPI.Default_GPU, target: Target | None = None
    ) -> int:
        """Raises UnsupportedTarget, as there is no device."""
        raise self._no_device("device_malloc", device_api, target)

    def device_free(self) -> int:
        """Nothing to free."""
        return 0

    def device_deallocate(self) -> None:
        """Nothing to free."""

    def device_detach_native(self) -> int:
        """Nothing to detach."""
        return 0

    def _get_raw_halide_buffer_t(self) -> int:
        """The address of its `halide_buffer_t`, for functions that were compiled ahead of time.

        It stands until the shape changes, while the Buffer is alive.
        """
        return self._contents.raw.address

    def _no_device(self, asked: str, device: DeviceAPI | Target, target: Target | None) -> UnsupportedTarget:
        given = [str(a) for a in (device, target) if a not in (None, DeviceAPI.Default_GPU)]
        return UnsupportedTarget(
            f"{asked}({', '.join(given)}) of Buffer `{self._contents.name}`",
            location=caller(),
            reason=["pipelines run on the processor, and no device is in use"],
        )
