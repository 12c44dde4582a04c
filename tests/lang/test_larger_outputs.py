"""Regions of outputs that schedules or scatters make larger than what is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, xi, yi = hl.vars("x y xi yi")


def test_sizes_that_do_not_fit_their_tiles_are_a_part_of_what_is_computed() -> None:
    f = hl.Func("f")
    f[x, y] = x + 100 * y
    f.tile(x, y, xi, yi, 16, 8, hl.TailStrategy.RoundUp)
    for width, height in ((30, 20), (3, 1), (32, 9)):
        made = f.realize([width, height])
        assert [made.dim(d).min() for d in (0, 1)] == [0, 0]
        assert [made.dim(d).extent() for d in (0, 1)] == [width, height]
        assert made.dim(1).stride() == -(-width // 16) * 16
        np.testing.assert_array_equal(made, f.reference([width, height]))


def test_a_shifted_tile_may_be_larger_than_the_output() -> None:
    f = hl.Func("f")
    f[x] = x * x
    f.vectorize(x, 8, hl.TailStrategy.ShiftInwards)
    np.testing.assert_array_equal(f.realize([3]), [0, 1, 4])


def test_a_scatter_may_reach_past_both_ends() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 20)], "r")
    f[x] = 0
    f[3 * r.x - 10] += r.x
    np.testing.assert_array_equal(f.realize([7]), [0, 0, 4, 0, 0, 5, 0])


def test_values_of_a_tuple_stay_together() -> None:
    f = hl.Func("f")
    f[x] = (x, hl.f32(x) / 2)
    f.vectorize(x, 8, hl.TailStrategy.RoundUp)
    first, second = f.realize([5])
    np.testing.assert_array_equal(first, range(5))
    np.testing.assert_array_equal(second, np.arange(5, dtype=np.float32) / 2)


def test_the_inputs_of_the_larger_region_must_be_there() -> None:
    image, f = hl.ImageParam(hl.Int(32), 1, "image"), hl.Func("f")
    f[x] = image[x]
    f.vectorize(x, 8, hl.TailStrategy.RoundUp)
    image.set(np.arange(16, dtype=np.int32))
    np.testing.assert_array_equal(f.realize([13]), range(13))
    image.set(np.arange(13, dtype=np.int32))
    with pytest.raises(hl.BufferError, match="input `image` is too small"):
        f.realize([13])


def test_a_promised_extent_that_is_larger_is_computed_and_one_that_is_smaller_refused() -> None:
    f = hl.Func("f")
    f[x] = x
    f.output_buffer().dim(0).set_bounds(0, 16)
    np.testing.assert_array_equal(f.realize([10]), range(10))
    with pytest.raises(hl.BufferError, match="its extent of dimension 0 is 20"):
        f.realize([20])


def test_a_buffer_that_is_given_is_not_replaced() -> None:
    f = hl.Func("f")
    f[x] = x
    f.vectorize(x, 8, hl.TailStrategy.RoundUp)
    with pytest.raises(hl.ScheduleError, match="multiple of 8"):
        f.realize(hl.Buffer(hl.Int(32), [13]))


def test_what_the_compiler_refuses_is_told_as_it_is() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x
    f[x] = g[x]
    g.compute_at(f, xi)
    with pytest.raises(hl.IllegalSchedule, match="f has no loop `xi`"):
        f.realize([4])
