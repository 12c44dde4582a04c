"""How much memory a Func gets, and where: folds, padding, bounds, and memory taken further out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.ir.expr import const
from halopy.ir.node import walk
from halopy.ir.stmt import Allocate, For, Stmt

from .pipelines import nests

x, y, c, xo, yo, xi, yi = hl.vars("x y c xo yo xi yi")
WIDTH, HEIGHT = 20, 12


def agrees(f: hl.Func, *sizes: int) -> None:
    np.testing.assert_array_equal(np.asarray(f.realize(list(sizes))), f.reference(list(sizes)))


def sizes(f: hl.Func) -> dict[str, str]:
    """Elements of every allocation."""
    return {n.buffer: str(n.size) for n in walk(nests(f).flat()) if isinstance(n, Allocate)}


def reading(*places: tuple[object, object]) -> tuple[hl.Func, hl.Func]:
    """f reads g at these places; f has a width that is known."""
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y * y
    f[x, y] = sum(((k + 1) * g[a, b] for k, (a, b) in enumerate(places)), hl.Expr(0))
    f.bound(x, 0, WIDTH).bound(y, 0, HEIGHT)
    return f, g


# Sizes that Halide gives to the same schedules.
SLIDING: dict[str, tuple[tuple[tuple[object, object], ...], int]] = {
    "a stencil in y keeps whole rows": (((x, y - 1), (x + 1, y + 1)), (WIDTH + 1) * 4),
    "windows that stand apart keep one": (((2 * x, 2 * y), (2 * x + 1, 2 * y + 1)), 2 * 2),
    "rows apart, a stencil in x": (((x, 2 * y), (x + 3, 2 * y + 1)), 4 * 2),
    "a stencil in y, columns apart": (((2 * x, y), (2 * x + 1, y + 3)), 2 * WIDTH * 4),
    "upsampling": (((x, y / 2), (x, y / 2 + 1)), WIDTH * 2),
}


@pytest.mark.parametrize("case", SLIDING)
def test_memory_is_folded_in_every_dimension_whose_windows_stand_apart(case: str) -> None:
    places, expected = SLIDING[case]
    f, g = reading(*places)
    g.store_root().compute_at(f, x)
    assert sizes(f)["g"] == str(expected)
    agrees(f, WIDTH, HEIGHT)


def test_vectors_keep_a_dense_dimension_that_could_be_folded() -> None:
    f, g = reading((x, 2 * y), (x, 2 * y + 1))
    f.vectorize(x, 4)
    g.store_root().compute_at(f, x)
    assert nests(f).regions.slides["g"].folds == {1: 2}
    agrees(f, WIDTH, HEIGHT)


def test_an_explicit_fold_is_as_small_as_it_says() -> None:
    f, g = reading((x, y), (x, y + 2))
    g.store_root().compute_at(f, y).fold_storage(y, 3)
    assert sizes(f)["g"] == str(WIDTH * 3)
    agrees(f, WIDTH, HEIGHT)


def test_a_fold_holds_where_all_of_a_window_is_computed_anew() -> None:
    f, g = reading((x, y), (x, y + 2))
    g.store_root().compute_at(f, y).fuse(x, y, hl.Var("t")).fold_storage(y, 3)
    assert "g" not in nests(f).regions.slides
    assert sizes(f)["g"] == str(WIDTH * 3)
    agrees(f, WIDTH, HEIGHT)


def test_folds_of_two_upsampled_stages_hold_together() -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    h[x, y] = x * y
    g[x, y] = h[x, y / 2] + h[x, y / 2 + 1]
    f[x, y] = g[x, y / 2] + g[x, y / 2 + 1]
    h.compute_at(f, y).store_root().fold_storage(y, 4)
    g.compute_at(f, y).store_root().fold_storage(y, 2)
    assert sizes(f) == {"h": "(f.extent.0*4)", "g": "(f.extent.0*2)"}
    agrees(f, 7, 21)


def test_a_fold_of_aligned_tiles_is_as_small_as_a_tile() -> None:
    a, b, d, out = hl.Func("a"), hl.Func("b"), hl.Func("d"), hl.Func("out")
    line, chunk = hl.vars("line chunk")
    round_up = hl.TailStrategy.RoundUp
    a[x, y] = x * 7 + y
    b[x, y] = hl.select(y % 2 == 0, a[x, y / 2], a[x, y / 2 + 1])
    d[x, y] = b[x, y]
    out[x, y] = d[x, y]
    out.bound(y, 0, 64).split(y, line, y, 2, round_up).split(line, chunk, line, 32, round_up)
    d.tile(x, y, xo, yo, x, y, 2, 2, round_up).compute_at(out, line).store_at(out, chunk)
    a.tile(x, y, xo, yo, x, y, 2, 2, round_up).compute_at(d, yo).store_at(out, chunk).fold_storage(y, 4)
    a.align_bounds(y, 2)
    agrees(out, 64, 64)


def test_rows_are_padded_to_a_multiple() -> None:
    f, g = reading((x, y), (x + 1, y))
    g.compute_root().align_storage(x, 16)
    assert sizes(f)["g"] == str(32 * HEIGHT)
    agrees(f, WIDTH, HEIGHT)


def test_padding_and_order_go_together_also_in_a_fold() -> None:
    f, g = reading((x, y), (x + 1, y + 1))
    g.store_root().compute_at(f, y).reorder_storage(y, x).fold_storage(y, 3).align_storage(y, 4).align_storage(x, 8)
    assert sizes(f)["g"] == str(4 * 24)
    agrees(f, WIDTH, HEIGHT)


def test_a_bound_on_storage_is_the_size() -> None:
    f, g = reading((x, y), (x + 1, y))
    g.compute_at(f, y).bound_storage(x, 32)
    assert sizes(f)["g"] == "32"
    agrees(f, WIDTH, HEIGHT)


def tiles(tail: hl.TailStrategy) -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + 3 * y
    f[x, y] = g[x - 1, y - 1] + g[x + 1, y + 1]
    f.tile(x, y, xo, yo, xi, yi, 16, 16, tail)
    return f, g


def depth_of(stmt: Stmt, buffer: str) -> int:
    """The number of loops around an allocation."""

    def search(node: Stmt, depth: int) -> int | None:
        if isinstance(node, Allocate) and node.buffer == buffer:
            return depth
        inner = depth + isinstance(node, For)
        found = (search(child, inner) for child in node.children() if isinstance(child, Stmt))
        return next((d for d in found if d is not None), None)

    depth = search(stmt, 0)
    assert depth is not None, f"{buffer} is allocated"
    return depth


HOISTED: dict[str, tuple[Callable[[hl.Func, hl.Func], object], int]] = {
    "where it is computed": (lambda f, g: g, 2),
    "one loop out": (lambda f, g: g.hoist_storage(f, yo), 1),
    "to the root": (lambda f, g: g.hoist_storage_root(), 0),
    "to the outermost place": (lambda f, g: g.hoist_storage(f, hl.Var.outermost()), 0),
    "to a level": (lambda f, g: g.hoist_storage(hl.LoopLevel(f, yo)), 1),
}


@pytest.mark.parametrize("case", HOISTED)
@pytest.mark.parametrize("tail", [hl.TailStrategy.RoundUp, hl.TailStrategy.GuardWithIf], ids=lambda t: t.name)
def test_hoisted_memory_is_as_large_as_one_iteration_needs(case: str, tail: hl.TailStrategy) -> None:
    hoist, depth = HOISTED[case]
    f, g = tiles(tail)
    hoist(f, g.compute_at(f, xo))
    assert nests(f).allocation("g").size is const(18 * 18)
    assert depth_of(nests(f).flat(), "g") == depth
    agrees(f, 64, 48)


def test_memory_is_hoisted_after_its_window_slides() -> None:
    f, g = tiles(hl.TailStrategy.RoundUp)
    g.compute_at(f, xi).store_at(f, yi).hoist_storage_root()
    assert "g" in nests(f).regions.slides
    assert nests(f).allocation("g").size is const(4 * 3)
    assert depth_of(nests(f).flat(), "g") == 0
    agrees(f, 32, 48)


def test_sizes_that_differ_between_iterations_are_covered() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x + 1
    f[x, y] = g[x] - g[x + y * 3]
    g.compute_at(f, y).hoist_storage_root()
    agrees(f, 9, 13)


def test_a_ring_buffer_has_its_memory_so_many_times() -> None:
    f, g = tiles(hl.TailStrategy.GuardWithIf)
    g.compute_at(f, xo).hoist_storage(f, yo).ring_buffer(3)
    assert nests(f).allocation("g").size is const(18 * 18 * 3)
    agrees(f, 39, 41)
    f, g = tiles(hl.TailStrategy.GuardWithIf)
    g.compute_at(f, xo).hoist_storage_root().ring_buffer(2).align_storage(x, 32)
    assert nests(f).allocation("g").size is const(32 * 18 * 2)
    agrees(f, 39, 41)


def test_each_iteration_uses_the_next_part_of_a_ring() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + 3 * y
    f[x, y] = g[x, y] + g[x + 1, y]
    g.compute_at(f, y).hoist_storage_root().ring_buffer(3)
    text = str(nests(f).flat())
    assert "let g.slot = ((f.s0.y - f.min.1) % 3)" in text
    agrees(f, 5, 9)


@pytest.mark.parametrize("kind", [hl.MemoryType.Stack, hl.MemoryType.Register], ids=lambda k: k.name)
def test_memory_of_a_size_that_a_number_bounds_is_on_the_stack_where_that_is_wanted(kind: hl.MemoryType) -> None:
    p = hl.Param(hl.Bool(), "p")
    p.set(True)
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * 3
    f[x] = g[hl.select(p, 0, 2)] + g[0]
    g.compute_root().store_in(kind)
    assert nests(f).allocation("g").size is const(3)
    agrees(f, 9)
