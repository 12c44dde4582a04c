"""Schedules for the unsharp mask, on a processor with vectors and a few cores."""

from __future__ import annotations

import halopy as hl

_GUARD, _ROUND_UP = hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp


def unsharp(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    unsharp_app(grey, blur_y, blur_x, ratio, output)


def unsharp_halide(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    unsharp_app(grey, blur_y, blur_x, ratio, output)


def unsharp_app(grey: hl.Func, blur_y: hl.Func, blur_x: hl.Func, ratio: hl.Func, output: hl.Func) -> None:
    """Halide's own for this app: strips of 32 rows in parallel, in which three stages slide down. At least 16 wide."""
    x, y, c = output.args()
    strip, yi = hl.Var("strip"), hl.Var("yi")
    output.split(y, strip, yi, 32).vectorize(x, 16).parallel(strip).reorder(x, c, yi, strip)
    for stage in (grey, blur_y, ratio):
        stage.compute_at(output, yi).store_at(output, strip).vectorize(stage.args()[0], 16)
    del blur_x  # inlined into ratio
