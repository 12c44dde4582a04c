"""Traced events in the binary format of Halide's runtime, which its tools (HalideTraceViz, HalideTraceDump) read.

Each is a packet: its size, the event's number, type, kind, parent, value index and number of coordinates; then the
coordinates, the value, the Func's name and the tag, both ending in NUL; filled up to a multiple of four bytes.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading

from ..errors import HalideError
from ..ir.services import TraceKind
from .trace import RawEvent

_HEAD = struct.Struct("=IiBBHiiii")
_lock = threading.Lock()
_open: dict[str, int] = {}  # descriptors, by path


def write_event(path: str, raw: RawEvent, func: str, number: int) -> None:
    """Append the event to the file. Kinds that Halide does not know, those about allocations, are left out."""
    if raw.event <= TraceKind.TAG:
        data = packet(raw, func, number)
        with _lock:
            os.write(_descriptor(path), data)


def packet(raw: RawEvent, func: str, number: int) -> bytes:
    """The bytes of one event."""
    coordinates = struct.pack(f"={raw.dimensions}i", *raw.coordinates[: raw.dimensions]) if raw.dimensions else b""
    value = ctypes.string_at(raw.value, raw.lanes * ((raw.bits + 7) // 8)) if raw.value else b""
    rest = coordinates + value + func.encode() + b"\0" + (raw.trace_tag or b"") + b"\0"
    rest += b"\0" * (-len(rest) % 4)
    kind = (raw.code, raw.bits, raw.lanes) if raw.value else (0, 0, 1)
    places = (raw.event, raw.parent_id, raw.value_index, raw.dimensions)
    return _HEAD.pack(_HEAD.size + len(rest), number, *kind, *places) + rest


def _descriptor(path: str) -> int:
    if path not in _open:
        try:
            _open[path] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise HalideError(f"events cannot be written to HL_TRACE_FILE={path}: {error.strerror}") from None
    return _open[path]
