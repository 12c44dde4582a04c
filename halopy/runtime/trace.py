"""What a traced kernel reports, as values that Python can read, and as the lines that Halide prints."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ..dtypes import Code, DType
from ..ir.services import TraceKind

_FORMATS = {
    (Code.INT, 8): "b", (Code.INT, 16): "h", (Code.INT, 32): "i", (Code.INT, 64): "q",
    (Code.UINT, 1): "?", (Code.UINT, 8): "B", (Code.UINT, 16): "H", (Code.UINT, 32): "I", (Code.UINT, 64): "Q",
    (Code.FLOAT, 16): "e", (Code.FLOAT, 32): "f", (Code.FLOAT, 64): "d", (Code.BFLOAT, 16): "H", (Code.HANDLE, 64): "Q",
}  # fmt: skip
_NAMES = {kind: kind.name.capitalize().replace("_", " ") for kind in TraceKind}


class RawEvent(ctypes.Structure):
    """`halide_trace_event_t`."""

    _fields_ = (
        ("func", ctypes.c_char_p), ("value", ctypes.c_void_p), ("coordinates", ctypes.POINTER(ctypes.c_int32)),
        ("trace_tag", ctypes.c_char_p), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("event", ctypes.c_int32), ("parent_id", ctypes.c_int32), ("value_index", ctypes.c_int32),
        ("dimensions", ctypes.c_int32),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One thing that a kernel did. `str(event)` is the line that is printed where nobody handles events.

    `coordinates` has a place per lane of a load or store; for realizations and productions one tuple, min and extent
    of each dimension in turn. `values` has one value per lane of a load or store; of an allocation, its bytes.
    Events inside a realization or production have its `id` as their `parent_id`.
    """

    event: TraceKind
    func: str
    coordinates: tuple[tuple[int, ...], ...]
    values: tuple[int | float | bool, ...]
    type: str  # of one value, such as "int32"; "" where there is none
    value_index: int
    trace_tag: str
    id: int
    parent_id: int

    def __str__(self) -> str:
        lanes = len(self.coordinates) if self.event in (TraceKind.LOAD, TraceKind.STORE) else 1
        columns = [_vector(list(map(str, column)), lanes) for column in zip(*self.coordinates, strict=True)]
        text = f"{_NAMES[self.event]} {self.func}.{self.value_index}({', '.join(columns)})"
        if self.values:
            text += f" = {_vector([_shown(value, self.type) for value in self.values], lanes)}"
        return text + (f' tag = "{self.trace_tag}"' if self.trace_tag else "")


def read_event(raw: RawEvent, func: str, number: int) -> TraceEvent:
    """The event with the user's name for the Func. What `raw` points to is copied."""
    kind = TraceKind(raw.event)
    numbers = raw.coordinates[: raw.dimensions] if raw.dimensions else []
    lanes = raw.lanes if raw.value else 1
    values = _values(raw) if raw.value else ()
    return TraceEvent(
        kind,
        func,
        _places(numbers, lanes),
        values,
        str(DType(Code(raw.code), raw.bits)) if raw.value else "",
        raw.value_index,
        (raw.trace_tag or b"").decode(errors="replace"),
        number,
        raw.parent_id,
    )


def _values(raw: RawEvent) -> tuple[int | float | bool, ...]:
    layout = struct.Struct(f"={raw.lanes}{_FORMATS[Code(raw.code), raw.bits]}")
    values = layout.unpack(ctypes.string_at(raw.value, layout.size))
    return tuple(map(_from_bfloat, values)) if raw.code == Code.BFLOAT else values


def _from_bfloat(bits: int) -> float:
    value: float = struct.unpack("=f", struct.pack("=I", bits << 16))[0]
    return value


def _places(numbers: Sequence[int], lanes: int) -> tuple[tuple[int, ...], ...]:
    """One tuple per lane; the kernel has all lanes of one dimension side by side."""
    return tuple(tuple(numbers[k::lanes]) for k in range(lanes))


def _vector(texts: list[str], lanes: int) -> str:
    return texts[0] if lanes == 1 else f"<{', '.join(texts)}>"


def _shown(value: int | float | bool, dtype: str) -> str:
    if not isinstance(value, float):
        return str(int(value))
    return f"{value:f}" if dtype == "float32" else f"{value:e}"
