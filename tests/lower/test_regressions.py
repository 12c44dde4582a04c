"""Programs that once went wrong, each as small as it gets: they compute what the oracle computes."""

from __future__ import annotations

import numpy as np

import halopy as hl

x, y = hl.Var("x"), hl.Var("y")


def test_the_identity_of_a_minimum_survives_arithmetic_around_it() -> None:
    """It is the extreme of its type, so nothing may be added to it."""
    f, g = hl.Func("f"), hl.Func("g")
    r = hl.RDom([(-2, 5)])
    f[x] = x * 5 % 13
    f.compute_root()
    g[x] = hl.argmin(r, f[x + r.x] - 4)[0] + hl.minimum(r, f[x + r.x] - 9) + hl.maximum(r, f[x + r.x] + 9)
    np.testing.assert_array_equal(np.asarray(g.realize([16])), g.reference([16]))


def test_a_producer_follows_its_consumer_into_every_copy() -> None:
    """g is computed separately for each stage of h, and f inside both."""
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x] = x * 3
    g[x] = f[x] + f[x + 1]
    g[x] = g[x] * 2
    h[x] = g[x - 1]
    h[x] = h[x] + g[x]
    f.compute_at(g, x)
    np.testing.assert_array_equal(np.asarray(h.realize([9])), h.reference([9]))


def test_a_tile_of_a_chain_asks_no_more_of_the_input_than_it_reads() -> None:
    """Seen from the root, the least extent of a vectorised producer does not add to the width of all tiles."""
    row = hl.Buffer((np.arange(256) * 7 % 31).astype(np.uint8))
    xo, xi = hl.Var("xo"), hl.Var("xi")
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x] = row[2 * x] + row[2 * x + 1]
    g[x] = f[2 * x] - f[2 * x + 1]
    h[x] = g[x / 2]
    h.split(x, xo, xi, 8)
    f.compute_at(h, xo)
    g.compute_at(h, xo).vectorize(x, 4)
    np.testing.assert_array_equal(np.asarray(h.realize([128])), h.reference([128]))


def test_rows_are_not_kept_where_an_update_elsewhere_makes_the_pure_stage_compute_more() -> None:
    """The update at x = 0 makes the pure stage begin at 0 for every x, over rows that are finished."""
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = y
    f[0, y] = f[0, y]
    f[x, y] = f[x, y] + 3
    g[x, y] = f[x, y] + f[x, -2]
    f.compute_at(g, x).store_root()
    out = hl.Buffer(hl.Int(32), [9, 8])
    out.set_min([1, -2])
    g.realize(out)
    np.testing.assert_array_equal(np.asarray(out), g.reference(out))


def test_what_only_a_dropped_element_reads_is_not_computed() -> None:
    """Inlining the tuple drops its second element, and with it the one reader of the sum that reads f."""
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    r = hl.RDom([(0, 2)])
    f[x] = x
    f[x] = f[x] * 2
    g[x] = hl.Tuple((x * 3, hl.sum(r, f[x + r.x])))
    h[x] = g[x + 1][0]
    np.testing.assert_array_equal(np.asarray(h.realize([9])), h.reference([9]))


def test_a_tile_inside_a_tile_may_run_into_its_neighbour() -> None:
    """The guard of the outer tile keeps the inner one, which is rounded up, inside the output."""
    xo, xi, xio, xii = (hl.Var(n) for n in ("xo", "xi", "xio", "xii"))
    f = hl.Func("f")
    f[x] = x * x
    f.split(x, xo, xi, 6, hl.TailStrategy.GuardWithIf).split(xi, xio, xii, 4, hl.TailStrategy.RoundUp)
    np.testing.assert_array_equal(np.asarray(f.realize([25])), f.reference([25]))


def test_comparisons_of_data_wrap_as_written() -> None:
    """Terms from memory that may wrap do not change sides: 2*f < g is another condition than f < g - f."""
    extreme = np.array([2**31 - 1, -(2**31), 2**30 + 5, -5, 7], np.int32)
    data = hl.Buffer(extreme)
    f = hl.Func("f")
    one = hl.i32(1)
    f[x] = (
        hl.select(data[x] < data[4 - x] - data[x], one, 0)
        + hl.select(data[x] < data[x] + 1, one, 0) * 2
        + hl.select(data[x] < 0 - data[x], one, 0) * 4
        + hl.select(data[x] + 3 > data[4 - x] + 2, one, 0) * 8
    )
    np.testing.assert_array_equal(np.asarray(f.realize([5])), f.reference([5]))


def test_a_producer_with_a_fused_loop_split_asks_for_no_more_input_than_it_reads() -> None:
    t, to, ti = hl.Var("t"), hl.Var("to"), hl.Var("ti")
    picture = hl.Buffer(np.arange(77, dtype=np.int32).reshape(7, 11))
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = picture[x, y] * 2
    f[x, y] = g[x, y] + 1
    g.compute_root().fuse(x, y, t).split(t, to, ti, 6).vectorize(ti)
    np.testing.assert_array_equal(np.asarray(f.realize([11, 7])), f.reference([11, 7]))


def test_the_start_of_a_tile_is_named_only_inside_the_loop_that_decides_it() -> None:
    """The innermost loop that counts tiles has one iteration, and g stands outside of it."""
    f, g = hl.Func("f"), hl.Func("g")
    yo = hl.Var("yo")
    g[x, y] = x + y * 3
    f[x, y] = g[x + 2, y]
    f.unroll(y, 8, hl.TailStrategy.ShiftInwards).split(y, y, yo, 1)
    g.compute_at(f, y)
    np.testing.assert_array_equal(np.asarray(f.realize([3, 13])), f.reference([3, 13]))


def test_a_blending_tile_longer_than_its_loop_stays_in_it() -> None:
    """It cannot be shifted, and would apply the update to elements of the next tile too."""
    xo, xi, xio, xii = (hl.Var(n) for n in ("xo", "xi", "xio", "xii"))
    for outer in (hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp, hl.TailStrategy.ShiftInwardsAndBlend):
        f, g = hl.Func("f"), hl.Func("g")
        f[x] = x
        f[x] += 1
        f.compute_root().update().split(x, xo, xi, 4, outer).split(
            xi, xio, xii, 6, hl.TailStrategy.ShiftInwardsAndBlend
        )
        g[x] = f[x]
        for size in (32, 9, 3):
            np.testing.assert_array_equal(np.asarray(g.realize([size])), g.reference([size]))
