"""Verification finds what is ill-formed, and accepts its well-formed neighbour."""

from __future__ import annotations

import pytest

from halopy.dtypes import BOOL, FLOAT32, INT32, UINT8
from halopy.errors import InternalError
from halopy.ir import expr as ir
from halopy.ir import stmt as st
from halopy.ir.expr import Broadcast, Cast, Load, Ramp, Var, const
from halopy.ir.stmt import For, LoopKind, Store
from halopy.ir.verify import verify

x, y, u, p = Var("x"), Var("y"), Var("u", UINT8), Var("p", BOOL)
vector = Ramp(x, const(1), 4)


def loop(name: str, body: st.Stmt, extent: ir.Expr = x) -> For:
    return For(name, const(0), extent, LoopKind.SERIAL, body)


STORE = Store("out", x, y)

ILL_FORMED = {
    "operands differ": (st.Evaluate(ir.Add(x, u)), st.Evaluate(ir.Add(x, Cast(INT32, u)))),
    "lanes differ": (st.Evaluate(ir.Add(vector, x)), st.Evaluate(ir.Add(vector, Broadcast(x, 4)))),
    "and of ints": (st.Evaluate(ir.And(x, y)), st.Evaluate(ir.And(p, p))),
    "condition is no bool": (st.If(x, STORE), st.If(p, STORE)),
    "select's lanes": (
        st.Evaluate(ir.Select(p, vector, vector)),
        st.Evaluate(ir.Select(Broadcast(p, 4), vector, vector)),
    ),
    "cast's lanes": (st.Evaluate(Cast(FLOAT32, vector)), st.Evaluate(Cast(FLOAT32.with_lanes(4), vector))),
    "unknown call": (st.Evaluate(ir.Call("frobnicate", (x,), INT32)), st.Evaluate(ir.Call("likely", (x,), INT32))),
    "arity": (st.Evaluate(ir.Call("absd", (x,), INT32)), st.Evaluate(ir.Call("absd", (x, y), INT32))),
    "index lanes": (Store("out", x, vector), Store("out", vector, vector)),
    "index type": (st.Evaluate(Load("in", u, INT32)), st.Evaluate(Load("in", x, INT32))),
    "predicate lanes": (Store("out", vector, vector, p), Store("out", vector, vector, Broadcast(p, 4))),
    "extent type": (loop("i", STORE, u), loop("i", STORE, x)),
    "nested names": (loop("i", loop("i", STORE)), st.block(loop("i", STORE), loop("i", STORE), STORE)),
    "let inside a loop of its name": (loop("i", st.LetStmt("i", x, STORE)), loop("i", st.LetStmt("j", x, STORE))),
    "nested blocks": (st.Block((st.Block((STORE, STORE)), STORE)), st.Block((STORE, STORE))),
    "literal out of range": (st.Evaluate(ir.Const(300, UINT8)), st.Evaluate(ir.Const(44, UINT8))),
    "shuffle's index": (
        st.Evaluate(ir.Shuffle((vector,), (0, 4))),
        st.Evaluate(ir.Shuffle((vector,), (0, 3))),
    ),
    "groups": (st.Evaluate(ir.VectorReduce("add", vector, 3)), st.Evaluate(ir.VectorReduce("add", vector, 2))),
}


@pytest.mark.parametrize("name", ILL_FORMED)
def test_refuses(name):
    bad, good = ILL_FORMED[name]
    with pytest.raises(InternalError, match="ill-formed"):
        verify(bad)
    verify(good)


def test_free_names_must_be_given():
    body = loop("i", Store("out", Var("i"), x))
    verify(body, {"x"})
    with pytest.raises(InternalError, match="`x` is not defined here"):
        verify(body, {"n"})


def test_a_let_is_seen_in_its_body_only():
    let = ir.Let("a", x, Var("a"))
    verify(let, {"x"})
    with pytest.raises(InternalError, match="`a` is not defined here"):
        verify(ir.Add(let, Var("a")), {"x"})
    with pytest.raises(InternalError, match="`a` is not defined here"):
        verify(ir.Let("a", Var("a"), x), {"x"})
