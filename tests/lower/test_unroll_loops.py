"""Unrolling: one copy per iteration, no loop left, the same result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halopy.dtypes import INT32
from halopy.errors import ScheduleError
from halopy.ir.build import add, mul
from halopy.ir.expr import Load, Var, const
from halopy.ir.node import walk
from halopy.ir.stmt import For, LetStmt, LoopKind, Store, block
from halopy.lower.unroll_loops import unroll_loops

from .programs import bodies, result

x, xi = Var("x"), Var("xi")


def unrolled(body, extent=2):
    return For("xi", const(0), const(extent), LoopKind.UNROLLED, body)


def test_unroll_copies_the_body_once_per_iteration():
    assert unroll_loops(unrolled(Store("out", xi, Load("in", xi, INT32)))) is block(
        Store("out", const(0), Load("in", const(0), INT32)),
        Store("out", const(1), Load("in", const(1), INT32)),
    )


def test_unroll_keeps_serial_loops_untouched():
    loop = For("x", const(0), Var("n"), LoopKind.SERIAL, Store("out", x, x))
    assert unroll_loops(loop) is loop


def test_names_bound_in_later_copies_are_new():
    inner = For("x", const(0), const(3), LoopKind.SERIAL, LetStmt("t", add(x, xi), Store("out", Var("t"), x)))
    first, second = unroll_loops(unrolled(inner)).stmts
    assert first is For("x", const(0), const(3), LoopKind.SERIAL, LetStmt("t", x, Store("out", Var("t"), x)))
    assert second.name == "x'1" and second.body.name == "t'1"


def test_nested_unrolling_multiplies():
    nest = For("x", const(0), const(2), LoopKind.UNROLLED, unrolled(Store("out", add(mul(x, 3), xi), xi), 3))
    assert [s.index for s in unroll_loops(nest).stmts] == [const(i) for i in range(6)]


def test_an_extent_that_is_no_constant_is_refused():
    loop = For("f.s0.xi", const(0), Var("n"), LoopKind.UNROLLED, Store("out", const(0), const(0)))
    with pytest.raises(ScheduleError, match=r"loop f\.s0\.xi is unrolled, but its extent n is not a constant"):
        unroll_loops(loop)


@given(bodies(("y", "x")), st.integers(0, 4), st.integers(-1, 3))
def test_unrolling_keeps_the_result(body, extent, low):
    nest = For(
        "y", const(0), const(2), LoopKind.SERIAL, For("x", const(low + 1), const(extent), LoopKind.UNROLLED, body)
    )
    after = unroll_loops(nest)
    assert np.array_equal(result(after), result(nest))
    assert not any(isinstance(n, For) and n.kind is LoopKind.UNROLLED for n in walk(after))
