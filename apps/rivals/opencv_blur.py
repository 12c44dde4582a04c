"""The box blur in OpenCV, which rounds once instead of twice."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from apps.cases import Array
from apps.rivals import Prepared


def prepare_grey(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    """OpenCV blurs to the size of its input, so its result has a frame of one pixel that the others do not compute."""
    cv2.setNumThreads(threads)
    (grey,) = inputs
    framed = np.ones((output.shape[0] + 2, output.shape[1] + 2), output.dtype)

    def call() -> None:
        cv2.blur(grey, (3, 3), dst=framed, borderType=cv2.BORDER_REPLICATE)

    return Prepared(call, framed[1:-1, 1:-1])


def prepare_rgb(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    cv2.setNumThreads(threads)
    (rgb,) = inputs

    def call() -> None:
        for channel, result in zip(rgb, output, strict=True):
            cv2.blur(channel, (3, 3), dst=result, borderType=cv2.BORDER_REPLICATE)

    return Prepared(call, output)


def prepare_soft(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    cv2.setNumThreads(threads)
    (rgb,) = inputs
    weights = np.array([1, 4, 6, 4, 1], np.float32) / 16

    def call() -> None:
        for channel, result in zip(rgb, output, strict=True):
            cv2.sepFilter2D(channel, cv2.CV_32F, weights, weights, dst=result, borderType=cv2.BORDER_REPLICATE)

    return Prepared(call, output)
