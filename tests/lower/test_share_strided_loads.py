"""Strided reads that fill a row together: one dense read of exactly their elements."""

from __future__ import annotations

import pytest

from halopy.dtypes import FLOAT32, UINT8, UINT16, DType
from halopy.ir.build import add
from halopy.ir.expr import Add, Call, Expr, Load, Ramp, Shuffle, Var, const
from halopy.ir.node import find
from halopy.ir.stmt import Store, block
from halopy.lower.share_strided_loads import share_strided_loads
from tests.codegen.guarded import assert_agrees

base = Var("base")


def read(offset: int, stride: int = 2, lanes: int = 8, dtype: DType = UINT8, buffer: str = "in") -> Expr:
    return Load(buffer, Ramp(add(base, offset), const(stride), lanes), dtype.with_lanes(lanes))


def total(*values: Expr) -> Expr:
    first, *rest = values
    for value in rest:
        first = Add(first, value)
    return first


def out(value: Expr, buffer: str = "out") -> Store:
    return Store(buffer, Ramp(const(0), const(1), value.dtype.lanes), value)


def test_two_halves_of_a_row_are_read_once():
    row = Load("in", Ramp(base, const(1), 16), UINT8.with_lanes(16))
    assert share_strided_loads(out(Add(read(1), read(0)))) is out(
        Add(Shuffle((row,), tuple(range(1, 16, 2))), Shuffle((row,), tuple(range(0, 16, 2))))
    )


def test_four_taps_are_two_rows():
    shared = share_strided_loads(out(total(*map(read, (-1, 0, 1, 2)))))
    rows = {str(load.index) for load in find(shared, Load)}
    assert rows == {"ramp((base + -1), 1, 16)", "ramp((base + 1), 1, 16)"}


@pytest.mark.parametrize(
    "value",
    [
        read(0),
        total(read(0), read(2)),  # the elements between belong to nobody
        total(read(0, 3), read(1, 3)),
        total(read(0), read(1, buffer="other")),
        total(read(0, 8), read(1, 8)),
        Call("if_then_else", (Var("c"), read(0), read(1)), UINT8.with_lanes(8)),
    ],
    ids=str,
)
def test_reads_that_leave_gaps_or_may_not_happen_stay(value):
    assert share_strided_loads(out(value)) is out(value)


@pytest.mark.parametrize("width", [16, 32, 64])
def test_nothing_beside_the_elements_is_touched(width):
    bodies, inputs, outputs = [], {}, {}
    for dtype in (UINT8, UINT16, FLOAT32):
        for lanes in (2, 5, 8, 16, 32, 64):
            for stride in (2, 3, 4):
                number = len(bodies)
                taps = (read(k, stride, lanes, dtype, f"in{number}") for k in range(stride))
                bodies.append(out(total(*taps), f"out{number}"))
                inputs[f"in{number}"], outputs[f"out{number}"] = (dtype, lanes * stride), (dtype, lanes)
    shared = share_strided_loads(block(*bodies))
    assert all(load.index.stride is const(1) for load in find(shared, Load) if isinstance(load.index, Ramp))
    assert_agrees(shared, inputs, outputs, {"base": 0}, width=width)
