"""Extern stages inside loops, around loops of their own, and ones that compute more than is needed."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

from .extern_functions import load_functions
from .messages import without_place

x, y, xo, yo, xi, yi, xoo = (hl.Var(n) for n in ("x", "y", "xo", "yo", "xi", "yi", "xoo"))
INT = hl.Int(32)
GUARD, SHIFT, ROUND = hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards, hl.TailStrategy.RoundUp


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return load_functions(tmp_path_factory.mktemp("extern"))


def extern(name: str, params: list[Any], rank: int = 2, types: Any = INT, func: str = "g") -> hl.Func:
    g = hl.Func(func)
    g.define_extern(f"halopy_test_{name}", params, types, [x, y][:rank])
    return g


def plane(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.meshgrid(np.arange(width), np.arange(height))
    return xs, ys


Schedule = Callable[[hl.Func, hl.Func, hl.Func, hl.Func], Any]

INSIDE: dict[str, Schedule] = {
    "the stage": lambda k, f, g, h: g.compute_at(h, y),
    "what it reads": lambda k, f, g, h: (g.compute_at(h, y), f.compute_at(h, y)),
    "what that reads": lambda k, f, g, h: (g.compute_at(h, y), f.compute_at(h, y), k.compute_at(h, y)),
    "each element": lambda k, f, g, h: (g.compute_at(h, x), f.compute_at(h, x), k.compute_root()),
    "threads": lambda k, f, g, h: (h.parallel(y), g.compute_at(h, y), f.compute_at(h, y), k.compute_at(f, y)),
    "memory outside": lambda k, f, g, h: (
        g.compute_at(h, y).store_root(),
        f.compute_at(h, y).store_root(),
        k.compute_at(h, y).store_root(),
    ),
    "memory in turn": lambda k, f, g, h: (
        g.compute_at(h, y).hoist_storage_root(),
        f.compute_at(h, y).hoist_storage_root().ring_buffer(2),
    ),
    "tiles": lambda k, f, g, h: (
        h.tile(x, y, xo, yo, xi, yi, 5, 3, GUARD).vectorize(xi),
        g.compute_at(h, xo),
        f.compute_at(h, yo).vectorize(x, 4),
        k.compute_at(f, y),
    ),
    "tiles, memory between": lambda k, f, g, h: (
        h.tile(x, y, xo, yo, xi, yi, 5, 3, GUARD).parallel(yo),
        g.compute_at(h, xo).store_at(h, yo),
        f.compute_at(h, xo).store_at(h, yo),
        k.compute_at(h, yo),
    ),
    "copies": lambda k, f, g, h: (
        h.split(y, yo, yi, 2, GUARD).unroll(yi),
        g.compute_at(h, yi),
        f.compute_at(h, yi).align_storage(x, 8),
    ),
    "bounds": lambda k, f, g, h: (g.compute_at(h, y).align_bounds(x, 8), f.compute_at(h, y).align_bounds(x, 4, 1)),
    "other order in memory": lambda k, f, g, h: (
        g.compute_at(h, y).reorder_storage(y, x),
        f.compute_at(h, y).reorder_storage(y, x).align_storage(y, 4),
    ),
}

OWN_LOOPS: dict[str, Schedule] = {
    "rows": lambda k, f, g, h: (g.compute_root().serial(y), f.compute_at(g, y)),
    "columns": lambda k, f, g, h: (g.compute_root().reorder(y, x).serial(x), f.compute_at(g, x)),
    "elements": lambda k, f, g, h: (g.compute_root().serial(x).parallel(y), f.compute_at(g, x), k.compute_at(g, y)),
    "tiles": lambda k, f, g, h: (
        g.compute_root().tile(x, y, xo, yo, xi, yi, 4, 3, SHIFT).parallel(yo),
        f.compute_at(g, xo),
    ),
    "guarded tiles": lambda k, f, g, h: (
        g.compute_root().tile(x, y, xo, yo, xi, yi, 4, 3, GUARD).parallel(yo),
        f.compute_at(g, yo),
        k.compute_at(f, y),
    ),
    "tiles of tiles": lambda k, f, g, h: (
        g.compute_root().split(x, xo, xi, 8, GUARD).split(xi, xoo, xi, 3, GUARD).reorder(xi, y, xoo, xo),
        f.compute_at(g, xoo),
    ),
    "tiles in twos": lambda k, f, g, h: (
        g.compute_root().split(x, xo, xi, 3, ROUND).split(xo, xoo, xo, 2, ROUND).reorder(xi, y, xo, xoo).unroll(xo),
        f.compute_at(g, xoo),
    ),
    "renamed": lambda k, f, g, h: (g.compute_root().rename(y, yo).serial(yo), f.compute_at(g, yo)),
    "loops in a loop": lambda k, f, g, h: (
        h.split(y, yo, yi, 5, GUARD),
        g.compute_at(h, yo).split(x, xo, xi, 4, GUARD).reorder(xi, xo, y).serial(y),
        f.compute_at(g, y),
        k.compute_at(f, y),
    ),
}


@pytest.mark.parametrize("size", [(16, 8), (13, 7), (1, 1)])
@pytest.mark.parametrize("name", [*INSIDE, *(f"own {n}" for n in OWN_LOOPS)])
def test_where_an_extern_stage_is_computed_does_not_change_it(name: str, size: tuple[int, int]):
    k, f, h = hl.Func("k"), hl.Func("f"), hl.Func("h")
    k[x, y] = x * 3 + y * 100
    f[x, y] = k[x - 1, y] + k[x + 1, y]
    f[x, y] += 1
    f.update().unscheduled()
    g = extern("translate", [f, 3, -7])
    h[x, y] = g[x, y] + g[x + 1, y + 2]
    (OWN_LOOPS[name[4:]] if name.startswith("own ") else INSIDE[name])(k, f, g, h)
    xs, ys = plane(*size)
    at = 2 * ((xs + 3) * 3 + (ys - 7) * 100) + 1
    np.testing.assert_array_equal(np.array(h.realize(list(size))), at + at + 406)
    np.testing.assert_array_equal(np.array(h.reference(list(size))), at + at + 406)


@pytest.mark.parametrize("size", [(16, 8), (13, 7), (1, 1)])
@pytest.mark.parametrize("tail", [GUARD, SHIFT, ROUND])
def test_an_output_may_have_loops_of_its_own(size: tuple[int, int], tail: hl.TailStrategy):
    f = hl.Func("f")
    f[x, y] = x * y
    g = extern("count", [f])
    g.tile(x, y, xo, yo, xi, yi, 5, 4, tail).parallel(yo)
    f.compute_at(g, xo)
    if tail is not GUARD and (size[0] % 5 or size[1] % 4) and (tail is ROUND or size == (1, 1)):
        with pytest.raises(hl.HalideError, match=r"tile\("):
            g.realize(list(size))
        return
    xs, ys = plane(*size)
    np.testing.assert_array_equal(np.array(g.realize(list(size))), xs * ys + xs)


def test_the_function_is_called_for_each_tile(library: ctypes.CDLL):
    counts = (ctypes.c_int32 * 4).in_dll(library, "halopy_test_counts")
    f = hl.Func("f")
    f[x, y] = x * y
    g = extern("count", [f])
    g.compute_root().tile(x, y, xo, yo, xi, yi, 10, 10).parallel(yo)
    f.compute_at(g, xo)
    counts[:] = [0, 0, 0, 0]
    g.realize([75, 35])
    assert [counts[0], *counts[2:]] == [8 * 4, 10, 10]


def test_the_function_is_called_once_for_each_iteration(library: ctypes.CDLL):
    counts = (ctypes.c_int32 * 4).in_dll(library, "halopy_test_counts")
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x * y
    g = extern("count", [f])
    h[x, y] = g[x, y] + g[x, y + 1]
    f.compute_root()
    g.compute_at(h, y).store_root()
    counts[:] = [0, 0, 0, 0]
    h.realize([12, 6])
    assert [counts[0], *counts[2:]] == [6, 12, 2], "no window slides: the function says what it needs of each"


@pytest.mark.parametrize("levels", ["root", "root in root", "at", "at with all", "stored outside"])
@pytest.mark.parametrize("size", [100, 95, 17, 10])
def test_a_function_may_compute_more_than_is_needed(levels: str, size: int):
    f, h = hl.Func("f"), hl.Func("h")
    f[x] = x * x
    g = extern("in_steps", [f, 17], 1)
    h[x] = g[x] * 2
    h.split(x, xo, xi, 10)
    if levels == "root":
        g.compute_root()
    elif levels == "stored outside":
        g.compute_at(h, xo).store_root()
    elif levels != "root in root":
        g.compute_at(h, xo)
    if levels == "at with all":
        f.compute_at(h, xo)
    else:
        f.compute_root()
    at = np.arange(size)
    np.testing.assert_array_equal(np.array(h.realize([size])), at**3 * 2)


def test_an_output_has_to_hold_all_that_its_function_computes():
    f = hl.Func("f")
    f[x] = x * x
    g = extern("in_steps", [f, 17], 1)
    for size in (34, 33, 1):
        np.testing.assert_array_equal(np.array(g.realize([size])), np.arange(size) ** 3)
    g.realize(hl.Buffer(INT, [34]))
    with pytest.raises(hl.BufferError, match="`g`"):
        g.realize(hl.Buffer(INT, [33]))


@pytest.mark.parametrize("size", [(100, 100), (96, 40), (50, 33)])
@pytest.mark.parametrize("stored", ["inside", "outside"])
def test_a_function_without_inputs_may_choose_what_it_makes(size: tuple[int, int], stored: str):
    source = extern("make", [40], func="source")
    source.align_storage(x, 32)
    sink = hl.Func("sink")
    sink[x, y] = source[x, y] - (x + y) % 61
    sink.tile(x, y, xi, yi, 32, 32)
    source.compute_at(sink, x)
    if stored == "outside":
        source.store_root()
    assert not np.array(sink.realize(list(size))).any()


@pytest.mark.parametrize(("far", "given"), [(0, [50, 150, 0, 1]), (1, [199, 1, 0, 1])])
def test_a_part_gets_no_more_than_the_whole_asked_for(library: ctypes.CDLL, far: int, given: list[int]):
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x + y
    variant = hl.Param(INT, "variant", far)
    g = extern("misbehave", [f, variant])
    h[x, y] = g[x, y]
    g.compute_at(h, y)
    f.compute_at(h, y)
    h.realize([200, 200])
    assert list((ctypes.c_int32 * 4).in_dll(library, "halopy_test_given")) == given


def test_bytes_and_integers_are_read_backwards():
    data = (np.arange(100)[::-1] ** 2).astype(np.uint8)
    image = hl.Buffer(data.copy())
    image.set_min([-99])
    for at_root in (True, False):
        f, h = hl.Func("f"), hl.Func("h")
        f[x] = x * x
        g = extern("flip", [image, f], 1, hl.UInt(8))
        h[x] = g[x] * 2
        if at_root:
            f.compute_root()
            both = hl.Pipeline([h, g]).realize([100])
            np.testing.assert_array_equal(np.array(both[1]), (2 * np.arange(100) ** 2).astype(np.uint8))
        else:
            f.compute_at(h, x)
            g.compute_at(h, x)
            both = (h.vectorize(x, 8).unroll(x, 2).split(x, x, xi, 4).parallel(x).realize([100]),)
        np.testing.assert_array_equal(np.array(both[0]), (4 * np.arange(100) ** 2).astype(np.uint8))


def test_a_stage_without_dimensions_has_an_outermost_level():
    source, least, count = hl.Func("source"), hl.Param(INT, "least", 2), hl.Param(INT, "count", 10)
    source[x] = x * x
    g = extern("sum", [source, least, count], 0)
    source.compute_at(g, hl.Var.outermost())
    assert np.array(g.realize()) == sum(v * v for v in range(2, 12))
    h = hl.Func("h")
    h[x] = g[()] + x
    g.compute_at(h, x)
    source.compute_at(g, hl.Var.outermost())
    assert np.array(h.realize([3])).tolist() == [505 + v for v in range(3)]


def test_storage_of_results_is_in_the_order_of_the_schedule():
    image = hl.Buffer(np.arange(600, dtype=np.int32).reshape(20, 30))
    g, h = extern("transposed", [image]), hl.Func("h")
    h[x, y] = g[x, y]
    with pytest.raises(hl.HalideError, match="halopy_test_transposed returned 6"):
        h.realize([30, 20])
    g.compute_root().reorder_storage(y, x)
    np.testing.assert_array_equal(np.array(h.realize([30, 20])), np.array(image))


def test_several_results_inside_a_loop():
    a, b, h = hl.Func("a"), hl.Func("b"), hl.Func("h")
    a[x, y], b[x, y] = x * 2, y * 3
    both = extern("combine", [a, b, hl.f64(1)], 2, [INT, INT], "both")
    h[x, y] = hl.Tuple(both[x, y][0], both[x, y][1] + both[x + 1, y][1])
    both.compute_at(h, y)
    a.compute_at(h, y)
    xs, _ = plane(7, 5)
    total, difference = (np.array(r) for r in h.realize([7, 5]))
    np.testing.assert_array_equal(total, xs * 5)
    np.testing.assert_array_equal(difference, -xs - (xs + 1))


def test_stages_read_stages_and_wrappers_in_loops():
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x - y * 10
    first = extern("translate", [f, 2, 1], func="first")
    last = extern("translate", [first, -1, 3], func="last")
    h[x, y] = last[x, y] * first[x, y]
    h.parallel(y)
    last.compute_at(h, y)
    first.compute_at(h, y)
    f.in_(first).compute_at(h, y)
    f.compute_root()
    xs, ys = plane(9, 6)
    want = ((xs + 1) - (ys + 4) * 10) * ((xs + 2) - (ys + 1) * 10)
    np.testing.assert_array_equal(np.array(h.realize([9, 6])), want)


def test_two_stages_of_a_reader_each_have_the_stage_in_their_loop():
    image = hl.ImageParam(INT, 2, "image")
    g, h = extern("translate", [image, 1, 2]), hl.Func("h")
    h[x, y] = g[x, y]
    h[x, y] += g[y, x] * 2
    g.compute_at(h, y)
    h.update().unscheduled()
    data = np.arange(100, dtype=np.int32).reshape(10, 10)
    image.set(data)
    xs, ys = plane(8, 7)
    np.testing.assert_array_equal(np.array(h.realize([8, 7])), data[ys + 2, xs + 1] + 2 * data[xs + 2, ys + 1])
    with pytest.raises(hl.BufferError, match="image"):
        h.realize([8, 10])


def test_versions_of_a_reader_have_the_stage_in_their_loops():
    flag, f, h = hl.Param(hl.Bool(), "flag"), hl.Func("f"), hl.Func("h")
    f[x, y] = x * y
    g = extern("count", [f])
    h[x, y] = hl.select(flag, g[x, y], 7)
    h.specialize(flag).vectorize(x, 4, GUARD)
    g.compute_at(h, y)
    f.compute_at(h, y)
    xs, ys = plane(9, 6)
    for value, want in ((True, xs * ys + xs), (False, np.full_like(xs, 7))):
        flag.set(value)
        np.testing.assert_array_equal(np.array(h.realize([9, 6])), want)


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize(
    ("how", "message"),
    [
        (0, None),
        (1, "extern stage `g`: halopy_test_fail, asked which regions it needs, returned 7"),
        (2, "extern stage `g`: halopy_test_fail returned 8"),
        (3, "extern stage `g`: halopy_test_fail would compute less than is needed"),
        (4, "extern stage `g`: halopy_test_fail would compute more for a part of the region than for the whole"),
    ],
)
def test_what_goes_wrong_names_the_stage_and_the_function(how: int, message: str | None, threads: bool):
    wrong, h = hl.Param(INT, "wrong", how), hl.Func("h")
    g = extern("fail", [wrong], 1)
    h[x, y] = g[x] + g[x + 3]
    h.reorder(y, x)
    if threads:
        h.split(x, xo, xi, 5, GUARD).parallel(xo)
        g.compute_at(h, xi).store_at(h, xo)
    else:
        g.compute_at(h, x).store_root()
    if message is None:
        np.testing.assert_array_equal(np.array(h.realize([20, 2])), [2 * np.arange(20) + 3] * 2)
        return
    with pytest.raises(hl.HalideError, match=message):
        h.realize([20, 2])


def _reduction(f: hl.Func, g: hl.Func, h: hl.Func, level: str) -> None:
    r = hl.RDom([(0, 5), (0, 4)], "r")
    r.where(r.x + r.y < x + 2)
    h[x, y] = x
    h[x, y] += g[x + r.x, y - r.y]
    h.update().reorder(r.x, r.y, x, y)
    at = {"r.x": r.x, "r.y": r.y, "x": x}[level]
    g.compute_at(h, at)
    f.compute_at(h, at)


def _beside_a_window(_: hl.Func, __: hl.Func, h: hl.Func) -> None:
    f, k = hl.Func("f"), hl.Func("k")
    k[x, y] = x + y * y
    f[x, y] = k[x, y] * 2
    g = extern("translate", [f, 1, 2])
    h[x, y] = g[x, y] + k[x, y - 1] + k[x, y + 1]
    k.store_root().compute_at(h, y)
    g.compute_at(h, y)
    f.compute_at(h, y)


def _in_a_window(f: hl.Func, g: hl.Func, h: hl.Func, *, inside: bool) -> None:
    m = hl.Func("m")
    m[x, y] = g[x, y] * 2 + g[x, y + 1]
    h[x, y] = m[x, y] + m[x, y + 1] + m[x, y + 2]
    m.store_root().compute_at(h, y)
    g.compute_at(m if inside else h, y)
    f.compute_at(m if inside else h, y)


def _read(g: hl.Func, h: hl.Func) -> hl.Func:
    h[x, y] = g[x, y] + g[x + 1, y]
    return h


READERS: dict[str, Callable[[hl.Func, hl.Func, hl.Func], Any]] = {
    "each iteration of a reduction": lambda f, g, h: _reduction(f, g, h, "r.x"),
    "rows of a reduction": lambda f, g, h: _reduction(f, g, h, "r.y"),
    "whole reductions": lambda f, g, h: _reduction(f, g, h, "x"),
    "beside a window": _beside_a_window,
    "in a window": lambda f, g, h: _in_a_window(f, g, h, inside=True),
    "around a window": lambda f, g, h: _in_a_window(f, g, h, inside=False),
    "async": lambda f, g, h: (_read(g, h), g.compute_at(h, y).store_root().async_(), f.compute_at(h, y)),
    "fetched ahead": lambda f, g, h: (_read(g, h).prefetch(g, y, y, 2), g.compute_root(), h.prefetch(f, y, y, 1)),
    "a clone": lambda f, g, h: (_read(g, h), g.clone_in(h).compute_at(h, y), f.compute_root()),
    "a wrapper": lambda f, g, h: (_read(g, h), g.in_(h).compute_at(h, y), g.compute_at(h, y)),
    "on the stack": lambda f, g, h: (
        _read(g, h).tile(x, y, xo, yo, xi, yi, 4, 4, GUARD),
        g.compute_at(h, xo).store_in(hl.MemoryType.Stack),
        f.compute_at(h, xo),
    ),
    "bounded memory in turn": lambda f, g, h: (
        _read(g, h),
        g.compute_at(h, y).bound_storage(x, 20).hoist_storage_root().ring_buffer(3),
        f.compute_at(h, y),
    ),
}


@pytest.mark.parametrize("size", [(9, 6), (1, 1), (0, 3)])
@pytest.mark.parametrize("name", READERS)
def test_readers_of_all_kinds_get_what_the_oracle_gives(name: str, size: tuple[int, int]):
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x * 7 + y * 3
    READERS[name](f, extern("translate", [f, 1, 2]), h)
    np.testing.assert_array_equal(np.array(h.realize(list(size))), np.array(h.reference(list(size))))


def test_places_that_cannot_be_are_refused(golden: str):
    def refusal(build: Callable[[hl.Func, hl.Func, hl.Func], object]) -> str:
        f, h = hl.Func("f"), hl.Func("h")
        f[x, y] = x + y
        g = extern("translate", [f, 1, 1])
        h[x, y] = g[x, y]
        with pytest.raises(hl.HalideError) as refused:
            build(f, g, h)
            h.realize([8, 8])
        return without_place(refused.value)

    texts = [
        refusal(lambda f, g, h: g.compute_root().split(x, xo, xi, 4)),
        refusal(lambda f, g, h: g.compute_root().serial(x)),
        refusal(lambda f, g, h: g.compute_root().vectorize(x, 4)),
        refusal(lambda f, g, h: g.compute_root().split(x, xo, xi, 4).reorder(xi, y, xo).vectorize(xo)),
        refusal(lambda f, g, h: g.compute_root().tile(x, y, xo, yo, xi, yi, 4, 4).fuse(xo, yo, xoo)),
        refusal(lambda f, g, h: g.compute_root().gpu_blocks(y)),
        refusal(lambda f, g, h: g.compute_root().specialize(hl.Param(hl.Bool(), "p"))),
        refusal(lambda f, g, h: (g.compute_root(), f.compute_at(g, x))),
        refusal(lambda f, g, h: (h.split(x, xo, xi, 4).vectorize(xi), g.compute_at(h, xi))),
        refusal(lambda f, g, h: g.compute_at(h, y).store_root().fold_storage(y, 4)),
        refusal(lambda f, g, h: (g.compute_at(h, y), f.compute_at(h, y).store_root().fold_storage(y, 4))),
        refusal(lambda f, g, h: g.compute_root().compute_with(f.compute_root(), y)),
    ]
    assert "\n".join(texts) == golden


def test_no_stage_is_computed_in_loops_that_stages_share():
    f, g = hl.Func("f"), extern("make", [1])
    h, two = hl.Func("h"), hl.Func("two")
    f[x, y] = g[x, y]
    two[x, y] = x
    h[x, y] = f[x, y] + two[x, y]
    f.compute_root()
    two.compute_root().compute_with(f, y)
    g.compute_root()
    assert np.array(h.realize([4, 3])).tolist() == [[(a + b) % 61 + a for a in range(4)] for b in range(3)]
    g.compute_at(f, y)
    with pytest.raises(hl.IllegalSchedule, match=r"loop f\.y is shared by stages"):
        h.realize([4, 3])
