"""A hundred steps of averaging with four neighbours, in planes far larger than the caches."""

from __future__ import annotations

import numpy as np

from apps.cases import Array, Case, Size

STEPS = 100  # the app's, which cannot be imported here


def _start(size: Size) -> list[Array]:
    return [np.random.default_rng(0).integers(0, 256, (size.height, size.width)).astype(np.float32)]


def stepped(start: Array) -> Array:
    """In the order of the app, so that it has the same bits; strip by strip, in the caches."""
    now, following = start.copy(), np.empty_like(start)
    for _ in range(STEPS):
        for top in range(0, len(now), 64):
            _step(now, following, top, min(top + 64, len(now)))
        now, following = following, now
    return now


def _step(now: Array, following: Array, top: int, bottom: int) -> None:
    rows = now[top:bottom]
    beside = np.empty_like(rows)
    beside[:, 1:-1] = rows[:, :-2] + rows[:, 2:]
    beside[:, 0] = rows[:, 0] + rows[:, 1]
    beside[:, -1] = rows[:, -2] + rows[:, -1]
    above = now[np.maximum(np.arange(top, bottom) - 1, 0)]
    below = now[np.minimum(np.arange(top, bottom) + 1, len(now) - 1)]
    following[top:bottom] = (beside + (above + below)) * np.float32(0.25)


CASES = (
    Case(
        name="jacobi",
        title=f"{STEPS} steps of a 5-point stencil, 32-bit floats",
        algorithm="apps.jacobi:all_steps",
        schedules={"hand": "schedules.jacobi:all_steps", "opencl": "schedules.jacobi:all_steps_opencl"},
        rivals={
            "steps": "apps.rivals.jacobi_steps:prepare_halopy",
            "halide-steps": "apps.rivals.jacobi_steps:prepare_halide",
        },
        inputs=_start,
        output=lambda size: np.ones((size.height, size.width), np.float32),
        reference=stepped,
        operations=4 * STEPS,
        lane_bits=32,
        tolerance={"halide-steps": 0.001},
        why="Halide adds floats in an order of its own choice",
        sizes=(Size(8192, 8192),),
        growing=(),
        engines=("halopy",),  # Halide has no skewed loops, and would keep all planes
    ),
)
