"""Histogram equalisation in Numba: counts for each strip of rows in parallel, then the pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from apps.cases import Array
from apps.rivals import Prepared

STRIPS = 64


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    (rgb,) = inputs
    return Prepared(lambda: _equalise(rgb, output), output)


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _luma(red: int, green: int, blue: int) -> np.float32:
    return (
        np.float32(0.299) * np.float32(red)
        + np.float32(0.587) * np.float32(green)
        + np.float32(0.114) * np.float32(blue)
    )


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _byte(value: np.float32) -> np.uint8:
    return np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _equalise(rgb: Array, output: Array) -> None:
    _, height, width = rgb.shape
    counts = np.zeros((STRIPS, 256), np.int32)
    for strip in numba.prange(STRIPS):
        for y in range(strip * height // STRIPS, (strip + 1) * height // STRIPS):
            for x in range(width):
                counts[strip, _byte(_luma(rgb[0, y, x], rgb[1, y, x], rgb[2, y, x]))] += 1
    equal = np.empty(256, np.float32)
    below = 0
    for level in range(256):
        below += counts[:, level].sum()
        equal[level] = min(np.float32(below) * (np.float32(255) / np.float32(width * height)), np.float32(255))
    for y in numba.prange(height):
        for x in range(width):
            red, blue = rgb[0, y, x], rgb[2, y, x]
            luma = _luma(red, rgb[1, y, x], blue)
            bright = equal[_byte(luma)]
            b = (np.float32(blue) - luma) * np.float32(0.564)
            r = (np.float32(red) - luma) * np.float32(0.713)
            output[0, y, x] = _byte(bright + r * np.float32(1.4))
            output[1, y, x] = _byte(bright - b * np.float32(0.343) - r * np.float32(0.711))
            output[2, y, x] = _byte(bright + b * np.float32(1.765))
