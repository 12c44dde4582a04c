"""The box blur in NumPy, with every array made beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.cases import Array
from apps.rivals import Prepared


def prepare_grey(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    del threads  # NumPy uses one
    (grey,) = inputs
    rows = np.ones((grey.shape[0], grey.shape[1] - 2), grey.dtype)
    return Prepared(lambda: _blur(grey, rows, output), output)


def prepare_rgb(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    del threads
    (rgb,) = inputs
    _, height, width = rgb.shape
    padded = np.ones((height + 2, width + 2), np.uint16)
    rows = np.ones((height + 2, width), np.uint16)
    wide = np.ones((height, width), np.uint16)

    def call() -> None:
        for channel, result in zip(rgb, output, strict=True):
            padded[1:-1, 1:-1] = channel
            padded[1:-1, 0], padded[1:-1, -1] = channel[:, 0], channel[:, -1]
            padded[0], padded[-1] = padded[1], padded[-2]
            _blur(padded, rows, wide)
            result[...] = wide

    return Prepared(call, output)


def _blur(source: Array, rows: Array, result: Array) -> None:
    np.add(source[:, :-2], source[:, 1:-1], out=rows)
    np.add(rows, source[:, 2:], out=rows)
    np.floor_divide(rows, 3, out=rows)
    np.add(rows[:-2], rows[1:-1], out=result)
    np.add(result, rows[2:], out=result)
    np.floor_divide(result, 3, out=result)
