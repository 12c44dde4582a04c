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


def test_sums_that_a_thread_keeps_in_variables_are_those_that_it_would_keep_in_memory(opencl):
    values = np.random.default_rng(4).integers(-99, 99, (7, 96), np.int32)
    source = hl.Buffer(values)
    y, yi, k = hl.Var("y"), hl.Var("yi"), hl.RDom([(0, 7)])
    for lanes in (3, 8, 32):
        f, sums = hl.Func("f"), hl.Func("sums")
        sums[x, y] += source[x, k] * (y + k)
        f[x, y] = sums[x, y] - y
        f.split(x, x, xi, lanes, hl.TailStrategy.GuardWithIf).split(y, y, yi, 2).reorder(xi, yi, x, y)
        f.vectorize(xi).unroll(yi).gpu_blocks(x, y)
        px, py = sums.args()
        sums.compute_at(f, x).vectorize(px, lanes).unroll(py)
        sums.update().reorder(px, py, k).vectorize(px, lanes).unroll(py)
        rows = np.arange(4)[:, None]
        expected = sum(values[n] * (rows + n) for n in range(7)) - rows
        np.testing.assert_array_equal(np.asarray(f.realize([96, 4], opencl)), expected)
