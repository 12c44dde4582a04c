"""Schedules for the bilateral grid, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl
from schedules.on_devices import in_blocks

_GUARD, _ROUND_UP = hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp
_INWARDS = hl.TailStrategy.ShiftInwards


def bilateral_grid(**stages: hl.Func) -> None:
    """Both channels and all layers of a cell side by side, so that whatever is looked up for a pixel is one load.

    A pixel is added to its cell by one load and store of both channels. Eight cells take turns, as the next pixel of a
    cell mostly meets the same layer and would wait for it. Blurring and interpolating across work on dense vectors of
    four layers with two channels, whatever the direction. What is interpolated between eight rows of pixels is kept
    for tiles that stay in the first cache, where the four numbers around a pixel's brightness are loaded at once.
    """
    grid, wide, across, output = (stages[name] for name in ("grid", "wide", "across", "output"))
    for name in ("grid", "deep", "wide", "tall", "across"):
        _layers_first(stages[name])
    wide.compute_root().parallel(wide.args()[1])
    stages["tall"].compute_root().parallel(stages["tall"].args()[1])
    for name in ("deep", "grid"):
        stages[name].compute_at(wide, wide.args()[1])

    x, y, _, c = grid.args()
    rx, ry = grid.rvars(0)
    cell = hl.Var("cell")
    grid.update().split(x, x, cell, 8, _GUARD).reorder(c, cell, rx, ry, x, y).unroll(cell).vectorize(c, 2)
    for name in ("value", "layer"):
        stages[name].compute_at(grid, x).vectorize(stages[name].args()[0], 16, _INWARDS)

    x, y = output.args()
    strip, tile, xi, yi = (hl.Var(name) for name in ("strip", "tile", "xi", "yi"))
    output.split(y, strip, y, 32, _GUARD).split(y, y, yi, 8, _GUARD)
    output.split(x, tile, x, 256, _GUARD).split(x, x, xi, 16, _GUARD)
    output.reorder(xi, x, yi, y, tile, strip).parallel(strip).vectorize(xi)
    across.store_at(output, tile).compute_at(output, y)


def _layers_first(stage: hl.Func) -> None:
    x, y, z, c = stage.args()
    four = hl.Var("four")
    stage.bound(c, 0, 2).reorder_storage(c, z, x, y).split(z, z, four, 4, _ROUND_UP)
    stage.reorder(c, four, z, x, y).vectorize(c, 2).vectorize(four)


def bilateral_grid_halide(**stages: hl.Func) -> None:
    """The fastest found for Halide 21: that of halopy, at half the time of its own app's."""
    bilateral_grid(**stages)


def bilateral_grid_app(**stages: hl.Func) -> None:
    """Halide's own for this app: rows of the grid in parallel, and then rows of the picture."""
    grid, deep, wide, tall, output = (stages[name] for name in ("grid", "deep", "wide", "tall", "output"))
    x, y, z, c = grid.args()
    rx, ry = grid.rvars(0)
    deep.compute_at(wide, y).reorder(c, z, x, y).bound(c, 0, 2).vectorize(x, 8).unroll(c)
    grid.compute_at(deep, y).bound(c, 0, 2)
    grid.update().reorder(c, rx, ry, x, y).unroll(c)
    wide.compute_root().reorder(c, x, z, y).bound(c, 0, 2).parallel(y).vectorize(x, 8).unroll(c)
    tall.compute_at(output, y).store_in(hl.MemoryType.Stack).reorder(c, x, y, z).reorder_storage(c, z, x, y)
    tall.bound(c, 0, 2).vectorize(x, 8).unroll(c)
    x, y = output.args()
    output.parallel(y, 8).vectorize(x, 8)


def bilateral_grid_plain(**stages: hl.Func) -> None:
    """Plain loops, stage after stage. (Inlined in one another, stages would be computed hundreds of times.)"""
    for name in ("grid", "deep", "wide", "tall"):
        stages[name].compute_root()


def bilateral_grid_opencl(**stages: hl.Func) -> None:
    """A thread adds up the pixels of a cell; each direction of blurring is a kernel, with eight cells beside each other
    in a vector; a thread interpolates one pixel."""
    grid = stages["grid"]
    x, y, _, c = grid.args()
    rx, ry = grid.rvars(0)
    tx, ty = hl.Var("tx"), hl.Var("ty")
    for name in ("grid", "deep", "wide", "tall"):
        in_blocks(stages[name].compute_root().bound(c, 0, 2), lanes=8)
    grid.update().reorder(c, rx, ry, x, y).unroll(c).gpu_tile(x, y, tx, ty, 8, 8, _GUARD)
    in_blocks(stages["output"], 16, 8)
