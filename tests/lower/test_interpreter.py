"""The interpreter itself: the meanings that passes are tested against."""

from __future__ import annotations

import numpy as np
import pytest

from halopy.dtypes import INT32, UINT8
from halopy.ir.expr import LT, Add, Broadcast, Cast, Div, Load, Mod, Ramp, Var, VectorReduce, const
from halopy.ir.stmt import Allocate, For, LetStmt, LoopKind, MemoryKind, Store, block

from .interpreter import OutOfBounds, evaluate, execute

x = Var("x")


def test_a_loop_stores_each_element() -> None:
    out = np.zeros(5, np.int32)
    execute(For("x", const(0), Var("n"), LoopKind.SERIAL, Store("out", x, Add(x, x))), {"out": out}, {"n": 5})
    assert out.tolist() == [0, 2, 4, 6, 8]


def test_division_is_euclidean_and_total() -> None:
    for a, b, q, r in [(-7, 2, -4, 1), (-7, -2, 4, 1), (7, -2, -3, 1), (5, 0, 0, 0)]:
        assert evaluate(Div(const(a), const(b))) == (q,)
        assert evaluate(Mod(const(a), const(b))) == (r,)


def test_integers_wrap_at_their_width() -> None:
    assert evaluate(Add(const(200, UINT8), const(100, UINT8))) == (44,)
    assert evaluate(Cast(UINT8, const(-1))) == (255,)


def test_an_access_outside_its_buffer_is_reported() -> None:
    with pytest.raises(OutOfBounds):
        execute(Store("out", const(3), const(1)), {"out": np.zeros(3, np.int32)})
    with pytest.raises(OutOfBounds):
        execute(Store("out", const(0), Load("out", const(-1), INT32)), {"out": np.zeros(3, np.int32)})


def test_masked_lanes_touch_no_memory() -> None:
    lanes = Ramp(const(0), const(1), 4)
    inside = LT(lanes, Broadcast(const(3), 4))
    out = np.zeros(3, np.int32)
    execute(Store("out", lanes, Add(Load("out", lanes, INT32.with_lanes(4), inside), lanes), inside), {"out": out})
    assert out.tolist() == [0, 1, 2]


def test_nested_ramps_lay_vectors_end_to_end() -> None:
    inner = Ramp(const(0), const(1), 2)
    assert evaluate(Ramp(inner, Broadcast(const(10), 2), 3)) == (0, 1, 10, 11, 20, 21)
    assert evaluate(VectorReduce("add", Ramp(const(0), const(1), 6), 2)) == (3, 12)


def test_allocations_and_lets_end_with_their_scope() -> None:
    body = block(Store("t", const(0), x), Store("out", const(0), Load("t", const(0), INT32)))
    out = np.zeros(1, np.int32)
    execute(LetStmt("x", const(7), Allocate("t", INT32, const(1), MemoryKind.AUTO, body)), {"out": out})
    assert out.tolist() == [7]
