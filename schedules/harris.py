"""Schedules for Harris corners, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl
from schedules.on_devices import in_blocks, shared


def harris(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    """Six rows at once, in strips of 60 in which brightness and slopes slide down. At least 16x60 pixels.

    Arithmetic and loads take the time. Six rows of corners beside each other share what they sum up: of products of
    slopes along a row, eight sums serve them all instead of eighteen. Rows of what is stored begin at lines.
    """
    x, y = corners.args()
    strip, xi, yi = hl.Var("strip"), hl.Var("xi"), hl.Var("yi")
    corners.split(y, strip, y, 60).split(y, y, yi, 6).split(x, x, xi, 16)
    corners.reorder(xi, yi, x, y, strip).vectorize(xi).unroll(yi).parallel(strip)
    for stage in (grey, dx, dy):
        sx, _ = stage.args()
        stage.compute_at(corners, y).store_at(corners, strip).vectorize(sx, 16).align_storage(sx, 16)


def harris_halide(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    """The fastest found for Halide 21: eight rows at once, with what they need computed for them. At least 16x64.

    Halide does not let stages slide by several rows in strips whose tails are shifted; rows one by one are slower.
    """
    x, y = corners.args()
    strip, xi, yi = hl.Var("strip"), hl.Var("xi"), hl.Var("yi")
    corners.split(y, strip, y, 64).split(y, y, yi, 8).split(x, x, xi, 16)
    corners.reorder(xi, yi, x, y, strip).vectorize(xi).unroll(yi).parallel(strip)
    for stage in (grey, dx, dy):
        sx, _ = stage.args()
        stage.compute_at(corners, y).vectorize(sx, 16).align_storage(sx, 16)


def harris_app(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    """Halide's own for this app: strips of 32 rows in parallel, in which slopes slide down. At least 16x32 pixels."""
    x, y = corners.args()
    yi = hl.Var("yi")
    corners.split(y, y, yi, 32).parallel(y).vectorize(x, 16)
    for stage in (grey, dx, dy):
        stage.store_at(corners, y).compute_at(corners, yi).vectorize(stage.args()[0], 16)
    dx.compute_with(dy, dx.args()[0])


def harris_opencl(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    """Blocks of 8x8 threads that share brightness and slopes; a thread computes a vector of eight columns."""
    block = in_blocks(corners, lanes=8)
    for stage in (grey, dx, dy):
        shared(stage, corners, block, lanes=8)
