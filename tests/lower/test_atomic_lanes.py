"""Vector loops over updates that take turns."""

from __future__ import annotations

from halopy.dtypes import FLOAT32, INT32
from halopy.ir.expr import Add, Div, Load, Ramp, Var, VectorReduce, const
from halopy.ir.stmt import NOTHING, Atomic, For, LoopKind, Store
from halopy.lower.trim_no_ops import trim_no_ops
from halopy.lower.vectorize_loops import vectorize_loops

r = Var("r")


def vectorized(body, extent=4):
    return For("r", const(0), const(extent), LoopKind.VECTORIZED, body)


def update(index, *, shared=True, dtype=FLOAT32):
    return Atomic("s", shared, Store("s", index, Add(Load("s", index, dtype), Load("f", r, dtype))))


def test_lanes_that_hit_one_element_are_combined_first():
    wide = Load("f", Ramp(const(0), const(1), 4), FLOAT32.with_lanes(4))
    combined = Add(Load("s", const(0), FLOAT32), VectorReduce("add", wide, 1))
    for shared in (True, False):
        assert vectorize_loops(vectorized(update(const(0), shared=shared))) is Atomic(
            "s", shared, Store("s", const(0), combined)
        )


def test_floats_that_do_not_take_turns_keep_their_order():
    store = update(const(0)).body
    assert vectorize_loops(vectorized(store)) is For("r", const(0), const(4), LoopKind.SERIAL, store)


def test_lanes_that_may_meet_take_turns():
    places = Load("p", r, INT32)
    for index in (places, Div(r, const(2))):
        one = update(index)
        assert vectorize_loops(vectorized(one)) is For("r", const(0), const(4), LoopKind.SERIAL, one)


def test_lanes_apart_are_vectors_unless_threads_meet_them():
    row = Ramp(const(0), const(1), 4)
    wide = FLOAT32.with_lanes(4)
    assert vectorize_loops(vectorized(update(r, shared=False))) is Atomic(
        "s", False, Store("s", row, Add(Load("s", row, wide), Load("f", row, wide)))
    )
    assert vectorize_loops(vectorized(update(r))) is For("r", const(0), const(4), LoopKind.SERIAL, update(r))


def test_what_does_nothing_takes_no_turns():
    there = Atomic("s", True, Store("s", r, Load("s", r, INT32)))
    assert trim_no_ops(For("r", const(0), const(4), LoopKind.PARALLEL, there)) is NOTHING
