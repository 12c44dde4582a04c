"""The box blur in Numba: two loops over rows in parallel, fused by hand, one row of scratch per strip."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from apps.cases import Array
from apps.rivals import Prepared

STRIP = 32


def prepare_grey(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    (grey,) = inputs
    return Prepared(lambda: _blur_grey(grey, output), output)


def prepare_rgb(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    (rgb,) = inputs
    return Prepared(lambda: _blur_rgb(rgb, output), output)


def prepare_soft(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    (rgb,) = inputs
    return Prepared(lambda: _blur_soft(rgb, output), output)


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _blur_grey(grey: Array, output: Array) -> None:
    height, width = output.shape
    for strip in numba.prange((height + STRIP - 1) // STRIP):
        rows = np.empty((STRIP + 2, width), np.uint16)
        top = strip * STRIP
        bottom = min(top + STRIP, height)
        for y in range(top, bottom + 2):
            for x in range(width):
                total = np.uint16(grey[y, x] + grey[y, x + 1] + grey[y, x + 2])
                rows[y - top, x] = total // np.uint16(3)
        for y in range(top, bottom):
            for x in range(width):
                total = np.uint16(rows[y - top, x] + rows[y - top + 1, x] + rows[y - top + 2, x])
                output[y, x] = total // np.uint16(3)


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _blur_rgb(rgb: Array, output: Array) -> None:
    channels, height, width = output.shape
    strips = (height + STRIP - 1) // STRIP
    for task in numba.prange(channels * strips):
        c, top = task // strips, (task % strips) * STRIP
        bottom = min(top + STRIP, height)
        rows = np.empty((STRIP + 2, width), np.uint16)
        for y in range(top - 1, bottom + 1):
            source = rgb[c, min(max(y, 0), height - 1)]
            row = rows[y - top + 1]
            for x in range(1, width - 1):
                row[x] = np.uint16(np.uint16(source[x - 1]) + source[x] + source[x + 1]) // np.uint16(3)
            for x in (0, width - 1):
                left, right = source[max(x - 1, 0)], source[min(x + 1, width - 1)]
                row[x] = np.uint16(np.uint16(left) + source[x] + right) // np.uint16(3)
        for y in range(top, bottom):
            for x in range(width):
                total = np.uint16(rows[y - top, x] + rows[y - top + 1, x] + rows[y - top + 2, x])
                output[c, y, x] = np.uint8(total // np.uint16(3))


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _blur_soft(rgb: Array, output: Array) -> None:
    channels, height, width = output.shape
    outer, inner, middle = np.float32(1 / 16), np.float32(4 / 16), np.float32(6 / 16)
    for task in numba.prange(channels * height):
        c, y = task // height, task % height
        row = np.empty(width + 4, np.float32)
        top, above = rgb[c, max(y - 2, 0)], rgb[c, max(y - 1, 0)]
        below, bottom = rgb[c, min(y + 1, height - 1)], rgb[c, min(y + 2, height - 1)]
        for x in range(width):
            row[x + 2] = outer * (top[x] + bottom[x]) + inner * (above[x] + below[x]) + middle * rgb[c, y, x]
        row[:2] = row[2]
        row[-2:] = row[-3]
        for x in range(width):
            total = outer * (row[x] + row[x + 4]) + inner * (row[x + 1] + row[x + 3])
            output[c, y, x] = total + middle * row[x + 2]
