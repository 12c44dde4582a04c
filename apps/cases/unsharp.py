"""The unsharp mask on RGB in floats."""

from __future__ import annotations

import numpy as np

from apps.cases import CACHED, Array, Case, Size, random_floats

WEIGHTS = [float(np.exp(-n * n / (2 * 1.5**2)) / (np.sqrt(2 * np.pi) * 1.5)) for n in range(4)]


def sharpened(rgb: Array) -> Array:
    grey = np.float32(0.299) * rgb[0] + np.float32(0.587) * rgb[1] + np.float32(0.114) * rgb[2]
    blurred = blurred_along(blurred_along(grey, 0), 1)
    return (2 * grey - blurred) / grey * rgb


def blurred_along(grey: Array, axis: int) -> Array:
    """Seven neighbours in one direction, by the weights of a Gaussian; the edge is repeated."""
    framed = np.pad(grey, [(3, 3) if n == axis else (0, 0) for n in range(2)], mode="edge")
    taps = [np.take(framed, range(n, n + grey.shape[axis]), axis) for n in range(7)]
    near = [weight * (taps[3 - n] + taps[3 + n]) for n, weight in enumerate(np.float32(WEIGHTS[1:]), 1)]
    return np.float32(WEIGHTS[0]) * taps[3] + near[0] + near[1] + near[2]


_ROUNDED = "floats of about 1 are rounded after other steps"

CASES = (
    Case(
        name="unsharp",
        title="unsharp mask, RGB in 32-bit floats",
        algorithm="apps.unsharp:unsharp",
        schedules={
            "hand": "schedules.unsharp:unsharp",
            "halide": "schedules.unsharp:unsharp_halide",
            "app": "schedules.unsharp:unsharp_app",
            "opencl": "schedules.unsharp:unsharp_opencl",
        },
        rivals={
            "numpy": "apps.rivals.numpy_unsharp:prepare",
            "numba": "apps.rivals.numba_unsharp:prepare",
            "opencv": "apps.rivals.opencv_unsharp:prepare",
        },
        inputs=lambda size: [random_floats((3, size.height, size.width)) + np.float32(0.1)],
        output=lambda size: np.ones((3, size.height, size.width), np.float32),
        reference=sharpened,
        operations=8,  # of 22 for a pixel: 3 for grey, 2 x 7 for the blurs, 2 for the ratio, 3 to multiply
        lane_bits=32,
        fused=True,
        tolerance=dict.fromkeys(("halopy", "halide", "opencv", "numba"), 1e-4),
        why=_ROUNDED,
        tiny_schedule="none",
        sizes=(Size(4000, 3000), Size(3001, 2003), CACHED),
    ),
)
