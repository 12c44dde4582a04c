"""Vectorising: vectors instead of the loop, the same memory afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halopy.dtypes import BOOL, FLOAT32, INT32, UINT8
from halopy.errors import ScheduleError
from halopy.ir.build import add, lt, mul, sub
from halopy.ir.expr import LT, Add, Broadcast, Call, Cast, Load, Ramp, Select, Var, VectorReduce, const
from halopy.ir.node import walk
from halopy.ir.stmt import Allocate, For, If, LetStmt, LoopKind, MemoryKind, Store, block
from halopy.lower.vectorize_loops import vectorize_loops

from .programs import bodies, result

x, y, xo = Var("x"), Var("y"), Var("xo")


def vectorized(body, extent=4, low=0, name="x"):
    return For(name, const(low), const(extent), LoopKind.VECTORIZED, body)


def lanes(base, stride=1, count=4):
    base = base if not isinstance(base, int) else const(base)
    return Ramp(base, const(stride), count)


def f(index):
    return Load("f", index, INT32.with_lanes(index.dtype.lanes))


def test_addresses_become_ramps():
    index = add(mul(xo, 4), x)
    loop = vectorized(Store("out", index, Add(f(add(index, 1)), Load("c", xo, INT32))))
    assert vectorize_loops(loop) is Store(
        "out", lanes(mul(xo, 4)), Add(f(lanes(add(mul(xo, 4), 1))), Broadcast(Load("c", xo, INT32), 4))
    )


def test_strides_and_types_follow_the_index():
    loop = vectorized(Store("out", add(mul(x, 2), 1), Cast(UINT8, f(x))))
    assert vectorize_loops(loop) is Store("out", lanes(1, 2), Cast(UINT8.with_lanes(4), f(lanes(0))))


def test_a_serial_loop_inside_stays_with_a_vector_body():
    body = For("r", const(0), Var("k"), LoopKind.SERIAL, Store("out", x, Add(f(x), Load("w", Var("r"), INT32))))
    after = vectorize_loops(vectorized(body))
    assert after is For(
        "r", const(0), Var("k"), LoopKind.SERIAL,
        Store("out", lanes(0), Add(f(lanes(0)), Broadcast(Load("w", Var("r"), INT32), 4))),
    )  # fmt: skip


def test_nested_vector_loops_lay_rows_end_to_end():
    loop = vectorized(vectorized(Store("out", add(mul(y, 10), x), f(x))), 2, name="y")
    rows = Ramp(lanes(0), Broadcast(const(10), 4), 2)
    assert vectorize_loops(loop) is Store("out", rows, Broadcast(f(lanes(0)), 2))


def test_nested_vector_loops_over_one_row_become_one_ramp():
    loop = vectorized(vectorized(Store("out", add(mul(y, 4), x), const(7))), 2, name="y")
    assert vectorize_loops(loop) is Store("out", lanes(0, 1, 8), Broadcast(const(7), 8))


def test_a_condition_on_lanes_masks_the_stores_and_their_loads():
    mask = LT(f(lanes(0)), Broadcast(Var("n"), 4))
    assert vectorize_loops(vectorized(If(lt(f(x), Var("n")), Store("out", x, Load("g", x, INT32))))) is Store(
        "out", lanes(0), Load("g", lanes(0), INT32.with_lanes(4), mask), mask
    )


def test_a_condition_that_is_a_range_of_lanes_becomes_a_short_loop():
    guarded = If(lt(x, Var("n")), Store("out", x, f(x)))
    assert vectorize_loops(vectorized(guarded)) is For("x", const(0), const(4), LoopKind.SERIAL, guarded)


def test_a_likely_condition_is_tested_for_all_lanes_at_once():
    condition = lt(x, Var("n"))
    marked = Call("likely", (condition,), BOOL)
    scalar = For("x", const(0), const(4), LoopKind.SERIAL, If(condition, Store("out", x, f(x))))
    every = VectorReduce("and", LT(lanes(0), Broadcast(Var("n"), 4)), 1)
    after = vectorize_loops(vectorized(If(marked, Store("out", x, f(x)))))
    assert after is If(every, Store("out", lanes(0), f(lanes(0))), scalar)


def test_a_condition_that_lanes_share_stays_a_branch():
    loop = vectorized(If(lt(xo, Var("n")), Store("out", x, x)))
    assert vectorize_loops(loop) is If(lt(xo, Var("n")), Store("out", lanes(0), lanes(0)))


def test_lets_become_vectors():
    loop = vectorized(LetStmt("t", f(x), Store("out", x, mul(Var("t"), Var("t")))))
    t = Var("t'v", INT32.with_lanes(4))
    assert vectorize_loops(loop) is LetStmt("t'v", f(lanes(0)), Store("out", lanes(0), mul(t, t)))


def test_a_let_of_an_address_keeps_it_affine():
    loop = vectorized(LetStmt("t", add(x, xo), Store("out", Var("t"), x)))
    assert vectorize_loops(loop) is LetStmt("t'v", xo, Store("out", lanes(Var("t'v")), lanes(0)))


def test_memory_inside_is_interleaved():
    body = block(Store("m", const(2), x), Store("out", x, Load("m", const(2), INT32)))
    loop = vectorized(Allocate("m", INT32, const(3), MemoryKind.AUTO, body))
    assert vectorize_loops(loop) is Allocate(
        "m", INT32, const(12), MemoryKind.AUTO,
        block(Store("m", lanes(8), lanes(0)), Store("out", lanes(0), Load("m", lanes(8), INT32.with_lanes(4)))),
    )  # fmt: skip


def test_an_integer_sum_over_lanes_is_reduced():
    s = Load("s", const(0), INT32)
    assert vectorize_loops(vectorized(Store("s", const(0), add(s, f(x))))) is Store(
        "s", const(0), Add(s, VectorReduce("add", f(lanes(0)), 1))
    )


def test_a_float_sum_over_lanes_keeps_its_order():
    s = Load("s", const(0), FLOAT32)
    after = vectorize_loops(vectorized(Store("s", const(0), add(s, Load("g", x, FLOAT32)))))
    assert isinstance(after, For) and after.kind is LoopKind.SERIAL


def test_lanes_that_may_meet_in_one_bin_run_in_order():
    bin_ = f(x)
    after = vectorize_loops(vectorized(Store("h", bin_, add(Load("h", bin_, INT32), 1))))
    assert isinstance(after, For) and after.kind is LoopKind.SERIAL


def test_rows_an_unknown_stride_apart_are_different():
    here, above = add(mul(y, Var("w")), x), add(mul(sub(y, 1), Var("w")), x)
    after = vectorize_loops(vectorized(Store("f", here, add(f(above), 1))))
    assert isinstance(after, Store) and after.value.dtype.lanes == 4


def test_a_recurrence_along_the_lanes_runs_in_order():
    after = vectorize_loops(vectorized(Store("f", x, add(f(sub(x, 1)), 1))))
    assert isinstance(after, For) and after.kind is LoopKind.SERIAL
    assert isinstance(vectorize_loops(vectorized(Store("f", x, add(f(add(x, 4)), 1)))), Store)


def test_selects_choose_by_lane():
    loop = vectorized(Store("out", x, Select(lt(x, const(2)), f(x), const(0))))
    assert vectorize_loops(loop) is Store(
        "out", lanes(0), Select(LT(lanes(0), Broadcast(const(2), 4)), f(lanes(0)), Broadcast(const(0), 4))
    )


def test_an_extent_that_is_no_constant_is_refused():
    loop = For("f.s0.x", const(0), Var("n"), LoopKind.VECTORIZED, Store("out", x, x))
    with pytest.raises(ScheduleError, match=r"loop f\.s0\.x is vectorized, but its extent n is not a constant"):
        vectorize_loops(loop)


def check(nest):
    after = vectorize_loops(nest)
    assert np.array_equal(result(after), result(nest)), f"{nest}\nbecame\n{after}"
    assert not any(isinstance(n, For) and n.kind is LoopKind.VECTORIZED for n in walk(after))


@given(bodies(("y", "x")), st.integers(0, 9), st.integers(0, 3))
def test_vectorizing_keeps_the_result(body, extent, low):
    check(For("y", const(0), const(3), LoopKind.SERIAL, vectorized(body, extent, low)))


@given(bodies(("y", "x")), st.integers(2, 4), st.integers(2, 4))
def test_nested_vectors_keep_the_result(body, rows, columns):
    nest = For("y", const(0), const(3), LoopKind.SERIAL, vectorized(body, columns))
    inner = For("x", mul(xo, columns), const(columns), LoopKind.VECTORIZED, body)
    check(For("y", const(0), const(3), LoopKind.SERIAL, vectorized(inner, rows, name="xo")))
    check(nest)
