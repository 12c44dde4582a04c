"""`prefetch`: what is fetched, how far ahead, and that it never changes an answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.ir.node import walk
from halopy.ir.stmt import Prefetch
from halopy.lower.pipeline import lower

from .messages import without_place

x, y, xo, xi, yo, yi = hl.vars("x y xo xi yo yi")
S, T = hl.PrefetchBoundStrategy, hl.TailStrategy
Schedule = Callable[[hl.Func, hl.Func, hl.ImageParam, hl.PrefetchBoundStrategy], object]  # of f, its producer g
PICTURE = np.random.default_rng(3).integers(0, 256, (24, 90)).astype(np.uint8)


def pipeline() -> tuple[hl.Func, hl.Func, hl.ImageParam]:
    f, g, image = hl.Func("f"), hl.Func("g"), hl.ImageParam(hl.UInt(8), 2, "image")
    g[x, y] = (hl.cast(hl.Int(32), image[x, y]) + image[x + 2, y + 1], hl.cast(hl.Float(64), x))
    f[x, y] = g[x, y][0] - g[x + 1, y][0] * 3 + hl.cast(hl.Int(32), g[x, y + 1][1])
    f[x, y] += hl.cast(hl.Int(32), image[x, y])
    f.update(0).unscheduled()
    image.set(hl.Buffer(PICTURE))
    return f, g, image


def fetched(f: hl.Func) -> list[str]:
    """What the kernel fetches, as IR."""
    now = f.pipeline().snapshot()
    body = lower(now.program, now.schedules).body
    return [str(n.place) for n in walk(body) if isinstance(n, Prefetch)]


SCHEDULES: dict[str, Schedule] = {
    "of an input": lambda f, g, image, s: f.prefetch(image, y, y, 2, s),
    "of a Func": lambda f, g, image, s: (g.compute_root(), f.prefetch(g, y, y, 2, s)),
    "of a Func at a pixel": lambda f, g, image, s: (g.compute_root(), f.prefetch(g, x, x, 8, s)),
    "of rows further down at a pixel": lambda f, g, image, s: (g.compute_root(), f.prefetch(g, x, y, 3, s)),
    "backwards": lambda f, g, image, s: (g.compute_root(), f.prefetch(g, y, y, -2, s)),
    "of nothing further": lambda f, g, image, s: (g.compute_root(), f.prefetch(g, y, y, 0, s)),
    "of an input through a producer": lambda f, g, image, s: (g.compute_at(f, y), f.prefetch(image, y, y, 1, s)),
    "of a producer": lambda f, g, image, s: (g.compute_root().prefetch(image, y, y, 2, s)),
    "of an update": lambda f, g, image, s: f.update(0).prefetch(image, x, y, 2, s),
    "of itself": lambda f, g, image, s: f.update(0).prefetch(f, y, y, 2, s),
    "with vectors": lambda f, g, image, s: (
        g.compute_root().vectorize(x, 8, T.RoundUp),
        f.vectorize(x, 8, T.GuardWithIf).prefetch(g, x, y, 2, s),
    ),
    "in vectors": lambda f, g, image, s: (
        g.compute_root(),
        f.split(x, xo, xi, 8, T.GuardWithIf).vectorize(xi).prefetch(g, xi, xi, 16, s).prefetch(g, xi, xo, 2, s),
    ),
    "of tiles": lambda f, g, image, s: (
        g.compute_root(),
        f.tile(x, y, xo, yo, xi, yi, 16, 4, T.GuardWithIf).parallel(yo).unroll(yi).prefetch(g, xo, xo, 1, s),
    ),
    "of shifted tiles": lambda f, g, image, s: (
        g.compute_at(f, xo),
        f.split(x, xo, xi, 8, T.GuardWithIf).prefetch(image, xo, y, 1, s),
    ),
    "of rows that slide": lambda f, g, image, s: (
        g.store_root().compute_at(f, y).fold_storage(y, 3),
        f.prefetch(g, x, x, 4, s),
    ),
    "of hoisted rows": lambda f, g, image, s: (
        g.compute_at(f, y).hoist_storage_root().ring_buffer(2),
        f.prefetch(g, x, x, 4, s),
    ),
    "of columns": lambda f, g, image, s: (
        g.compute_root().reorder_storage(y, x),
        f.reorder(y, x).prefetch(g, x, x, 2, s),
    ),
}  # fmt: skip


@pytest.mark.parametrize("strategy", list(S), ids=lambda s: s.name)
@pytest.mark.parametrize("case", SCHEDULES)
def test_fetching_ahead_never_changes_the_answer(case: str, strategy: hl.PrefetchBoundStrategy) -> None:
    f, g, image = pipeline()
    SCHEDULES[case](f, g, image, strategy)
    assert fetched(f)
    for width, height in ((64, 16), (37, 9), (1, 1)):
        out = hl.Buffer(hl.Int(32), [width, height])
        out.set_min([5, 3])
        f.realize(out)
        np.testing.assert_array_equal(np.asarray(out), f.reference(out))


def stencil() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y
    f[x, y] = g[x, y] + g[x, y + 1]
    f.bound(x, 0, 32).bound(y, 0, 16)
    g.compute_root()
    return f, g


def test_every_line_of_every_row_is_fetched() -> None:
    f, g = stencil()
    f.prefetch(g, y, y, 3, S.NonFaulting)
    starts = (32 * (3 + row) + line * 16 for row in (0, 1) for line in (0, 1))
    assert sorted(fetched(f)) == sorted(f"g[((f.s0.y*32) + {start})]" for start in starts)


def body(f: hl.Func) -> str:
    now = f.pipeline().snapshot()
    return str(lower(now.program, now.schedules).body)


def test_a_guard_fetches_nothing_that_is_not_there() -> None:
    f, g = stencil()
    f.prefetch(g, y, y, 3)
    assert "if ((f.s0.y < 13)) {\n        prefetch(g[" in body(f)


def test_a_clamp_fetches_the_last_row_again() -> None:
    f, g = stencil()
    f.prefetch(g, x, y, 3, S.Clamp)
    edge = body(f).split("for (f.s0.y, 13, 3)")[1]
    assert f"prefetch(g[(f.s0.x + {16 * 32})])" in edge


def test_what_a_loop_does_not_read_is_not_fetched() -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    g[x] = x
    h[x] = g[x] + 1
    f[x] = h[0]
    g.compute_root()
    h.compute_root()
    f.prefetch(g, x, x, 1)
    assert fetched(f) == []
    h.compute_at(f, x)
    assert fetched(f) == ["g[0]"]


def test_the_distance_may_be_a_param() -> None:
    n = hl.Param(hl.Int(32), "n")
    n.set(3)
    f, g = stencil()
    f.prefetch(g, y, y, n)
    assert fetched(f) and all("f.s0.y + n" in place for place in fetched(f))
    np.testing.assert_array_equal(np.asarray(f.realize([32, 16])), f.reference([32, 16]))


def test_fetches_are_seen_in_the_c_text(tmp_path) -> None:  # type: ignore[no-untyped-def]
    f, g = stencil()
    f.prefetch(g, y, y, 2)
    f.compile_to_c(tmp_path / "f.c")
    text = (tmp_path / "f.c").read_text()
    assert "__builtin_prefetch" in text and text.count("FETCH(g, ") == 4


REFUSED: dict[str, Callable[[hl.Func, hl.Func], object]] = {
    "loops the wrong way round": lambda f, g: f.prefetch(g, y, x, 8),
    "no such loop": lambda f, g: f.prefetch(g, xi, x, 8),
    "loop split later": lambda f, g: f.prefetch(g, y, y, 8).split(y, yo, yi, 4),
    "not memory": lambda f, g: f.prefetch(3, y, y, 8),
    "distance by a loop": lambda f, g: f.prefetch(g, y, y, x),
    "of an update that has no such loop": lambda f, g: f.update(0).prefetch(g, x, y, 8, S.Clamp),
}


@pytest.mark.parametrize("schedule", REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_a_prefetch_needs(schedule: Callable[[hl.Func, hl.Func], object], golden: object) -> None:
    f, g = stencil()
    f[0, y] = g[0, y]
    f.update(0).unscheduled()
    with pytest.raises(hl.ScheduleError) as refused:
        schedule(f, g)
        f.realize([32, 16])
    assert without_place(refused.value) == golden
