"""Adjoints are Funcs: a schedule does not change them."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from tests.lang.autodiff.gradients import numbers, values

x, y, xo, yo, xi, yi = (hl.Var(name) for name in ("x", "y", "xo", "yo", "xi", "yi"))


class Network:
    """A convolution with a non-linearity and a loss, and its derivative."""

    def __init__(self):
        self.image, self.kernel = hl.Buffer(numbers(19, 23)), hl.Buffer(numbers(3, 3, seed=1))
        inside = hl.BoundaryConditions.constant_exterior(self.image, hl.f64(0))
        r, s = hl.RDom([(0, 3), (0, 3)]), hl.RDom([(0, 23), (0, 19)])
        self.layer, self.active, self.loss = hl.Func("layer"), hl.Func("active"), hl.Func("loss")
        self.layer[x, y] = hl.f64(0)
        self.layer[x, y] += inside[x + r.x - 1, y + r.y - 1] * self.kernel[r.x, r.y]
        self.active[x, y] = hl.max(self.layer[x, y], 0) * self.layer[x, y]
        self.loss[()] = hl.f64(0)
        self.loss[()] += self.active[s.x, s.y] * self.active[s.x, s.y]
        self.derivative = hl.propagate_adjoints(self.loss)

    def gradients(self):
        d = self.derivative
        return values(d[self.image], (23, 19)), values(d[self.kernel], (3, 3))


def root(n):
    for f in (n.layer, n.active):
        f.compute_root()
    for f in (n.derivative[n.layer, 0], n.derivative[n.layer], n.derivative[n.active]):
        f.compute_root()


def vectors(n):
    root(n)
    d = n.derivative[n.image]
    d.vectorize(x, 4)
    for k in range(d.num_update_definitions()):
        d.update(k).vectorize(x, 4)
    n.derivative[n.layer].vectorize(x, 4, hl.TailStrategy.GuardWithIf)


def tasks(n):
    root(n)
    n.derivative[n.active].parallel(y).vectorize(x, 8)
    d = n.derivative[n.image].parallel(y)
    for k in range(d.num_update_definitions()):
        d.update(k).parallel(y)


def tiles(n):
    n.layer.compute_root()
    d = n.derivative[n.image]
    d.tile(x, y, xo, yo, xi, yi, 8, 4)
    for k in range(d.num_update_definitions()):
        d.update(k).tile(x, y, xo, yo, xi, yi, 8, 4, hl.TailStrategy.GuardWithIf).vectorize(xi)
    n.derivative[n.layer, 0].compute_root()
    n.derivative[n.active].compute_root().store_root()


def places(n):
    n.layer.compute_root()
    inner = n.derivative[n.layer, 0]
    inner.compute_root()
    n.derivative[n.active].compute_at(inner, y).vectorize(x, 4)


@pytest.fixture(scope="module")
def unscheduled():
    return Network().gradients()


@pytest.mark.parametrize("schedule", [root, vectors, tasks, tiles, places])
def test_scheduled_adjoints_are_the_unscheduled_ones(schedule, unscheduled):
    network = Network()
    schedule(network)
    for found, expected in zip(network.gradients(), unscheduled, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_scan_against_the_order_may_run_for_many_rows_at_once():
    array = numbers(6, 9)
    b = hl.Buffer(array)
    r = hl.RDom([(1, 8)])
    f = hl.Func("f")
    f[x, y] = b[x, y]
    f[r, y] = hl.f64(0.5) * f[r - 1, y] * b[r, y] + f[r, y]
    given = hl.Buffer(numbers(6, 9, seed=4))
    plain, scheduled = (hl.propagate_adjoints(f, given) for _ in range(2))
    scheduled[f, 0].compute_root().parallel(y)
    scheduled[b].parallel(y).vectorize(x, 4)
    np.testing.assert_allclose(values(scheduled[b], (9, 6)), values(plain[b], (9, 6)), rtol=1e-13)
