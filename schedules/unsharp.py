"""Schedules for the unsharp mask, on a processor with vectors and a few cores."""

from __future__ import annotations

import halopy as hl

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
