"""An expression for all iterations of a loop at once.

    widen x over [0, 8):    in[x + 1] * y    ->    in[ramp(1, 1, 8)] * x8(y)

The lanes of iteration 0 come first, then those of iteration 1, and so on. What does not depend on
the loop comes back as the same object, and is broadcast only where it meets what does.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..dtypes import DType
from ..ir import build
from ..ir.expr import (
    Add,
    Binary,
    Broadcast,
    Call,
    Cast,
    Effect,
    Expr,
    Let,
    Load,
    Mul,
    Not,
    Ramp,
    Select,
    Shuffle,
    Var,
    VectorReduce,
    const,
)
from ..ir.node import Node
from ..ir.rewrite import Rewriter
from . import lanes


class Widener(Rewriter):
    """Widens expressions to `count` iterations. `values` are the names that differ between iterations.

    Under a `mask` (one bool per iteration) loads of inactive lanes do not touch memory.
    """

    only = (Var, Effect)

    def __init__(self, values: Mapping[str, Expr], count: int, mask: Expr | None = None) -> None:
        super().__init__()
        self.values = values
        self.count = count
        self.mask = mask

    def under(self, values: Mapping[str, Expr], mask: Expr | None) -> Widener:
        """The same loop, where more names differ or fewer lanes are active."""
        return Widener(values, self.count, mask)

    def depends(self, e: Expr) -> bool:
        """Whether iterations may see different values of `e`."""
        return self(e) is not e

    def full(self, e: Expr) -> Expr:
        """`e` widened, whether or not it depends on the loop."""
        wide: Expr = self(e)
        return build.broadcast(e, self.count) if wide is e else wide

    def rewrite_Var(self, var: Var) -> Expr:
        return self.values.get(var.name, var)

    def rebuild(self, node: Node) -> Node:
        operands = [child for child in node.children() if self(child) is not child]
        return self._elementwise(node) if operands else node

    def _elementwise(self, node: Node) -> Expr:
        if isinstance(node, Binary):
            return lanes.binary(type(node), self.full(node.a), self.full(node.b))
        if isinstance(node, Not):
            return build.logical_not(self.full(node.a))
        if isinstance(node, Cast):
            wide = self.full(node.a)
            return cast_lanes(node.dtype.with_lanes(wide.dtype.lanes), wide)
        if isinstance(node, Select):
            return build.select(self.full(node.condition), self.full(node.a), self.full(node.b))
        assert isinstance(node, VectorReduce), f"no rule widens {type(node).__name__}"
        return VectorReduce(node.op, self.full(node.value), node.lanes * self.count)

    def rewrite_Call(self, node: Call) -> Expr:
        if not any(self.depends(a) for a in node.args):
            return node
        dtype = node.dtype.with_lanes(node.dtype.lanes * self.count)
        if node.name == "if_then_else":
            return self._branches(*node.args)
        return build.call(node.name, tuple(self.full(a) for a in node.args), dtype)

    def _branches(self, condition: Expr, then: Expr, otherwise: Expr) -> Expr:
        """A choice that evaluates one side only: each side loads just the lanes that chose it."""
        if not self.depends(condition) and not (then.has(Effect) or otherwise.has(Effect)):
            chosen = (condition, self.full(then), self.full(otherwise))
            return Call("if_then_else", chosen, chosen[1].dtype)
        chooses = self.full(condition)
        sides = [
            self.under(self.values, lanes_active(self.mask, mask)).full(side)
            for side, mask in ((then, chooses), (otherwise, build.logical_not(chooses)))
        ]
        return build.select(chooses, *sides)

    def rewrite_Let(self, node: Let) -> Expr:
        value = self(node.value)
        if value is node.value:
            inner = self if node.name not in self.values else self.under(_without(self.values, node.name), self.mask)
            body = inner(node.body)
            return node if body is node.body else Let(node.name, value, body)
        name = f"{node.name}'v"
        body = self.under({**self.values, node.name: Var(name, value.dtype)}, self.mask)(node.body)
        return Let(name, value, body)

    def rewrite_Load(self, node: Load) -> Expr:
        if not self.depends(node.index) and (node.predicate is None or not self.depends(node.predicate)):
            return node
        index = self.full(node.index)
        predicate = None if node.predicate is None else self.full(node.predicate)
        if self.mask is not None:
            predicate = lanes_active(predicate, lanes.repeat_each(self.mask, 1, node.dtype.lanes))
        return Load(node.buffer, index, node.dtype.with_lanes(index.dtype.lanes), predicate)

    def rewrite_Effect(self, node: Effect) -> Expr:
        """One call for all lanes; under a mask for those that are active."""
        where = node.where
        if self.mask is None:
            operands = (node.value, *node.args, *([] if where is None else [where]))
            if not any(map(self.depends, operands)):
                return node
        where = None if where is None else self.full(where)
        if self.mask is not None:
            where = lanes_active(where, lanes.repeat_each(self.mask, 1, node.dtype.lanes))
        return Effect(node.service, self.full(node.value), tuple(map(self.full, node.args)), where)

    def rewrite_Broadcast(self, node: Broadcast) -> Expr:
        value = self(node.value)
        return node if value is node.value else lanes.repeat_each(value, node.value.dtype.lanes, node.lanes)

    def rewrite_Ramp(self, node: Ramp) -> Expr:
        """Iterations outside, the ramp's own lanes inside."""
        base, stride, group = self(node.base), self(node.stride), node.base.dtype.lanes
        if stride is node.stride:
            if base is node.base:
                return node
            if type(base) is Ramp and base.base.dtype.lanes == group:
                row = lanes.ramp(base.base, stride, node.lanes)
                return lanes.ramp(row, build.broadcast(base.stride, node.lanes), self.count)
        steps = lanes.ramp(_zeros(node.base), build.broadcast(const(1, node.dtype.element), group), node.lanes)
        rows = lanes.repeat_each(self.full(node.base), group, node.lanes)
        slopes = lanes.repeat_each(self.full(node.stride), group, node.lanes)
        return lanes.binary(Add, rows, lanes.binary(Mul, slopes, build.broadcast(steps, self.count)))

    def rewrite_Shuffle(self, node: Shuffle) -> Expr:
        if not any(self.depends(v) for v in node.vectors):
            return node
        places = [(which, lane) for which, v in enumerate(node.vectors) for lane in range(v.dtype.lanes)]
        sizes = [v.dtype.lanes for v in node.vectors]
        starts = [sum(sizes[:which]) * self.count for which in range(len(sizes))]
        indices = tuple(
            starts[which] + iteration * sizes[which] + lane
            for iteration in range(self.count)
            for which, lane in (places[i] for i in node.indices)
        )
        return Shuffle(tuple(self.full(v) for v in node.vectors), indices)


def lanes_active(mask: Expr | None, more: Expr) -> Expr:
    """Both masks at once."""
    return more if mask is None else build.logical_and(mask, more)


def cast_lanes(dtype: DType, wide: Expr) -> Expr:
    """A vector as another type; a ramp stays one."""
    if type(wide) is Ramp and dtype.is_index_like and wide.dtype.is_index_like and dtype.bits >= wide.dtype.bits:
        base = dtype.with_lanes(wide.base.dtype.lanes)
        return lanes.ramp(build.cast(base, wide.base), build.cast(base, wide.stride), wide.lanes)
    return build.cast(dtype, wide)


def _zeros(e: Expr) -> Expr:
    return const(0, e.dtype)


def _without(values: Mapping[str, Expr], name: str) -> dict[str, Expr]:
    return {k: v for k, v in values.items() if k != name}


def same_for_all(wide: Expr, count: int) -> Expr | None:
    """What all iterations see, where a widened expression turns out to be the same for each."""
    if type(wide) is Broadcast:
        if wide.lanes == count:
            return wide.value
        if wide.lanes % count == 0:
            return build.broadcast(wide.value, wide.lanes // count)
    return None
