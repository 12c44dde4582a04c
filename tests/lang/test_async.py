"""Async Funcs are computed by threads of their own, and every value is what it would be without."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

import halopy as hl

x, y, xo, yo, xi, yi = map(hl.Var, ("x", "y", "xo", "yo", "xi", "yi"))

SIZES = ((16, 16), (1, 1), (37, 23))


def check(out: hl.Func, *sizes: tuple[int, ...]) -> None:
    """The pipeline computes what the oracle does, several times over."""
    for size in sizes or SIZES:
        expected = np.asarray(out.reference(list(size)))
        for _ in range(3):
            np.testing.assert_array_equal(np.asarray(out.realize(list(size))), expected)


def pair(stencil: Callable[[hl.Func], hl.Expr] | None = None) -> tuple[hl.Func, hl.Func]:
    """A producer and what reads it, above and below unless told."""
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = x * 3 + y * y
    f[x, y] = stencil(g) if stencil else g[x - 1, y - 1] + g[x + 1, y + 1]
    return g, f


TOGETHER = {
    "computed at the root": lambda g, f: g.compute_root().async_(),
    "sliding": lambda g, f: g.store_root().compute_at(f, y).async_(),
    "sliding, folded to the window": lambda g, f: g.store_root().fold_storage(y, 3).compute_at(f, y).async_(),
    "sliding, folded with room for one row": lambda g, f: g.store_root().fold_storage(y, 4).compute_at(f, y).async_(),
    "sliding, folded with room": lambda g, f: g.store_root().fold_storage(y, 8).compute_at(f, y).async_(),
    "sliding over both": lambda g, f: g.store_root().fold_storage(y, 8).compute_at(f, x).async_(),
    "in a parallel loop": lambda g, f: (f.parallel(y), g.compute_at(f, y).async_()),
    "sliding in a parallel loop": lambda g, f: (f.parallel(y), g.compute_at(f, x).store_at(f, y).async_()),
    "with a parallel loop": lambda g, f: g.store_root().compute_at(f, y).parallel(x).async_(),
    "for a vectorized consumer": lambda g, f: (
        f.vectorize(x, 8, hl.TailStrategy.GuardWithIf),
        g.store_root().compute_at(f, y).vectorize(x, 8).async_(),
    ),
    "inside a vectorized loop": lambda g, f: (
        f.split(x, xo, xi, 4, hl.TailStrategy.GuardWithIf).vectorize(xi),
        g.compute_at(f, xi).async_(),
    ),
    "for an unrolled consumer": lambda g, f: (
        f.unroll(y, 4, hl.TailStrategy.GuardWithIf),
        g.store_root().compute_at(f, y).async_(),
    ),
    "specialized": lambda g, f: (
        f.specialize(f.output_buffer().width() > 4).vectorize(x, 4),
        g.store_root().compute_at(f, y).fold_storage(y, 4).async_(),
    ),
    "split, so computed anew": lambda g, f: g.store_root().split(y, yo, yi, 2).compute_at(f, y).async_(),
    "in tiles": lambda g, f: (
        f.tile(x, y, xo, yo, xi, yi, 8, 8, hl.TailStrategy.GuardWithIf),
        g.compute_at(f, xo).store_at(f, yo).async_(),
    ),
    "in a ring": lambda g, f: (
        f.tile(x, y, xo, yo, xi, yi, 8, 8, hl.TailStrategy.GuardWithIf),
        g.compute_at(f, xo).hoist_storage(f, yo).ring_buffer(2).async_(),
    ),
    "in a ring taken at the root": lambda g, f: (
        f.tile(x, y, xo, yo, xi, yi, 8, 8, hl.TailStrategy.GuardWithIf),
        g.compute_at(f, xo).hoist_storage_root().ring_buffer(3).async_(),
    ),
    "sliding in each part of a ring": lambda g, f: (
        f.tile(x, y, xo, yo, xi, yi, 8, 8, hl.TailStrategy.GuardWithIf),
        g.compute_at(f, yi).store_at(f, xo).hoist_storage(f, yo).ring_buffer(2).async_(),
    ),
    "in a ring of one": lambda g, f: g.compute_at(f, y).hoist_storage_root().ring_buffer(1).async_(),
    "memoized": lambda g, f: g.compute_root().memoize().async_(),
}


@pytest.mark.parametrize("how", TOGETHER)
def test_async_producer_changes_no_value(how: str) -> None:
    g, f = pair()
    TOGETHER[how](g, f)
    check(f)


@pytest.mark.parametrize(
    "window",
    [
        lambda g: g[x, -y] + g[x, -y + 1],
        lambda g: g[x - 1, hl.min(y - 1, 15)] + g[x + 1, hl.min(y + 1, 17)],
        lambda g: g[x - 1, -hl.min(y - 1, 15)] + g[x + 1, -hl.min(y + 1, 17)],
        lambda g: g[x, 2 * y - 1] + g[x, 2 * y] + g[x, 2 * y + 1] + g[x, 2 * y + 2],
        lambda g: g[x, y // 3] + g[x, y // 3 + 1],
        lambda g: g[x, hl.clamp(y * y, 0, 9)],
    ],
    ids=["backwards", "standing still", "backwards, standing still", "by two", "by a third", "jumping"],
)
@pytest.mark.parametrize("fold", [None, 8])
def test_async_producer_follows_every_window(window: Callable[[hl.Func], hl.Expr], fold: int | None) -> None:
    g, f = pair(window)
    g.store_root().compute_at(f, y).async_()
    try:
        if fold is not None:
            g.fold_storage(y, fold)
        check(f, (5, 40), (3, 1))
    except hl.ScheduleError as refused:
        assert "are in use at once" in str(refused)  # a jumping window needs more than 8 rows


def test_folds_over_both_dimensions_keep_what_is_in_use() -> None:
    g, f = pair(lambda g: g[x - 1, y] + g[x + 1, y])
    g.store_root().fold_storage(x, 8).fold_storage(y, 2).compute_at(f, x).async_()
    check(f)


def test_updates_of_an_async_producer_are_finished_before_they_are_read() -> None:
    g, f = hl.Func("g"), hl.Func("f")
    r = hl.RDom([(0, 3)])
    g[x, y] = x * 3 + y * y
    g[x, y] += r.x * g[x, y]
    g[x, y] = g[x, y] - x
    f[x, y] = g[x - 1, y - 1] + g[x + 1, y + 1]
    g.store_root().compute_at(f, y).async_()
    check(f)


def test_tuple_of_an_async_producer() -> None:
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = hl.Tuple(x + y, hl.f32(x) * y)
    f[x, y] = g[x, y - 1][0] + hl.i32(g[x, y + 1][1])
    g.store_root().compute_at(f, y).async_()
    check(f)


def chain(*names: str) -> list[hl.Func]:
    """Funcs that each read the one before, above and below."""
    funcs = [hl.Func(name) for name in names]
    funcs[0][x, y] = x + y * 2
    for before, func in pairwise(funcs):
        func[x, y] = before[x - 1, y - 1] + before[x + 1, y + 1]
    return funcs


def test_chain_of_async_producers_all_run_ahead() -> None:
    *producers, out = chain("a", "b", "c", "d")
    for producer in producers:
        producer.store_root().compute_at(out, y).async_()
    check(out)


def test_async_producer_inside_an_async_producer() -> None:
    f0, f1, f2 = chain("f0", "f1", "f2")
    f1.compute_at(f2, y).async_()
    f0.compute_at(f1, x).async_()
    check(f2)


def test_async_producers_feed_each_other_over_different_loops() -> None:
    p1, c1, p2, c2 = (hl.Func(name) for name in ("p1", "c1", "p2", "c2"))
    p1[x, y] = x + y
    c1[x, y] = p1[x - 1, y] + p1[x + 1, y]
    p2[x, y] = c1[x, y - 1] + c1[x, y + 1]
    c2[x, y] = p2[x - 1, y] + p2[x + 1, y]
    p2.store_at(c2, y).compute_at(c2, x).async_()
    c1.store_root().compute_at(c2, y).async_()
    p1.store_at(c2, y).compute_at(c1, x).async_()
    check(c2)


def test_async_producers_of_one_consumer() -> None:
    for place in (
        lambda g, f: g.compute_root(),
        lambda g, f: g.compute_at(f, y),
        lambda g, f: g.store_at(f, y).compute_at(f, x),
    ):
        for parallel in (False, True):
            p1, p2, f = (hl.Func(name) for name in ("p1", "p2", "f"))
            p1[x, y] = x * 2 + y
            p2[x, y] = y * 3 - x
            f[x, y] = p1[x - 1, y] + p1[x + 1, y] + p2[x - 2, y] + p2[x + 2, y]
            place(p1, f).async_()
            place(p2, f).async_()
            if parallel:
                f.parallel(y)
            check(f)


def test_async_producer_that_a_second_one_and_the_consumer_read() -> None:
    for first in ("root", "row", "stored at the root", "async"):
        p1, p2, f = (hl.Func(name) for name in ("p1", "p2", "f"))
        p1[x, y] = x + y
        p2[x, y] = p1[x, y]
        f[x, y] = p1[x, y - 1] + p2[x, y + 1]
        if first == "root":
            p1.compute_root()
            p2.store_root().compute_at(f, y).async_()
        elif first == "row":
            p1.compute_at(f, y)
            p2.compute_at(f, y).async_()
        elif first == "stored at the root":
            p1.store_root().compute_at(f, y).async_()
            p2.compute_at(f, y).async_()
        else:
            p1.store_root().compute_at(f, y).async_()
            p2.store_root().compute_at(f, y).async_()
        check(f)


def test_what_an_async_producer_needs_for_itself_goes_with_it() -> None:
    friend, g, f = hl.Func("friend"), hl.Func("g"), hl.Func("f")
    friend[x, y] = x + y
    g[x, y] = x + y + friend[x, y]
    f[x, y] = g[x, y] + g[x, y + 1]
    friend.compute_at(g, hl.Var.outermost())
    g.store_root().compute_at(f, y).async_()
    check(f)


@pytest.mark.parametrize("slots", [1, 2, 3, 5])
def test_rings_of_several_async_producers(slots: int) -> None:
    p1, p2, i1, i2, f = (hl.Func(name) for name in ("p1", "p2", "i1", "i2", "f"))
    p1[x, y] = x + y
    p2[x, y] = p1[x, y] + x * y
    i1[x, y] = p1[x - 1, y + 1] + p2[x, y]
    i2[x, y] = p1[x, y] + p2[x + 1, y - 1]
    f[x, y] = i1[x, y] + i2[x, y]
    f.tile(x, y, xo, yo, xi, yi, 8, 8, hl.TailStrategy.GuardWithIf)
    i1.compute_at(f, xo)
    i2.compute_at(f, xo).hoist_storage(f, yo)
    p1.compute_at(f, xo).hoist_storage(f, yo).ring_buffer(slots).async_()
    p2.compute_at(f, xo).hoist_storage_root().ring_buffer(2).async_()
    check(f)


def test_what_both_need_in_each_iteration_is_refused() -> None:
    first, g, f = (hl.Func(name) for name in ("first", "g", "f"))
    first[x] = hl.u8(x + 7)
    g[x] = first[x]
    f[x] = g[x] + first[x]
    first.store_root().compute_at(f, x)
    g.store_root().compute_at(f, x).async_()
    with pytest.raises(hl.IllegalSchedule, match=r"g\.async_\(\)(.|\n)*but first, which it reads"):
        f.realize([32])
    first.async_()
    check(f, (32,), (1,))


def test_what_only_the_async_producer_needs_is_computed_by_its_thread() -> None:
    first, g, f = (hl.Func(name) for name in ("first", "g", "f"))
    first[x] = hl.u8(x + 7)
    g[x] = first[x]
    f[x] = g[x]
    first.store_root().compute_at(f, x)
    g.store_root().compute_at(f, x).async_()
    check(f, (32,), (1,))
