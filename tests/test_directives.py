"""Every directive, alone and with others, on sizes that divide and that do not, from shifted mins."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, c, xo, xi, yo, yi, t = (hl.Var(n) for n in ("x", "y", "c", "xo", "xi", "yo", "yi", "t"))
T = hl.TailStrategy
Schedule = Callable[[hl.Func, hl.Func], object]  # of the output f and its producer g

SIZES = [(16, 8), (17, 9), (23, 5)]
MINS = [(0, 0), (-7, 3)]


def pipeline() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 5 - y * y
    f[x, y] = g[x - 1, y] + 2 * g[x + 1, y + 1]
    return f, g


ALONE: dict[str, Schedule] = {
    "nothing": lambda f, g: None,
    "compute_root": lambda f, g: g.compute_root(),
    "compute_at outer": lambda f, g: g.compute_at(f, y),
    "compute_at inner": lambda f, g: g.compute_at(f, x),
    "store_root": lambda f, g: g.store_root().compute_at(f, y),
    "store_at": lambda f, g: g.store_at(f, y).compute_at(f, x),
    "split": lambda f, g: f.split(x, xo, xi, 4),
    "split twice": lambda f, g: f.split(x, xo, xi, 8).split(xi, xi, t, 3, T.GuardWithIf),
    "split outer again": lambda f, g: f.split(x, xo, xi, 3, T.GuardWithIf).split(xo, xo, t, 2, T.GuardWithIf),
    "tile": lambda f, g: f.tile(x, y, xo, yo, xi, yi, 4, 4),
    "fuse": lambda f, g: f.fuse(x, y, t),
    "reorder": lambda f, g: f.reorder(y, x),
    "rename": lambda f, g: f.rename(x, t),
    "vectorize": lambda f, g: f.vectorize(x, 8),
    "vectorize odd": lambda f, g: f.vectorize(x, 5),
    "vectorize rows": lambda f, g: f.vectorize(y, 4),
    "unroll": lambda f, g: f.unroll(x, 4),
    "parallel": lambda f, g: f.parallel(y),
    "parallel twice": lambda f, g: f.parallel(y).parallel(x),
    "parallel tasks": lambda f, g: f.parallel(y, 2),
    "serial": lambda f, g: f.parallel(y).serial(y),
    "align_bounds": lambda f, g: g.compute_root().align_bounds(x, 8).align_bounds(y, 4, 1),
    "reorder_storage": lambda f, g: g.compute_root().reorder_storage(y, x),
    "store_in": lambda f, g: g.compute_root().store_in(hl.MemoryType.Heap),
    "bound": lambda f, g: g.compute_root().bound(x, -20, 60).bound(y, -20, 60),
}

INNER: dict[str, Schedule] = {
    "vectorized tiles": lambda f, g: f.tile(x, y, xo, yo, xi, yi, 8, 4).vectorize(xi),
    "parallel strips": lambda f, g: f.split(y, yo, yi, 4).parallel(yo).vectorize(x, 4),
    "guarded strips": lambda f, g: f.split(y, yo, yi, 3, T.GuardWithIf).parallel(yo).vectorize(x, 4, T.GuardWithIf),
    "fused tiles": lambda f, g: f.tile(x, y, xo, yo, xi, yi, 4, 2).fuse(xo, yo, t).parallel(t),
    "unrolled lanes": lambda f, g: f.split(x, xo, xi, 8).vectorize(xi, 4).unroll(xi),
    "columns": lambda f, g: f.reorder(y, x).unroll(y, 2),
}

PLACES: dict[str, Schedule] = {
    "inline": lambda f, g: None,
    "root": lambda f, g: g.compute_root().vectorize(x, 4),
    "outermost": lambda f, g: g.compute_at(f, outermost(f)).vectorize(x, 4),
    "innermost": lambda f, g: g.compute_at(f, innermost(f)),
    "sliding": lambda f, g: g.store_at(f, outermost(f)).compute_at(f, innermost(f)),
}


def outermost(f: hl.Func) -> hl.Var:
    return hl.Var(f._contents.schedule().nests[0].loop_names[-1])


def innermost(f: hl.Func) -> hl.Var:
    """The innermost loop that is no vector."""
    dims = f._contents.schedule().nests[0].dims
    return hl.Var(next(d.name for d in dims if d.kind.value not in ("vectorized", "unrolled")))


def agrees(f: hl.Func, size: tuple[int, int], mins: tuple[int, int]) -> None:
    out = hl.Buffer(hl.Int(32), list(size))
    out.set_min(list(mins))
    f.realize(out)
    np.testing.assert_array_equal(np.asarray(out), f.reference(out))


@pytest.mark.parametrize("name", ALONE)
def test_a_directive_alone_keeps_the_answer(name: str) -> None:
    f, g = pipeline()
    ALONE[name](f, g)
    for size, mins in itertools.product(SIZES, MINS):
        agrees(f, size, mins)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("inner", INNER)
def test_directives_together_keep_the_answer(inner: str, place: str) -> None:
    f, g = pipeline()
    INNER[inner](f, g)
    PLACES[place](f, g)
    for size, mins in itertools.product(SIZES, MINS):
        agrees(f, size, mins)


@pytest.mark.parametrize("tail", [t for t in T if t is not T.Auto], ids=lambda t: t.name)
@pytest.mark.parametrize("inner", ["serial", "vectorize", "unroll"])
def test_every_tail_keeps_the_answer(tail: hl.TailStrategy, inner: str) -> None:
    f, g = pipeline()
    g.compute_root()
    f.split(x, xo, xi, 4, tail)
    if inner != "serial":
        getattr(f, inner)(xi)
    sizes = [(16, 8)] if tail is T.RoundUp else SIZES
    for size, mins in itertools.product(sizes, MINS):
        agrees(f, size, mins)


@pytest.mark.parametrize("tail", [T.GuardWithIf, T.RoundUp, T.ShiftInwardsAndBlend, T.RoundUpAndBlend, T.Predicate], ids=lambda t: t.name)  # fmt: skip # noqa: E501
def test_every_tail_of_an_update_applies_it_once_to_each_element(tail: hl.TailStrategy) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y
    g[x, y] = g[x, y] * 2 + 1
    f[x, y] = g[x, y] - g[x + 1, y]
    g.compute_root()
    g.update(0).split(x, xo, xi, 4, tail).vectorize(xi)
    for size, mins in itertools.product(SIZES, MINS):
        agrees(f, size, mins)


def test_update_stages_have_schedules_of_their_own() -> None:
    f = hl.Func("f")
    r = hl.RDom([(0, 5)], "r")
    f[x, y] = x
    f[x, y] += y * 3
    f[x, y] += r.x * x
    f.vectorize(x, 4, T.GuardWithIf)
    f.update(0).unroll(y, 2, T.GuardWithIf).parallel(x)
    f.update(1).reorder(x, r.x, y).vectorize(x, 4, T.GuardWithIf).parallel(y)
    for size, mins in itertools.product(SIZES, MINS):
        agrees(f, size, mins)


def test_a_bounded_channel_loop_is_unrolled_innermost() -> None:
    f = hl.Func("f")
    f[x, y, c] = x + 10 * y + 100 * c
    f.bound(c, 0, 3).reorder(c, x, y).unroll(c).vectorize(x, 4, T.GuardWithIf)
    out = np.asarray(f.realize([7, 5, 3]))
    np.testing.assert_array_equal(out, f.reference([7, 5, 3]))
