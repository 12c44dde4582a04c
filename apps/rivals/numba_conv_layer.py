"""The layer in Numba: rows in parallel, all maps of a pixel at once, so that loops over maps become vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from apps.cases import Value
from apps.rivals import Array, Prepared, arrays


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    images, filters, bias = arrays(inputs)
    return Prepared(lambda: _convolve(images, filters, bias, output), output)


@numba.njit(parallel=True, fastmath=True)  # type: ignore[untyped-decorator]
def _convolve(images: Array, filters: Array, bias: Array, output: Array) -> None:
    count, height, width, maps = output.shape
    channels = images.shape[3]
    for row in numba.prange(count * height):
        n, y = row // height, row % height
        for x in range(width):
            for c in range(maps):
                output[n, y, x, c] = bias[c]
        for channel in range(channels):
            for ky in range(3):
                for kx in range(3):
                    for x in range(width):
                        pixel = images[n, y + ky, x + kx, channel]
                        for c in range(maps):
                            output[n, y, x, c] += pixel * filters[channel, ky, kx, c]
        for x in range(width):
            for c in range(maps):
                output[n, y, x, c] = max(output[n, y, x, c], np.float32(0))
