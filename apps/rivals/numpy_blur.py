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


def prepare_soft(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    del threads
    (rgb,) = inputs
    _, height, width = rgb.shape
    rows, pixels = np.ones((height + 4, width), rgb.dtype), np.ones((height, width + 4), rgb.dtype)
    scratch = np.ones((height, width), rgb.dtype)

    def call() -> None:
        for channel, result in zip(rgb, output, strict=True):
            rows[2:-2] = channel
            rows[:2], rows[-2:] = channel[:1], channel[-1:]
            _weigh([rows[n : n + height] for n in range(5)], scratch, pixels[:, 2:-2])
            pixels[:, :2], pixels[:, -2:] = pixels[:, 2:3], pixels[:, -3:-2]
            _weigh([pixels[:, n : n + width] for n in range(5)], scratch, result)

    return Prepared(call, output)


def _weigh(taps: Sequence[Array], scratch: Array, result: Array) -> None:
    np.multiply(taps[2], np.float32(6 / 16), out=result)
    for near, far, weight in ((taps[0], taps[4], 1 / 16), (taps[1], taps[3], 4 / 16)):
        np.add(near, far, out=scratch)
        np.multiply(scratch, np.float32(weight), out=scratch)
        np.add(result, scratch, out=result)
