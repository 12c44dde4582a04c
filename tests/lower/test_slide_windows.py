"""What sliding windows compute anew, how much memory they keep, and where they must not be used."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from halopy.ir.expr import const

from .pipelines import nests

x, y, xi, yi, xo, yo = (hl.Var(n) for n in ("x", "y", "xi", "yi", "xo", "yo"))


def producer(name: str = "g") -> hl.Func:
    g = hl.Func(name)
    g[x, y] = x * 3 + y * y
    return g


def agrees(f: hl.Func, *sizes: int) -> None:
    np.testing.assert_array_equal(np.asarray(f.realize(list(sizes))), f.reference(list(sizes)))


def test_a_stencil_slides_down_and_keeps_a_power_of_two_of_rows() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    g.store_root().compute_at(f, y)
    found = nests(f)
    assert found.regions.slides["g"].folds == {1: 4}
    agrees(f, 7, 9)


def test_a_window_slides_backwards_where_the_consumer_counts_down() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, -y] + g[x, 2 - y]
    g.store_root().compute_at(f, y)
    assert nests(f).regions.slides["g"].folds == {1: 4}
    agrees(f, 7, 9)


def test_a_window_slides_within_each_parallel_strip() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, y] + g[x, y + 2]
    f.split(y, yo, yi, 4).parallel(yo)
    g.store_at(f, yo).compute_at(f, yi)
    assert nests(f).regions.slides["g"].folds == {1: 4}
    agrees(f, 5, 19)


def test_windows_slide_in_two_dimensions_at_once() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x - 1, y - 1] + g[x + 1, y + 1]
    g.store_root().compute_at(f, x)
    assert nests(f).regions.slides["g"].folds == {1: 4}
    agrees(f, 8, 6)


def test_a_chain_slides_as_a_whole() -> None:
    funcs = [producer("f0")]
    for n in range(1, 5):
        f = hl.Func(f"f{n}")
        f[x, y] = funcs[-1][x, y - 1] + funcs[-1][x + 1, y]
        funcs.append(f)
    for f in funcs[:-1]:
        f.store_root().compute_at(funcs[-1], y)
    assert set(nests(funcs[-1]).regions.slides) == {"f0", "f1", "f2", "f3"}
    agrees(funcs[-1], 6, 9)


@pytest.mark.parametrize("step", [2, 3])
def test_a_window_over_a_downsampled_image_slides_by_its_step(step: int) -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, y * step] + g[x, y * step + 3]
    g.store_root().compute_at(f, y)
    assert nests(f).regions.slides["g"].folds == {1: 4}
    agrees(f, 5, 11)


def test_a_func_whose_update_scans_rows_is_computed_whole() -> None:
    f, g = hl.Func("f"), producer()
    r = hl.RDom([(0, 9)], "r")
    g[x, r.x] = g[x, r.x] + g[x, r.x - 1]
    f[x, y] = g[x, y] + g[x, y + 1]
    g.store_root().compute_at(f, y)
    assert "g" not in nests(f).regions.slides


def test_an_update_that_keeps_to_its_row_slides() -> None:
    f, g = hl.Func("f"), producer()
    g[x, y] += 5
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    g.store_root().compute_at(f, y)
    assert nests(f).regions.slides["g"].folds == {1: 4}
    agrees(f, 6, 7)


def test_fused_rows_do_not_slide() -> None:
    f, g, t = hl.Func("f"), producer(), hl.Var("t")
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    g.store_root().compute_at(f, y).fuse(x, y, t)
    assert "g" not in nests(f).regions.slides
    agrees(f, 6, 9)


def test_two_windows_of_different_speed_are_not_folded_to_a_constant() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, y] + g[x, 2 * y]
    g.store_root().compute_at(f, y)
    slide = nests(f).regions.slides.get("g")
    assert slide is None or not slide.folds
    agrees(f, 4, 9)


def test_a_clamped_window_gives_the_same_rows() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, hl.clamp(y - 1, 2, 5)] + g[x, hl.clamp(y + 1, 2, 5)]
    g.store_root().compute_at(f, y)
    agrees(f, 4, 11)


def test_folded_storage_has_the_folded_size() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    f.bound(x, 0, 16)
    g.store_root().compute_at(f, y)
    assert nests(f).allocation("g").size is const(64)


def stores(f: hl.Func, g: hl.Func, *sizes: int) -> int:
    g.trace_stores()
    with hl.trace() as events:
        f.realize(list(sizes))
    return sum(len(e.coordinates) for e in events if e.event is hl.TraceKind.STORE and e.func == g.name())


def test_what_does_not_move_is_computed_in_the_first_iteration_only() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[0, 0] + g[5, 2]
    g.store_root().compute_at(f, x)
    assert stores(f, g, 10, 4) == 6 * 3
    agrees(f, 10, 4)


def test_rows_that_the_inner_loop_does_not_move_slide_along_the_outer_one() -> None:
    f, g = hl.Func("f"), producer()
    f[x, y] = g[3, y] + g[4, y + 1]
    g.store_root().compute_at(f, x)
    assert stores(f, g, 7, 5) == 2 * 6
    agrees(f, 7, 5)


def test_what_does_not_move_may_have_updates_of_its_own_rows() -> None:
    f, g = hl.Func("f"), producer()
    r = hl.RDom([(0, 4)], "r")
    g[x, y] += r.x * x
    f[x, y] = g[x, 3] + g[x, 4] + y
    g.store_root().compute_at(f, y)
    assert stores(f, g, 7, 5) == 7 * 2 * 5
    agrees(f, 7, 5)


def test_a_histogram_that_does_not_move_is_computed_again() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    r = hl.RDom([(0, 20)], "r")
    g[x] = 0
    g[r.x * r.x % 5] += 1
    f[x, y] = g[x % 5] + y
    g.store_root().compute_at(f, y)
    agrees(f, 7, 5)


def test_a_window_slides_through_a_loop_that_runs_once() -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x] = x * x
    g[x] = f[x] + f[x - 1]
    h[x] = g[x]
    f.store_root().compute_at(g, x)
    g.compute_at(h, x)
    assert stores(h, f, 100) == 101
    agrees(h, 100)
