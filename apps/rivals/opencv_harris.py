"""Harris corners by OpenCV's function of that name, which divides slopes by 12 as the app does."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from apps.cases import Array
from apps.rivals import Prepared


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    """OpenCV goes to the edge of its input, so its result has a frame of two pixels that the others do not compute."""
    cv2.setNumThreads(threads)
    (rgb,) = inputs
    red, green, blue = rgb
    grey, framed = np.ones_like(red), np.ones_like(red)

    def call() -> None:
        cv2.addWeighted(red, 0.299, green, 0.587, 0, dst=grey)
        cv2.addWeighted(grey, 1, blue, 0.114, 0, dst=grey)
        cv2.cornerHarris(grey, 3, 3, 0.04, dst=framed)

    del output  # a view of what OpenCV writes stands for it
    return Prepared(call, framed[2:-2, 2:-2])
