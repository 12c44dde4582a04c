"""What a machine can do at best, as far as predictions of run times need it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheLimit:
    """A cache of `size` bytes for one thread, and how many bytes per second it takes from what lies behind it."""

    size: int
    bytes_per_second: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one thread, but for `memory_bytes_per_second`, which is that of all threads together.

    `operations_per_second` counts arithmetic on whole registers of `register_bytes`; `caches` begin with the nearest,
    each with the speed of the way from the next one; the way from memory is the last one's.
    """

    threads: int = 2
    register_bytes: int = 64
    operations_per_second: float = 12e9
    caches: tuple[CacheLimit, ...] = (
        CacheLimit(48 << 10, 120e9),
        CacheLimit(1 << 20, 60e9),
        CacheLimit(16 << 20, 25e9),
    )
    memory_bytes_per_second: float = 35e9
    fork_seconds: float = 4e-6
