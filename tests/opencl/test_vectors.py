"""Vectors in threads: what is printed of them means what the expression means."""

from __future__ import annotations

import numpy as np

import halopy as hl

x, xi = hl.Var("x"), hl.Var("xi")


def test_a_sum_of_vectors_that_are_loaded_is_divided_as_a_whole(opencl):
    values = np.random.default_rng(3).integers(0, 1 << 12, 40, np.uint16)
    source = hl.Buffer(values)
    f = hl.Func("f")
    f[x] = (source[x] + source[x + 1]) / 3
    f.split(x, x, xi, 8).vectorize(xi).gpu_blocks(x)
    found = np.asarray(f.realize([32], opencl))
    np.testing.assert_array_equal(found, (values[:32] + values[1:33]) // 3)
