"""Windows slide also where the producer's own loops are split: by whole tiles, which compute nothing that is gone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.lower.check_dataflow import dataflow
from halopy.lower.fold_storage import fold_storage
from halopy.proof import PROVED

from .pipelines import nests

x, y, xi, yi, xo, yo, xii = (hl.Var(n) for n in ("x", "y", "xi", "yi", "xo", "yo", "xii"))
TAILS = ("GuardWithIf", "ShiftInwards", "RoundUp", "Predicate", "ShiftInwardsAndBlend", "RoundUpAndBlend")


def pair(*, updated: bool = False) -> tuple[hl.Func, hl.Func]:
    """A consumer of a three by three stencil, and the producer."""
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y * y
    if updated:
        g[x, y] += g[x, y] * 2
    f[x, y] = g[x - 1, y - 1] + g[x + 1, y + 1] * 2
    return f, g


def stores(f: hl.Func, g: hl.Func, *sizes: int) -> int:
    """How many values of `g` are computed; those of `f` are right."""
    g.trace_stores()
    with hl.trace() as events:
        found = f.realize(list(sizes))
    np.testing.assert_array_equal(np.asarray(found), f.reference(list(sizes)))
    return sum(len(e.coordinates) for e in events if e.event is hl.TraceKind.STORE and e.func == g.name())


def is_proved(f: hl.Func) -> bool:
    """Whether isl finds every value in folded memory where the algorithm wants it."""
    nest = nests(f)
    folded = fold_storage(nest.stmt, nest.regions.folds)
    return all(o.status == PROVED for o in dataflow(nest.stmt, folded, nest.placement.program))


def test_vectors_of_a_row_are_computed_once() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x] = g[x + 1] + g[x - 1]
    g.store_root().compute_at(f, x).vectorize(x, 4)
    f.vectorize(x, 4)
    assert stores(f, g, 100) == 8 + 24 * 4


def test_vectors_slide_in_both_dimensions() -> None:
    f, g = pair()
    f.vectorize(x, 4)
    g.store_root().compute_at(f, x).vectorize(x, 4)
    assert stores(f, g, 12, 10) == 16 * 12


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("height", [5, 26])
def test_split_rows_slide_by_whole_tiles(tail: str, height: int) -> None:
    f, g = pair()
    f.split(y, yo, yi, 4, hl.TailStrategy.GuardWithIf)
    g.store_root().compute_at(f, yo).split(y, y, yi, 2, getattr(hl.TailStrategy, tail))
    assert nests(f).regions.slides["g"].folds == {1: 8}
    assert stores(f, g, 5, height) <= 7 * (height + 3)


def test_a_tile_larger_than_the_step_recomputes_rows_that_are_still_there() -> None:
    f, g = pair()
    f.split(y, yo, yi, 2, hl.TailStrategy.RoundUp)
    g.store_root().compute_at(f, yo).split(y, y, yi, 3)
    assert is_proved(f)
    assert stores(f, g, 4, 10) == 6 * (2 * 3 + 4 * 3)


SPLITS: dict[str, Callable[[hl.Func], hl.Func]] = {
    "a tile in parts": lambda g: g.split(x, xo, xi, 8).split(xi, xi, xii, 4).unroll(xi),
    "a tile of tiles": lambda g: g.split(x, xo, xi, 2).split(xo, xo, xii, 2),
    "vectors of rows": lambda g: g.split(y, yo, yi, 2).vectorize(x, 4),
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("size", [(7, 5), (21, 9)])
def test_tiles_of_tiles_slide(split: str, tail: str, size: tuple[int, int]) -> None:
    f, g = pair()
    f.tile(x, y, xo, yo, xi, yi, 4, 4, getattr(hl.TailStrategy, tail))
    SPLITS[split](g.store_root().compute_at(f, xo))
    if "RoundUp" in tail:
        size = (size[0] // 4 * 4, size[1] // 4 * 4)
    assert "g" in nests(f).regions.slides
    stores(f, g, *size)


def test_parts_that_pass_the_end_of_their_tile_do_not_slide() -> None:
    f, g = pair()
    f.split(y, yo, yi, 8)
    g.store_root().compute_at(f, yo).split(y, y, yi, 4).split(yi, yi, xii, 3)
    assert "g" not in nests(f).regions.slides
    stores(f, g, 5, 16)


def test_a_window_slides_backwards_by_whole_tiles() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y * y
    f[x, y] = g[x, -y] + g[x, 2 - y]
    f.split(y, yo, yi, 4, hl.TailStrategy.RoundUp)
    g.store_root().compute_at(f, yo).split(y, y, yi, 2)
    assert is_proved(f)
    assert stores(f, g, 3, 12) == 3 * (6 + 2 * 4)


def test_tiles_of_a_func_with_updates_slide_if_guards_end_them() -> None:
    f, g = pair(updated=True)
    f.split(y, yo, yi, 4)
    g.store_root().compute_at(f, yo)
    guard = hl.TailStrategy.GuardWithIf
    g.split(y, y, yi, 3, guard)
    g.update().split(y, y, yi, 2, guard)
    assert stores(f, g, 5, 16) == 2 * 7 * 18


def test_tiles_of_a_func_with_updates_do_not_slide_where_they_overlap() -> None:
    f, g = pair(updated=True)
    f.split(y, yo, yi, 4)
    g.store_root().compute_at(f, yo).split(y, y, yi, 3)
    assert "g" not in nests(f).regions.slides
    stores(f, g, 5, 16)


def test_what_a_tile_computes_again_is_made_of_rows_that_are_still_there() -> None:
    f, g, source = hl.Func("f"), hl.Func("g"), hl.Func("source")
    source[x, y] = x + 5 * y
    g[x, y] = source[x, y - 1] - source[x, y + 1]
    f[x, y] = g[x, y - 1] + g[x, y + 1] * 2
    f.split(y, yo, yi, 2, hl.TailStrategy.RoundUp)
    g.store_root().compute_at(f, yo).split(y, y, yi, 3)
    source.store_root().compute_at(f, yo)
    assert set(nests(f).regions.slides) == {"g", "source"}
    assert is_proved(f)
    assert stores(f, source, 4, 10) == 4 * 14


def test_what_an_async_func_may_be_read_of_is_not_computed_again() -> None:
    f, g = pair()
    f.split(y, yo, yi, 2)
    g.store_root().compute_at(f, yo).split(y, y, yi, 3).async_()
    assert "g" not in nests(f).regions.slides
    np.testing.assert_array_equal(np.asarray(f.realize([4, 10])), f.reference([4, 10]))


def test_a_window_in_registers_is_as_long_as_its_tiles() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x] = g[x + 1] + g[x - 1]
    g.store_root().compute_at(f, x).store_in(hl.MemoryType.Register).split(x, x, xi, 8).vectorize(xi, 4).unroll(xi)
    f.vectorize(x, 4, hl.TailStrategy.RoundUp)
    stores(f, g, 100)


def test_a_window_slides_whose_reader_is_computed_for_one_that_slides() -> None:
    funcs = [hl.Func(n) for n in ("a", "b", "c", "d", "e")]
    a, b, c, d, e = funcs
    a[x, y] = x + y * 3
    b[x, y] = a[x, y - 1] + a[x, y + 1]
    c[x, y] = b[x - 1, y] - b[x + 1, y]
    d[x, y] = c[x, y - 1] + c[x, y + 1]
    e[x, y] = d[x - 1, y] - d[x + 1, y]
    d.compute_at(e, y)
    c.store_root().compute_at(e, y)
    b.compute_at(c, y)
    a.store_root().compute_at(e, y)
    assert stores(e, a, 10, 10) == 14 * 14
