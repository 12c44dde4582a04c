"""Hoisting: what an innermost loop does not change is computed once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from halopy.dtypes import INT32
from halopy.ir.build import add, mul
from halopy.ir.expr import Load, Ramp, Var, const
from halopy.ir.simplify import simplify
from halopy.ir.stmt import For, LetStmt, LoopKind, Store
from halopy.lower.hoist_invariants import hoist_invariants

from .programs import bodies, result

x, y, w = Var("x"), Var("y"), Var("w")


def loop(name, extent, body):
    return For(name, const(0), const(extent), LoopKind.SERIAL, body)


def test_the_row_of_an_address_is_computed_before_the_loop():
    inside = Load("in", add(add(mul(y, w), x), 1), INT32)
    nest = loop("y", 4, loop("x", 8, Store("out", x, inside)))
    row = Load("in", add(Var("in.row"), add(x, 1)), INT32)
    after = hoist_invariants(nest)
    assert after.body.name == "in.row" and after.body.value is mul(y, w)
    assert simplify(after.body.body.body) is simplify(Store("out", x, row))


def test_accesses_that_share_a_row_share_its_name():
    taps = [Load("in", Ramp(add(add(mul(y, w), mul(x, 8)), d), const(1), 8), INT32.with_lanes(8)) for d in (0, 1)]
    after = hoist_invariants(loop("x", 8, Store("out", Ramp(mul(x, 8), const(1), 8), add(*taps))))
    assert isinstance(after, LetStmt) and isinstance(after.body, For)


def test_a_name_that_stands_there_already_is_left():
    nest = loop("x", 8, Store("out", add(w, x), Load("in", x, INT32)))
    assert hoist_invariants(nest) is nest


def test_what_is_read_from_memory_is_left():
    nest = loop("x", 8, Store("out", add(mul(Load("out", const(0), INT32), 3), x), x))
    assert hoist_invariants(nest) is nest


@given(bodies(("y", "x")), st.integers(0, 9))
def test_hoisting_keeps_the_result(body, extent):
    nest = loop("y", 7, loop("x", extent, body))
    assert np.array_equal(result(hoist_invariants(nest)), result(nest))
