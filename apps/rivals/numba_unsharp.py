"""The unsharp mask in Numba: strips of rows in parallel, with brightness and its blurred rows kept for a strip."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from apps.cases import Array
from apps.cases.unsharp import WEIGHTS
from apps.rivals import Prepared

STRIP = 32
G0, G1, G2, G3 = (np.float32(weight) for weight in WEIGHTS)


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    (rgb,) = inputs
    return Prepared(lambda: _unsharp(rgb, output), output)


@numba.njit(parallel=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def _unsharp(rgb: Array, output: Array) -> None:
    _, height, width = output.shape
    for strip in numba.prange((height + STRIP - 1) // STRIP):
        top, bottom = strip * STRIP, min(strip * STRIP + STRIP, height)
        grey = np.empty((STRIP + 6, width), np.float32)
        blurred = np.empty(width + 6, np.float32)
        for y in range(top - 3, bottom + 3):
            row = min(max(y, 0), height - 1)
            for x in range(width):
                colour = np.float32(0.299) * rgb[0, row, x] + np.float32(0.587) * rgb[1, row, x]
                grey[y - top + 3, x] = colour + np.float32(0.114) * rgb[2, row, x]
        for y in range(top, bottom):
            n = y - top
            for x in range(width):
                near = G1 * (grey[n + 2, x] + grey[n + 4, x]) + G2 * (grey[n + 1, x] + grey[n + 5, x])
                blurred[x + 3] = G0 * grey[n + 3, x] + near + G3 * (grey[n, x] + grey[n + 6, x])
            blurred[:3] = blurred[3]
            blurred[-3:] = blurred[-4]
            for x in range(width):
                near = G1 * (blurred[x + 2] + blurred[x + 4]) + G2 * (blurred[x + 1] + blurred[x + 5])
                soft = G0 * blurred[x + 3] + near + G3 * (blurred[x] + blurred[x + 6])
                ratio = (np.float32(2) * grey[n + 3, x] - soft) / grey[n + 3, x]
                for c in range(3):
                    output[c, y, x] = ratio * rgb[c, y, x]
