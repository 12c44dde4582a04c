"""The matrix product in Numba: loops that are blocked by hand, rows in parallel."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from apps.cases import Array, Value
from apps.rivals import Prepared

_BLOCK, _DEPTH = 64, 256


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:
    numba.set_num_threads(threads)
    a, b, c, alpha, beta = inputs
    return Prepared(lambda: _multiply(a, b, c, np.float32(alpha), np.float32(beta), output), output)


@numba.njit(parallel=True, fastmath=True)  # type: ignore[untyped-decorator]
def _multiply(a: Array, b: Array, c: Array, alpha: float, beta: float, output: Array) -> None:
    """Blocks of rows in parallel; of B a band of rows stays in a cache, and rows of the result are added to."""
    rows, columns = output.shape
    depth = a.shape[1]
    for block in numba.prange((rows + _BLOCK - 1) // _BLOCK):
        for y in range(block * _BLOCK, min((block + 1) * _BLOCK, rows)):
            for x in range(columns):
                output[y, x] = beta * c[y, x]
        for band in range(0, depth, _DEPTH):
            for y in range(block * _BLOCK, min((block + 1) * _BLOCK, rows)):
                for k in range(band, min(band + _DEPTH, depth)):
                    factor = alpha * a[y, k]
                    for x in range(columns):
                        output[y, x] += factor * b[k, x]
