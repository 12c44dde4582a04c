"""When the order of reduction iterations is free, and which variables keep iterations apart."""

from __future__ import annotations

import pytest

import halopy as hl
from halopy.schedule.order import is_order_free, ordered_variables

x = hl.Var("x")


def update_of(build) -> tuple[bool, set[str]]:
    """Whether the order is free, and the ordered variables, of `build(f, r)` as the update of f."""
    f, r = hl.Func("f"), hl.RDom([(0, 10), (0, 5)], "r")
    f[x] = 0
    build(f, r)
    function = f._contents.function
    return (
        is_order_free(function.definitions[1], function, f._contents),
        ordered_variables(function.definitions[1], function, f._contents),
    )


def add(f, r):
    f[x] += r.x * r.y


def subtract(f, r):
    f[x] -= r.x + r.y


def greatest(f, r):
    f[x] = hl.max(f[x], r.x * r.y)


def greatest_by_select(f, r):
    f[x] = hl.select(f[x] < r.x + r.y, r.x + r.y, f[x])


def constant_scatter(f, r):
    f[(r.x + r.y) % 4] = 3


def test_accumulating_is_free():
    assert all(update_of(build)[0] for build in (add, subtract, greatest, greatest_by_select, constant_scatter))


def recurrence(f, r):
    f[x] = f[x] * 2 + r.x + r.y


def from_the_left(f, r):
    f[x] = r.x + r.y - f[x]


def last_wins(f, r):
    f[x] = r.x + r.y


def clamped_sum(f, r):
    f[x] = hl.min(f[x] + r.x + r.y, 255)


def through_itself(f, r):
    f[x] += f[x] * r.x + r.y


@pytest.mark.parametrize("build", [recurrence, from_the_left, last_wins, clamped_sum, through_itself])
def test_what_depends_on_earlier_iterations_is_not_free(build):
    assert not update_of(build)[0]


def own_place(f, r):
    f[r.x] = f[r.x] + r.y


def shifted_far(f, r):
    f[r.x] = f[r.x + 20] + r.y


def interleaved(f, r):
    f[2 * r.x] = f[2 * r.x + 1] + r.y


def backwards(f, r):
    f[7 - 3 * r.x] = r.y


@pytest.mark.parametrize("build", [own_place, shifted_far, interleaved, backwards])
def test_a_variable_that_alone_decides_the_place_keeps_iterations_apart(build):
    assert update_of(build)[1] == {"r$y"}


def scan(f, r):
    f[r.x] = f[r.x - 1] + r.y


def folded(f, r):
    f[r.x % 4] = r.y


def overlapping(f, r):
    f[r.x] = f[r.x + 9] + r.y


def by_sum(f, r):
    f[r.x + r.y] = 1


@pytest.mark.parametrize("build", [scan, folded, overlapping, by_sum])
def test_places_that_meet_order_the_variable(build):
    assert "r$x" in update_of(build)[1]
