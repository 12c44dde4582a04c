"""Schedules for multiscale interpolation, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

from collections.abc import Mapping

import halopy as hl
from schedules.on_devices import in_blocks

_GUARD = hl.TailStrategy.GuardWithIf
_AT_ROOT = 4  # the finest of the levels up that are computed for all the picture before


def _levels(stages: Mapping[str, hl.Func], name: str) -> dict[int, hl.Func]:
    """The stages of that name, by level."""
    found = {int(key.removeprefix(f"{name}_")): f for key, f in stages.items() if key.rpartition("_")[0] == name}
    return dict(sorted(found.items()))


def plain(**stages: hl.Func) -> None:
    """What no picture can do without: a level is computed once, not once for each pixel that it is part of."""
    for name in ("down", "filled"):
        for level, stage in _levels(stages, name).items():
            if level > 0:
                stage.compute_root()


def interpolate_app(normalized: hl.Func, **stages: hl.Func) -> None:
    """Halide's own for this app: levels down at the root, by rows; levels up by rows, in strips of the result."""
    x, y, c = normalized.args()
    xo, xi, yo, yi = hl.Var("xo"), hl.Var("xi"), hl.Var("yo"), hl.Var("yi")
    down, filled = _levels(stages, "down"), _levels(stages, "filled")
    for level in range(1, len(down) - 1):
        down[level].compute_root().never_partition([x]).reorder(x, c, y).split(y, yo, yi, 8).parallel(yo)
        down[level].vectorize(x, 16)
    down[0].clone_in(stages["down_x_1"]).store_at(down[1], yo).compute_at(down[1], yi)
    down[0].clone_in(stages["down_x_1"]).reorder(c, x, y).unroll(c).vectorize(x, 16).never_partition([y])
    normalized.bound(c, 0, 3).never_partition([y]).split(x, xo, xi, 16).split(y, yo, yi, 32)
    normalized.reorder(xi, c, xo, yi, yo).unroll(c).vectorize(xi).parallel(yo)
    for level in range(1, len(filled)):
        filled[level].store_at(normalized, yo).compute_at(normalized, yi).never_partition_all().vectorize(x, 16)


def interpolate(normalized: hl.Func, **stages: hl.Func) -> None:
    """Levels down at the root, in strips; the finest levels up by rows, in strips of the result. At least 16x1 pixels.

    What takes time is to go through the picture twice, down and up. On the way down, each row is halved in x once and
    kept for the rows below that need it. On the way up, the three finest levels slide down the strips with the result;
    coarser ones are a hundredth of the picture, and computed before, so that no two strips do it.
    """
    x, y, c = normalized.args()
    strip = hl.Var("strip")
    down, filled = _levels(stages, "down"), _levels(stages, "filled")
    down[1].compute_root().split(y, strip, y, 32, _GUARD).reorder(x, c, y, strip).vectorize(x, 16).parallel(strip)
    stages["down_x_1"].store_at(down[1], strip).compute_at(down[1], y).vectorize(x, 16)
    for level in range(2, len(down) - 1):
        down[level].compute_root().reorder(x, c, y).vectorize(x, 16).parallel(y, 8, _GUARD)
    for level in range(_AT_ROOT, len(filled)):
        filled[level].compute_root().vectorize(x, 16).parallel(y, 8, _GUARD)

    normalized.bound(c, 0, 3).split(y, strip, y, 32, _GUARD).reorder(c, x, y, strip).unroll(c)
    normalized.vectorize(x, 16).parallel(strip)
    for level in range(1, _AT_ROOT):
        filled[level].store_at(normalized, strip).compute_at(normalized, y).vectorize(x, 16)


def interpolate_halide(**stages: hl.Func) -> None:
    """The fastest found for Halide 21 (that of its app, and strips, rows and levels at the root): interpolate's."""
    interpolate(**stages)


def interpolate_opencl(normalized: hl.Func, **stages: hl.Func) -> None:
    """Each level down and up is a kernel. Threads compute vectors of eight columns, of the result in all channels."""
    down, filled = _levels(stages, "down"), _levels(stages, "filled")
    for levels in (down, filled):
        for level, stage in levels.items():
            if level > 0:
                in_blocks(stage.compute_root(), lanes=8)
    x, y, c = normalized.args()
    xi, tx, ty = hl.Var("xi"), hl.Var("tx"), hl.Var("ty")
    normalized.bound(c, 0, 3).split(x, x, xi, 8).gpu_tile(x, y, tx, ty, 8, 8, _GUARD)
    normalized.reorder(xi, c, tx, ty, x, y).vectorize(xi).unroll(c)
