"""Derivatives by differences: what `propagate_adjoints` must give, up to rounding."""

from __future__ import annotations

import numpy as np

import halopy as hl

STEP = 1e-6


def numbers(*shape, seed=0, low=-1.0, high=1.0):
    """Random float64 numbers."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def values(func, sizes):
    """What a Func realizes to, x last."""
    return np.array(func.realize(list(sizes)))


def by_differences(output, weights, array):
    """The derivative of sum(output * weights) by each element of an input's array."""
    sizes = weights.shape[::-1]
    gradient = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + STEP
        above = (values(output, sizes) * weights).sum()
        array[place] = kept - STEP
        gradient[place] = (above - (values(output, sizes) * weights).sum()) / (2 * STEP)
        array[place] = kept
    return gradient


def check_gradients(output, sizes, *arrays_of_buffers, tolerance=1e-6):
    """The derivative of a random sum over the output, by each input (pairs of a Buffer and the array behind it)."""
    weights = numbers(*sizes[::-1], seed=7)
    derivative = hl.propagate_adjoints(output, hl.Buffer(weights))
    for buffer, array in arrays_of_buffers:
        expected = by_differences(output, weights, array)
        found = values(derivative[buffer], array.shape[::-1])
        np.testing.assert_allclose(found, expected, atol=tolerance, rtol=tolerance)
    return derivative


def source(*shape, seed=0, low=-1.0, high=1.0):
    """A Buffer of random numbers, and its array."""
    array = numbers(*shape, seed=seed, low=low, high=high)
    return hl.Buffer(array), array
