"""Schedules for the local Laplacian filter, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl
from schedules.on_devices import in_blocks

_LEVELS, _FINE, _INTENSITIES = 8, 5, 8  # levels from _FINE on are so small that threads would cost more than they gain
_GUARD, _INWARDS, _ROUND_UP = hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards, hl.TailStrategy.RoundUp


def local_laplacian(**stages: hl.Func) -> None:
    """Vectors hold all intensities of a pixel; the finest two levels of remapped pictures exist in tiles only.

    With the intensities innermost in memory, no vector is strided or gathered on the way down the pyramid, a pixel's
    row of the curve is one load, and the two intensities that a pixel is interpolated between lie side by side.
    The remapped pictures are eight times as large as the photograph, so what counts is not to store them: levels 0 and
    1 are computed twice, in tiles that stay in the first caches, once for level 2 and once for the result. Tiles slide
    down in strips of rows, two rows of the result at a time, so that level 1 needs exactly one new row. Tails are
    shifted inwards: what a coarse level is rounded up by, the finest would be by a hundred times as much. Loops that
    need not be fast stay whole, which takes a third off the time to compile.
    """
    curve, light, grey, output = (stages[name] for name in ("curve", "light", "grey", "output"))
    i, k = curve.args()
    curve.compute_root().reorder_storage(k, i).reorder(k, i).vectorize(k, _INTENSITIES)
    _in_strips(grey.compute_root(), lanes=16)
    light.compute_at(grey, grey.args()[1]).vectorize(light.args()[0], 16, _GUARD)
    for level in range(1, _LEVELS):
        _in_strips(stages[f"small_{level}"].compute_root(), lanes=8, parallel=level < _FINE)
    for level in range(2, _LEVELS):
        _remapped(stages[f"remapped_{level}"], stages[f"remapped_{level}_rows"], parallel=level < _FINE)
        fine = level < _FINE
        _in_strips(stages[f"collapsed_{level}"].compute_root(), lanes=16 if fine else 8, parallel=fine)
        for name in ("small", "remapped", "collapsed"):
            stages[f"{name}_{level}"].never_partition_all()
    _finest_levels_again(stages)

    x, y, c = output.args()
    strip, tile, pair, xi, yi = (hl.Var(name) for name in ("strip", "tile", "pair", "xi", "yi"))
    output.bound(c, 0, 3).split(y, strip, y, 32, _GUARD).split(y, pair, yi, 2, _GUARD)
    output.split(x, tile, x, 256, _GUARD).split(x, x, xi, 16, _GUARD)
    output.reorder(xi, c, x, yi, pair, tile, strip).parallel(strip).vectorize(xi).unroll(c)
    output.never_partition([strip, tile])
    stages["collapsed_0"].compute_at(output, pair).vectorize(stages["collapsed_0"].args()[0], 16, _INWARDS)
    band = stages["band_0"].compute_at(stages["collapsed_0"], stages["collapsed_0"].args()[0])
    _intensities_first(band).unroll(band.args()[0], 2)
    wide = stages["remapped_0_wide"].store_at(output, tile).compute_at(output, pair)
    _intensities_first(wide).unroll(wide.args()[0], 2)
    for name in ("remapped_1", "remapped_0"):
        _intensities_first(stages[name]).store_at(output, tile).compute_at(output, pair)
    rows = _intensities_first(stages["remapped_1_rows"])
    rows.compute_at(stages["remapped_1"], stages["remapped_1"].args()[1])
    for name in ("step", "collapsed_1"):
        stages[name].store_at(output, tile).compute_at(output, pair)
        stages[name].vectorize(stages[name].args()[0], 16, _INWARDS)


def _in_strips(stage: hl.Func, lanes: int, parallel: bool = True) -> None:
    x, y = stage.args()
    stage.vectorize(x, lanes, _INWARDS)
    if parallel:
        strip = hl.Var("strip")
        stage.split(y, strip, y, 32, _GUARD).parallel(strip)


def _intensities_first(stage: hl.Func) -> hl.Func:
    x, y, k = stage.args()
    return stage.reorder_storage(k, x, y).reorder(k, x, y).vectorize(k, _INTENSITIES)


def _remapped(stage: hl.Func, rows: hl.Func, parallel: bool) -> None:
    x, y, k = stage.args()
    strip, tile, xi, yi = (hl.Var(name) for name in ("strip", "tile", "xi", "yi"))
    stage.compute_root().reorder_storage(k, x, y)
    if parallel:
        stage.split(y, strip, yi, 16, _GUARD).split(x, tile, xi, 64, _GUARD)
        stage.reorder(k, xi, yi, tile, strip).parallel(strip).vectorize(k, _INTENSITIES)
    else:
        stage.reorder(k, x, y).vectorize(k, _INTENSITIES)
    _intensities_first(rows).compute_at(stage, yi if parallel else y)


def _finest_levels_again(stages: dict[str, hl.Func]) -> None:
    """Copies of levels 0 and 1 for level 2, which slide down its tiles."""
    level = stages["remapped_2"]
    tile, yi = hl.Var("tile"), hl.Var("yi")
    fine = _intensities_first(stages["remapped_1"].clone_in(stages["remapped_2_rows"]))
    rows = _intensities_first(stages["remapped_1_rows"].clone_in(fine))
    finest = _intensities_first(stages["remapped_0"].clone_in(rows))
    step = stages["step"].clone_in(finest)
    for copy in (fine, finest):
        copy.store_at(level, tile).compute_at(level, yi)
    rows.compute_at(fine, fine.args()[1])
    step.compute_at(finest, finest.args()[1]).vectorize(step.args()[0], 16, _INWARDS)


def local_laplacian_halide(**stages: hl.Func) -> None:
    """The fastest found for Halide 21: that of halopy, at half the time of its own app's."""
    local_laplacian(**stages)


def local_laplacian_app(**stages: hl.Func) -> None:
    """Halide's own for this app: strips of the result, in which finer levels slide; pyramids are stored whole."""
    x, y, c = stages["output"].args()
    strip = hl.Var("strip")
    stages["curve"].compute_root()
    stages["output"].reorder(c, x, y).split(y, strip, y, 64).parallel(strip).vectorize(x, 8)
    stages["grey"].compute_root().parallel(stages["grey"].args()[1], 32).vectorize(stages["grey"].args()[0], 8)
    for level in range(1, _FINE):
        small, remapped, collapsed = (stages[f"{name}_{level}"] for name in ("small", "remapped", "collapsed"))
        x, y, k = remapped.args()
        small.compute_root().parallel(y, 32).vectorize(x, 8)
        remapped.compute_root().reorder_storage(x, k, y).reorder(k, y).parallel(y, 8).vectorize(x, 8)
        collapsed.store_at(stages["output"], strip).compute_at(stages["output"], y).fold_storage(y, 4)
        collapsed.vectorize(x, 8, _ROUND_UP)
    stages["collapsed_0"].compute_at(stages["output"], y).hoist_storage(stages["output"], strip)
    stages["collapsed_0"].vectorize(x, 8, _ROUND_UP)
    for level in range(_FINE, _LEVELS):
        stages[f"small_{level}"].compute_root()
        stages[f"remapped_{level}"].compute_root().parallel(stages[f"remapped_{level}"].args()[2])
        stages[f"collapsed_{level}"].compute_root()


def local_laplacian_plain(**stages: hl.Func) -> None:
    """Plain loops, stage after stage. (Inlined in one another, the stages would be computed millions of times.)"""
    for stage in list(stages.values())[:-1]:
        stage.compute_root()


def local_laplacian_opencl(**stages: hl.Func) -> None:
    """Each level of each pyramid is a kernel; a thread computes a vector of eight columns, of all intensities."""
    curve, grey, output = stages["curve"], stages["grey"], stages["output"]
    in_blocks(curve.compute_root(), 16, 1)
    in_blocks(grey.compute_root(), lanes=8)
    for level in range(_LEVELS):
        for name in ("small", "remapped", "collapsed"):
            if (level or name == "collapsed") and f"{name}_{level}" in stages:
                in_blocks(stages[f"{name}_{level}"].compute_root(), lanes=8)
    x, y, c = output.args()
    xi, tx, ty = hl.Var("xi"), hl.Var("tx"), hl.Var("ty")
    output.bound(c, 0, 3).split(x, x, xi, 8).gpu_tile(x, y, tx, ty, 8, 8, _GUARD)
    output.reorder(xi, c, tx, ty, x, y).vectorize(xi).unroll(c)
