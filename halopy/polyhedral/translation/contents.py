"""What lies in memory when a text is tried: numbers that look random, and are the same each time."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from ...arithmetic.values import Array, as_values, carrier
from ...dtypes import DType

_UNWRITTEN = 93


def contents(buffer: str, index: Array, dtype: DType, seed: int) -> Array:
    """The elements of a caller's buffer at these places.

    Narrow integers have all values; wide ones and floats are small, so that nothing overflows or is rounded early.
    """
    mixed = index.astype(np.int64).astype(np.uint64) + np.uint64(crc32(f"{seed} {buffer}".encode()) << 20)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    if dtype.is_float:
        return as_values((mixed % np.uint64(1021) + np.uint64(1)).astype(np.float64) / 256, dtype)
    if dtype.bits > 16:
        mixed %= np.uint64(1009)
    return as_values(mixed & np.uint64(1) if dtype.is_bool else mixed, dtype)


def unwritten(dtype: DType, size: int) -> Array:
    """Scratch memory before anything is stored there."""
    return np.full(size, _UNWRITTEN, carrier(dtype))
