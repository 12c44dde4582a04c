"""Conditions of a `where` around what is computed for its sake: values, regions, memory and how often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y = hl.vars("x y")


def triangle(image: hl.ImageParam) -> tuple[hl.Func, hl.Func, hl.RDom]:
    """f(x) sums g, which has an update, over r.x <= r.y < x."""
    f, g = hl.Func("f"), hl.Func("g")
    s = hl.RDom([(0, 3)], "s")
    g[x, y] = image[x, y] * 3
    g[x, y] += s.x
    g.update(0).unscheduled()
    r = hl.RDom([(0, 20), (0, 20)], "r")
    r.where((r.x <= r.y) & (r.y < x))
    f[x] = 0
    f[x] += g[r.x, r.y]
    return f, g, r


def split(f: hl.Func, g: hl.Func, r: hl.RDom) -> None:
    outer, inner = hl.RVar("outer"), hl.RVar("inner")
    f.update().split(r.y, outer, inner, 3)
    g.compute_at(f, inner)


def swapped(f: hl.Func, g: hl.Func, r: hl.RDom) -> None:
    f.update().reorder(r.y, r.x)
    g.compute_at(f, r.y)


PLACES: dict[str, Callable[[hl.Func, hl.Func, hl.RDom], object]] = {
    "inline": lambda f, g, r: None,
    "innermost": lambda f, g, r: g.compute_at(f, r.x),
    "in rows": lambda f, g, r: g.compute_at(f, r.y).vectorize(x, 4, hl.TailStrategy.GuardWithIf),
    "in x": lambda f, g, r: g.compute_at(f, x),
    "parallel": lambda f, g, r: (g.compute_at(f, r.x), f.update().parallel(x)),
    "unrolled": lambda f, g, r: (g.compute_at(f, r.y), f.update().unroll(r.y, 4)),
    "split": split,
    "swapped": swapped,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [1, 2, 9])
def test_a_triangle_needs_the_inputs_of_the_triangle(place: str, size: int) -> None:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    f, g, r = triangle(image)
    PLACES[place](f, g, r)
    width = max(size - 1, 1)
    image.set(np.arange(width * width, dtype=np.int32).reshape(width, width))
    np.testing.assert_array_equal(f.realize([size]), f.reference([size]))


@pytest.mark.parametrize("place", PLACES)
def test_no_larger_input_is_asked_for(place: str) -> None:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    f, g, r = triangle(image)
    PLACES[place](f, g, r)
    f.infer_input_bounds([9])
    assert [image.get().dim(d).min() for d in (0, 1)] == [0, 0]
    assert [image.get().dim(d).extent() for d in (0, 1)] == [8, 8]


def test_lanes_decide_a_condition_for_themselves() -> None:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    f, g, r = triangle(image)
    g.compute_at(f, r.x)
    f.update().vectorize(x, 4)
    image.set(np.arange(400, dtype=np.int32).reshape(20, 20))
    np.testing.assert_array_equal(f.realize([9]), f.reference([9]))


def stores(f: hl.Func, g: hl.Func, *sizes: int) -> int:
    g.trace_stores()
    with hl.trace() as events:
        f.realize(list(sizes))
    return sum(len(e.coordinates) for e in events if e.event is hl.TraceKind.STORE and e.func == g.name())


def test_what_is_computed_inside_is_computed_where_the_condition_holds() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 10)], "r")
    r.where(r.x % 2 == 0)
    g[x, y] = x * y
    f[x] = 0
    f[x] += g[x, r.x]
    g.compute_at(f, r.x)
    assert stores(f, g, 6) == 6 * 5


def test_a_condition_on_data_stands_outside_too() -> None:
    mask, f, g = hl.Buffer(np.array([0, 1, 1, 0, 1], np.uint8)), hl.Func("f"), hl.Func("g")
    r = hl.RDom([(0, 5)], "r")
    r.where(mask[r.x] != 0)
    g[x] = x + 1
    f[x] = 0
    f[x] += g[r.x]
    g.compute_at(f, r.x)
    assert stores(f, g, 2) == 2 * 3


def test_a_condition_that_reads_what_is_computed_inside_stays_inside() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 7)], "r")
    g[x] = x * x
    r.where((g[r.x] > 10) & (r.x != 5))
    f[x] = x
    f[x] += g[r.x]
    g.compute_at(f, r.x)
    assert stores(f, g, 3) == 3 * 6
    np.testing.assert_array_equal(f.realize([3]), f.reference([3]))


def test_a_window_slides_over_iterations_that_do_nothing() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 12)], "r")
    r.where(r.x % 3 != 1)
    g[x] = x * x
    f[x] = 0
    f[x] += g[r.x] + g[r.x + 1]
    g.store_at(f, x).compute_at(f, r.x)
    np.testing.assert_array_equal(f.realize([4]), f.reference([4]))


def test_an_update_that_reads_itself_in_its_condition_is_asked_each_time() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 12)], "r")
    g[x] = x + 1
    f[x] = 0
    r.where(f[x] < 20)
    f[x] += g[r.x]
    g.compute_at(f, r.x)
    np.testing.assert_array_equal(f.realize([4]), f.reference([4]))


def test_stages_that_share_a_loop_keep_their_conditions() -> None:
    f, g, h, r = hl.Func("f"), hl.Func("g"), hl.Func("h"), hl.RDom([(0, 8)], "r")
    r.where(r.x < x)
    g[x] = x + 1
    h[x] = x * 2
    f[x] = 0
    f[x] += g[r.x]
    out = hl.Pipeline([f, h])
    h.compute_with(f.update(), x)
    g.compute_at(f, r.x)
    made, other = out.realize([9])
    np.testing.assert_array_equal(made, [sum(range(1, min(n, 8) + 1)) for n in range(9)])
    np.testing.assert_array_equal(other, np.arange(9) * 2)
