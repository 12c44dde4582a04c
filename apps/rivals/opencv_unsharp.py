"""The unsharp mask by OpenCV's functions for whole planes, with every plane made beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from apps.cases import Array
from apps.cases.unsharp import WEIGHTS
from apps.rivals import Prepared


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    cv2.setNumThreads(threads)
    (rgb,) = inputs
    red, green, blue = rgb
    grey, blurred, ratio = (np.ones_like(red) for _ in range(3))
    weights = np.float32([*WEIGHTS[:0:-1], *WEIGHTS])

    def call() -> None:
        cv2.addWeighted(red, 0.299, green, 0.587, 0, dst=grey)
        cv2.addWeighted(grey, 1, blue, 0.114, 0, dst=grey)
        cv2.sepFilter2D(grey, cv2.CV_32F, weights, weights, dst=blurred, borderType=cv2.BORDER_REPLICATE)
        cv2.addWeighted(grey, 2, blurred, -1, 0, dst=ratio)
        cv2.divide(ratio, grey, dst=ratio)
        for channel, result in zip(rgb, output, strict=True):
            cv2.multiply(ratio, channel, dst=result)

    return Prepared(call, output)
