"""Evaluate expressions point by point, with `halopy.ir.fold` for each operator. Vectors are tuples of lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from math import isfinite

from halopy.ir import expr as ir
from halopy.ir.expr import Expr
from halopy.ir.fold import Number, fold_binary, fold_call, fold_cast

Lanes = tuple[Number, ...]
Memory = Callable[[str, tuple[int, ...]], Number]


class Overflow(Exception):
    """int32 or int64 arithmetic left its range, which the simplifier may take as impossible."""


def evaluate(e: Expr, values: Mapping[str, Number], memory: Memory | None = None, finite: bool = False) -> Lanes:
    """The lanes of the expression's value. `finite` refuses to meet NaN and infinity on the way."""
    return _Evaluation(values, memory, finite)(e)


class _Evaluation:
    def __init__(self, values: Mapping[str, Number], memory: Memory | None, finite: bool) -> None:
        self.values, self.memory, self.finite = values, memory, finite
        self.memo: dict[Expr, Lanes] = {}

    def __call__(self, e: Expr) -> Lanes:
        if e not in self.memo:
            self.memo[e] = getattr(self, type(e).__name__, self.binary)(e)
            if self.finite and e.dtype.is_float and not all(map(isfinite, self.memo[e])):
                raise Overflow
        return self.memo[e]

    def binary(self, e: ir.Binary) -> Lanes:
        scalar = e.a.dtype.element
        pairs = zip(self(e.a), self(e.b), strict=True)
        return tuple(_checked(type(e), x, y, fold_binary(type(e), x, y, scalar), scalar) for x, y in pairs)

    def Const(self, e: ir.Const) -> Lanes:
        return (e.value,)

    def Var(self, e: ir.Var) -> Lanes:
        return (self.values[e.name],) if e.dtype.lanes == 1 else self.values[e.name]

    def Not(self, e: ir.Not) -> Lanes:
        return tuple(1 - x for x in self(e.a))

    def Select(self, e: ir.Select) -> Lanes:
        return tuple(a if c else b for c, a, b in zip(self(e.condition), self(e.a), self(e.b), strict=True))

    def Cast(self, e: ir.Cast) -> Lanes:
        return tuple(fold_cast(x, e.a.dtype.element, e.dtype.element) for x in self(e.a))

    def Call(self, e: ir.Call) -> Lanes:
        types = [a.dtype.element for a in e.args]
        lanes = zip(*map(self, e.args), strict=True)
        return tuple(fold_call(e.name, args, types, e.dtype.element) for args in lanes)

    def Let(self, e: ir.Let) -> Lanes:
        value = self(e.value)
        bound = {**self.values, e.name: value[0] if e.value.dtype.lanes == 1 else value}
        return evaluate(e.body, bound, self.memory, self.finite)

    def Read(self, e: ir.Read) -> Lanes:
        return (self.memory(e.name, tuple(self(i)[0] for i in e.index)),)

    def Load(self, e: ir.Load) -> Lanes:
        active = (1,) * e.dtype.lanes if e.predicate is None else self(e.predicate)
        return tuple(self.memory(e.buffer, (i,)) if p else 0 for i, p in zip(self(e.index), active, strict=True))

    def Ramp(self, e: ir.Ramp) -> Lanes:
        base, stride, element = self(e.base), self(e.stride), e.dtype.element
        exact = [b + s * lane for lane in range(e.lanes) for b, s in zip(base, stride, strict=True)]
        if element.is_index_like and not all(map(element.can_hold, exact)):
            raise Overflow
        return tuple(map(element.wrap, exact))

    def Broadcast(self, e: ir.Broadcast) -> Lanes:
        return self(e.value) * e.lanes

    def Shuffle(self, e: ir.Shuffle) -> Lanes:
        lanes = [x for v in e.vectors for x in self(v)]
        return tuple(lanes[i] for i in e.indices)

    def VectorReduce(self, e: ir.VectorReduce) -> Lanes:
        value, size = self(e.value), e.value.dtype.lanes // e.lanes
        operator = {"add": ir.Add, "mul": ir.Mul, "min": ir.Min, "max": ir.Max, "and": ir.And, "or": ir.Or}[e.op]
        groups = (value[i * size : (i + 1) * size] for i in range(e.lanes))
        return tuple(reduce(lambda a, b: fold_binary(operator, a, b, e.dtype.element), g) for g in groups)


_EXACT = {ir.Add: lambda a, b: a + b, ir.Sub: lambda a, b: a - b, ir.Mul: lambda a, b: a * b}


def _checked(operator, a, b, result, dtype):
    if dtype.is_index_like and operator in _EXACT and _EXACT[operator](a, b) != result:
        raise Overflow
    if dtype.is_index_like and operator is ir.Div and b == -1 and result == a and a:
        raise Overflow
    return result
