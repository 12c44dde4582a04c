"""Schedules for a convolutional layer, on a processor with wide vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl

_GUARD = hl.TailStrategy.GuardWithIf
_LANES = 16


def conv_layer(sums: hl.Func, layer: hl.Func) -> None:
    """Tiles of 10 pixels by 2 vectors of channels, whose 20 sums stay in registers: 20 multiply-adds for 12 loads.

    Of the filters a block of 32 channels is used for a whole image before the next, and stays in the second cache;
    a row of the image is read once for each block. Wider tiles of channels read more of the filters in each step.
    """
    _tiles(sums, layer, vectors=2, pixels=10)


def conv_layer_halide(sums: hl.Func, layer: hl.Func) -> None:
    """The fastest found for Halide 21: the same."""
    _tiles(sums, layer, vectors=2, pixels=10)


def conv_layer_app(sums: hl.Func, layer: hl.Func) -> None:
    """That of Halide's own app: tiles of 5 pixels by 4 vectors."""
    _tiles(sums, layer, vectors=4, pixels=5)


def _tiles(sums: hl.Func, layer: hl.Func, vectors: int, pixels: int) -> None:
    c, x, y, n = layer.args()
    block, ci, tile, xi = (hl.Var(name) for name in ("block", "ci", "tile", "xi"))
    layer.split(c, block, ci, vectors * _LANES).split(x, tile, xi, pixels)
    layer.reorder(ci, xi, tile, y, n, block).vectorize(ci, _LANES).unroll(ci).unroll(xi)
    layer.parallel(y).parallel(n).parallel(block)

    c, x, y, n = sums.args()
    channel, across, down = sums.rvars(0)
    sums.compute_at(layer, tile).vectorize(c, _LANES).unroll(c).unroll(x).unroll(y)
    sums.update().reorder(c, x, y, channel, across, down, n).vectorize(c, _LANES).unroll(c).unroll(x).unroll(y)
    sums.update().unroll(channel, 2)


def conv_layer_opencl(sums: hl.Func, layer: hl.Func) -> None:
    """Threads with tiles of 8 pixels by 2 vectors of channels, whose sums stay in registers; a kernel for each image.
    At least 8 pixels wide."""
    c, x, y, n = layer.args()
    block, ci, tile, tx, xi = (hl.Var(name) for name in ("block", "ci", "tile", "tx", "xi"))
    layer.split(c, block, ci, 2 * _LANES).split(x, tile, xi, 8).split(tile, tile, tx, 4, _GUARD)
    layer.reorder(ci, xi, tx, tile, y, block, n).vectorize(ci, _LANES).unroll(ci).unroll(xi)
    layer.gpu_blocks(tile, y, block).gpu_threads(tx)

    c, x, y, n = sums.args()
    channel, across, down = sums.rvars(0)
    sums.compute_at(layer, tx).vectorize(c, _LANES).unroll(c).unroll(x).unroll(y)
    sums.update().reorder(c, x, y, channel, across, down, n).vectorize(c, _LANES).unroll(c).unroll(x).unroll(y)
