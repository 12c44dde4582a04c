"""Results of memoized Funcs, kept from run to run: the latest used ones, up to a number of bytes.

The contents of inputs are part of the key, as a digest; within one run it is made once.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_SIZE = 1 << 20
Key = tuple[object, ...]


class RawMemo(ctypes.Structure):
    """`halopy_memo`."""

    _fields_ = (
        ("algorithm", ctypes.c_char_p), ("key", ctypes.POINTER(ctypes.c_uint64)), ("key_length", ctypes.c_int32),
        ("image_count", ctypes.c_int32), ("buffer_count", ctypes.c_int32), ("evictable", ctypes.c_int32),
        ("eviction", ctypes.c_uint64), ("images", ctypes.POINTER(ctypes.c_void_p)),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)), ("bytes", ctypes.POINTER(ctypes.c_int64)),
    )  # fmt: skip


class _Header(ctypes.Structure):
    """The part of `halide_buffer_t` that says where its values are."""

    _fields_ = (
        ("device", ctypes.c_uint64), ("device_interface", ctypes.c_void_p), ("host", ctypes.c_void_p),
        ("flags", ctypes.c_uint64), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("dimensions", ctypes.c_int32), ("dim", ctypes.POINTER(ctypes.c_int32)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Result:
    parts: tuple[bytes, ...]
    eviction: int | None

    @property
    def size(self) -> int:
        return sum(map(len, self.parts))


_lock = threading.Lock()
_kept: OrderedDict[Key, _Result] = OrderedDict()
_limit = DEFAULT_SIZE


def set_size(size: int) -> None:
    """At most so many bytes from now on; 0 is the default."""
    global _limit
    with _lock:
        _limit = size if size > 0 else DEFAULT_SIZE
        _shrink()


def evict(eviction: int) -> None:
    with _lock:
        for key in [k for k, result in _kept.items() if result.eviction == eviction & 0xFFFFFFFFFFFFFFFF]:
            del _kept[key]


def drop_all() -> None:
    with _lock:
        _kept.clear()


def recall(memo: RawMemo, digests: dict[int, str]) -> int:
    """Copy the result into the kernel's memory, if it is there. `digests` are those of this run, by image."""
    key, sizes = _key(memo, digests), _sizes(memo)
    with _lock:
        result = _kept.get(key)
        if result is None or [len(part) for part in result.parts] != sizes:
            return 0
        _kept.move_to_end(key)
    for place, part in zip(_places(memo), result.parts, strict=True):
        ctypes.memmove(place, part, len(part))
    return 1


def keep(memo: RawMemo, digests: dict[int, str]) -> int:
    """Keep a copy of what the kernel computed."""
    sizes = _sizes(memo)
    if sum(sizes) > _limit:
        return 0
    parts = tuple(ctypes.string_at(place, size) for place, size in zip(_places(memo), sizes, strict=True))
    key = _key(memo, digests)
    with _lock:
        _kept[key] = _Result(parts, memo.eviction if memo.evictable else None)
        _kept.move_to_end(key)
        _shrink()
    return 0


def _shrink() -> None:
    total = sum(result.size for result in _kept.values())
    while total > _limit and _kept:
        _, dropped = _kept.popitem(last=False)
        total -= dropped.size


def _key(memo: RawMemo, digests: dict[int, str]) -> Key:
    images = tuple(_digest(memo.images[at], digests) for at in range(memo.image_count))
    return (memo.algorithm, tuple(memo.key[: memo.key_length]), images)


def _sizes(memo: RawMemo) -> list[int]:
    return list(memo.bytes[: memo.buffer_count])


def _places(memo: RawMemo) -> list[int]:
    return [memo.buffers[at] or 0 for at in range(memo.buffer_count)]


def _digest(header_at: int, digests: dict[int, str]) -> str:
    """Of the shape and contents of a buffer."""
    if header_at not in digests:
        header = _Header.from_address(header_at)
        shape = [tuple(header.dim[4 * d : 4 * d + 3]) for d in range(header.dimensions)]
        digest = hashlib.blake2b(repr((header.code, header.bits, shape)).encode(), digest_size=16)
        if all(extent > 0 for _, extent, _ in shape) and header.host:
            element = (header.bits + 7) // 8
            dims = sorted(((extent, stride * element) for _, extent, stride in shape), key=lambda d: -abs(d[1]))
            _add_rows(digest, header.host, dims, element)
        digests[header_at] = digest.hexdigest()
    return digests[header_at]


def _add_rows(digest: hashlib.blake2b, start: int, dims: Sequence[tuple[int, int]], element: int) -> None:
    """Add the values, the outermost dimension first; dense ones at once."""
    dense = element
    for at in range(len(dims) - 1, -1, -1):
        extent, stride = dims[at]
        if stride != dense:
            for k in range(dims[0][0]):
                _add_rows(digest, start + k * dims[0][1], dims[1:], element)
            return
        dense *= extent
    digest.update((ctypes.c_char * dense).from_address(start))
