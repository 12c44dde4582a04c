"""Schedules for histogram equalisation, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl

_GUARD = hl.TailStrategy.GuardWithIf


def plain(rows: hl.Func, counts: hl.Func, cumulative: hl.Func, **_others: hl.Func) -> None:
    """What no picture can do without: brightness is counted once, not once for each pixel."""
    for stage in (rows, counts, cumulative):
        stage.compute_root()


def equalise(
    level: hl.Func, rows: hl.Func, counts: hl.Func, cumulative: hl.Func, equalised: hl.Func, **_others: hl.Func
) -> None:
    """Histograms of strips in parallel, each row counted into four; then pixels in vectors of 64.

    Neighbours are often of one brightness. Counting one after the other in the same place waits for what was just
    stored there, so four neighbours have a histogram each, added up after the row, while in the first cache. Levels of
    a row are computed in vectors first. For pixels they are computed again: colours are needed there anyway.
    """
    x, y, c = equalised.args()
    (v,), (across,), (down,) = counts.args(), rows.rvars(0), counts.rvars(0)
    strip, row, four, lane = (hl.RVar(name) for name in ("strip", "row", "four", "lane"))
    s, k = hl.Var("s"), hl.Var("k")
    counts.update().split(down, strip, row, 32)
    of_strip = counts.update().rfactor(strip, s)
    rows.update().split(across, four, lane, 4)
    of_lane = rows.update().rfactor(lane, k)

    level.clone_in(of_lane).compute_at(of_strip, row).vectorize(x, 64, _GUARD)
    of_lane.compute_at(of_strip, row).vectorize(v, 16).update().reorder(k, four).unroll(k)
    rows.compute_at(of_strip, row).vectorize(v, 16).update().reorder(lane, v).unroll(lane).vectorize(v, 16)
    of_strip.compute_root().vectorize(v, 16).parallel(s)
    of_strip.update().reorder(v, row, s).vectorize(v, 16).parallel(s)
    counts.compute_root().vectorize(v, 16).update().reorder(v, strip).vectorize(v, 16)
    cumulative.compute_root()
    equalised.reorder(c, x, y).bound(c, 0, 3).unroll(c).parallel(y, 8, _GUARD).vectorize(x, 64, _GUARD)


def equalise_halide(**stages: hl.Func) -> None:
    """The fastest found for Halide 21 (of other strips, tails and numbers of histograms): equalise's."""
    equalise(**stages)


def equalise_app(
    level: hl.Func, rows: hl.Func, counts: hl.Func, cumulative: hl.Func, equalised: hl.Func, **_others: hl.Func
) -> None:
    """Halide's own for this app: a histogram for each row, of levels in vectors. At least 32x8 pixels."""
    x, y, c = equalised.args()
    (v,), (across,), (down,) = counts.args(), rows.rvars(0), counts.rvars(0)
    level.clone_in(rows).compute_at(rows.in_(), y).vectorize(x, 16)
    rows.in_().compute_root().vectorize(v, 16).parallel(y, 4)
    rows.compute_at(rows.in_(), y).vectorize(v, 16).update().reorder(y, across).unroll(y)
    counts.compute_root().vectorize(v, 16)
    counts.update().reorder(v, down).vectorize(v, 16).unroll(v, 4).parallel(v).reorder(down, v)
    cumulative.bound(v, 0, 256).compute_root()
    equalised.reorder(c, x, y).bound(c, 0, 3).unroll(c).parallel(y, 8).vectorize(x, 32)


def equalise_opencl(
    rows: hl.Func, counts: hl.Func, cumulative: hl.Func, equalised: hl.Func, **_others: hl.Func
) -> None:
    """A thread counts a row, a block of threads adds up what rows have counted, and one thread sums that up."""
    v, y = rows.args()
    across, down = rows.rvars(0)[0], counts.rvars(0)[0]
    ty, tv = hl.Var("ty"), hl.Var("tv")
    rows.compute_root().gpu_tile(v, y, tv, ty, 64, 1, _GUARD)
    rows.update().split(y, y, ty, 4, _GUARD).reorder(across, ty, y).gpu_blocks(y).gpu_threads(ty)
    counts.compute_root().gpu_tile(v, tv, 64, _GUARD)
    counts.update().reorder(down, v).gpu_tile(v, tv, 64, _GUARD).reorder(down, tv, v)
    cumulative.compute_root().gpu_single_thread().update().gpu_single_thread()

    x, y, c = equalised.args()
    xi, tx = hl.Var("xi"), hl.Var("tx")
    equalised.bound(c, 0, 3).split(x, x, xi, 16).gpu_tile(x, y, tx, ty, 8, 8, _GUARD)
    equalised.reorder(xi, c, tx, ty, x, y).vectorize(xi).unroll(c)
