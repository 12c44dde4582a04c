"""Runs that allocate their output: what is prepared is used again, and never gives old memory or old values."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import halopy as hl

x, y = hl.Var("x"), hl.Var("y")


def ramp():
    f = hl.Func("f")
    f[x, y] = x + 10 * y
    return f, lambda width, height: np.add.outer(10 * np.arange(height), np.arange(width))


def test_each_run_has_memory_of_its_own():
    f, expected = ramp()
    first, second = f.realize([5, 4]), f.realize([5, 4])
    first.fill(7)
    assert np.array_equal(second, expected(5, 4))
    assert np.array_equal(f.realize([5, 4]), expected(5, 4)) and first.all_equal(7)
    assert f.realize((5, 4)).name() == "f"


def test_sizes_may_change_from_run_to_run():
    f, expected = ramp()
    for _ in range(3):
        for width in range(12):
            assert np.array_equal(f.realize([width, 3]), expected(width, 3))


def test_inputs_and_params_may_change_from_run_to_run():
    image, p = hl.ImageParam(hl.Int(32), 1, "image"), hl.Param(hl.Int(32), "p", 1)
    f = hl.Func("f")
    f[x] = image[x] * p
    for step in range(6):
        image.set(np.full(8, step, np.int32))
        p.set(step // 2)
        for _ in range(2):
            assert f.realize([8]).all_equal(step * (step // 2))
    wide = np.arange(16, dtype=np.int32)
    image.set(wide[::2])
    assert np.array_equal(f.realize([8]), wide[::2] * 2)
    p.set_range(0, 2)
    p.set(3)
    for _ in range(2):
        with pytest.raises(hl.ParamError):
            f.realize([8])
    p.set(2)
    assert np.array_equal(f.realize([8]), wide[::2] * 2)


def test_a_run_that_was_refused_leaves_nothing_behind():
    image = hl.ImageParam(hl.Int(32), 1, "image")
    f = hl.Func("f")
    f[x] = image[x]
    for _ in range(2):
        with pytest.raises(hl.BufferError, match="has no buffer"):
            f.realize([8])
        image.set(np.zeros(4, np.int32))
        with pytest.raises(hl.BufferError, match="too small"):
            f.realize([8])
        image.set(np.ones(8, np.int32))
        assert f.realize([8]).all_equal(1)
        image.reset()


def test_what_is_prepared_keeps_no_memory_alive():
    image = hl.ImageParam(hl.Int(32), 1, "image")
    f = hl.Func("f")
    f[x] = image[x]
    source = np.ones(8, np.int32)
    image.set(source)
    made = f.realize([8])
    alive = [weakref.ref(source), weakref.ref(made._contents.array)]
    image.reset()
    del source, made
    gc.collect()
    assert [a() for a in alive] == [None, None]


@pytest.mark.parametrize("sizes", [[5.0, 4], [-1, 4], ["5", 4], [[5], 4], [x, 4], "54", 3.5])
def test_what_are_no_sizes_is_refused_each_time(sizes):
    f, _ = ramp()
    f.realize([5, 4])
    for _ in range(2):
        with pytest.raises(hl.BufferError, match="is nothing to realize over"):
            f.realize(sizes)


def test_numbers_of_numpy_are_sizes_too():
    f, expected = ramp()
    assert np.array_equal(f.realize([np.int64(5), np.uint8(4)]), expected(5, 4))
    g = hl.Func("g")
    g[x] = x
    assert np.array_equal(g.realize(np.int16(6)), range(6))
    assert np.array_equal(g.realize(range(6, 7)), range(6))


def test_tuples_are_new_each_time():
    f = hl.Func("f")
    f[x] = (x, hl.f32(x) / 2)
    for _ in range(3):
        whole, half = f.realize([6])
        assert np.array_equal(whole, range(6)) and np.array_equal(half, np.arange(6) / 2)
        whole.fill(0)


def test_memory_is_aligned():
    f, _ = ramp()
    kept = [f.realize([3, 3]) for _ in range(4)]
    assert all(b._contents.array.__array_interface__["data"][0] % 128 == 0 for b in kept)


def test_threads_may_allocate_at_once():
    f, expected = ramp()
    wrong = []

    def work(width):
        wrong.extend(width for _ in range(300) if not np.array_equal(f.realize([width, 9]), expected(width, 9)))

    threads = [threading.Thread(target=work, args=(20 + n // 2,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
