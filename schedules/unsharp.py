"""Schedules for the unsharp mask, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl
from schedules.on_devices import shared

_GUARD, _SHIFT = hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards


def unsharp(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    """Four rows at once, in strips of 64 in which brightness slides down. At least 16 columns wide.

    Memory is what takes the time: each colour is read once from there and once from the second cache, and written past
    the caches. Of four rows of blur_y beside each other, the ten rows of brightness that they need are loaded once,
    not seven for each. The ratio stays in a register for the three channels. Rows of what is stored begin at lines.
    """
    _rows(grey, blur_y, ratio, output, 4, _GUARD)
    del blur_x  # inlined into ratio


def unsharp_halide(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    """The fastest found for Halide 21 (one to eight rows, strips, tiles, and stages stored or not, were tried).

    At least 64 rows and 16 columns.
    """
    _rows(grey, blur_y, ratio, output, 8, _SHIFT)
    del blur_x


def _rows(grey: hl.Func, blur_y: hl.Func, ratio: hl.Func, output: hl.Func, rows: int, tail: hl.TailStrategy) -> None:
    x, y, c = output.args()
    strip, xi, yi = hl.Var("strip"), hl.Var("xi"), hl.Var("yi")
    output.bound(c, 0, 3).split(y, strip, y, 64, tail).split(y, y, yi, rows, tail).split(x, x, xi, 16)
    output.reorder(xi, c, x, yi, y, strip).vectorize(xi).unroll(c).parallel(strip)
    ratio.compute_at(output, x).vectorize(ratio.args()[0], 16)

    bx, by = blur_y.args()
    blur_y.compute_at(output, y).split(bx, bx, xi, 16).reorder(xi, by, bx).vectorize(xi).unroll(by)
    blur_y.align_storage(bx, 16)
    gx, _ = grey.args()
    grey.compute_at(output, y).store_at(output, strip).vectorize(gx, 16).align_storage(gx, 16)


def unsharp_app(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    """Halide's own for this app: strips of 32 rows in parallel, in which three stages slide down. At least 16x32."""
    x, y, c = output.args()
    strip, yi = hl.Var("strip"), hl.Var("yi")
    output.split(y, strip, yi, 32).vectorize(x, 16).parallel(strip).reorder(x, c, yi, strip)
    for stage in (grey, blur_y, ratio):
        stage.compute_at(output, yi).store_at(output, strip).vectorize(stage.args()[0], 16)
    del blur_x  # inlined into ratio


def unsharp_opencl(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    """Blocks of 8x8 threads that share brightness and what is blurred downwards; a thread computes a vector of eight
    columns, whose ratio stays in its registers for the three channels."""
    x, y, c = output.args()
    xi, tx, ty = hl.Var("xi"), hl.Var("tx"), hl.Var("ty")
    output.bound(c, 0, 3).split(x, x, xi, 8).gpu_tile(x, y, tx, ty, 8, 8, _GUARD)
    output.reorder(xi, c, tx, ty, x, y).vectorize(xi).unroll(c)
    ratio.compute_at(output, tx).vectorize(ratio.args()[0], 8, hl.TailStrategy.RoundUp)
    for stage in (grey, blur_y):
        shared(stage, output, x, lanes=8)
    del blur_x  # inlined into ratio
