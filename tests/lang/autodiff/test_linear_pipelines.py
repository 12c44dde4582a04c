"""The derivative of a linear pipeline A is its transpose, <Ax, y> = <x, A'y>; of affine reads it is a gather."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from tests.lang.autodiff.gradients import numbers, values

x, y = hl.Var("x"), hl.Var("y")
WIDTH, HEIGHT = 13, 11


def three_by_three(b):
    f = hl.Func("f")
    f[x, y] = sum(((i + 2 * j - 1) * b[x + i, y + j] for i in range(3) for j in range(3)), hl.f64(0))
    return f, (WIDTH - 2, HEIGHT - 2)


def separable(b):
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = b[x, y] + 2 * b[x + 1, y] + b[x + 2, y]
    g[x, y] = f[x, y] - f[x, y + 2]
    return g, (WIDTH - 2, HEIGHT - 2)


def downsampled(b):
    f = hl.Func("f")
    f[x, y] = b[2 * x, 3 * y] + b[2 * x + 1, 3 * y + 2]
    return f, (WIDTH // 2, HEIGHT // 3)


def upsampled(b):
    f = hl.Func("f")
    f[x, y] = 3 * b[x // 2, y // 2] + b[(x + 1) // 2, (y + 1) // 2]
    return f, (2 * WIDTH - 2, 2 * HEIGHT - 2)


def thirds(b):
    f = hl.Func("f")
    f[x, y] = b[(2 * x) // 3, y % 4] + b[x % 3 + x // 3, HEIGHT - 1 - y]
    return f, (WIDTH, HEIGHT)


def transposed(b):
    f = hl.Func("f")
    f[x, y] = b[y, x] - 2 * b[WIDTH - 1 - y, HEIGHT - 1 - x]
    return f, (HEIGHT, WIDTH)


def convolved(b):
    r = hl.RDom([(-1, 3), (0, 2)])
    f = hl.Func("f")
    f[x, y] = hl.f64(0)
    f[x, y] += b[x + r.x + 1, 2 * y + r.y] * hl.f64(r.x + 2 * r.y)
    return f, (WIDTH - 2, HEIGHT // 2)


def summed_in_blocks(b):
    r = hl.RDom([(0, 3), (0, 2)])
    f = hl.Func("f")
    f[x, y] = hl.f64(0)
    f[x, y] += b[3 * x + r.x, 2 * y + r.y]
    return f, (WIDTH // 3, HEIGHT // 2)


def diagonals(b):
    f = hl.Func("f")
    f[x, y] = b[x + y, 5 + x - y] + b[x, x]
    return f, (5, 5)


AFFINE = [
    three_by_three, separable, downsampled, upsampled, transposed, convolved, summed_in_blocks, diagonals,
]  # fmt: skip


def exterior(b):
    inside = hl.BoundaryConditions.constant_exterior(b, hl.f64(0))
    f = hl.Func("f")
    f[x, y] = inside[x - 2, y] + 2 * inside[x, y - 3] - inside[x + 1, y + 1]
    return f, (WIDTH + 3, HEIGHT + 3)


def mirrored(b):
    inside = hl.BoundaryConditions.mirror_interior(b)
    f = hl.Func("f")
    f[x, y] = inside[x - 4, y] + 2 * inside[x + 3, y - 3]
    return f, (WIDTH + 3, HEIGHT + 3)


def integrated(b):
    r, s = hl.RDom([(1, WIDTH - 1)]), hl.RDom([(1, HEIGHT - 1)])
    f = hl.Func("f")
    f[x, y] = b[x, y]
    f[r, y] += f[r - 1, y]
    f[x, s] += f[x, s - 1]
    return f, (WIDTH, HEIGHT)


def patched(b):
    r = hl.RDom([(2, 4), (1, 3)])
    r.where(r.x + r.y < 7)
    f = hl.Func("f")
    f[x, y] = b[x, y]
    f[r.x, r.y] = b[r.y, r.x] - b[r.x, r.y]
    f[x, 2] = f[x, 1] + f[x, 2] * 3
    return f, (WIDTH, HEIGHT)


def scattered(b):
    r = hl.RDom([(0, WIDTH)])
    f = hl.Func("f")
    f[x, y] = hl.f64(0)
    f[(r * 5) % 7, y] += b[r, y] * hl.f64(r)
    return f, (7, HEIGHT)


@pytest.mark.parametrize("make", [*AFFINE, thirds, exterior, mirrored, integrated, patched, scattered])
def test_the_derivative_of_a_linear_pipeline_is_its_transpose(make):
    image, weights_of = numbers(HEIGHT, WIDTH), None
    b = hl.Buffer(image)
    f, sizes = make(b)
    forward = values(f, sizes)
    weights_of = numbers(*sizes[::-1], seed=3)
    back = values(hl.propagate_adjoints(f, hl.Buffer(weights_of))[b], (WIDTH, HEIGHT))
    assert np.isclose((forward * weights_of).sum(), (image * back).sum(), rtol=1e-12)
    assert np.abs(back).sum() > 0


@pytest.mark.parametrize("make", AFFINE)
def test_the_adjoint_of_affine_reads_is_a_gather(make):
    b = hl.Buffer(numbers(HEIGHT, WIDTH))
    f, sizes = make(b)
    derivative = hl.propagate_adjoints(f, hl.Buffer(numbers(*sizes[::-1])))
    adjoints = [derivative[b], derivative[f]]
    assert all(is_gather(d) for d in adjoints)


def is_gather(d):
    """Whether all updates are for all places, each its own."""
    names = [v.name() for v in d.args()]
    return all([str(e.node) for e in d.update_args(k)] == names for k in range(d.num_update_definitions()))


def test_the_adjoint_of_a_blocked_sum_has_no_reduction_at_all():
    b = hl.Buffer(numbers(HEIGHT, WIDTH))
    f, sizes = summed_in_blocks(b)
    assert hl.propagate_adjoints(f, hl.Buffer(numbers(*sizes[::-1])))[b].num_update_definitions() == 0


def test_a_read_that_depends_on_data_is_scattered():
    b, place = hl.Buffer(numbers(6)), hl.Buffer(np.arange(6, dtype=np.int32))
    f = hl.Func("f")
    f[x] = b[hl.clamp(place[x], 0, 5)]
    assert not is_gather(hl.propagate_adjoints(f, hl.Buffer(numbers(6)))[b])
