"""Derivatives of reductions that overwrite what the way back needs: products, extremes, recurrences in place."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

from .gradients import check_gradients, numbers, source, values

x, y = hl.vars("x y")


def product(b):
    f, r = hl.Func("f"), hl.RDom([(1, 5)])
    f[()] = hl.f64(1)
    f[()] *= b[r]
    return f


def inline_product(b):
    f, r = hl.Func("f"), hl.RDom([(1, 5)])
    f[()] = hl.product(r, b[r]) * b[hl.Expr(0)]
    return f


def greatest(b):
    f, r = hl.Func("f"), hl.RDom([(0, 7)])
    f[()] = hl.maximum(r, b[r] * b[6 - r])
    return f


def place_of_the_least(b):
    f, r = hl.Func("f"), hl.RDom([(0, 7)])
    f[()] = hl.argmin(r, b[r] * 3)[1]
    return f


def recurrence(b):
    f, r = hl.Func("f"), hl.RDom([(0, 7)])
    f[()] = hl.f64(0.25)
    f[()] = b[r] * f[()] * (1 - f[()]) + b[r // 2]
    return f


def some_steps(b):
    f, r = hl.Func("f"), hl.RDom([(0, 7)])
    r.where(r % 3 != 1)
    f[()] = b[hl.Expr(0)]
    f[()] = hl.sin(f[()]) * b[r]
    f[()] = f[()] * f[()]
    return f


def two_values(b):
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 5)])
    f[()] = (hl.f64(1), b[hl.Expr(6)])
    f[()] = (f[()][0] * b[r], f[()][1] * f[()][0])
    g[()] = f[()][0] + f[()][1]
    return g


def only_what_is_greater_than_before(b):
    f, r = hl.Func("f"), hl.RDom([(0, 7)])
    f[()] = hl.f64(0)
    f[()] = hl.select(f[()] < hl.f64(0.3), f[()] + b[r] * b[r], f[()])
    return f


OF_ONE_VALUE = [
    product, inline_product, greatest, place_of_the_least, recurrence, some_steps, two_values,
    only_what_is_greater_than_before,
]  # fmt: skip


@pytest.mark.parametrize("make", OF_ONE_VALUE)
def test_one_value_is_changed_in_every_step(make):
    b, array = source(7, seed=3)
    check_gradients(make(b), [], (b, array))


def test_the_greatest_in_blocks_and_the_product_of_rows():
    b, array = source(4, 6, seed=1)
    f, g, block, row = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 3), (0, 2)]), hl.RDom([(0, 4)])
    f[x, y] = hl.maximum(block, b[3 * x + block.x, 2 * y + block.y])
    check_gradients(f, [2, 2], (b, array))
    g[x] = hl.product(row, b[x, row])
    check_gradients(g, [6], (b, array))


def test_each_place_of_a_range_goes_its_own_way():
    b, array = source(3, 5)
    f, r = hl.Func("f"), hl.RDom([(0, 5), (0, 3)])
    f[x] = hl.f64(x)
    f[r.x + 1] = f[r.x + 1] * b[r.x, r.y] + 1
    check_gradients(f, [8], (b, array))


def test_a_reduction_without_any_iteration_leaves_the_adjoint():
    b, array = source(5)
    n, f = hl.Param(hl.Int(32), "n", 3), hl.Func("f")
    r = hl.RDom([(0, n)])
    f[x] = b[x]
    f[hl.Expr(2)] = f[hl.Expr(2)] * f[hl.Expr(2)] + b[r]
    for number in (0, 1, 4):
        n.set(number)
        check_gradients(f, [5], (b, array))


def test_a_constant_number_of_newtons_steps():
    b, array = source(5, low=0.5, high=2)
    f, r = hl.Func("f"), hl.RDom([(0, 4)])
    f[x] = hl.f64(1)
    f[x] = (f[x] + b[x] / f[x]) / 2 + 0 * r
    check_gradients(f, [5], (b, array))


def test_what_a_reduction_leaves_may_be_scheduled():
    array = numbers(9, 12)
    given = hl.Buffer(numbers(9, 12, seed=2))
    found = []
    for schedule in (False, True):
        b = hl.Buffer(array)
        f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(-1, 3)])
        f[x, y] = hl.product(r, hl.BoundaryConditions.repeat_edge(b)[x + r, y])
        g[x, y] = f[x, y] * f[x, y]
        d = hl.propagate_adjoints(g, given)
        if schedule:
            f.compute_root().vectorize(x, 4)
            d[f].compute_root().parallel(y).vectorize(x, 4)
            d[b].compute_root().parallel(y)
        found.append(values(d[b], (12, 9)))
    np.testing.assert_allclose(*found, rtol=1e-13)
