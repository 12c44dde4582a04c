"""Trimming: loops over what has an effect, nothing without one, the same result."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from halopy.dtypes import INT32
from halopy.ir.build import add, ge, logical_and, lt, mul
from halopy.ir.expr import Load, Var, const
from halopy.ir.simplify import simplify
from halopy.ir.stmt import NOTHING, Allocate, Evaluate, For, If, LetStmt, LoopKind, MemoryKind, Store, block
from halopy.lower.trim_no_ops import trim_no_ops

from .programs import bodies, conditions, result

x, y, a, b = (Var(name) for name in ("x", "y", "a", "b"))
STORE = Store("out", x, const(1))


def loop(name, low, extent, body, kind=LoopKind.SERIAL):
    low, extent = (const(e) if isinstance(e, int) else e for e in (low, extent))
    return For(name, low, extent, kind, body)


def test_a_condition_on_the_variable_becomes_the_range(golden):
    condition = logical_and(ge(x, a), lt(mul(x, 2), b))
    assert str(simplify(trim_no_ops(loop("x", 0, 100, If(condition, STORE))))) == golden


def test_a_condition_that_no_iteration_changes_moves_out():
    inner = loop("x", 0, 8, If(lt(y, a), STORE))
    assert trim_no_ops(inner) is If(lt(y, a), loop("x", 0, 8, STORE))


def test_a_condition_moves_through_inner_loops_to_the_one_it_is_about():
    after = trim_no_ops(loop("y", 0, 8, loop("x", 0, 8, If(lt(y, a), STORE))))
    assert isinstance(after, For) and after.body is loop("x", 0, 8, STORE)


def test_what_the_range_cannot_say_stays():
    odd = If(lt(Load("in", x, INT32), 3), STORE)
    assert trim_no_ops(loop("x", 0, 8, odd)) is loop("x", 0, 8, odd)


def test_a_condition_under_a_let_is_seen_through_it():
    after = trim_no_ops(loop("x", 0, 100, LetStmt("t", add(x, 3), If(lt(Var("t"), a), Store("out", Var("t"), x)))))
    assert after.body is LetStmt("t", add(x, 3), Store("out", Var("t"), x))


def test_memory_that_nothing_reads_goes():
    fill = loop("x", 0, 8, Store("m", x, x))
    assert trim_no_ops(Allocate("m", INT32, const(8), MemoryKind.AUTO, block(fill, STORE))) is STORE
    used = Allocate(
        "m", INT32, const(8), MemoryKind.AUTO, block(fill, Store("out", const(0), Load("m", const(1), INT32)))
    )
    assert trim_no_ops(used) is used
    unused = Allocate("m", INT32, const(8), MemoryKind.AUTO, block(fill, STORE))
    assert trim_no_ops(If(lt(a, b), used, unused)) is If(lt(a, b), used, STORE)


def test_what_has_no_effect_goes():
    same = Store("out", x, Load("out", x, INT32))
    assert trim_no_ops(loop("x", 0, 8, block(same, Evaluate(x)))) is NOTHING
    assert trim_no_ops(LetStmt("t", x, If(lt(x, 3), same))) is NOTHING


@given(bodies(("y", "x")), conditions(("y", "x")), st.integers(0, 14), st.integers(0, 6))
def test_trimming_keeps_the_result(body, condition, extent, low):
    nest = loop("y", 0, 7, loop("x", low, extent, If(condition, body)))
    after = trim_no_ops(nest)
    assert np.array_equal(result(after), result(nest)), f"{nest}\nbecame\n{after}"
