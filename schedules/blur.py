"""Schedules for the 3x3 box blur."""

from __future__ import annotations

import halopy as hl


def blur_grey(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """Blocks of one vector by six rows, with blur_x kept in registers.

    The picture is read and written once from memory, so what counts is how little else is done. Six rows of blur_y
    need eight of blur_x: a third more arithmetic than a sliding window, but nothing goes through memory between the
    two stages, and eight rows of 32 lanes just fit the 32 registers of AVX-512. Strips of 240 rows are coarse enough
    for threads to cost nothing and fine enough to balance.
    """
    x, y = blur_y.args()
    xi, yi, strip = hl.Var("xi"), hl.Var("yi"), hl.Var("strip")
    blur_y.split(y, strip, y, 240).split(y, y, yi, 6).split(x, x, xi, 32).reorder(xi, yi, x, y, strip)
    blur_y.vectorize(xi).unroll(yi).parallel(strip)
    px, py = blur_x.args()
    blur_x.compute_at(blur_y, x).vectorize(px, 32).unroll(py)


def blur_grey_halide(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """What Halide 21 runs fastest on AVX-512 of what was tried (strips, tiles, columns, this); see blur_grey."""
    blur_grey(blur_x, blur_y)


def blur_grey_app(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """Halide's own for this app: strips of 8 rows in parallel, in which blur_x slides down."""
    x, y = blur_y.args()
    yi = hl.Var("yi")
    blur_y.split(y, y, yi, 8).parallel(y).vectorize(x, 16)
    blur_x.store_at(blur_y, y).compute_at(blur_y, yi).vectorize(x, 16)


def blur_rgb(blur_x: hl.Func, blur_y: hl.Func) -> None:
    """Strips of 32 rows in parallel, in which blur_x slides down: each of its rows is computed once per strip.

    Storage folds to the few rows in use, which stay in the first cache however wide the picture is. A vector holds 32
    lanes of 16 bits.
    """
    x, y, c = blur_y.args()
    yi = hl.Var("yi")
    blur_y.split(y, y, yi, 32).parallel(y).parallel(c).vectorize(x, 32)
    px = blur_x.args()[0]
    blur_x.store_at(blur_y, y).compute_at(blur_y, yi).vectorize(px, 32)
