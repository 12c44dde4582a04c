"""`undef`: what is not defined is not stored, and what was there stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

from .conftest import by_reference

x = hl.Var("x")
GUARDED = hl.TailStrategy.GuardWithIf


def filled(func: Any, h: Any, size: int) -> np.ndarray[Any, Any]:
    """What a Func leaves in memory that held threes."""
    out = h.Buffer(h.Int(32), [size])
    out.fill(3)
    func.realize(out)
    return np.array(out)


def _whole(h: Any, v: Any, f: Any, none: Any) -> None:
    f[v] = none
    f[v] += v


def _nothing_but_undef(h: Any, v: Any, f: Any, none: Any) -> None:
    f[v] = none


def _chosen(h: Any, v: Any, f: Any, none: Any) -> None:
    f[v] = h.select(v % 3 == 1, none, v * 2)


def _part_of_a_sum(h: Any, v: Any, f: Any, none: Any) -> None:
    f[v] = 100 + h.select(v % 2 == 0, v, none) * 2


def _nested(h: Any, v: Any, f: Any, none: Any) -> None:
    f[v] = v
    f[v] = f[v] + h.select(v < 3, none, v < 6, 7, v < 9, none, 9)


def _through_a_func(h: Any, v: Any, f: Any, none: Any) -> None:
    g = h.Func("g")
    g[v] = h.select(v < 2, none, v)
    f[v] = h.select(g[v] > 4, 1, g[v])


def _some_of_a_reduction(h: Any, v: Any, f: Any, none: Any) -> None:
    r = h.RDom([(0, 9)])
    f[v] = 0
    f[r.x] = h.select(r.x % 2 == 0, f[h.max(r.x - 1, 0)] + r.x, none)


BUILDS = [
    _whole, _nothing_but_undef, _chosen, _part_of_a_sum, _nested, _through_a_func, _some_of_a_reduction,
]  # fmt: skip
SCHEDULES: dict[str, Callable[[hl.Func], Any]] = {
    "plain": lambda f: None,
    "vectors": lambda f: f.vectorize(x, 4, GUARDED),
    "long vectors": lambda f: f.vectorize(x, 8, GUARDED),
    "parallel": lambda f: f.parallel(x, 4, GUARDED),
    "unrolled": lambda f: f.unroll(x, 3, GUARDED),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("build", BUILDS)
def test_what_is_undefined_stays_as_in_halide(build: Callable[..., None], schedule: str):
    halide = pytest.importorskip("halide")
    ours, theirs = hl.Func("f"), halide.Func("f")
    build(hl, x, ours, hl.undef(hl.Int(32)))
    build(halide, halide.Var("x"), theirs, halide.undef(halide.Int(32)))
    SCHEDULES[schedule](ours)
    np.testing.assert_array_equal(filled(ours, hl, 13), filled(theirs, halide, 13))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_values_of_a_tuple_are_undefined_one_by_one(schedule: str):
    f = hl.Func("f")
    none = hl.undef(hl.Int(32))
    f[x] = (x, x * 2, hl.f32(x))
    f[x] = (hl.select(f[x][1] < 8, none, f[x][1]), hl.select(x % 2 == 0, f[x][0], none), hl.undef(hl.Float(32)))
    SCHEDULES[schedule](f)
    SCHEDULES[schedule](f.update())  # type: ignore[arg-type]
    k = np.arange(13)
    expected = [np.where(k * 2 < 8, k, k * 2), np.where(k % 2 == 0, k, k * 2), k.astype(np.float32)]
    for ours, oracle, value in zip(f.realize([13]), by_reference(f, 13), expected, strict=True):
        np.testing.assert_array_equal(np.array(ours), value)
        np.testing.assert_array_equal(oracle, value)


def test_the_elements_of_a_group_are_undefined_one_by_one():
    f = hl.Func("f")
    f[x] = x
    f[hl.scatter(1, 3, 5)] = hl.select(f[hl.gather(1, 3, 5)] == 3, hl.undef(hl.Int(32)), f[hl.gather(5, 3, 1)] * 10)
    expected = [0, 50, 2, 3, 4, 10, 6]
    assert list(np.array(f.realize([7]))) == expected
    assert list(by_reference(f, 7)[0]) == expected


def test_a_tuple_is_written_where_its_old_values_say():
    f = hl.Func("f")
    f[x] = (x + 2, x * 7)
    at = hl.clamp(f[0][0], 0, 4)
    f[at] = (0, f[0][0])
    f[hl.clamp(f[2][0], 0, 4)] = (5, 50)
    expected = [[5, 3, 0, 5, 6], [50, 7, 2, 21, 28]]
    assert [list(np.array(b)) for b in f.realize([5])] == expected
    assert [list(b) for b in by_reference(f, 5)] == expected
