"""A layer of 128 channels by 128 filters of 3x3, for four images at once."""

from __future__ import annotations

import numpy as np

from apps.cases import Array, Case, Size

IMAGES, CHANNELS = 4, 128


def _inputs(size: Size) -> list[Array]:
    made = np.random.default_rng(0)
    images = made.standard_normal((IMAGES, size.height + 2, size.width + 2, CHANNELS), np.float32)
    filters = made.standard_normal((CHANNELS, 3, 3, CHANNELS), np.float32)
    return [images, filters, made.standard_normal(CHANNELS, np.float32)]


def convolved(images: Array, filters: Array, bias: Array) -> Array:
    """Nine matrix products, of the images moved by each place in the filter."""
    height, width = images.shape[1] - 2, images.shape[2] - 2
    total = np.zeros((len(images), height, width, len(bias))) + bias
    for y in range(3):
        for x in range(3):
            part = images[:, y : y + height, x : x + width].astype(np.float64)
            total += part @ filters[:, y, x].astype(np.float64)
    return np.maximum(total, 0)


CASES = (
    Case(
        name="conv_layer",
        title=f"3x3 convolution, {CHANNELS} channels in and out, batch {IMAGES}",
        algorithm="apps.conv_layer:conv_layer",
        schedules={
            "hand": "schedules.conv_layer:conv_layer",
            "halide": "schedules.conv_layer:conv_layer_halide",
            "app": "schedules.conv_layer:conv_layer_app",
            "opencl": "schedules.conv_layer:conv_layer_opencl",
        },
        rivals={"numpy": "apps.rivals.numpy_conv_layer:prepare", "numba": "apps.rivals.numba_conv_layer:prepare"},
        inputs=_inputs,
        output=lambda size: np.ones((IMAGES, size.height, size.width, CHANNELS), np.float32),
        reference=convolved,
        operations=9 * CHANNELS,
        lane_bits=32,
        fused=True,
        tolerance=dict.fromkeys(("halopy", "halide", "numpy", "numba"), 0.002),
        why="each system adds 1152 products in an order of its own, and rounds each sum to 24 bits",
        sizes=(Size(100, 80), Size(67, 53), Size(32, 16)),
        growing=(Size(50, 40), Size(100, 80), Size(200, 160)),
    ),
)
