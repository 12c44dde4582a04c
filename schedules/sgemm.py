"""Schedules for the matrix product, on a processor with vectors of 512 bits and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl

_GUARD = hl.TailStrategy.GuardWithIf
_LANES, _VECTORS, _ROWS, _TILES = 16, 4, 6, 43  # of a tile: lanes and number of its vectors, rows; of a task: tiles


def sgemm(left: hl.Func, right: hl.Func, product: hl.Func, result: hl.Func) -> None:  # noqa: ARG001
    """Tiles of 6 rows by 4 vectors, whose 24 sums stay in registers while k runs: 24 multiply-adds for 10 loads.

    A task is a panel of the columns of B, copied to where it is dense and stays in the second cache, times some 256
    rows: long enough for the copy to cost little, short enough to share the work evenly. For results of at least 64x6.
    """
    x, y = result.args()
    xi, yi, tile, panel, task = (hl.Var(name) for name in ("xi", "yi", "tile", "panel", "task"))
    width = _LANES * _VECTORS
    result.tile(x, y, panel, tile, xi, yi, width, _ROWS).split(tile, task, tile, _TILES, _GUARD)
    result.reorder(xi, yi, tile, panel, task).vectorize(xi, _LANES).unroll(xi).unroll(yi)
    result.parallel(panel).parallel(task)

    px, py = product.args()
    (k,) = product.rvars(0)
    product.compute_at(result, tile).vectorize(px, _LANES).unroll(px).unroll(py)
    product.update().reorder(px, py, k).vectorize(px, _LANES).unroll(px).unroll(py)

    rx, _ = right.args()
    right.compute_at(result, panel).vectorize(rx, _LANES).unroll(rx)


def sgemm_halide(left: hl.Func, right: hl.Func, product: hl.Func, result: hl.Func) -> None:
    """The fastest found for Halide 21: the same."""
    sgemm(left, right, product, result)


def sgemm_app(left: hl.Func, right: hl.Func, product: hl.Func, result: hl.Func) -> None:  # noqa: ARG001
    """That of Halide's own app: tasks of 64x64, tiles of two vectors by 4 rows, the wide matrix copied at the start.
    For results of at least 64x64."""
    x, y = result.args()
    tx, ty, task, bx, by, xi, yi = (hl.Var(name) for name in ("tx", "ty", "task", "bx", "by", "xi", "yi"))
    width = 2 * _LANES
    result.tile(x, y, tx, ty, x, y, 2 * width, 2 * width).tile(x, y, xi, yi, width, 4)
    result.tile(x, y, bx, by, x, y, 1, width // 4).fuse(ty, tx, task).parallel(task)

    px, py = product.args()
    (k,) = product.rvars(0)
    product.compute_at(result, x).vectorize(px).unroll(py)
    product.update().reorder(px, py, k).vectorize(px).unroll(py).unroll(k, 2)
    right.compute_root().vectorize(right.args()[0], _LANES).parallel(right.args()[1], 16)


def sgemm_small(left: hl.Func, right: hl.Func, product: hl.Func, result: hl.Func) -> None:  # noqa: ARG001
    """Row by row, for results smaller than a tile."""
    x, y = result.args()
    result.vectorize(x, _LANES, _GUARD)
    px, py = product.args()
    (k,) = product.rvars(0)
    product.compute_at(result, y).vectorize(px, _LANES)
    product.update().reorder(px, py, k).vectorize(px, _LANES, _GUARD)


def sgemm_opencl(left: hl.Func, right: hl.Func, product: hl.Func, result: hl.Func) -> None:  # noqa: ARG001
    """Threads with tiles of 6 rows by 2 vectors of 16, whose sums stay in registers while k runs; for results of at
    least 32x6."""
    x, y = result.args()
    xi, yi, tx, ty = (hl.Var(name) for name in ("xi", "yi", "tx", "ty"))
    result.split(x, x, xi, 2 * _LANES).split(y, y, yi, _ROWS).gpu_tile(x, y, tx, ty, 1, 4, _GUARD)
    result.reorder(xi, yi, tx, ty, x, y).vectorize(xi, _LANES).unroll(xi).unroll(yi)

    px, py = product.args()
    (k,) = product.rvars(0)
    product.compute_at(result, tx).vectorize(px, _LANES).unroll(px).unroll(py)
    product.update().reorder(px, py, k).vectorize(px, _LANES).unroll(px).unroll(py)
