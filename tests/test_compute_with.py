"""Stages computed with each other give what they give alone, whatever their ranges, loops, stages and producers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.ir.expr import Expr, const
from halopy.ir.node import walk
from halopy.ir.rewrite import substitute
from halopy.ir.simplify import simplify
from halopy.ir.stmt import Realize
from halopy.lower.place_functions import ROOT_LEVEL
from tests.lower.pipelines import nests

x, y, c, xo, xi, yo, yi, t, xoo, xoi = (hl.Var(n) for n in ("x", "y", "c", "xo", "xi", "yo", "yi", "t", "xoo", "xoi"))
T, A = hl.TailStrategy, hl.LoopAlignStrategy
Funcs = list[hl.Func]

SIZES = [([16, 8], []), ([17, 9], [-7, 3]), ([23, 5], []), ([1, 1], [4, 0])]


def funcs(names: str) -> Funcs:
    return [hl.Func(n) for n in names.split()]


def agrees(outputs: Funcs, *shapes: tuple[list[int], list[int]]) -> None:
    """Each output over its own sizes and mins, against the oracle."""
    buffers = []
    for func, (sizes, mins) in zip(outputs, shapes, strict=True):
        for dtype in func.types():
            buffers.append(hl.Buffer(dtype, sizes))
            if mins:
                buffers[-1].set_min(mins)
    pipeline = hl.Pipeline(outputs)
    pipeline.realize(buffers)
    wanted = pipeline.reference(buffers)
    for mine, other in zip(buffers, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))


def everywhere(output: hl.Func) -> None:
    for size in SIZES:
        agrees([output], size)


# -- two producers of one Func ----------------------------------------------------------------------------------------


def two_producers(dtype: Callable[[hl.Expr], hl.Expr] = hl.i32) -> Funcs:
    """f and g, read by h at shifted places: their ranges differ in both dimensions."""
    f, g, h = funcs("f g h")
    f[x, y] = dtype(x + y * 2)
    g[x, y] = dtype(x - y)
    h[x, y] = f[x - 1, y + 1] + g[x + 2, y - 2] * dtype(3)
    f.compute_root()
    g.compute_root()
    return [f, g, h]


@pytest.mark.parametrize("align", A, ids=lambda a: a.name)
@pytest.mark.parametrize("loop", [x, y], ids=lambda v: v.name())
def test_two_producers_with_different_ranges_share_loops(loop: hl.Var, align: hl.LoopAlignStrategy) -> None:
    f, g, h = two_producers()
    g.compute_with(f, loop, align)
    everywhere(h)


@pytest.mark.parametrize("dtype", [hl.u8, hl.i16, hl.f32, hl.f64], ids=lambda d: d.__name__)
def test_values_of_every_type(dtype: Callable[[hl.Expr], hl.Expr]) -> None:
    f, g, h = two_producers(dtype)
    g.compute_with(f, x, [(y, A.AlignStart), (x, A.AlignEnd)])
    everywhere(h)


SHAPES: dict[str, Callable[[hl.Func], object]] = {
    "split": lambda f: f.split(x, xo, xi, 7),
    "guarded": lambda f: f.split(x, xo, xi, 7, T.GuardWithIf),
    "rounded": lambda f: f.split(x, xo, xi, 7, T.RoundUp),
    "vectorized": lambda f: f.split(x, xo, xi, 8).vectorize(xi),
    "vectorized guarded": lambda f: f.split(x, xo, xi, 8, T.GuardWithIf).vectorize(xi),
    "unrolled": lambda f: f.split(x, xo, xi, 4).unroll(xi),
    "parallel": lambda f: f.split(x, xo, xi, 4, T.GuardWithIf).reorder(xi, y, xo).parallel(xo),
    "tiled": lambda f: f.tile(x, y, xo, yo, xi, yi, 4, 3).vectorize(xi).parallel(yo),
    "fused": lambda f: f.fuse(x, y, xo).parallel(xo),
    "double": lambda f: f.split(x, xo, xi, 6, T.GuardWithIf).split(xo, xoo, xoi, 2, T.GuardWithIf).fuse(xoi, xi, xo),
}


@pytest.mark.parametrize("align", [A.NoAlign, A.AlignEnd], ids=lambda a: a.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_loops_made_by_other_directives_are_shared(shape: str, align: hl.LoopAlignStrategy) -> None:
    f, g, h = two_producers()
    for func in (f, g):
        SHAPES[shape](func)
    g.compute_with(f, xo, align)
    everywhere(h)


@pytest.mark.parametrize("shape", ["split", "guarded", "vectorized", "vectorized guarded", "unrolled", "tiled"])
def test_the_innermost_loop_is_shared(shape: str) -> None:
    f, g, h = two_producers()
    for func in (f, g):
        SHAPES[shape](func)
    g.compute_with(f, xi, A.AlignEnd)
    everywhere(h)


@pytest.mark.parametrize("loop", [yo, xo, yi, xi], ids=lambda v: v.name())
def test_tiles_of_different_sizes_and_tails_share_loops(loop: hl.Var) -> None:
    f, g, h = two_producers()
    f.tile(x, y, xo, yo, xi, yi, 8, 4, T.ShiftInwards)
    g.tile(x, y, xo, yo, xi, yi, 3, 5, T.GuardWithIf)
    g.compute_with(f, loop, A.AlignEnd)
    everywhere(h)


def test_vectors_of_different_widths_share_their_lanes() -> None:
    f, g, h = two_producers()
    f.split(x, xo, xi, 8).vectorize(xi)
    g.split(x, xo, xi, 4, T.GuardWithIf).vectorize(xi)
    g.compute_with(f, xi)
    everywhere(h)


def test_tuples_are_computed_with_each_other() -> None:
    f, g, h = funcs("f g h")
    f[x, y] = (x + y, hl.f32(x))
    g[x, y] = (hl.u8(x - y), x * y)
    f[x, y] = (f[x, y][0] + 1, f[x, y][1] * 2)
    h[x, y] = f[x, y][0] + hl.i32(f[x + 1, y][1]) + hl.i32(g[x, y - 1][0]) - g[x, y][1]
    f.compute_root()
    g.compute_root().compute_with(f.update(0), y, A.AlignStart)
    everywhere(h)


# -- more than two ----------------------------------------------------------------------------------------------------


def three_producers() -> Funcs:
    a, b, d, h = funcs("a b d h")
    a[x, y] = x + y
    b[x, y] = x * 2 - y
    d[x, y] = x - y * 3
    h[x, y] = a[x, y] + b[x + 1, y - 2] * d[x - 3, y + 1]
    for func in (a, b, d):
        func.compute_root()
    return [a, b, d, h]


@pytest.mark.parametrize("first", [x, y], ids=lambda v: v.name())
@pytest.mark.parametrize("second", [x, y], ids=lambda v: v.name())
@pytest.mark.parametrize("chained", [False, True])
def test_three_stages_share_loops_down_to_different_levels(chained: bool, first: hl.Var, second: hl.Var) -> None:
    a, b, d, h = three_producers()
    b.compute_with(a, first, A.AlignStart if chained else A.NoAlign)
    d.compute_with(b if chained else a, second, A.AlignEnd)
    everywhere(h)


def test_no_loop_is_shared_at_the_outermost_level() -> None:
    a, b, d, h = three_producers()
    b.compute_with(a, hl.Var.outermost())
    d.compute_with(a, hl.Var.outermost())
    everywhere(h)


# -- outputs and what is computed for them ----------------------------------------------------------------------------


@pytest.mark.parametrize("loop, align", [(x, A.NoAlign), (y, A.AlignStart), (y, A.AlignEnd)], ids=str)
@pytest.mark.parametrize("place", ["inline", "root", "y", "stored at root", "slid within y"])
def test_outputs_of_different_sizes_share_loops(place: str, loop: hl.Var, align: hl.LoopAlignStrategy) -> None:
    shared, f, g = funcs("shared f g")
    shared[x, y] = x * 3 + y + 1
    f[x, y] = 100 - shared[x, y - 1]
    g[x, y] = x + shared[x + 1, y + 1] * shared[x, y]
    g.compute_with(f, loop, align)
    if place == "root":
        shared.compute_root()
    elif place == "y":
        shared.compute_at(f, y)
    elif place == "stored at root":
        shared.store_root().compute_at(g, y)
    elif place == "slid within y" and loop is x:
        shared.store_at(f, y).compute_at(f, x)
    agrees([f, g], ([4, 4], []), ([6, 6], []))
    agrees([f, g], ([9, 5], []), ([9, 5], []))
    agrees([f, g], ([9, 5], [3, -2]), ([2, 7], [-4, 9]))  # no iteration in common
    agrees([g, f], ([9, 5], [3, -2]), ([20, 2], [-4, 0]))


@pytest.mark.parametrize("align", A, ids=lambda a: a.name)
@pytest.mark.parametrize("place", ["y", "stored at root"])
def test_an_input_is_read_only_where_a_stage_takes_part(place: str, align: hl.LoopAlignStrategy) -> None:
    array = (np.arange(11 * 13, dtype=np.int16) * 37).reshape(11, 13)
    picture = hl.Buffer(array)
    for_f, for_g, for_both, f, g = funcs("for_f for_g for_both f g")
    for_f[x, y] = picture[x, y] * 2
    for_g[x, y] = picture[x * 2, y * 2 + 1] + 3
    for_both[x, y] = picture[x, y] - 1
    f[x, y] = for_f[x, y] + for_both[x, y]
    g[x, y] = for_g[x, y] + for_both[x + 7, y + 6]
    g.compute_with(f, y, align)
    for func, user in ((for_f, f), (for_g, g), (for_both, g)):
        func.compute_at(user, y)
        if place == "stored at root":
            func.store_root()
    agrees([f, g], ([13, 11], []), ([6, 5], []))  # one row more of either would lie outside the picture


def test_what_one_stage_alone_needs_slides_along_the_shared_loop() -> None:
    array = np.arange(40 * 30, dtype=np.uint16).reshape(30, 40)
    picture = hl.Buffer(array)
    rows, f, g = funcs("rows f g")
    rows[x, y] = picture[x, y] + 1
    f[x, y] = x + y
    g[x, y] = rows[x, y] + rows[x, y + 1] + rows[x, y + 2]
    g.compute_with(f, y, A.AlignEnd)
    rows.store_root().compute_at(g, y)
    agrees([f, g], ([12, 40], []), ([40, 28], []))
    agrees([f, g], ([12, 7], []), ([40, 28], []))


def test_funcs_computed_together_inside_loops_that_are_shared() -> None:
    source, f1, f2, g1, g2 = funcs("source f1 f2 g1 g2")
    source[x, y] = x + y
    f1[x, y] = source[x, y] + 20
    f2[x, y] = source[x, y] * source[x, y]
    g1[x, y] = f1[x, y] + x + y
    g2[x, y] = f1[x, y] * f2[x, y]
    source.compute_at(f1, y)
    f2.compute_with(f1, y, A.AlignEnd)
    f1.compute_at(g1, y)
    f2.compute_at(g1, y)
    g2.compute_with(g1, x, A.AlignStart)
    agrees([g1, g2], ([20, 25], []), ([10, 20], []))
    agrees([g1, g2], ([20, 25], []), ([30, 33], [-3, 5]))


def test_a_group_inside_another_funcs_loop() -> None:
    f, g, h, p, q, r = funcs("f g h p q r")
    f[x, y] = x + y
    g[x, y] = x - y
    h[x, y] = f[x - 1, y + 1] + g[x + 2, y - 2]
    p[x, y] = h[x, y] + 2
    q[x, y] = x * y
    r[x, y] = p[x, y - 1] + q[x - 1, y]
    f.compute_at(h, y).split(x, xo, xi, 8)
    g.compute_at(h, y).split(x, xo, xi, 8)
    h.compute_at(p, y)
    p.compute_root()
    q.compute_root().compute_with(p, x, A.AlignEnd)
    g.compute_with(f, xo, A.AlignStart)
    everywhere(r)


def test_members_of_a_group_are_stored_at_different_levels() -> None:
    one, two, consumer = funcs("one two consumer")
    one[x, y] = x + y
    two[x, y] = 3 * x + 2 * y
    consumer[x, y] = one[x, y - 1] + one[x, y + 1] + two[x, y - 1] + two[x, y + 1]
    one.compute_at(consumer, y)
    two.store_root().compute_at(consumer, y).compute_with(one, y)
    everywhere(consumer)


def test_stages_of_different_rank_share_the_loop_they_have_in_common() -> None:
    big, small, a, b = funcs("big small a b")
    big[x, y, c] = x * 2 + y + c
    small[c] = c + 1
    a[x, y, c] = 7 * big[x, y, c] / small[c]
    b[c] = small[c] * 5
    b.compute_with(a, c)
    big.compute_at(a, c)
    small.compute_at(a, c)
    agrees([a, b], ([7, 5, 3], []), ([3], []))
    agrees([a, b], ([7, 5, 3], []), ([8], []))


def test_planes_at_half_size_are_computed_with_the_full_one() -> None:
    rng = np.random.default_rng(1)
    colours = hl.Buffer(rng.integers(0, 256, (3, 64, 64), dtype=np.int32))
    clamped = hl.BoundaryConditions.repeat_edge(colours)
    y_part, u_part, v_part, rgb, rgb_x = funcs("y_part u_part v_part rgb rgb_x")
    rgb_x[x, y, c] = clamped[x - 1, y, c] + 2 * clamped[x, y, c] + clamped[x + 1, y, c]
    rgb[x, y, c] = (rgb_x[x, y - 1, c] + 2 * rgb_x[x, y, c] + rgb_x[x, y + 1, c]) / 16
    y_part[x, y] = ((66 * colours[x, y, 0] + 129 * colours[x, y, 1] + 25 * colours[x, y, 2] + 128) >> 8) + 16
    u_part[x, y] = ((-38 * rgb[2 * x, 2 * y, 0] - 74 * rgb[2 * x, 2 * y, 1] + 112 * rgb[2 * x, 2 * y, 2]) >> 8) + 128
    v_part[x, y] = ((112 * rgb[2 * x, 2 * y, 0] - 94 * rgb[2 * x, 2 * y, 1] - 18 * rgb[2 * x, 2 * y, 2]) >> 8) + 128
    y_part.tile(x, y, xi, yi, 16, 2, T.RoundUp).unroll(yi).vectorize(xi, 8)
    u_part.tile(x, y, xi, yi, 8, 1, T.RoundUp).vectorize(xi)
    v_part.tile(x, y, xi, yi, 8, 1, T.RoundUp).vectorize(xi)
    u_part.compute_with(y_part, x, A.AlignEnd)
    v_part.compute_with(y_part, x, A.AlignEnd)
    rgb.bound(c, 0, 3)
    rgb_x.store_root().compute_at(y_part, y).vectorize(x, 8)
    rgb.compute_at(y_part, y).vectorize(x, 8)
    agrees([y_part, u_part, v_part], ([64, 64], []), ([32, 32], []), ([32, 32], []))


@pytest.mark.parametrize("twice", [False, True])
def test_outputs_in_tiles_of_different_sizes(twice: bool) -> None:
    source, f, g, h = funcs("source f g h")
    source[x, y, c] = 2 * x + 5 * y * c + 3
    f[x, y] = source[x, y, 0] + 2 * source[x, y, 1]
    g[x, y] = source[2 * x, 2 * y, 1] + 2 * source[2 * x, 2 * y, 2]
    h[x, y] = source[2 * x, 2 * y, 2] + 3 * source[2 * x, 2 * y, 1]
    f.tile(x, y, xi, yi, 32, 16, T.ShiftInwards)
    g.tile(x, y, xi, yi, 7, 9, T.GuardWithIf)
    h.tile(x, y, xi, yi, 4, 16, T.RoundUp)
    level = yi
    if twice:
        xii, level = hl.Var("xii"), hl.Var("yii")
        f.tile(xi, yi, xii, level, 8, 8, T.ShiftInwards)
        g.tile(xi, yi, xii, level, 16, 8, T.GuardWithIf)
        h.tile(xi, yi, xii, level, 4, 16, T.GuardWithIf)
    g.compute_with(f, level, A.AlignEnd)
    h.compute_with(g, level, A.AlignStart)
    source.store_root().compute_at(f, y).vectorize(x, 8)
    agrees([f, g, h], ([64, 64], []), ([32, 32], []), ([32, 32], []))


def test_splits_of_different_depth_share_the_loops_around_them() -> None:
    source, f, g, h = funcs("source f g h")
    source[x, y] = x
    f[x, y, c] = c * source[x, y]
    h[x, y, c] = f[x, y, c]
    g[x, y] = f[x / 2, y / 2, 2]
    g.split(y, yo, y, 64, T.RoundUp).split(y, y, yi, 2, T.RoundUp).vectorize(x, 4, T.GuardWithIf)
    g.compute_with(h, y, A.AlignStart)
    h.reorder(x, c, y).split(y, yo, y, 32, T.RoundUp).vectorize(x, 4, T.GuardWithIf)
    agrees([h, g], ([32, 64, 5], []), ([64, 128], []))


def test_what_feeds_one_output_in_registers_is_computed_in_the_shared_loop() -> None:
    array = np.arange(20, dtype=np.int16).reshape(2, 10)
    source = hl.Buffer(array)
    between, value, other, one, two, three = funcs("between value other one two three")
    k = hl.Var("k")
    between[k] = source[k, 0] * source[k, 1]
    value[k] = between[k] * between[k]
    one[k] = value[k]
    two[k] = value[k] + value[k]
    other[k] = source[k, 0] + 2
    three[k] = other[k]
    between.vectorize(k, 8).compute_at(value, k)
    value.vectorize(k, 8).compute_at(two, k)
    one.vectorize(k, 8).compute_with(two, k)
    two.vectorize(k, 8)
    other.vectorize(k, 8).compute_at(three, k)
    three.vectorize(k, 8).compute_with(two, k)
    agrees([one, two, three], *[([8], [])] * 3)
    for func in (one, two, three):
        func.bound(k, 0, 10)
    agrees([one, two, three], *[([10], [])] * 3)


# -- updates ----------------------------------------------------------------------------------------------------------


def two_with_updates(count: int = 3) -> Funcs:
    f, g = funcs("f g")
    for func, first in ((g, 1), (f, 5)):
        func[x, y] = first
        for n in range(1, count):
            func[x, y] = first + n + 31 * func[x, y]
    return [f, g]


UPDATES: dict[str, Callable[[hl.Func, hl.Func], object]] = {
    "one": lambda f, g: f.update(1).compute_with(g.update(0), y),
    "two in a row": lambda f, g: [f.update(n).compute_with(g.update(0), y) for n in (0, 1)],
    "all": lambda f, g: [f.compute_with(g, y), *(f.update(n).compute_with(g, y) for n in (0, 1))],
    "all at x": lambda f, g: [f.compute_with(g, x), *(f.update(n).compute_with(g, x) for n in (0, 1))],
    "pairs": lambda f, g: [f.compute_with(g, y), *(f.update(n).compute_with(g.update(n), x) for n in (0, 1))],
    "zigzag": lambda f, g: [f.compute_with(g, y), g.update(0).compute_with(f.update(0), y),
                            f.update(1).compute_with(g.update(1), y)],
    "diagonal": lambda f, g: [f.update(0).compute_with(g, y), f.update(1).compute_with(g.update(0), y)],
    "pure with the last": lambda f, g: f.compute_with(g.update(1), y),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*has no schedule")
@pytest.mark.parametrize("how", UPDATES)
def test_updates_are_computed_with_stages_of_other_funcs(how: str) -> None:
    for at_root in (False, True):
        f, g = two_with_updates()
        UPDATES[how](f, g)
        if at_root:
            h = hl.Func("h")
            h[x, y] = f[x, y + 1] + g[x + 3, y]
            f.compute_root()
            g.compute_root()
            everywhere(h)
        else:
            agrees([f, g], ([9, 5], []), ([4, 7], []))
            agrees([f, g], ([9, 5], []), ([9, 5], [2, -1]))


@pytest.mark.filterwarnings("ignore:.*has no schedule")
@pytest.mark.parametrize("tail", [T.ShiftInwards, T.RoundUp, T.GuardWithIf, T.Auto], ids=str)
@pytest.mark.parametrize("shared", [yo, yi], ids=["tiles", "rows"])
def test_an_update_shares_tiles_with_its_pure_definition_whatever_the_tail(
    tail: hl.TailStrategy, shared: hl.Var
) -> None:
    for update_tail in (T.GuardWithIf, T.ShiftInwardsAndBlend, T.RoundUpAndBlend):
        f, g = two_with_updates(2)
        for stage in (f, g):
            stage.split(y, yo, yi, 4, tail)
        f.update(0).split(y, yo, yi, 4, update_tail)
        f.compute_with(g, shared)
        f.update(0).compute_with(g, shared)
        h = hl.Func("h")
        h[x, y] = f[x, y + 1] + g[x + 3, y]
        f.compute_root()
        g.compute_root()
        everywhere(h)


def test_reductions_share_the_loops_over_their_tiles() -> None:
    array = (np.arange(32 * 64) % 77).astype(np.int16).reshape(64, 32)
    picture = hl.Buffer(array)
    copied, plus, times, first, second, total = funcs("copied plus times first second total")
    r = hl.RDom([(0, 32), (0, 64)], "r")
    copied[x, y] = picture[x, y]
    plus[x, y] = copied[x, y] + 1
    times[x, y] = copied[x, y] * 2
    first[()] = hl.i32(0)
    second[()] = hl.i32(0)
    first[()] += hl.i32(plus[r.x, r.y])
    second[()] += hl.i32(times[r.x, r.y])
    total[()] = first[()] + second[()]
    rxo, rxi, ryo, ryi = (hl.RVar(n) for n in ("rxo", "rxi", "ryo", "ryi"))
    for func in (first, second):
        func.compute_root().update(0).tile(r.x, r.y, rxo, ryo, rxi, ryi, 8, 8)
    for func in (plus, times, copied):
        func.compute_at(second, rxo)
    first.update(0).compute_with(second.update(0), rxo)
    agrees([total], ([], []))


def test_reductions_over_ranges_of_their_own() -> None:
    f, g, f_inner, g_inner = funcs("f g f_inner g_inner")
    r = hl.RDom([(0, 10)], "r")
    for inner, outer in ((f_inner, f), (g_inner, g)):
        inner[x, y] = x
        inner[x, y] += 1
        outer[x] = x
        outer[x] += inner[x, r]
        inner.compute_at(outer, r)
    g.update(0).compute_with(f.update(0), r)
    agrees([f, g], ([10], [2]), ([10], [0]))
    agrees([f, g], ([4], [-2]), ([7], [20]))


def test_updates_over_different_ranges() -> None:
    f, g = funcs("f g")
    f[x] = 0
    f[x] += x
    g[x] = 0
    g[x] += x
    g.update(0).compute_with(f.update(0), x)
    agrees([f, g], ([10], [2]), ([10], []))


@pytest.mark.filterwarnings("ignore:.*has no schedule")
def test_groups_beside_each_other_and_updates_of_both() -> None:
    f, g, h, p, q = funcs("f g h p q")
    f[x, y] = x + y
    f[x, y] += y
    g[x, y] = 10
    g[x, y] += x - y
    h[x, y] = 0
    r = hl.RDom([(0, 11), (5, 7)], "r")
    h[r.x, r.y] -= r.x + r.y
    h[r.x, r.y] += r.x * r.x
    h[x, y] += f[x, y] + g[x, y]
    p[x, y] = x + 2
    q[x, y] = h[x, y] + 2 + p[x, y]
    for func in (f, g, h, p):
        func.compute_root()
    for func in (p, h):
        func.fuse(x, y, t).parallel(t)
    h.compute_with(p, t)
    f.update(0).compute_with(g, y, A.AlignEnd)
    f.compute_with(g, x)
    agrees([q], ([30, 20], []))


def test_a_func_is_computed_with_another_in_each_loop_that_needs_both() -> None:
    f, g, h = funcs("f g h")
    f[x, y] = x + y
    g[x, y] = x - y
    h[x, y] = f[x, y] + g[x + 1, y]
    h[x, y] += f[x - 1, y] * g[x, y + 1]
    f.compute_at(h, y)
    g.compute_at(h, y).compute_with(f, x)
    everywhere(h)


def test_memory_holds_what_the_tiles_of_a_shared_producer_reach_in_the_longer_range() -> None:
    p, f, g = funcs("p f g")
    p[x, y] = x * 3 - y
    f[x, y] = p[x + 1, y - 1] + p[x, y - 1]
    g[x, y] = p[x + 1, y] * 2 + p[x, y]
    f.reorder(y, x)
    g.reorder(y, x).compute_with(f, y, A.AlignStart)
    p.compute_at(g, x).store_root().vectorize(x, 4)
    memory = next(n for n in walk(nests(f, g).stmt) if isinstance(n, Realize))
    sizes = {"f.min.0": 0, "g.min.0": 0, "f.extent.0": 50, "g.extent.0": 10}
    low, extent = (simplify(substitute(e, {n: const(v) for n, v in sizes.items()})) for e in _whole(f, g, memory))
    assert (low, extent) == (const(0), const(53))
    agrees([f, g], ([50, 4], []), ([10, 6], []))
    agrees([f, g], ([10, 4], []), ([50, 6], []))


def _whole(f: hl.Func, g: hl.Func, memory: Realize) -> tuple[Expr, Expr]:
    """Min and extent of the memory's first dimension, in terms of the outputs' sizes."""
    regions = nests(f, g).regions
    low, extent = memory.bounds[0]
    return regions.expand(low, ROOT_LEVEL), regions.expand(extent, ROOT_LEVEL)


@pytest.mark.parametrize("directive", ["fold_storage", "hoist_storage", "bound_storage", "bound"])
def test_checks_of_what_is_shared_hold_only_where_it_is_needed(directive: str) -> None:
    p, f, g = funcs("p f g")
    p[x, y] = x * 3 - y
    f[x, y] = x + y
    g[x, y] = p[x, y] + p[x + 1, y + 1]
    g.compute_with(f, y)
    p.compute_at(g, y)
    if directive == "fold_storage":
        p.store_root().fold_storage(y, 2)
    elif directive == "hoist_storage":
        p.hoist_storage_root()
    elif directive == "bound_storage":
        p.bound_storage(y, 2)
    else:
        p.bound(x, 0, 8).bound(y, 0, 7)
    agrees([f, g], ([12, 20], [0, -5]), ([7, 6], []))


def test_a_wrapper_for_one_consumer_is_computed_with_the_other() -> None:
    one, two, three, output = funcs("one two three output")
    one[x, y] = x + y
    two[x, y] = one[x, y] + 2
    three[x, y] = one[x, y] + 3
    output[x, y] = two[x, y] + three[x, y]
    two.compute_root()
    one.in_(three).compute_root().compute_with(two, hl.Var.outermost())
    one.compute_root()
    one.compute_at(two, hl.Var.outermost())
    everywhere(output)


def test_versions_of_a_consumer_in_the_shared_loop_need_what_the_one_that_runs_needs() -> None:
    p, h, f, g = funcs("p h f g")
    wide = hl.Param(hl.Bool(), "wide", True)
    p[x, y] = x * 3 - y
    h[x, y] = p[x, y] + p[x, y + 1]
    f[x, y] = h[x, y] + 1
    g[x, y] = h[x, y - 1] * 2
    g.compute_with(f, y, A.AlignEnd)
    h.compute_at(f, y).specialize(wide).vectorize(x, 4)
    p.compute_at(f, y)
    for value in (True, False):
        wide.set(value)
        agrees([f, g], ([9, 8], []), ([13, 5], []))
