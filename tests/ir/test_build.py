"""Constructors: what they fold, and that they keep the value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halopy.dtypes import BOOL, FLOAT32, INT32, UINT8, UINT16
from halopy.ir import build
from halopy.ir import expr as ir
from halopy.ir.expr import FALSE, TRUE, Broadcast, Const, Ramp, Var, const

from .evaluation import Overflow, evaluate
from .random_expressions import FLOAT32 as _F
from .random_expressions import INTEGERS, random_expr, random_values

x, y, p = Var("x"), Var("y"), Var("p", BOOL)
f, u = Var("f", FLOAT32), Var("u", UINT8)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (build.add(x, 0), x),
        (build.add(build.add(x, 3), -3), x),
        (build.add(3, x), ir.Add(x, const(3))),
        (build.sub(x, x), const(0)),
        (build.sub(x, 3), ir.Add(x, const(-3))),
        (build.sub(build.add(x, y), y), x),
        (build.sub(u, 3), ir.Sub(u, const(3, UINT8))),
        (build.mul(x, 1), x),
        (build.mul(x, 0), const(0)),
        (build.mul(f, const(0, FLOAT32)), ir.Mul(f, const(0, FLOAT32))),
        (build.div(x, 1), x),
        (build.mod(x, 1), const(0)),
        (build.minimum(3, 5), const(3)),
        (build.minimum(build.add(x, 3), build.add(x, 5)), build.add(x, 3)),
        (build.maximum(build.maximum(x, 3), 5), build.maximum(x, 5)),
        (build.lt(x, x), FALSE),
        (build.le(x, x), TRUE),
        (build.lt(x, build.add(x, 1)), TRUE),
        (build.eq(f, f), ir.EQ(f, f)),
        (build.logical_and(TRUE, p), p),
        (build.logical_or(p, TRUE), TRUE),
        (build.logical_not(build.lt(x, y)), ir.GE(x, y)),
        (build.logical_not(ir.LT(f, f)), ir.Not(ir.LT(f, f))),
        (build.select(TRUE, x, y), x),
        (build.select(p, x, x), x),
        (build.cast(UINT8, const(300)), const(44, UINT8)),
        (build.cast(INT32, x), x),
        (build.cast(UINT8.with_lanes(4), Broadcast(x, 4)), Broadcast(ir.Cast(UINT8, x), 4)),
        (build.call("abs", (const(-3),), INT32), const(3)),
        (build.call("exp", (const(1.0, FLOAT32),), FLOAT32), ir.Call("exp", (const(1.0, FLOAT32),), FLOAT32)),
        (build.ramp(x, 0, 4), Broadcast(x, 4)),
        (build.ramp(x, 2, 1), x),
        (build.ramp(x, 2, 4), Ramp(x, const(2), 4)),
        (build.broadcast(Broadcast(x, 2), 4), Broadcast(x, 8)),
        (build.let("a", x, const(3)), const(3)),
        (build.as_expr(3, UINT16), const(3, UINT16)),
    ],
)
def test_folds(made, expected):
    assert made is expected, f"{made}, not {expected}"


def test_vectors_fold_lane_by_lane():
    assert build.add(const(3, INT32.with_lanes(4)), 4) is const(7, INT32.with_lanes(4))
    assert build.lt(const(3, INT32.with_lanes(4)), 4) is Broadcast(TRUE, 4)


@given(st.data())
@settings(max_examples=100)
def test_constructors_keep_the_value(data):
    def pick(limit: int) -> int:
        return data.draw(st.integers(0, limit - 1))

    operators = [op for op in build.BINARY if op not in (ir.And, ir.Or)]
    operator = operators[pick(len(operators))]
    dtype = (*INTEGERS, _F)[pick(len(INTEGERS) + 1)]
    a, b = random_expr(pick, dtype, 2), random_expr(pick, dtype, 2)
    made, plain = build.binary(operator, a, b), operator(a, b)
    assert made.dtype is plain.dtype
    values = random_values(pick)
    try:
        expected, found = evaluate(plain, values), evaluate(made, values)
    except Overflow:
        return
    assert str(expected) == str(found), f"{plain} became {made}"
    assert isinstance(made, ir.Expr | Const)
