"""Histogram equalisation of 8-bit RGB, in YCbCr."""

from __future__ import annotations

import numpy as np

from apps import photo
from apps.cases import Array, Case, Size


def _photograph(size: Size) -> list[Array]:
    """A photograph, repeated: what counts is how often neighbours are of one brightness."""
    coffee = photo.load(photo.COFFEE)
    times = max(-(-size.height // coffee.shape[1]), -(-size.width // coffee.shape[2]))
    return [np.ascontiguousarray(photo.tiled(coffee, times)[:, : size.height, : size.width])]


def equalised(rgb: Array) -> Array:
    """In single precision, and in the order of the app, so that levels have the same bits."""
    f = np.float32
    red, green, blue = rgb.astype(f)
    luma = f(0.299) * red + f(0.587) * green + f(0.114) * blue
    cb = (blue - luma) * f(0.564) + f(128)
    cr = (red - luma) * f(0.713) + f(128)
    level = np.clip(luma, 0, 255).astype(np.uint8)
    cumulative = np.bincount(level.ravel(), minlength=256).cumsum().astype(f)
    equal = np.clip(cumulative * (f(255) / f(level.size)), 0, 255)[level]
    b, r = cb - f(128), cr - f(128)
    channels = [equal + r * f(1.4), equal - b * f(0.343) - r * f(0.711), equal + b * f(1.765)]
    return np.stack([np.clip(channel, 0, 255).astype(np.uint8) for channel in channels])


CASES = (
    Case(
        name="hist",
        title="Histogram equalisation, 8-bit RGB",
        algorithm="apps.hist:equalise",
        schedules={
            "hand": "schedules.hist:equalise",
            "halide": "schedules.hist:equalise_halide",
            "app": "schedules.hist:equalise_app",
            "opencl": "schedules.hist:equalise_opencl",
        },
        rivals={
            "numpy": "apps.rivals.numpy_hist:prepare",
            "numba": "apps.rivals.numba_hist:prepare",
            "opencv": "apps.rivals.opencv_hist:prepare",
        },
        inputs=_photograph,
        output=lambda size: np.ones((3, size.height, size.width), np.uint8),
        reference=equalised,
        operations=11,  # a third of a pixel: brightness twice, both differences, three channels, and the clamps
        lane_bits=32,
        tolerance={"halopy": 1, "halide": 4, "numba": 4, "opencv": 16},
        why="halopy rounds products together with sums, but not what is counted; Halide and Numba also where brightness"
        " next to a whole number then counts for its neighbour; OpenCV rounds brightness and colours to whole numbers",
        fused=True,
    ),
)
