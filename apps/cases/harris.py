"""Harris corners of RGB in floats, without a border."""

from __future__ import annotations

import numpy as np

from apps.cases import CACHED, Array, Case, Size, random_floats


def corners(rgb: Array) -> Array:
    grey = np.float32(0.299) * rgb[0] + np.float32(0.587) * rgb[1] + np.float32(0.114) * rgb[2]
    smooth_y, smooth_x = grey[:-2] + 2 * grey[1:-1] + grey[2:], grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    dx = (smooth_y[:, 2:] - smooth_y[:, :-2]) / np.float32(12)
    dy = (smooth_x[2:] - smooth_x[:-2]) / np.float32(12)
    xx, yy, xy = _sum3x3(dx * dx), _sum3x3(dy * dy), _sum3x3(dx * dy)
    return xx * yy - xy * xy - np.float32(0.04) * (xx + yy) ** 2


def _sum3x3(plane: Array) -> Array:
    rows = plane[:, :-2] + plane[:, 1:-1] + plane[:, 2:]
    total: Array = rows[:-2] + rows[1:-1] + rows[2:]
    return total


CASES = (
    Case(
        name="harris",
        title="Harris corners, RGB in 32-bit floats",
        algorithm="apps.harris:harris",
        schedules={
            "hand": "schedules.harris:harris",
            "halide": "schedules.harris:harris_halide",
            "app": "schedules.harris:harris_app",
            "opencl": "schedules.harris:harris_opencl",
        },
        rivals={
            "numpy": "apps.rivals.numpy_harris:prepare",
            "numba": "apps.rivals.numba_harris:prepare",
            "opencv": "apps.rivals.opencv_harris:prepare",
            "kernels": "apps.rivals.kernels_harris:prepare",
        },
        inputs=lambda size: [random_floats((3, size.height + 4, size.width + 4))],
        output=lambda size: np.ones((size.height, size.width), np.float32),
        reference=corners,
        operations=27,  # 3 for grey, 2 x 5 for slopes, 3 squares, 3 x 3 sums (one sliding), 2 for the rest
        lane_bits=32,
        fused=True,
        tolerance=dict.fromkeys(("halopy", "halide", "opencv", "numba", "kernels"), 1e-4),
        why="floats of about 1 are rounded after other steps",
        tiny_schedule="none",
        sizes=(Size(4000, 3000), Size(3001, 2003), CACHED),
    ),
)
