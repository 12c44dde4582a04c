"""What a run on the host has to know of devices: what only they have is fetched first, and what it writes is newer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .buffer import RawBuffer


@dataclass(slots=True)
class Devices:
    """Whether any buffer of this process has memory on a device: until then, calls need not look."""

    are_used: bool = False


DEVICES = Devices()


def before_host_run(buffers: Iterable[RawBuffer]) -> None:
    """What the device wrote last is on the host."""
    for buffer in buffers:
        if buffer.on_device is not None:
            buffer.on_device.to_host()


def after_host_run(outputs: Iterable[RawBuffer]) -> None:
    """The host has written to these."""
    for output in outputs:
        output.written_by_host()
