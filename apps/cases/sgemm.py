"""The matrix product, square and not, at sizes that tiles divide and that they do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.cases import Array, Case, Size, Value


def _matrices(size: Size) -> list[Value]:
    """A is height x width and B width x width, so that the result is of the size; alpha and beta are 1."""
    made = np.random.default_rng(0)
    shapes = ((size.height, size.width), (size.width, size.width), (size.height, size.width))
    return [*(made.standard_normal(shape, np.float32) for shape in shapes), 1.0, 1.0]


def multiplied(a: Array, b: Array, c: Array, alpha: float, beta: float) -> Array:
    product: Array = alpha * (a.astype(np.float64) @ b.astype(np.float64)) + beta * c.astype(np.float64)
    return product


_ROUNDING = "each system adds in an order of its own, and rounds each sum to 24 bits"
_SYSTEMS = ("halopy", "halide", "scipy", "numpy", "numba", "kernels")
_SIZES: Sequence[Size] = (Size(1024, 1024), Size(512, 512), Size(1536, 1536), Size(1001, 777))

CASES = (
    Case(
        name="sgemm",
        title="A B + C of 32-bit floats",
        algorithm="apps.sgemm:sgemm",
        schedules={
            "hand": "schedules.sgemm:sgemm",
            "halide": "schedules.sgemm:sgemm_halide",
            "app": "schedules.sgemm:sgemm_app",
            "opencl": "schedules.sgemm:sgemm_opencl",
            "small": "schedules.sgemm:sgemm_small",
        },
        rivals={
            "scipy": "apps.rivals.scipy_sgemm:prepare",
            "numpy": "apps.rivals.numpy_sgemm:prepare",
            "numba": "apps.rivals.numba_sgemm:prepare",
            "kernels": "apps.rivals.kernels_sgemm:prepare",
        },
        inputs=_matrices,
        output=lambda size: np.ones((size.height, size.width), np.float32),
        reference=multiplied,
        operations=lambda size: size.width,  # the depth
        fused=True,
        lane_bits=32,
        tolerance=dict.fromkeys(_SYSTEMS, 0.002),
        why=_ROUNDING,
        sizes=_SIZES,
        growing=(Size(256, 256), Size(512, 512), Size(1024, 1024), Size(2048, 2048)),
        tiny_schedule="small",
    ),
)
