"""Directives about memory as the user writes them: they keep the answer, or are refused with a reason."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

from .messages import without_place

x, y, xo, xi, yo, yi = hl.vars("x y xo xi yo yi")
M, T = hl.MemoryType, hl.TailStrategy
Schedule = Callable[[hl.Func, hl.Func], object]  # of the output f and its producer g
SIZES = [(16, 8), (17, 9), (3, 1)]


def plain() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = hl.cast(hl.UInt(8), x * 5 - y * y)
    f[x, y] = hl.cast(hl.Int(16), g[x - 1, y]) + g[x + 1, y + 2]
    return f, g


def with_updates() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    r = hl.RDom([(0, 3)], "r")
    g[x, y] = x + y
    g[x, y] += r.x * x
    g[x, y] = g[x, y] * 2 - y
    g.update(0).unscheduled()
    g.update(1).unscheduled()
    f[x, y] = g[x, y] + 3 * g[x + 1, y + 2]
    return f, g


def of_tuples() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = (x - y, hl.cast(hl.Float(32), x * y))
    f[x, y] = g[x, y + 2][0] + hl.cast(hl.Int(32), g[x + 1, y][1])
    return f, g


PIPELINES = [plain, with_updates, of_tuples]

LEGAL: dict[str, Schedule] = {
    "fold while sliding": lambda f, g: g.store_root().compute_at(f, y).fold_storage(y, 3),
    "fold to more than needed": lambda f, g: g.store_root().compute_at(f, y).fold_storage(y, 5, False),
    "fold of both dimensions": lambda f, g: g.store_root().compute_at(f, y).fold_storage(y, 3).fold_storage(x, 64),
    "fold inside strips": lambda f, g: (
        f.split(y, yo, yi, 4, T.GuardWithIf).parallel(yo),
        g.store_at(f, yo).compute_at(f, yi).fold_storage(y, 3),
    ),
    "fold with vectors": lambda f, g: (
        f.vectorize(x, 8, T.GuardWithIf),
        g.store_root().compute_at(f, y).fold_storage(y, 3).vectorize(x, 4, T.RoundUp),
    ),
    "fold over x": lambda f, g: (
        f.reorder(y, x),
        g.store_root().compute_at(f, x).fold_storage(x, 3).fold_storage(y, 32),
    ),
    "fold without sliding": lambda f, g: (
        g.store_root().compute_at(f, y).split(y, yo, yi, 3, T.GuardWithIf).fold_storage(y, 3)
    ),
    "padding": lambda f, g: g.compute_root().align_storage(x, 16).align_storage(y, 3),
    "padding of columns": lambda f, g: g.compute_root().reorder_storage(y, x).align_storage(y, 8),
    "padding with vectors": lambda f, g: (
        f.vectorize(x, 4, T.GuardWithIf),
        g.compute_at(f, y).align_storage(x, 8).vectorize(x, 8, T.RoundUp),
    ),
    "bounded": lambda f, g: g.compute_at(f, y).bound_storage(x, 64),
    "bounded at the root": lambda f, g: g.compute_root().bound_storage(x, 64).bound_storage(y, 32),
    "hoisted": lambda f, g: g.compute_at(f, x).hoist_storage(f, y),
    "hoisted to the root": lambda f, g: g.compute_at(f, x).hoist_storage_root().store_in(M.Heap),
    "hoisted inside strips": lambda f, g: (
        f.split(y, yo, yi, 4, T.GuardWithIf).parallel(yo).unroll(x, 2, T.GuardWithIf),
        g.compute_at(f, yi).hoist_storage(f, yo),
    ),
    "hoisted after sliding": lambda f, g: g.store_at(f, y).compute_at(f, x).hoist_storage_root(),
    "hoisted and folded": lambda f, g: g.store_at(f, y).compute_at(f, x).fold_storage(x, 3).hoist_storage_root(),
    "hoisted tiles": lambda f, g: (
        f.tile(x, y, xo, yo, xi, yi, 8, 4, T.GuardWithIf).vectorize(xi),
        g.compute_at(f, xo).hoist_storage_root().align_storage(x, 16),
    ),
    "ring": lambda f, g: g.compute_at(f, y).hoist_storage_root().ring_buffer(2),
    "ring of columns": lambda f, g: g.compute_at(f, x).hoist_storage(f, y).ring_buffer(5).reorder_storage(y, x),
    "ring of tiles": lambda f, g: (
        f.tile(x, y, xo, yo, xi, yi, 8, 4, T.GuardWithIf),
        g.compute_at(f, xo).hoist_storage_root().ring_buffer(3).async_(),
    ),
    "ring of folds": lambda f, g: (
        g.compute_at(f, x).store_at(f, y).fold_storage(x, 4).hoist_storage_root().ring_buffer(3)
    ),
    "async": lambda f, g: g.compute_root().async_(),
    "async while sliding": lambda f, g: g.store_root().compute_at(f, y).async_(),
    **{
        f"{kind} at {place}": lambda f, g, kind=kind, place=place: (  # type: ignore[misc]
            g.compute_root() if place == "the root" else g.compute_at(f, {"y": y, "x": x}[place])
        ).store_in(getattr(M, kind))
        for kind in ("Auto", "Heap", "Stack")
        for place in ("the root", "y", "x")
    },
    "Register at x": lambda f, g: g.compute_at(f, x).store_in(M.Register),
}  # fmt: skip


@pytest.mark.parametrize("schedule", LEGAL.values(), ids=LEGAL.keys())
@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda p: p.__name__)
def test_memory_never_changes_the_answer(pipeline: Callable[[], tuple[hl.Func, hl.Func]], schedule: Schedule) -> None:
    f, g = pipeline()
    schedule(f, g)
    for (width, height), low in itertools.product(SIZES, (0, -7)):
        out = hl.Buffer(f.type(), [width, height])
        out.set_min([low, 3 - low])
        f.realize(out)
        np.testing.assert_array_equal(np.asarray(out), f.reference(out))


REFUSED: dict[str, Schedule] = {
    "fold too small": lambda f, g: g.store_root().compute_at(f, y).fold_storage(y, 2),
    "fold of nothing": lambda f, g: g.fold_storage(xi, 2),
    "fold to zero": lambda f, g: g.fold_storage(y, 0),
    "fold by a loop": lambda f, g: g.fold_storage(y, x + 1),
    "padding to zero": lambda f, g: g.align_storage(y, 0),
    "padding of nothing": lambda f, g: g.align_storage(yi, 8),
    "bound of zero": lambda f, g: g.bound_storage(x, 0),
    "ring of none": lambda f, g: g.ring_buffer(0),
    "ring that is not hoisted": lambda f, g: g.compute_at(f, y).ring_buffer(2),
    "ring of stored rows": lambda f, g: g.compute_at(f, y).store_root().hoist_storage_root().ring_buffer(2),
    "hoisted and inlined": lambda f, g: g.hoist_storage_root(),
    "hoisted inside": lambda f, g: g.compute_at(f, y).hoist_storage(f, x),
    "hoisted out of parallel": lambda f, g: (f.parallel(y), g.compute_at(f, y).hoist_storage_root()),
    "hoisted out of vectors": lambda f, g: (
        f.split(x, xo, xi, 4).vectorize(xi),
        g.compute_at(f, xi).hoist_storage(f, y),
    ),
    "hoisted to itself": lambda f, g: g.compute_root().hoist_storage(g, x),
    "registers without size": lambda f, g: g.compute_root().store_in(M.Register),
}  # fmt: skip


@pytest.mark.parametrize("schedule", REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_why_memory_cannot_be_so(schedule: Schedule, golden: object) -> None:
    f, g = plain()
    with pytest.raises(hl.ScheduleError) as refused:
        schedule(f, g)
        f.realize([16, 8])
    assert without_place(refused.value) == golden


@pytest.mark.parametrize("kind", ["GPUShared", "GPUTexture", "LockedCache", "VTCM"])
def test_memory_of_other_machines_is_refused_when_the_target_is_known(kind: str) -> None:
    f, g = plain()
    g.compute_root().store_in(getattr(M, kind))
    with pytest.raises(hl.UnsupportedTarget, match=rf"g.store_in\(MemoryType.{kind}\)(.|\n)*has no such memory"):
        f.realize([16, 8])
    g.compute_inline()
    f.realize([16, 8])


def check_lost(refusal: hl.IllegalSchedule, scalars: dict[str, int], factor: int) -> None:
    """What is read lies where another element was put, in a run of these scalars."""
    witness = refusal.witness
    assert witness is not None and scalars.items() <= witness.parameters.items()
    assert (witness.source.stage, witness.sink.stage, witness.cell.func) == ("f", "g", "g")
    read, written = witness.cell.coordinates[1], witness.sink.variables["y"]
    assert read != written and read % factor == written % factor


def test_a_fold_that_depends_on_a_size_is_checked_by_the_run() -> None:
    n = hl.Param(hl.Int(32), "n")
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x + y
    f[x, y] = g[x, y] + g[x, y + n]
    g.store_root().compute_at(f, y).fold_storage(y, 4)
    for distance in (0, 3):
        n.set(distance)
        np.testing.assert_array_equal(np.asarray(f.realize([5, 9])), f.reference([5, 9]))
    n.set(4)
    with pytest.raises(
        hl.IllegalSchedule, match=r"g.fold_storage\(y, 4\).*folded to 4 in y, but 5 are in use"
    ) as refused:
        f.realize([5, 9])
    check_lost(refused.value, {"n": 4}, 4)


def test_factors_may_be_params() -> None:
    n = hl.Param(hl.Int(32), "n")
    f, g = plain()
    g.store_root().compute_at(f, y).fold_storage(y, n)
    n.set(3)
    np.testing.assert_array_equal(np.asarray(f.realize([5, 9])), f.reference([5, 9]))
    n.set(2)
    with pytest.raises(hl.IllegalSchedule, match="`g` is folded to 2 in y, but 3 are in use at once") as refused:
        f.realize([5, 9])
    check_lost(refused.value, {"n": 2}, 2)
    assert refused.value.repair == "fold_storage(y, 3)"
    assert "Legal instead: fold_storage(y, 3)." in str(refused.value)
    n.set(0)
    with pytest.raises(hl.ScheduleError, match="`g` is folded to 0 in y"):
        f.realize([5, 9])


@pytest.mark.parametrize("count", [5, 1, 0, -3])
def test_alignments_and_rings_may_be_params_of_any_value(count: int) -> None:
    n = hl.Param(hl.Int(32), "n")
    n.set(count)
    f, g = plain()
    g.compute_at(f, y).hoist_storage_root().ring_buffer(n).align_storage(x, n)
    np.testing.assert_array_equal(np.asarray(f.realize([7, 9])), f.reference([7, 9]))


def test_a_bound_on_storage_that_is_too_small_is_refused_by_the_run() -> None:
    f, g = plain()
    g.compute_at(f, y).bound_storage(x, 18)
    np.testing.assert_array_equal(np.asarray(f.realize([16, 9])), f.reference([16, 9]))
    with pytest.raises(hl.ScheduleError, match=r"bounded to 18 in x, but 19 are(.|\n)*g.bound_storage\(x, 18\)"):
        f.realize([17, 9])


def test_a_bound_on_storage_may_be_the_size_of_an_input() -> None:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = image[x, y] + x
    f[x, y] = g[x, y] * 2
    g.compute_at(f, y).bound_storage(x, image.width())
    image.set(hl.Buffer(np.arange(70, dtype=np.int32).reshape(7, 10)))
    np.testing.assert_array_equal(np.asarray(f.realize([10, 7])), f.reference([10, 7]))


VACUOUS: dict[str, Schedule] = {
    "inlined": lambda f, g: g.fold_storage(y, 1),
    "an output": lambda f, g: f.align_storage(x, 8),
    "stored where it is computed": lambda f, g: g.compute_at(f, y).fold_storage(y, 1),
}


@pytest.mark.parametrize("case", VACUOUS)
def test_a_directive_about_memory_that_is_not_there_is_warned_about(case: str) -> None:
    f, g = plain()
    VACUOUS[case](f, g)
    with pytest.warns(UserWarning, match=rf"storage\(.*has no effect: .*{re.escape(case)}"):
        out = f.realize([5, 9])
    np.testing.assert_array_equal(np.asarray(out), f.reference([5, 9]))
    f, g = plain()
    g.store_root().compute_at(f, y).fold_storage(y, 3).align_storage(x, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.realize([5, 9])


@pytest.mark.parametrize("factor", range(1, 8))
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("strip", [1, 2, 3])
def test_a_fold_is_right_or_refused(strip: int, step: int, factor: int) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 3 + y * y
    f[x, y] = g[x, y * step] - g[x + 1, y * step + 2]
    f.split(y, yo, yi, strip, T.GuardWithIf)
    g.store_root().compute_at(f, yo).fold_storage(y, factor)
    needed = (strip - 1) * step + 3
    if factor < needed:
        with pytest.raises(hl.ScheduleError):
            f.realize([5, 12])
    else:
        np.testing.assert_array_equal(np.asarray(f.realize([5, 11])), f.reference([5, 11]))
