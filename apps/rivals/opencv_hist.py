"""Histogram equalisation in OpenCV: to YCrCb and back, by whole numbers, on pixels with their channels together."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from apps.cases import Array
from apps.rivals import Prepared


def prepare(inputs: Sequence[Array], _output: Array, threads: int) -> Prepared:
    cv2.setNumThreads(threads)
    (rgb,) = inputs
    pixels = np.ascontiguousarray(np.moveaxis(rgb, 0, 2))
    result = np.empty_like(pixels)

    def call() -> None:
        luma, cr, cb = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
        cv2.cvtColor(cv2.merge((cv2.equalizeHist(luma), cr, cb)), cv2.COLOR_YCrCb2RGB, dst=result)

    return Prepared(call, np.moveaxis(result, 2, 0))
