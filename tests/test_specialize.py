"""Versions of stages chosen by conditions: whichever runs, the answer is the oracle's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

x, y, xo, yo, xi, yi, t = hl.vars("x y xo yo xi yi t")
T = hl.TailStrategy
SIZES = [(1, 1), (7, 5), (16, 9), (33, 3)]


def agrees(f: hl.Func, sizes: Any = SIZES, mins: Any = ((0, 0), (-3, 11))) -> None:
    for size, low in itertools.product(sizes, mins):
        out = hl.Buffer(hl.Int(32), list(size))
        out.set_min(list(low))
        f.realize(out)
        np.testing.assert_array_equal(np.asarray(out), np.asarray(f.reference(out)))


def number(name: str = "n") -> hl.Param:
    return hl.Param(hl.Int(32), name, 0)


def text_of(f: hl.Func) -> str:
    return str(f.pipeline().compiled().kernel().text)


VERSIONS: dict[str, Callable[[Any], object]] = {
    "vectorized": lambda s: s.vectorize(x, 4, T.GuardWithIf),
    "tiled": lambda s: s.tile(x, y, xo, yo, xi, yi, 4, 2, T.GuardWithIf).parallel(yo),
    "unrolled": lambda s: s.unroll(x, 3, T.GuardWithIf),
    "fused": lambda s: s.fuse(x, y, t).vectorize(t, 4, T.GuardWithIf),
    "columns": lambda s: s.reorder(y, x),
}


@pytest.mark.parametrize("other", VERSIONS)
@pytest.mark.parametrize("name", VERSIONS)
def test_each_version_computes_the_same(name: str, other: str) -> None:
    n, f, g = number(), hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y * n
    f[x, y] = g[x, y] + hl.select(n == 2, g[x + 1, y], g[x, y + 2] * n)
    VERSIONS[name](f.specialize(n == 2))
    VERSIONS[other](f.specialize(n > 5))
    g.compute_root()
    VERSIONS[other](g.specialize(n > 3))
    for value in (2, 4, 7):
        n.set(value)
        agrees(f, [(1, 1), (9, 5)])


@pytest.mark.parametrize("tail", [t for t in T if t not in (T.Auto, T.RoundUp)], ids=lambda t: t.name)
def test_tails_apply_in_their_version_only(tail: hl.TailStrategy) -> None:
    f, g, flag = hl.Func("f"), hl.Func("g"), hl.Param(hl.Bool(), "flag", False)
    g[x, y] = x + y * 5
    f[x, y] = g[x, y] - g[x + 2, y]
    g.compute_root().specialize(flag).split(x, xo, xi, 4, tail).vectorize(xi)
    f.specialize(flag).split(x, xo, xi, 4, tail).unroll(xi)
    agrees(f)
    flag.set(True)
    agrees(f, [(7, 5), (16, 9), (33, 3)])


def test_a_check_of_one_version_does_not_stop_another() -> None:
    f, n = hl.Func("f"), number()
    f[x, y] = x + y * n
    f.specialize(n == 1).vectorize(x, 8)
    agrees(f)
    n.set(1)
    agrees(f, [(8, 2), (13, 1)])
    text = r"split by 8 in x, which is only 7 long.*\n  by f\.specialize\(n == 1\)\.vectorize\(x, 8\)"
    with pytest.raises(hl.ScheduleError, match=text):
        f.realize(hl.Buffer(hl.Int(32), [7, 2]))


def test_what_a_condition_says_of_sizes_is_known_of_regions_that_follow_from_them() -> None:
    for directive in ("unroll", "vectorize"):
        f, g, h = hl.funcs("f g h")
        f[x, y] = x * 3 + y
        g[x, y] = f[x, y] + 1
        h[x, y] = f[x, y] * 2
        rows = [out.output_buffer().dim(1) for out in (g, h)]
        three = (rows[0].extent() == 3) & (rows[0].min() == 0) & (rows[1].extent() == 3) & (rows[1].min() == 0)
        getattr(f.compute_root().specialize(three), directive)(y)
        both = hl.Pipeline([g, h])
        for sizes in ([5, 3], [7, 4]):
            for made, right in zip(both.realize(sizes), both.reference(sizes), strict=True):
                np.testing.assert_array_equal(made, right)
    h.specialize(rows[1].extent() > 3).unroll(y)
    with pytest.raises(hl.ScheduleError, match="loop `y` becomes unrolled, but the number of its iterations"):
        both.realize([5, 5])


def test_conditions_are_tried_in_order_and_may_nest() -> None:
    f, n = hl.Func("f"), number()
    f[x, y] = x * n + y
    f.specialize(n > 3).specialize(n < 8).vectorize(x, 4, T.GuardWithIf)
    f.specialize(n > 1).parallel(y)
    f.specialize(n == 100).unroll(y, 2, T.GuardWithIf)
    for value in (0, 2, 5, 9, 100):
        n.set(value)
        agrees(f, [(7, 5)])


def test_a_version_starts_with_the_directives_given_so_far() -> None:
    f, n = hl.Func("f"), number()
    f[x, y] = x * n + y
    f.split(x, xo, xi, 4)
    version = f.specialize(n == 1)
    f.parallel(y)
    nest = f._contents.nests[0]
    assert [d.name for d in nest.specializations[0].nest.dims] == ["xi", "xo", "y"]
    assert [d.kind.value for d in nest.specializations[0].nest.dims] == ["for", "for", "for"]
    version.vectorize(xi)
    assert f.specialize(n == 1).dump_argument_list() == version.dump_argument_list()
    assert len(f._contents.nests[0].specializations) == 1, "the same condition gives the same version"
    assert [d.kind.value for d in f._contents.nests[0].dims] == ["for", "for", "parallel"]


def test_a_constant_that_a_condition_gives_is_put_in() -> None:
    f, n, r = hl.Func("f"), number(), hl.RDom([(0, 4)], "r")
    f[x, y] = x * n + hl.sum(r * y)
    f.specialize(n == 3).unroll(x, 2, T.GuardWithIf)
    f.specialize(n == 0)
    assert "* 3" in text_of(f)
    for value in (0, 1, 3):
        n.set(value)
        agrees(f, [(7, 5)])


def test_an_extent_that_a_condition_gives_may_be_unrolled_or_vectorized() -> None:
    image, f = hl.ImageParam(hl.Int(32), 3, "image"), hl.Func("f")
    r = hl.RDom([(0, image.channels())], "r")
    f[x, y] = 0
    f[x, y] += image[x, y, r] * (r + 1)
    f.update().specialize(image.channels() == 3).unroll(r).vectorize(x, 4, T.GuardWithIf)
    for channels in (1, 3, 5):
        image.set(hl.Buffer(np.arange(channels * 90, dtype=np.int32).reshape(channels, 6, 15)))
        agrees(f, [(15, 6), (5, 1)], [(0, 0)])


def test_strides_of_inputs_choose_a_version() -> None:
    image, f = hl.ImageParam(hl.Int(32), 2, "image"), hl.Func("f")
    image.dim(0).set_stride(hl.Expr())
    f[x, y] = image[x, y] * 2
    f.specialize((image.dim(0).stride() == 1) & (image.width() >= 8)).vectorize(x, 8)
    whole = np.arange(600, dtype=np.int32).reshape(20, 30)
    for array in (whole, whole[:, :5], whole[:, ::3], whole.T):
        image.set(hl.Buffer(array))
        agrees(f, [(min(8, array.shape[1]), 9)] if array.shape[1] >= 8 else [(5, 9)], [(0, 0)])


@pytest.mark.parametrize("value", [True, False])
def test_inputs_that_the_running_version_does_not_read_may_have_any_size(value: bool) -> None:
    image, f, flag = hl.ImageParam(hl.Int(32), 1, "image"), hl.Func("f"), hl.Param(hl.Bool(), "flag", value)
    image.set(hl.Buffer(np.arange(10, dtype=np.int32)))
    f[x] = hl.select(flag, image[x], 7)
    f.specialize(flag)
    if value:
        with pytest.raises(hl.HalideError, match="input `image` is too small"):
            f.realize([100])
    else:
        np.testing.assert_array_equal(np.asarray(f.realize([100])), np.full(100, 7))


def test_only_what_the_running_version_reads_is_asked_of_inputs_and_producers() -> None:
    image, flag = hl.ImageParam(hl.Int(32), 1, "image"), hl.Param(hl.Bool(), "flag", True)
    g, h, f = hl.funcs("g h f")
    g[x] = image[x] + 1
    h[x] = g[x] * 2
    f[x] = hl.select(flag, h[x + 10], h[x - 10])
    g.compute_root()
    h.compute_root()
    f.specialize(flag).vectorize(x, 4)
    for value, low in ((True, 10), (False, -10)):
        flag.set(value)
        buffer = hl.Buffer(np.arange(9, dtype=np.int32))
        buffer.set_min([low])
        image.set(buffer)
        np.testing.assert_array_equal(np.asarray(f.realize([9])), (np.arange(9) + 1) * 2)


PLACES: dict[str, Callable[[hl.Func, hl.Func], object]] = {
    "rows": lambda g, f: g.compute_at(f, y),
    "sliding": lambda g, f: g.store_root().compute_at(f, y),
    "points": lambda g, f: g.compute_at(f, x),
    "vectors of rows": lambda g, f: g.compute_at(f, y).vectorize(x, 4),
}


@pytest.mark.parametrize("place", PLACES)
def test_producers_are_computed_inside_each_version(place: str) -> None:
    n, g, f = number(), hl.Func("g"), hl.Func("f")
    g[x, y] = x * 3 + y * n
    f[x, y] = hl.select(n == 1, g[x, y - 1] + g[x, y + 1], g[x + 2, y])
    f.specialize(n == 1).unroll(x, 2, T.GuardWithIf)
    f.specialize(n == 2).split(x, x, xi, 4, T.GuardWithIf)
    PLACES[place](g, f)
    for value in (0, 1, 2):
        n.set(value)
        agrees(f, [(1, 1), (9, 7)])


def test_a_specialized_producer_inside_a_specialized_consumer() -> None:
    n, g, f, h = number(), hl.Func("g"), hl.Func("f"), hl.Func("h")
    h[x, y] = x - y
    g[x, y] = h[x, y] * 3 + h[x, y + 1] * n
    f[x, y] = g[x, y] + g[x + 1, y + 1]
    g.compute_at(f, y).specialize(n > 1).vectorize(x, 4)
    g.specialize(n > 0).unroll(x, 2)
    h.compute_at(g, y)
    f.specialize(n < 2).parallel(y)
    for value in (0, 1, 2):
        n.set(value)
        agrees(f, [(1, 1), (9, 7)])


def test_a_place_must_be_in_every_version() -> None:
    n, g, f = number(), hl.Func("g"), hl.Func("f")
    g[x, y] = x * 3 + y * n
    f[x, y] = g[x, y] + g[x + 1, y]
    f.specialize(n == 1).split(x, xo, xi, 4)
    g.compute_at(f, xo)
    with pytest.raises(
        hl.IllegalSchedule, match=r"g is also read by `f`, outside loop f\.xo\n  accepted here: root, f\.y"
    ):
        f.realize([8, 8])
    g.compute_at(f, y)
    agrees(f, [(8, 8)])


def test_updates_are_specialized_on_their_own() -> None:
    n, f, r = number(), hl.Func("f"), hl.RDom([(0, 6)], "r")
    f[x, y] = x
    f[x, y] += r * y * n
    f[x, 2] = f[x, 2] - 1
    f.update(0).specialize(n == 0)
    f.update(0).specialize(n > 2).reorder(x, r).vectorize(x, 4, T.GuardWithIf).parallel(y)
    f.update(1).specialize(n == 1).vectorize(x, 4, T.GuardWithIf)
    for value in (0, 1, 5):
        n.set(value)
        agrees(f, [(9, 3), (5, 7)], [(0, 0), (-2, 1)])


def test_an_update_of_few_elements() -> None:
    start, size, f = number("start"), number("size"), hl.Func("f")
    r = hl.RDom([(start, size)], "r")
    f[x] = x
    f[r] = 10 - r
    f.update().specialize(size == 1)
    f.update().specialize(size == 0)
    for low, count in ((0, 1), (3, 0), (2, 4)):
        start.set(low)
        size.set(count)
        want = np.arange(10)
        want[low : low + count] = 10 - want[low : low + count]
        np.testing.assert_array_equal(np.asarray(f.realize([10])), want)


def test_tuples_have_versions_too() -> None:
    n, f, h = number(), hl.Func("f"), hl.Func("h")
    f[x, y] = (x + n, y * n)
    f[x, y] = (f[x, y][1], f[x, y][0] + 1)
    h[x, y] = f[x, y][0] - f[x + 1, y][1]
    f.compute_at(h, y).specialize(n == 1).vectorize(x, 4)
    f.update().specialize(n == 2).unroll(x, 2, T.GuardWithIf)
    h.specialize(n > 1).parallel(y)
    for value in (0, 1, 2):
        n.set(value)
        agrees(h, [(9, 3)])


def test_where_no_condition_holds_the_pipeline_may_stop() -> None:
    n, f = number(), hl.Func("f")
    f[x, y] = x * n + y
    f.specialize(n == 1).vectorize(x, 4, T.GuardWithIf)
    f.specialize_fail('n must be 1 */ %d "quoted"')
    n.set(1)
    agrees(f, [(7, 2)])
    n.set(2)
    with pytest.raises(hl.ScheduleError, match=r'`f` has no version for these arguments: n must be 1 \*/ %d "quoted"'):
        f.realize([7, 2])


def test_inside_a_version_the_pipeline_may_stop_too() -> None:
    n, f = number(), hl.Func("f")
    f[x, y] = x * n + y
    positive = f.specialize(n > 0)
    positive.specialize(n == 1).parallel(y)
    positive.specialize_fail("n is large")
    for value in (0, 1):
        n.set(value)
        agrees(f, [(7, 2)])
    n.set(2)
    with pytest.raises(hl.ScheduleError, match="n is large"):
        f.realize([7, 2])


def test_misuse_is_refused_at_once() -> None:
    n, f, g = number(), hl.Func("f"), hl.Func("g")
    f[x, y] = x * n + y
    g[x, y] = f[x, y]
    with pytest.raises(hl.ScheduleError, match="depends on `x`"):
        g.specialize(x > 1)
    with pytest.raises(hl.ScheduleError, match="is not a condition"):
        g.specialize(n)
    with pytest.raises(hl.ScheduleError, match="depends on `f"):
        g.specialize(f[0, 0] > 1)
    with pytest.raises(hl.ScheduleError, match="the message is empty"):
        g.specialize_fail("")
    g.specialize(n > 1)
    g.specialize_fail("stop")
    g.specialize(n > 1).parallel(y)
    with pytest.raises(hl.ScheduleError, match="decides what happens where no condition before it holds"):
        g.specialize(n > 2)
    with pytest.raises(hl.ScheduleError, match="decides what happens"):
        g.specialize_fail("again")


def test_what_is_inlined_has_no_versions() -> None:
    n, f, g = number(), hl.Func("f"), hl.Func("g")
    f[x, y] = x * n + y
    g[x, y] = f[x, y]
    f.specialize(n == 1)
    with pytest.raises(hl.IllegalSchedule, match="f is inlined, so it has no loops to specialize"):
        g.realize([4, 4])
    f.compute_root()
    agrees(g, [(4, 4)])


def test_constant_conditions_leave_one_version() -> None:
    f = hl.Func("f")
    f[x, y] = x + y
    f.specialize(hl.Expr(False)).unroll(y, 7)
    f.specialize(hl.Expr(True)).vectorize(x, 4, T.GuardWithIf)
    agrees(f)
    assert "s1" not in text_of(f)


def test_the_loops_of_all_versions_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    n, f = number(), hl.Func("f")
    f[x, y] = x * n + y
    f.specialize(n == 1).split(x, x, xi, 8).vectorize(xi)
    f.specialize(n > 3).specialize(n < 8).parallel(y)
    f.specialize_fail("n")
    f.print_loop_nest()
    plain = ["  for y:", "    for x:", "      f(...) = ..."]
    assert capfd.readouterr().err.splitlines() == [
        "produce f:",
        "  for y:", "    for x.x:", "      vectorized x.xi in [0, 7]:", "        f(...) = ...",
        "  parallel y:", *plain[1:],
        *plain,
        *plain,
    ]  # fmt: skip
