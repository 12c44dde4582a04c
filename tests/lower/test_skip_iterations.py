"""Funcs are computed in those iterations of a loop in which something may read them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, xi, yi, xo, yo = hl.vars("x y xi yi xo yo")
WIDTH, HEIGHT = 12, 10


def chosen(condition: hl.Expr) -> tuple[hl.Func, hl.Func]:
    """A consumer that reads the producer where the condition holds, and the producer."""
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y
    f[x, y] = hl.select(condition, g[x, y] + g[x + 1, y], 7)
    return f, g


def stores(out: hl.Func, func: hl.Func, *sizes: int) -> int:
    """How many values of the Func are computed; those of the output are right."""
    func.trace_stores()
    sizes = sizes or (WIDTH, HEIGHT)
    with hl.trace() as events:
        made = out.realize(list(sizes))
    np.testing.assert_array_equal(np.asarray(made), out.reference(list(sizes)))
    return sum(len(e.coordinates) for e in events if e.event is hl.TraceKind.STORE and e.func == func.name())


CONDITIONS: dict[str, tuple[Callable[[], hl.Expr], int]] = {
    "rows past a number": (lambda: y > 5, 4),
    "every other row": (lambda: y % 2 == 0, 5),
    "rows between": (lambda: (y >= 3) & (y < 5), 2),
    "either end": (lambda: (y < 2) | (y > 8), 3),
    "all but one": (lambda: y != 4, 9),
    "columns that are there": (lambda: x > 5, 10),
    "columns that are not there": (lambda: x > 50, 0),
    "a column that is not there": (lambda: x == -1, 0),
    "an edge of the picture": (lambda: x + y < 5, 5),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_row_is_computed_where_something_in_it_may_be_read(name: str) -> None:
    condition, rows = CONDITIONS[name]
    f, g = chosen(condition())
    g.compute_at(f, y)
    assert stores(f, g) == rows * (WIDTH + 1)


def test_a_point_is_computed_where_it_is_read() -> None:
    f, g = chosen(x > 5)
    g.compute_at(f, x)
    assert stores(f, g) == 6 * 2 * HEIGHT


@pytest.mark.parametrize("tail", ["GuardWithIf", "ShiftInwards", "Predicate"])
def test_tiles_that_a_condition_misses_are_skipped(tail: str) -> None:
    f, g = chosen((x >= 8) & (y < 3))
    f.tile(x, y, xo, yo, xi, yi, 4, 2, getattr(hl.TailStrategy, tail)).parallel(yo)
    g.compute_at(f, xo)
    assert stores(f, g) == 2 * 5 * 2
    f, g = chosen((x >= 8) & (y < 3))
    f.tile(x, y, xo, yo, xi, yi, 4, 2, getattr(hl.TailStrategy, tail)).vectorize(xi)
    g.compute_at(f, xo).vectorize(x, 4)
    stores(f, g, 13, 5)


def test_tiles_outside_of_a_boundary_are_skipped() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y
    framed = hl.BoundaryConditions.constant_exterior(g, 0, [(0, 6), (0, 4)])
    f[x, y] = framed[x - 1, y] + framed[x, y]
    g.compute_at(f, y)
    assert stores(f, g) == 6 * 4


def test_what_only_a_skipped_func_reads_is_skipped() -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    h[x, y] = x + y
    g[x, y] = h[x, y] + h[x + 1, y]
    f[x, y] = hl.select(y % 2 == 0, g[x, y], 5)
    g.compute_at(f, y)
    h.compute_at(f, y)
    assert stores(f, h) == 5 * (WIDTH + 1)


def test_what_another_stage_reads_too_is_computed() -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    h[x, y] = x + y
    g[x, y] = h[x, y] + 1
    f[x, y] = hl.select(y % 2 == 0, g[x, y], h[x, y])
    g.compute_at(f, y)
    h.compute_at(f, y)
    assert stores(f, h) == WIDTH * HEIGHT


def test_an_iteration_of_a_reduction_is_an_iteration() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 6)], "r")
    g[x] = x * 5
    f[x, y] = 0
    f[x, y] += hl.select(r.x > y, g[x + r.x], 1)
    f.update().reorder(x, r.x, y)
    g.compute_at(f, r.x)
    assert stores(f, g, 5, 7) == 5 * (5 + 4 + 3 + 2 + 1)


def test_a_condition_on_values_skips_nothing() -> None:
    chooser = hl.Buffer(np.arange(WIDTH * HEIGHT, dtype=np.int32).reshape(HEIGHT, WIDTH))
    f, g = chosen(chooser[x, y] > 50)
    g.compute_at(f, x)
    assert stores(f, g) == 2 * WIDTH * HEIGHT


@pytest.mark.parametrize("slides", [True, False])
def test_what_outlives_the_iteration_is_computed(slides: bool) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y
    f[x, y] = hl.select(y > 5, g[x, y] + g[x, y + slides], 7)
    g.store_root().compute_at(f, y)
    assert stores(f, g) == WIDTH * (HEIGHT + slides)


@pytest.mark.parametrize("store", ["root", "inside"])
def test_a_window_that_slides_inside_of_what_may_be_skipped_is_kept_up(store: str) -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    h[x, y] = x + y * 5
    g[x, y] = h[x, y] - h[x, y + 1]
    f[x, y] = hl.select(y % 3 != 1, g[x, y], 5)
    g.compute_at(f, y)
    h.compute_at(g, x)
    h.store_root() if store == "root" else h.store_at(g, y)
    rows = HEIGHT if store == "root" else 7
    assert stores(f, g) == rows * WIDTH


def test_chains_in_one_loop_are_asked_about_once() -> None:
    funcs = [hl.Func(f"f{n}") for n in range(60)]
    funcs[0][x, y] = x + y
    funcs[1][x, y] = x * y
    for before, last, func in zip(funcs, funcs[1:], funcs[2:], strict=False):
        func[x, y] = hl.select(y > 3, before[x, y] + last[x, y], x)
    for func in funcs[:-1]:
        func.compute_at(funcs[-1], y)
    assert stores(funcs[-1], funcs[0], 4, 6) == 4 * 2
