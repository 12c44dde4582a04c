"""Interned nodes: one object per value, and no longer than somebody uses it."""

from __future__ import annotations

import gc
import pickle
import weakref

import halopy as hl
from halopy.dtypes import FLOAT32, INT32, UINT8
from halopy.ir.expr import Add, Const, Load, Mul, Read, Var, const
from halopy.ir.node import walk
from halopy.ir.stmt import Block, Store

x, y = Var("x"), Var("y")


def test_equal_nodes_are_the_same_object() -> None:
    assert Add(x, const(1)) is Add(Var("x"), const(1))
    assert Read("f", (x, y), 0, INT32) is Read("f", (Var("x"), Var("y")), 0, INT32)
    assert Add(x, y) is not Add(y, x)


def test_literals_are_told_apart_by_type_and_bits() -> None:
    assert Const(1, INT32) is not Const(1, UINT8)
    assert Const(0.0, FLOAT32) is not Const(-0.0, FLOAT32)
    assert Const(float("nan"), FLOAT32) is Const(float("nan"), FLOAT32)


def test_kinds_tell_what_is_below() -> None:
    e = Add(Mul(x, x), Load("a", y, INT32))
    assert e.has(Load)
    assert e.has(Mul)
    assert not e.has(Store)
    assert Block((Store("a", x, e),)).has(Store)


def test_pickling_gives_the_interned_node() -> None:
    e = Add(Mul(x, const(3)), y)
    assert pickle.loads(pickle.dumps(e)) is e


def test_walk_visits_each_distinct_node_once() -> None:
    e = Add(Mul(x, y), Mul(x, y))
    assert len(list(walk(e))) == 4


def test_a_func_that_reads_itself_is_freed() -> None:
    v, r = hl.Var("v"), hl.RDom([(1, 5)])
    f = hl.Func("f")
    f[v] = v
    f[r.x] = f[r.x - 1] + 1
    f.realize([6])
    gone = weakref.ref(f._contents)
    del f
    gc.collect()
    assert gone() is None
