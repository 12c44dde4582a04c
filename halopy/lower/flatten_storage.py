"""Turn multi-dimensional storage into memory with one index.

    realize g over [x0, nx) × [y0, ny)           allocate g[nx*ny]
      g(x, y) = g(x - 1, y)               ->       g[(x - x0) + (y - y0)*nx] = g[(x - x0 - 1) + (y - y0)*nx]

Buffers of the caller keep their own mins and strides, as symbols; the innermost stride is 1 unless the
buffer is named in `strided`. Leaves no Realize, Provide or Read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..ir.build import add, as_expr, mul, sub
from ..ir.expr import Const, Expr, Load, Read, Var
from ..ir.program import Program, buffer_property
from ..ir.rewrite import Rewriter, ScopedRewriter
from ..ir.stmt import Allocate, Provide, Realize, Stmt, Store, block, let_all
from ..schedule.nest import FuncSchedule


def flatten_storage(
    stmt: Stmt, program: Program, schedules: Mapping[str, FuncSchedule], strided: Collection[str] = ()
) -> Stmt:
    """Give every access its place in memory."""
    flattened: Stmt = _FlattenStorage(program, schedules, strided)(stmt)
    return flattened


class _Layout:
    """Where an element of a buffer lies: (index - mins) · strides."""

    def __init__(self, mins: list[Expr], strides: list[Expr]) -> None:
        self.mins, self.strides = mins, strides

    def offset(self, index: tuple[Expr, ...]) -> Expr:
        total = as_expr(0)
        for e, low, stride in zip(index, self.mins, self.strides, strict=True):
            total = add(total, mul(sub(e, low), stride))
        return total


class _FlattenReads(Rewriter):
    """Reads in expressions of any depth; `layouts` grows as allocations are entered."""

    only = (Read,)

    def __init__(self, layouts: Mapping[str, _Layout], buffer: Callable[[str, int], str]) -> None:
        super().__init__()
        self.layouts, self.buffer = layouts, buffer

    def rewrite_Read(self, read: Read) -> Expr:
        buffer = self.buffer(read.name, read.element)
        return Load(buffer, self.layouts[buffer].offset(tuple(map(self, read.index))), read.dtype)


class _FlattenStorage(ScopedRewriter):
    only = (Realize, Provide, Read)

    def __init__(self, program: Program, schedules: Mapping[str, FuncSchedule], strided: Collection[str]) -> None:
        super().__init__()
        self.program, self.schedules = program, schedules
        self.layouts: dict[str, _Layout] = {}
        self.elements: dict[str, int] = {name: len(f.dtypes) for name, f in program.functions.items()}
        self._flatten_reads = _FlattenReads(self.layouts, self.buffer)
        for image in program.images.values():
            self.layouts[image.name] = _caller_layout(image.name, image.rank, image.name in strided)
        for name in program.outputs:
            for element in range(self.elements[name]):
                buffer = self.buffer(name, element)
                self.layouts[buffer] = _caller_layout(buffer, program.functions[name].rank, buffer in strided)

    def buffer(self, name: str, element: int) -> str:
        return name if self.elements.get(name, 1) == 1 else f"{name}.{element}"

    def __call__(self, node: Any) -> Any:
        return self._flatten_reads(node) if isinstance(node, Expr) else super().__call__(node)

    def rewrite_Provide(self, p: Provide) -> Stmt:
        index = tuple(map(self, p.index))
        values = [self(v) for v in p.values]
        buffers = [self.buffer(p.name, e) for e in range(len(values))]
        if len(values) == 1:
            return Store(buffers[0], self.layouts[buffers[0]].offset(index), values[0])
        # All elements are evaluated before any is written.
        names = [f"{b}.value" for b in buffers]
        stores = [
            Store(b, self.layouts[b].offset(index), Var(n, v.dtype))
            for b, n, v in zip(buffers, names, values, strict=True)
        ]
        return let_all(list(zip(names, values, strict=True)), block(*stores))

    def rewrite_Realize(self, r: Realize) -> Stmt:
        function = self.program.functions[r.name]
        order = self.schedules[r.name].storage_order(function.args)
        lets, strides = _dense_strides(r, [function.args.index(arg) for arg in order])
        layout = _Layout([low for low, _ in r.bounds], strides)
        buffers = [self.buffer(r.name, e) for e in range(len(r.dtypes))]
        for buffer in buffers:
            self.layouts[buffer] = layout
        body = self(r.body)
        for buffer, dtype in zip(buffers, r.dtypes, strict=True):
            body = Allocate(buffer, dtype, _size(r), r.memory, body)
        return let_all(lets, body)


def _caller_layout(buffer: str, rank: int, strided: bool) -> _Layout:
    mins: list[Expr] = [buffer_property(buffer, "min", d) for d in range(rank)]
    strides: list[Expr] = [
        as_expr(1) if d == 0 and not strided else buffer_property(buffer, "stride", d) for d in range(rank)
    ]
    return _Layout(mins, strides)


def _dense_strides(r: Realize, order: list[int]) -> tuple[list[tuple[str, Expr]], list[Expr]]:
    """Strides of dense memory with the dimensions in `order`; those that are no numbers are let-bound."""
    lets: list[tuple[str, Expr]] = []
    strides: list[Expr] = [as_expr(1)] * len(r.bounds)
    stride = as_expr(1)
    for d in order:
        strides[d] = stride
        stride = mul(stride, r.bounds[d][1])
        if not isinstance(stride, Const | Var):
            lets.append((f"{r.name}.stride.{d}", stride))
            stride = Var(f"{r.name}.stride.{d}")
    return lets, strides


def _size(r: Realize) -> Expr:
    size = as_expr(1)
    for _, extent in r.bounds:
        size = mul(size, extent)
    return size
