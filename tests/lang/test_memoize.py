"""Memoized Funcs: computed once for all that decides their values, and never out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import halopy as hl

from .conftest import by_reference
from .messages import without_place

x, y, xo, xi, yo, yi = (hl.Var(n) for n in ("x", "y", "xo", "xi", "yo", "yi"))


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    hl.memoization_cache_cleanup()
    hl.memoization_cache_set_size(0)
    yield
    hl.memoization_cache_cleanup()


class Counted:
    """A Func `f` whose computed values are counted, and its reader `g`."""

    def __init__(self, value: Any, *, memoize: bool = True) -> None:
        self.lines: list[str] = []
        self.f, self.g = hl.Func("f"), hl.Func("g")
        self.f[x] = hl.print(value, "computed")
        self.g[x] = self.f[x] + 1
        self.f.compute_root()
        if memoize:
            self.f.memoize()
        self.g.set_custom_print(self.lines.append)

    def run(self, size: int = 5) -> tuple[list[int], int]:
        """The values, and how many had to be computed."""
        self.lines.clear()
        values = np.array(self.g.realize([size])).tolist()
        return values, len(self.lines)


def test_a_second_run_computes_nothing():
    counted = Counted(x * 3)
    assert counted.run() == ([1, 4, 7, 10, 13], 5)
    assert counted.run() == ([1, 4, 7, 10, 13], 0)
    assert Counted(x * 3, memoize=False).run()[1] == 5


def test_an_equal_pipeline_finds_the_result_and_another_does_not():
    Counted(x * 3).run()
    assert Counted(x * 3).run()[1] == 0
    assert Counted(x * 4).run() == ([1, 5, 9, 13, 17], 5)
    inner = hl.Func("inner")
    inner[x] = x * 5
    assert Counted(hl.memoize_tag(inner[x], 7)).run()[0] == [1, 6, 11, 16, 21]
    other = hl.Func("inner")
    other[x] = x * 6
    assert Counted(hl.memoize_tag(other[x], 7)).run() == ([1, 7, 13, 19, 25], 5)


def test_another_region_is_another_result():
    counted = Counted(x * 3)
    counted.run(5)
    assert counted.run(4) == ([1, 4, 7, 10], 4)
    assert counted.run(5)[1] == 0


def test_params_are_part_of_the_key():
    whole, real = hl.Param(hl.Int(32), "whole", 2), hl.Param(hl.Float(32), "real", 0.5)
    counted = Counted(x * whole + hl.i32(real * 4))
    assert counted.run() == ([3, 5, 7, 9, 11], 5)
    real.set(0.75)
    assert counted.run() == ([4, 6, 8, 10, 12], 5)
    whole.set(-1)
    assert counted.run() == ([4, 3, 2, 1, 0], 5)
    whole.set(2)
    assert counted.run() == ([4, 6, 8, 10, 12], 0)


@pytest.mark.parametrize("layout", ["dense", "reversed", "column"])
def test_the_contents_of_inputs_are_part_of_the_key(layout: str):
    memory = np.arange(60, dtype=np.int32).reshape(6, 10)
    array = {"dense": memory[0, :5], "reversed": memory[0, 4::-1], "column": memory[:5, 3]}[layout]
    counted = Counted(hl.Buffer(array)[x] * 2)
    assert counted.run() == ((array * 2 + 1).tolist(), 5)
    assert counted.run() == ((array * 2 + 1).tolist(), 0)
    array[2] = 1000
    assert counted.run() == ((array * 2 + 1).tolist(), 5)


def test_an_input_image_with_other_contents_is_another_key():
    image = hl.ImageParam(hl.Int(32), 1, "image")
    counted = Counted(image[hl.clamp(x, 0, image.width() - 1)])
    for data, computed in (([1, 2, 3], 5), ([1, 2, 4], 5), ([1, 2, 3], 0), ([1, 2], 5)):
        image.set(hl.Buffer(np.array(data, np.int32)))
        assert counted.run() == ([data[min(k, len(data) - 1)] + 1 for k in range(5)], computed)


def test_a_tag_stands_for_what_is_inside_it():
    version, array = hl.Param(hl.Int(32), "version", 1), np.arange(5, dtype=np.int32)
    counted = Counted(hl.memoize_tag(hl.Buffer(array)[x], version))
    assert counted.run() == ([1, 2, 3, 4, 5], 5)
    array[:] = 9
    assert counted.run() == ([1, 2, 3, 4, 5], 0)  # as promised: the version says that nothing changed
    version.set(2)
    assert counted.run() == ([10] * 5, 5)


def test_a_tag_without_keys_is_keyed_by_its_value():
    p = hl.Param(hl.Int(32), "p", 10)
    counted = Counted(x + hl.memoize_tag(p / 4))
    assert counted.run() == ([3, 4, 5, 6, 7], 5)
    p.set(11)
    assert counted.run() == ([3, 4, 5, 6, 7], 0)
    p.set(12)
    assert counted.run() == ([4, 5, 6, 7, 8], 5)


def test_tags_change_no_value():
    f = hl.Func("f")
    f[x] = hl.memoize_tag(x * 2, 1) + hl.memoize_tag(x)
    np.testing.assert_array_equal(np.array(f.realize([7])), by_reference(f, 7)[0])


def test_results_are_dropped_by_their_eviction_key():
    key = hl.Param(hl.Int(32), "key", 1)
    kept, dropped = Counted(x * 3), Counted(x * 4, memoize=False)
    dropped.f.memoize(hl.EvictionKey(key))
    for counted in (kept, dropped):
        counted.run()
    hl.memoization_cache_evict(2)
    assert (kept.run()[1], dropped.run()[1]) == (0, 0)
    hl.memoization_cache_evict(1)
    assert (kept.run()[1], dropped.run()[1]) == (0, 5)
    hl.memoization_cache_cleanup()
    assert (kept.run()[1], dropped.run()[1]) == (5, 5)


def test_only_so_many_bytes_are_kept_and_the_latest_ones():
    first, second = Counted(x * 3), Counted(x * 4)
    hl.memoization_cache_set_size(5 * 4)
    assert (first.run()[1], first.run()[1], second.run()[1], second.run()[1], first.run()[1]) == (5, 0, 5, 0, 5)
    assert (first.run(6)[1], first.run(6)[1]) == (6, 6)  # larger than all that is kept


def stages() -> tuple[hl.Func, hl.Func, hl.Param]:
    f, g, p, r = hl.Func("f"), hl.Func("g"), hl.Param(hl.Int(32), "p", 3), hl.RDom([(0, 3)])
    f[x, y] = (x * p + y, hl.f32(x - y))
    f[x, y] = (f[x, y][0] + r * y, f[x, y][1] * 2)
    g[x, y] = f[x, y][0] + hl.i32(f[x + 1, y - 1][1])
    return f, g, p


SCHEDULES: dict[str, Callable[[hl.Func, hl.Func], Any]] = {
    "root": lambda f, g: f.compute_root().vectorize(x, 4).update().vectorize(x, 4),
    "rows": lambda f, g: f.compute_at(g, y),
    "parallel rows": lambda f, g: (g.parallel(y), f.compute_at(g, y)),
    "tiles": lambda f, g: (g.tile(x, y, xo, yo, xi, yi, 8, 4), f.compute_at(g, xo)),
    "guarded tiles": lambda f, g: (
        g.tile(x, y, xo, yo, xi, yi, 8, 4, hl.TailStrategy.GuardWithIf).vectorize(xi).parallel(yo),
        f.compute_at(g, xo).align_storage(x, 8),
    ),
    "unrolled": lambda f, g: (g.unroll(y, 3, hl.TailStrategy.GuardWithIf), f.compute_at(g, y)),
    "points": lambda f, g: f.compute_at(g, x),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_results_are_right_wherever_they_are_kept(name: str):
    f, g, p = stages()
    SCHEDULES[name](f, g)
    f.memoize()
    expected = {}
    for size in ((17, 9), (18, 9), (13, 7), (17, 9)):
        for value in (3, -2):
            p.set(value)
            k, j = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
            expected = k * value + j + 3 * j + (k + 1 - (j - 1)) * 8
            np.testing.assert_array_equal(np.array(g.realize(list(size))), expected)


def refusal(schedule: Callable[[hl.Func, hl.Func], object]) -> str:
    f, g, _ = stages()
    schedule(f, g)
    with pytest.raises(hl.HalideError) as refused:
        g.realize([8, 8])
    return without_place(refused.value)


def test_what_has_nothing_to_keep_is_refused(golden: str):
    texts = [
        refusal(lambda f, g: f.memoize()),
        refusal(lambda f, g: (f.compute_root(), g.memoize())),
        refusal(lambda f, g: f.store_root().compute_at(g, y).memoize()),
        refusal(lambda f, g: (g.split(x, xo, xi, 4).vectorize(xi), f.compute_at(g, xi).memoize())),
        refusal(lambda f, g: f.compute_root().bound_storage(x, 100).memoize()),
    ]
    h = hl.Func("h")
    h[x] = hl.memoize_tag(x, x + 1)
    reader = hl.Func("reader")
    reader[x] = h[x]
    h.compute_root().memoize()
    with pytest.raises(hl.HalideError) as refused:
        reader.realize([3])
    assert "\n".join([*texts, without_place(refused.value)]) == golden


def test_an_eviction_key_is_an_integer():
    f = hl.Func("f")
    f[x] = x
    with pytest.raises(hl.TypeMismatch, match="the eviction key is"):
        f.memoize(hl.EvictionKey(hl.f32(1)))
    assert f.memoize(hl.EvictionKey()) is f
    assert f.memoize(hl.u64(5)) is f


def test_files_for_other_programs_do_not_memoize(tmp_path: Path):
    f, g, p = stages()
    f.compute_root().memoize()
    with pytest.raises(hl.UnsupportedTarget, match=r"f\.memoize\(\)"):
        g.compile_to_c(str(tmp_path / "g.c"), [p], "g")
