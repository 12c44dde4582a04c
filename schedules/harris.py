"""Schedules for Harris corners, on a processor with vectors and a few cores."""

from __future__ import annotations

import halopy as hl

_GUARD, _ROUND_UP = hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp


def harris(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    harris_app(grey, dx, dy, corners)


def harris_halide(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    harris_app(grey, dx, dy, corners)


def harris_app(grey: hl.Func, dx: hl.Func, dy: hl.Func, corners: hl.Func) -> None:
    """Halide's own for this app: strips of 32 rows in parallel, in which slopes slide down. At least 16 wide."""
    x, y = corners.args()
    yi = hl.Var("yi")
    corners.split(y, y, yi, 32).parallel(y).vectorize(x, 16)
    for stage in (grey, dx, dy):
        stage.store_at(corners, y).compute_at(corners, yi).vectorize(stage.args()[0], 16)
    dx.compute_with(dy, dx.args()[0])
