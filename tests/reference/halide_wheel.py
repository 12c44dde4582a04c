"""Build a program with the Halide wheel and run it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import halide as hl
import numpy as np

from halopy.dtypes import Code, DType
from halopy.ir import expr as ir
from halopy.ir.function import Definition, Function
from halopy.ir.program import Program

BINARY: dict[type, Callable] = {
    ir.Add: lambda a, b: a + b, ir.Sub: lambda a, b: a - b, ir.Mul: lambda a, b: a * b,
    ir.Div: lambda a, b: a / b, ir.Mod: lambda a, b: a % b, ir.Min: hl.min, ir.Max: hl.max,
    ir.EQ: lambda a, b: a == b, ir.NE: lambda a, b: a != b, ir.LT: lambda a, b: a < b,
    ir.LE: lambda a, b: a <= b, ir.GT: lambda a, b: a > b, ir.GE: lambda a, b: a >= b,
    ir.And: lambda a, b: a & b, ir.Or: lambda a, b: a | b,
}  # fmt: skip

CALLS: dict[str, Callable] = {
    "bitwise_and": lambda a, b: a & b, "bitwise_or": lambda a, b: a | b, "bitwise_xor": lambda a, b: a ^ b,
    "bitwise_not": lambda a: ~a, "shift_left": lambda a, b: a << b, "shift_right": lambda a, b: a >> b,
}  # fmt: skip


def halide_type(dtype: DType) -> hl.Type:
    if dtype.is_bool:
        return hl.Bool()
    make = {Code.INT: hl.Int, Code.UINT: hl.UInt, Code.FLOAT: hl.Float, Code.BFLOAT: hl.BFloat}
    return make[dtype.code](dtype.bits)


class HalideProgram:
    """The same algorithm as Halide Funcs; `run` realizes one output with its default schedule."""

    def __init__(self, program: Program, images: Mapping[str, tuple[np.ndarray, Sequence[int]]]) -> None:
        self.images = {n: self._buffer(a, mins) for n, (a, mins) in images.items()}
        self.funcs: dict[str, hl.Func] = {}
        self.rvars: dict[str, hl.RVar] = {}
        self.ranks = {n: f.rank for n, f in program.functions.items()}
        self.tuples = {n: len(f.dtypes) > 1 for n, f in program.functions.items()}
        for f in program.functions.values():
            self._define(f)

    @staticmethod
    def _buffer(array: np.ndarray, mins: Sequence[int]) -> hl.Buffer:
        buffer = hl.Buffer(array.astype(np.ulonglong) if array.dtype == np.uint64 else array)  # knows one of two names
        buffer.set_min(list(mins))
        return buffer

    def run(self, name: str, region: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        func = self.funcs[name]
        buffers = []
        for kind in func.types():
            buffer = hl.Buffer(kind, [extent for _, extent in region])
            buffer.set_min([low for low, _ in region])
            buffers.append(buffer)
        func.realize(buffers if len(buffers) > 1 else buffers[0])
        return [np.array(b, copy=True) for b in buffers]

    def _define(self, function: Function) -> None:
        func = self.funcs[function.name] = hl.Func(function.name)
        for stage in function.definitions:
            self._define_rdom(stage, function)
            self._assign(func, stage)

    def _define_rdom(self, stage: Definition, function: Function) -> None:
        self.rvars = {}
        if stage.rdom is None:
            return
        rdom = hl.RDom([(self.expr(v.min), self.expr(v.extent)) for v in stage.rdom.vars])
        self.rvars = {v.name: rdom[k] for k, v in enumerate(stage.rdom.vars)}
        if stage.rdom.predicate is not None:
            rdom.where(self.expr(stage.rdom.predicate))

    def _assign(self, func: hl.Func, stage: Definition) -> None:
        index = tuple(self._index(i) for i in stage.index)
        values = [self.expr(v) for v in stage.values]
        value = values[0] if len(values) == 1 else hl.Tuple(values)
        func[index if index else ()] = value

    def _index(self, e: ir.Expr) -> object:
        if isinstance(e, ir.Var) and e.name not in self.rvars:
            return hl.Var(e.name)
        return self.expr(e)

    def expr(self, e: ir.Expr) -> hl.Expr:
        if isinstance(e, ir.Const):
            return hl.cast(halide_type(e.dtype), hl.Expr(e.value))
        if isinstance(e, ir.Var):
            return hl.Expr(self.rvars[e.name]) if e.name in self.rvars else hl.Expr(hl.Var(e.name))
        if isinstance(e, ir.Read):
            return self._read(e)
        if type(e) in BINARY:
            return BINARY[type(e)](self.expr(e.a), self.expr(e.b))
        if isinstance(e, ir.Not):
            return hl.logical_not(self.expr(e.a))
        if isinstance(e, ir.Select):
            return hl.select(self.expr(e.condition), self.expr(e.a), self.expr(e.b))
        if isinstance(e, ir.Cast):
            return hl.cast(halide_type(e.dtype), self.expr(e.a))
        assert isinstance(e, ir.Call), f"unexpected {type(e).__name__}"
        return self._call(e)

    def _read(self, e: ir.Read) -> hl.Expr:
        index = tuple(self.expr(i) for i in e.index)
        if e.name in self.images:
            return self.images[e.name][index]
        value = self.funcs[e.name][index]
        return value[e.element] if self.tuples[e.name] else hl.Expr(value)

    def _call(self, e: ir.Call) -> hl.Expr:
        args = [self.expr(a) for a in e.args]
        if e.name in CALLS:
            return CALLS[e.name](*args)
        if e.name in ("saturating_cast", "reinterpret"):
            return getattr(hl, e.name)(halide_type(e.dtype), *args)
        if e.name == "undef":
            return hl.undef(halide_type(e.dtype))
        return getattr(hl, e.name)(*args)
