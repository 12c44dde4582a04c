"""Storage becomes memory with one index."""

from __future__ import annotations

from halopy.dtypes import INT32
from halopy.ir.expr import Add, Expr, Load, Read, Var, const
from halopy.ir.node import walk
from halopy.ir.program import Image, Program
from halopy.ir.refs import ImageRef
from halopy.ir.stmt import Evaluate
from halopy.lower.flatten_storage import flatten_storage


def test_expressions_of_any_depth_are_flattened() -> None:
    image = Image("in", INT32, 1, ImageRef("in", INT32, 1))
    total: Expr = const(0, INT32)
    for k in range(10_000):
        total = Add(total, Read("in", (Add(Var("x"), const(k % 7, INT32)),), 0, INT32))
    flattened = flatten_storage(Evaluate(total), Program({}, (), {"in": image}, {}, {}), {})
    loads = {str(node) for node in walk(flattened) if isinstance(node, Load)}
    assert len(loads) == 7 and not any(isinstance(node, Read) for node in walk(flattened))
