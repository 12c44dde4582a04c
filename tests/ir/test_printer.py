"""Printing: golden texts, and depth."""

from __future__ import annotations

import math

import pytest

from halopy.dtypes import BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, INT32, INT64, UINT8
from halopy.ir import expr as ir
from halopy.ir import printer
from halopy.ir import stmt as st
from halopy.ir.expr import Broadcast, Const, Expr, Load, Ramp, Read, Shuffle, Var, VectorReduce, const
from halopy.ir.stmt import Block, For, LoopKind, MemoryKind, Stmt

x, y, f = Var("x"), Var("y"), Var("f", FLOAT32)


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (const(3), "3"),
        (const(-3), "-3"),
        (const(3, UINT8), "(uint8)3"),
        (const(3, INT64), "(int64)3"),
        (const(1, BOOL), "(bool)1"),
        (const(3.0, FLOAT32), "3.000000f"),
        (const(0.5, FLOAT64), "0.500000"),
        (const(0.5, FLOAT16), "0.500000h"),
        (const(0.5, BFLOAT16), "0.500000bf"),
        (const(1e-9, FLOAT64), "1e-09"),
        (const(-0.0, FLOAT32), "-0.000000f"),
        (Const(math.nan, FLOAT32), "nanf"),
        (ir.Add(x, const(1)), "(x + 1)"),
        (ir.Mul(ir.Sub(x, y), const(2)), "((x - y)*2)"),
        (ir.Mod(ir.Div(x, y), const(3)), "((x/y) % 3)"),
        (ir.Min(x, ir.Max(y, const(0))), "min(x, max(y, 0))"),
        (ir.And(ir.LT(x, y), ir.Not(ir.NE(x, y))), "((x < y) && !(x != y))"),
        (ir.Select(ir.LE(x, y), x, y), "select((x <= y), x, y)"),
        (ir.Cast(UINT8, x), "uint8(x)"),
        (ir.Call("sqrt", (f,), FLOAT32), "sqrt(f)"),
        (ir.Let("a", x, ir.Add(Var("a"), y)), "(let a = x in (a + y))"),
        (Read("g", (x, y), 0, INT32), "g(x, y)"),
        (Read("g", (x,), 1, INT32), "g.1(x)"),
        (Load("b", Ramp(x, const(1), 4), INT32.with_lanes(4)), "b[ramp(x, 1, 4)]"),
        (Broadcast(f, 8), "x8(f)"),
        (Shuffle((Broadcast(x, 2), Broadcast(y, 2)), (0, 2)), "shuffle(x2(x), x2(y), 0, 2)"),
        (VectorReduce("add", Broadcast(x, 4), 2), "reduce_add(x4(x), 2)"),
    ],
)
def test_expressions(e: Expr, text: str):
    assert str(e) == text


def test_every_statement(golden):
    vector = Ramp(Var("i"), const(1), 4)
    mask = ir.LT(vector, Broadcast(x, 4))
    body: Stmt = Block((
        st.Assert(ir.LT(x, y), st.ErrorSite.REGION_TOO_SMALL, ("in", "x"), (x, y)),
        st.LetStmt("a", ir.Add(x, const(1)), st.Store("out", Var("a"), x)),
        st.If(ir.LT(x, y), st.Store("out", x, y), st.Evaluate(x)),
        st.If(ir.LE(x, y), st.Provide("f", (x, y), (x,))),
        st.Provide("f", (x, y), (x, y)),
        st.Store("out", vector, Broadcast(y, 4), mask),
        st.Allocate("scratch", UINT8, ir.Mul(x, y), MemoryKind.STACK, st.Store("scratch", x, const(0, UINT8))),
    ))  # fmt: skip
    inner = For("i", const(0), const(8), LoopKind.VECTORIZED, body)
    outer = For("y", const(0), Var("out.extent.1"), LoopKind.PARALLEL, st.Produce("f", inner))
    bounds = ((const(0), x), (y, const(4)))
    assert str(st.Realize("f", (INT32,), bounds, MemoryKind.AUTO, outer)) == golden


def test_depth_is_no_limit():
    e: Expr = x
    s: Stmt = st.Evaluate(x)
    for i in range(10_000):
        e = ir.Add(ir.Mul(e, y), const(i))
    for i in range(2_000):
        s = st.Produce(f"f{i}", s)
    assert str(e).startswith("(" * 20_000 + "x*y) + 0)")
    assert str(s).count("\n") == 4_001


def test_shared_parts_do_not_explode():
    e: Expr = ir.Add(x, y)
    for _ in range(60):
        e = ir.Mul(e, e)
    assert len(str(e)) <= printer.LIMIT + 1
    assert str(e).endswith("…")
