"""Nodes: equal ones are the same object; rewriting shares and survives depth."""

from __future__ import annotations

import gc
import pickle

import pytest

from halopy.dtypes import BOOL, FLOAT32, FLOAT64, INT32, UINT8
from halopy.ir import expr as ir
from halopy.ir import node
from halopy.ir.expr import Add, Const, Expr, Var, const
from halopy.ir.node import walk
from halopy.ir.order import order_key
from halopy.ir.rewrite import Rewriter, free_vars, substitute
from halopy.ir.stmt import For, LoopKind, Store, block

x, y = Var("x"), Var("y")


def test_equal_nodes_are_one_object():
    assert Add(x, const(1)) is Add(Var("x"), Const(1, INT32))
    assert Add(x, y) is not Add(y, x)


def test_literals_are_told_apart_by_bits_and_type():
    assert Const(0.0, FLOAT32) is not Const(-0.0, FLOAT32)
    assert Const(1, BOOL) is not Const(1, UINT8)
    assert Const(1.0, FLOAT32) is not Const(1.0, FLOAT64)
    assert Const(float("nan"), FLOAT32) is Const(float("nan"), FLOAT32)


def test_pickling_gives_the_same_object():
    e = ir.Select(ir.LT(x, y), Add(x, y), const(3))
    assert pickle.loads(pickle.dumps(e)) is e


def test_nodes_are_immutable():
    with pytest.raises(AttributeError):
        x.name = "y"  # type: ignore[misc]


def test_unused_nodes_are_forgotten():
    before = len(node._table)
    for i in range(1000):
        Add(Var(f"forgotten{i}"), x)
    gc.collect()
    assert len(node._table) < before + 100


def test_kinds_tell_what_is_below():
    e = Add(x, ir.Mul(y, const(2)))
    assert e.has(ir.Mul)
    assert not e.has(ir.Div, ir.Mod)


def test_walk_visits_shared_nodes_once():
    e: Expr = x
    for _ in range(100):
        e = Add(e, e)
    assert len(list(walk(e))) == 101


def test_an_untouched_tree_comes_back():
    e = Add(x, ir.Mul(y, const(2)))
    assert substitute(e, {"z": const(1)}) is e
    assert Rewriter()(e) is e


def test_substitute_leaves_bound_names_alone():
    e = Add(x, ir.Let("x", const(3), ir.Mul(x, y)))
    assert substitute(e, {"x": y}) is Add(y, ir.Let("x", const(3), ir.Mul(x, y)))
    loop = For("x", x, const(4), LoopKind.SERIAL, Store("out", x, x))
    assert substitute(loop, {"x": y}) is For("x", y, const(4), LoopKind.SERIAL, Store("out", x, x))


def test_blocks_flatten():
    a, b, c = (Store("out", x, const(i)) for i in range(3))
    assert block(block(a, b), c) is block(a, block(b, c))
    assert block(a) is a


def test_rewriting_survives_depth():
    e: Expr = x
    for i in range(10_000):
        e = ir.Min(Add(ir.Mul(e, y), const(i)), y)
    assert free_vars(substitute(e, {"x": Var("z")})) == {"y", "z"}


def test_order_does_not_depend_on_addresses():
    texts = ["z*y", "b", "a", "x + y"]
    nodes = {"a": Var("a"), "b": Var("b"), "x + y": Add(x, y), "z*y": ir.Mul(Var("z"), y)}
    ordered = sorted(texts, key=lambda t: order_key(nodes[t]))
    assert ordered[2:] == ["a", "b"]
    assert set(ordered[:2]) == {"z*y", "x + y"}
