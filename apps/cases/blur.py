"""The 3x3 box blur: 12-bit pixels in 16 bits without a border, and 8-bit RGB whose edge is repeated."""

from __future__ import annotations

import numpy as np

from apps.cases import CACHED, GROWING, MORE_CHANNELS, Array, Case, Size, random_floats, random_pixels


def _grey(size: Size) -> list[Array]:
    return [random_pixels((size.height + 2, size.width + 2), 4096, np.uint16)]


def _rgb(size: Size) -> list[Array]:
    return [random_pixels((size.channels, size.height, size.width), 256, np.uint8)]


def blurred_grey(grey: Array) -> Array:
    rows = (grey[:, :-2] + grey[:, 1:-1] + grey[:, 2:]) // 3
    return (rows[:-2] + rows[1:-1] + rows[2:]) // 3


def blurred_rgb(rgb: Array) -> Array:
    channels = [blurred_grey(np.pad(channel.astype(np.uint16), 1, mode="edge")) for channel in rgb]
    return np.stack(channels).astype(np.uint8)


def blurred_softly(rgb: Array) -> Array:
    outer, inner, middle = np.float32(1 / 16), np.float32(4 / 16), np.float32(6 / 16)
    rows = np.pad(rgb, ((0, 0), (2, 2), (0, 0)), mode="edge")
    high = outer * (rows[:, :-4] + rows[:, 4:]) + inner * (rows[:, 1:-3] + rows[:, 3:-1]) + middle * rows[:, 2:-2]
    all_ = np.pad(high, ((0, 0), (0, 0), (2, 2)), mode="edge")
    wide = outer * (all_[..., :-4] + all_[..., 4:]) + inner * (all_[..., 1:-3] + all_[..., 3:-1])
    blurred: Array = wide + middle * all_[..., 2:-2]
    return blurred


_ROUNDED_ONCE = "OpenCV divides by 9 and rounds once; the others divide by 3 twice and round down: 1 apart at most"

CASES = (
    Case(
        name="blur16",
        title="3x3 box blur, 16 bits",
        algorithm="apps.blur:blur_grey",
        schedules={
            "hand": "schedules.blur:blur_grey",
            "halide": "schedules.blur:blur_grey_halide",
            "app": "schedules.blur:blur_grey_app",
            "opencl": "schedules.blur:blur_grey_opencl",
        },
        rivals={
            "numpy": "apps.rivals.numpy_blur:prepare_grey",
            "numba": "apps.rivals.numba_blur:prepare_grey",
            "opencv": "apps.rivals.opencv_blur:prepare_grey",
            "kernels": "apps.rivals.kernels_blur:prepare_grey",
        },
        inputs=_grey,
        output=lambda size: np.ones((size.height, size.width), np.uint16),
        reference=blurred_grey,
        operations=8,  # two stages of two additions, a high multiply and a shift
        lane_bits=16,
        tolerance={"opencv": 1},
        why=_ROUNDED_ONCE,
        tiny_schedule="app",
    ),
    Case(
        name="blur_rgb",
        title="3x3 box blur, 8-bit RGB",
        algorithm="apps.blur:blur_rgb",
        schedules={
            "hand": "schedules.blur:blur_rgb",
            "halide": "schedules.blur:blur_rgb",
            "opencl": "schedules.blur:blur_rgb_opencl",
        },
        rivals={
            "numpy": "apps.rivals.numpy_blur:prepare_rgb",
            "numba": "apps.rivals.numba_blur:prepare_rgb",
            "opencv": "apps.rivals.opencv_blur:prepare_rgb",
            "kernels": "apps.rivals.kernels_blur:prepare_rgb",
        },
        inputs=_rgb,
        output=lambda size: np.ones((size.channels, size.height, size.width), np.uint8),
        growing=(*GROWING, *MORE_CHANNELS),
        reference=blurred_rgb,
        operations=8,
        lane_bits=16,
        tolerance={"opencv": 1},
        why=_ROUNDED_ONCE,
    ),
    Case(
        name="blur_soft",
        title="separable 5x5 blur, RGB in 32-bit floats",
        algorithm="apps.blur:blur_soft",
        schedules={
            "hand": "schedules.blur:blur_soft",
            "halide": "schedules.blur:blur_soft_halide",
            "opencl": "schedules.blur:blur_soft_opencl",
        },
        rivals={
            "numpy": "apps.rivals.numpy_blur:prepare_soft",
            "numba": "apps.rivals.numba_blur:prepare_soft",
            "opencv": "apps.rivals.opencv_blur:prepare_soft",
        },
        inputs=lambda size: [random_floats((size.channels, size.height, size.width))],
        output=lambda size: np.ones((size.channels, size.height, size.width), np.float32),
        growing=(*GROWING, *MORE_CHANNELS),
        reference=blurred_softly,
        operations=10,  # two stages of two additions, a multiplication and two multiply-adds
        lane_bits=32,
        fused=True,
        tolerance=dict.fromkeys(("halopy", "halide", "opencv", "numpy", "numba"), 1e-5),
        why="floats of about 1 are rounded after other steps",
        sizes=(Size(4000, 3000), Size(3001, 2003), CACHED),
    ),
)
