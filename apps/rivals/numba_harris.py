"""Harris corners in Numba: strips of rows in parallel, with brightness and products of slopes kept for a strip."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from apps.cases import Array
from apps.rivals import Prepared

STRIP = 32


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    (rgb,) = inputs
    return Prepared(lambda: _harris(rgb, output), output)


@numba.njit(parallel=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def _harris(rgb: Array, output: Array) -> None:
    height, width = output.shape
    for strip in numba.prange((height + STRIP - 1) // STRIP):
        top, rows = strip * STRIP, min(STRIP, height - strip * STRIP)
        grey = np.empty((STRIP + 4, width + 4), np.float32)
        xx, yy, xy = (np.empty((STRIP + 2, width + 2), np.float32) for _ in range(3))
        for y in range(rows + 4):
            for x in range(width + 4):
                colour = np.float32(0.299) * rgb[0, top + y, x] + np.float32(0.587) * rgb[1, top + y, x]
                grey[y, x] = colour + np.float32(0.114) * rgb[2, top + y, x]
        for y in range(rows + 2):
            for x in range(width + 2):
                corner, other = grey[y + 2, x + 2] - grey[y, x], grey[y, x + 2] - grey[y + 2, x]
                across = corner + other + np.float32(2) * (grey[y + 1, x + 2] - grey[y + 1, x])
                down = corner - other + np.float32(2) * (grey[y + 2, x + 1] - grey[y, x + 1])
                dx, dy = across * np.float32(1 / 12), down * np.float32(1 / 12)
                xx[y, x], yy[y, x], xy[y, x] = dx * dx, dy * dy, dx * dy
        for y in range(rows):
            for x in range(width):
                sxx, syy, sxy = np.float32(0), np.float32(0), np.float32(0)
                for n in range(3):
                    sxx += xx[y + n, x] + xx[y + n, x + 1] + xx[y + n, x + 2]
                    syy += yy[y + n, x] + yy[y + n, x + 1] + yy[y + n, x + 2]
                    sxy += xy[y + n, x] + xy[y + n, x + 1] + xy[y + n, x + 2]
                trace = sxx + syy
                output[top + y, x] = sxx * syy - sxy * sxy - np.float32(0.04) * trace * trace
