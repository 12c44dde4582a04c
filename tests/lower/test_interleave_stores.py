"""Interleaving: stores that fill a row together become one."""

from __future__ import annotations

import numpy as np

from halopy.dtypes import INT32
from halopy.ir.build import add
from halopy.ir.expr import Load, Ramp, Shuffle, Var, const
from halopy.ir.stmt import LetStmt, Store, block
from halopy.lower.interleave_stores import interleave_stores

from .interpreter import execute

x = Var("x")


def ramp(base, stride, lanes=4):
    return Ramp(base, const(stride), lanes)


def channel(offset, value, stride=3):
    return Store("out", ramp(add(x, offset), stride), value)


values = [ramp(const(i * 100), 1) for i in range(3)]


def test_three_channels_become_one_row():
    before = block(*(channel(i, values[i]) for i in range(3)))
    after = interleave_stores(before)
    assert isinstance(after, Store) and after.index is ramp(x, 1, 12) and isinstance(after.value, Shuffle)
    for stmt in (before, after):
        out = np.zeros(16, np.int32)
        execute(stmt, {"out": out}, {"x": 2})
        assert out.tolist() == [0, 0, 0, 100, 200, 1, 101, 201, 2, 102, 202, 3, 103, 203, 0, 0]


def test_order_does_not_matter_and_lets_move_in_front():
    before = block(
        channel(2, values[2]), LetStmt("t", values[1], channel(1, Var("t", values[1].dtype))), channel(0, values[0])
    )
    after = interleave_stores(before)
    assert isinstance(after, LetStmt) and isinstance(after.body, Store)
    assert after.body.index is ramp(x, 1, 12)


def test_a_row_with_gaps_stays():
    before = block(channel(0, values[0], 4), channel(1, values[1], 4), channel(2, values[2], 4))
    assert interleave_stores(before) is before


def test_a_value_that_reads_the_buffer_stays():
    reads = Load("out", ramp(x, 3), INT32.with_lanes(4))
    before = block(channel(0, values[0]), channel(1, reads), channel(2, values[2]))
    assert interleave_stores(before) is before
