"""Schedules for the 3x3 box blur, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl
from schedules.on_devices import in_blocks

_GUARD, _ROUND_UP = hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp


def blur_grey(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """Blocks of one vector by six rows, with blur_x in registers. For pictures of at least 32x6 pixels.

    The picture comes from memory once and goes there once, so what counts is how little else is done. Six rows of
    blur_y need eight of blur_x: a third more arithmetic than a sliding window, but nothing goes through memory between
    the stages, and eight rows of 32 lanes of 16 bits leave most of the 32 registers of AVX-512 free. Tasks of 40
    blocks in height are coarse enough for threads to cost nothing and fine enough to balance. The tail in x is shifted
    inwards, so the same code serves it, and the C compiler has little to read.
    """
    x, y = blur_y.args()
    xi, yi, strip = hl.Var("xi"), hl.Var("yi"), hl.Var("strip")
    blur_y.split(y, y, yi, 6).split(y, strip, y, 40, _GUARD).split(x, x, xi, 32)
    blur_y.reorder(xi, yi, x, y, strip).vectorize(xi).unroll(yi).parallel(strip)

    px, py = blur_x.args()
    blur_x.compute_at(blur_y, x).vectorize(px, 32).unroll(py)


def blur_grey_halide(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """The fastest found for Halide 21 (strips, tiles, columns and blocks, of many sizes, were tried): blur_grey's."""
    blur_grey(blur_x, blur_y)


def blur_grey_app(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """Halide's own for this app: strips of 8 rows in parallel, in which blur_x slides down. At least 16x8 pixels."""
    x, y = blur_y.args()
    yi = hl.Var("yi")
    blur_y.split(y, y, yi, 8).parallel(y).vectorize(x, 16)
    blur_x.store_at(blur_y, y).compute_at(blur_y, yi).vectorize(blur_x.args()[0], 16)


def blur_rgb(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """Strips of 32 rows in parallel, in which blur_x slides down: each of its rows is computed once per strip.

    Storage folds to the few rows in use, which stay in the first cache however wide the picture is. A vector holds 32
    lanes of 16 bits. blur_x may round up, as beyond the edge it reads only what is clamped.
    """
    x, y, c = blur_y.args()
    yi = hl.Var("yi")
    blur_y.split(y, y, yi, 32, _GUARD).parallel(y).parallel(c).vectorize(x, 32, _GUARD)
    blur_x.store_at(blur_y, y).compute_at(blur_y, yi).vectorize(blur_x.args()[0], 32, _ROUND_UP)


def blur_soft(blur_y: hl.Func, blur_x: hl.Func) -> None:
    """Eight rows at once, in strips of 64 rows in parallel. At least 16 columns wide.

    Memory is what takes the time. Eight rows of blur_y beside each other need twelve of the picture, each loaded once,
    not five for each.
    """
    _soft_rows(blur_y, blur_x, 8)


def blur_soft_halide(blur_y: hl.Func, blur_x: hl.Func) -> None:
    """The fastest found for Halide 21 (one to eight rows, strips of several heights, were tried)."""
    _soft_rows(blur_y, blur_x, 4)


def _soft_rows(blur_y: hl.Func, blur_x: hl.Func, rows: int) -> None:
    x, y, c = blur_x.args()
    strip, yi, xi = hl.Var("strip"), hl.Var("yi"), hl.Var("xi")
    blur_x.split(y, strip, y, 64, _GUARD).split(y, y, yi, rows, _GUARD).reorder(x, yi, y, strip, c)
    blur_x.vectorize(x, 16).parallel(strip).parallel(c)

    px, py, _ = blur_y.args()
    blur_y.compute_at(blur_x, y).split(px, px, xi, 16, _ROUND_UP).reorder(xi, py, px).vectorize(xi).unroll(py)
    blur_y.align_storage(px, 16)


def blur_grey_opencl(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """A thread computes a vector of eight columns by six rows, with blur_x in its registers."""
    _in_registers(blur_x, blur_y, lanes=8, rows=6)


def blur_rgb_opencl(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """As blur_grey_opencl, for each channel."""
    _in_registers(blur_x, blur_y, lanes=8, rows=6)


def blur_soft_opencl(blur_y: hl.Func, blur_x: hl.Func) -> None:
    """A thread computes a vector of four columns by eight rows, with blur_y in its registers."""
    _in_registers(blur_y, blur_x, lanes=4, rows=8)


def _in_registers(first: hl.Func, second: hl.Func, lanes: int, rows: int) -> None:
    in_blocks(second, 16, 4, lanes=lanes, rows=rows)
    x, y, *_ = first.args()
    first.compute_at(second, hl.Var("tx")).vectorize(x, lanes).unroll(y)
