"""The layer in NumPy: nine products of matrices by its OpenBLAS, each of the images moved by a place of the filter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.cases import Value
from apps.rivals import Array, Prepared, arrays


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    images, filters, bias = arrays(inputs)
    _, height, width, channels = output.shape
    moved = np.empty((*output.shape[:3], images.shape[3]), np.float32)
    part = np.empty((moved.size // images.shape[3], channels), np.float32)
    flat = output.reshape(part.shape)

    def call() -> None:
        flat[:] = bias
        for place in range(9):
            y, x = divmod(place, 3)
            np.copyto(moved, images[:, y : y + height, x : x + width])
            np.matmul(moved.reshape(-1, images.shape[3]), filters[:, y, x], out=part)
            np.add(flat, part, out=flat)
        np.maximum(flat, 0, out=flat)

    return Prepared(call, output)
