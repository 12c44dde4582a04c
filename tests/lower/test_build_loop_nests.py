"""The loops that schedules give, as text."""

from __future__ import annotations

from typing import Any

import pytest

import halopy as hl
from halopy.ir.expr import const

from .pipelines import nests

x, y, xi, yi, xo, yo = (hl.Var(n) for n in ("x", "y", "xi", "yi", "xo", "yo"))


def blur() -> tuple[hl.Func, hl.Func]:
    grey = hl.ImageParam(hl.UInt(16), 2, "grey")
    blur_x, blur_y = hl.Func("blur_x"), hl.Func("blur_y")
    blur_x[x, y] = (grey[x, y] + grey[x + 1, y] + grey[x + 2, y]) / 3
    blur_y[x, y] = (blur_x[x, y] + blur_x[x, y + 1] + blur_x[x, y + 2]) / 3
    return blur_x, blur_y


def test_an_unscheduled_pipeline_is_one_nest(golden: Any) -> None:
    _, blur_y = blur()
    assert golden == str(nests(blur_y).flat())


def test_a_sliding_window_computes_one_new_row_and_folds_its_storage(golden: Any) -> None:
    blur_x, blur_y = blur()
    blur_x.store_root().compute_at(blur_y, y)
    assert golden == str(nests(blur_y).flat())


def test_tiles_in_parallel_strips(golden: Any) -> None:
    blur_x, blur_y = blur()
    blur_y.tile(x, y, xo, yo, xi, yi, 32, 8).vectorize(xi, 16).parallel(yo)
    blur_x.compute_at(blur_y, xo).vectorize(x, 16)
    assert golden == str(nests(blur_y).flat())


def test_a_guard_that_an_outer_loop_decides_stands_there(golden: Any) -> None:
    blur_x, blur_y = blur()
    blur_y.split(y, yo, yi, 8, hl.TailStrategy.GuardWithIf)
    blur_x.compute_at(blur_y, yi)
    assert golden == str(nests(blur_y).flat())


def test_updates_follow_their_pure_stage(golden: Any) -> None:
    f = hl.Func("f")
    r = hl.RDom([(1, 9)], "r")
    f[x, y] = x + y
    f[r.x, y] += f[r.x - 1, y]
    assert golden == str(nests(f).flat())


def test_a_vectorized_loop_of_unknown_extent_is_refused() -> None:
    f = hl.Func("f")
    f[x] = x
    f.vectorize(x)
    with pytest.raises(hl.ScheduleError, match=r"f\.vectorize\(x\)\n  loop `x` becomes vectorized"):
        nests(f)


def test_a_loop_of_bounded_extent_is_unrolled_under_a_guard() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x] = g[x]
    f.split(x, xo, xi, 8, hl.TailStrategy.GuardWithIf)
    g.compute_at(f, xo).unroll(x)
    assert list(f.realize([13])) == [v * v for v in range(13)]


def test_a_place_in_a_fused_loop_asks_for_the_one_element_that_is_read_there() -> None:
    f, g, t = hl.Func("f"), hl.Func("g"), hl.Var("t")
    g[x, y] = x + y
    f[x, y] = g[x % 5, y / 2]
    f.fuse(x, y, t)
    g.compute_at(f, t)
    assert nests(f).allocation("g").size is const(1)


def test_a_tile_of_a_fused_loop_asks_for_the_rows_that_it_reaches() -> None:
    f, g, t, to, ti = (hl.Func("f"), hl.Func("g"), *(hl.Var(n) for n in ("t", "to", "ti")))
    g[y] = y
    f[x, y] = x + g[y]
    f.fuse(x, y, t).split(t, to, ti, 4, hl.TailStrategy.GuardWithIf)
    g.compute_at(f, to)
    assert "((f.s0.to*4)/f.extent.0)" in str(nests(f).stmt)
