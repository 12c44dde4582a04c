"""Products of floats are rounded once with what they are added to, however scheduled; not where strictness is asked."""

import numpy as np
import pytest

import halopy as hl
from halopy.host_features import host_multiplies_and_adds_at_once

x, y, xi = hl.Var("x"), hl.Var("y"), hl.Var("xi")
ROUNDS_ONCE = host_multiplies_and_adds_at_once()
# 1 + 2**-12 squared is 1 + 2**-11 + 2**-24, whose last bit only an exact product keeps
ALMOST_ONE = 1 + 2**-12
LEFT_OVER = 2**-24 if ROUNDS_ONCE else 0


def filled(dtype=np.float32):
    return np.full(19, ALMOST_ONE, dtype)


def difference(image, form=lambda e: e):
    """What is left of a product after its rounded value was taken away."""
    f = hl.Func("f")
    f[x] = form(image[x] * image[x] - hl.f32(1 + 2**-11))
    return f


@pytest.mark.parametrize("schedule", [
    lambda f: f,
    lambda f: f.vectorize(x, 8, hl.TailStrategy.GuardWithIf),
    lambda f: f.vectorize(x, 16),
    lambda f: f.vectorize(x, 3),
    lambda f: f.split(x, x, xi, 4).unroll(xi),
    lambda f: f.parallel(x),
])  # fmt: skip
def test_every_schedule_rounds_once(schedule):
    f = difference(hl.Buffer(filled()))
    schedule(f)
    assert np.array(f.realize([19])).tolist() == [LEFT_OVER] * 19


def test_strict_float_rounds_twice():
    f = difference(hl.Buffer(filled()), hl.strict_float)
    assert np.array(f.realize([19])).tolist() == [0] * 19


def test_a_strict_target_rounds_twice():
    f = difference(hl.Buffer(filled()))
    target = hl.get_jit_target_from_environment().with_feature(hl.TargetFeature.StrictFloat)
    assert np.array(f.realize([19], target)).tolist() == [0] * 19


def test_a_product_counts_that_is_inlined():
    image, squares, f = hl.Buffer(filled()), hl.Func("squares"), hl.Func("f")
    squares[x] = image[x] * image[x]
    f[x] = squares[x] - hl.f32(1 + 2**-11)
    assert np.array(f.realize([19])).tolist() == [LEFT_OVER] * 19
    squares.compute_root()
    assert np.array(f.realize([19])).tolist() == [0] * 19


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_products_are_those_of_the_reference(dtype):
    values = np.random.default_rng(2).standard_normal((2, 23)).astype(dtype)
    image, f, r = hl.Buffer(values), hl.Func("f"), hl.RDom([(0, 23)], "r")
    f[x] = image[x, 0] * image[x, 1] - image[x, 0] / 3
    f[x] += image[x, 1] * image[r, 0] - image[r, 1] * 3
    expected = np.array(hl.Pipeline(f).reference([23]))
    f.update().vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    np.testing.assert_array_equal(np.array(f.realize([23])), expected)


def test_what_an_index_depends_on_is_computed_as_written():
    image, place, f = hl.Buffer(filled()), hl.Func("place"), hl.Func("f")
    place[x] = hl.i32((image[x] * image[x] - hl.f32(1 + 2**-11)) * 2.0**24)
    f[x] = hl.Buffer(np.arange(5, dtype=np.int32))[hl.clamp(place[x], 0, 4)]
    place.compute_root()
    assert np.array(f.realize([19])).tolist() == [0] * 19
