"""Conditions on sums of squares bound what is squared."""

from __future__ import annotations

import itertools

import pytest

from halopy.dtypes import INT32
from halopy.ir.expr import GE, GT, LE, LT, Add, Const, Expr, Mul, Sub, Var
from halopy.polyhedral.roots import roots

from ..ir.evaluation import evaluate

x, y, n = (Var(name) for name in "xyn")


def k(value: int) -> Expr:
    return Const(value, INT32)


SQUARES = Add(Mul(x, x), Mul(y, y))
TOLD = {
    "disk": LE(SQUARES, k(9)),
    "open disk": LT(SQUARES, k(9)),
    "turned round": GE(k(10), SQUARES),
    "ellipse": GT(k(30), Add(Mul(x, x), Mul(Mul(y, y), k(4)))),
    "around a point": LE(Add(Mul(Sub(x, k(2)), Sub(x, k(2))), Mul(y, y)), k(5)),
}


@pytest.mark.parametrize("name", TOLD)
def test_roots_are_bounded_as_closely_as_can_be(name: str) -> None:
    found = roots(TOLD[name])
    points = [{"x": i, "y": j} for i, j in itertools.product(range(-9, 10), repeat=2)]
    inside = [p for p in points if evaluate(TOLD[name], p)[0]]
    box = [p for p in points if all(evaluate(c, p)[0] for c in found)]
    for axis in "xy":
        assert {min(p[axis] for p in some) for some in (inside, box)} == {min(p[axis] for p in inside)}
        assert {max(p[axis] for p in some) for some in (inside, box)} == {max(p[axis] for p in inside)}


@pytest.mark.parametrize(
    "condition",
    [LE(SQUARES, n), LE(k(9), SQUARES), LE(Sub(Mul(x, x), Mul(y, y)), k(9)), LE(Mul(x, y), k(4)), LE(SQUARES, k(-1))],
    ids=["unknown", "outside", "difference", "product", "nowhere"],
)
def test_what_is_no_sum_of_squares_with_room_tells_nothing(condition: Expr) -> None:
    assert roots(condition) == []
