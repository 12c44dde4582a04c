"""Static libraries: objects in one file, with an index of their symbols, in the format of System V and GNU `ar`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_MAGIC = b"!<arch>\n"


@dataclass(frozen=True, slots=True)
class Member:
    """One object and the symbols that it defines for others."""

    name: str
    data: bytes
    symbols: tuple[str, ...]


def archive(members: Sequence[Member]) -> bytes:
    """The library. The same members make the same bytes."""
    names = [f"{m.name}/\n".encode() for m in members]
    long_names = b"".join(names)
    symbols = [(symbol, k) for k, m in enumerate(members) for symbol in m.symbols]
    text = b"".join(symbol.encode() + b"\0" for symbol, _ in symbols)
    index_bytes = 4 + 4 * len(symbols) + len(text)
    places, at = [], len(_MAGIC) + _HEADER_BYTES + _even(index_bytes) + _HEADER_BYTES + _even(len(long_names))
    for m in members:
        places.append(at)
        at += _HEADER_BYTES + _even(len(m.data))
    index = struct.pack(f">I{len(symbols)}I", len(symbols), *(places[k] for _, k in symbols)) + text
    parts = [_MAGIC, _part("/", index), _part("//", long_names)]
    starts = [sum(map(len, names[:k])) for k in range(len(names))]
    parts += [_part(f"/{start}", m.data, mode="100644") for start, m in zip(starts, members, strict=True)]
    return b"".join(parts)


_HEADER_BYTES = 60


def _part(name: str, data: bytes, mode: str = "0") -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{mode:<8}{len(data):<10}`\n".encode()
    return header + data + b"\n" * (len(data) % 2)


def _even(size: int) -> int:
    return size + size % 2
