"""Turn multi-dimensional storage into memory with one index.

    realize g over [x0, nx) × [y0, ny)           allocate g[nx*ny]
      g(x, y) = g(x - 1, y)               ->       g[(x - x0) + (y - y0)*nx] = g[(x - x0 - 1) + (y - y0)*nx]

Memory reserved further out is used instead of an allocation; extents are padded as `align_storage` says.
Buffers of the caller keep their own mins and strides, as symbols; the innermost stride is 1 unless the
buffer is named in `strided`. Leaves no Realize, Reserve, Provide or Read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..dtypes import BOOL
from ..ir.build import add, as_expr, div, maximum, mul, sub
from ..ir.expr import FALSE, TRUE, Const, Effect, Expr, Load, Read, Var, const_value
from ..ir.program import Program, buffer_property
from ..ir.rewrite import Rewriter, ScopedRewriter
from ..ir.services import CallExtern, Dump
from ..ir.stmt import (
    NOTHING,
    Allocate,
    Evaluate,
    If,
    LetStmt,
    Produce,
    Provide,
    Realize,
    Reserve,
    Stmt,
    Store,
    block,
    let_all,
)
from ..ir.undefined import split_undefined
from ..schedule.directives import DebugToFile, Memoize
from ..schedule.nest import FuncSchedule
from ..schedule.storage import storage_alignments
from .recall_results import recall_results
from .reserve_storage import slot_name


def flatten_storage(
    stmt: Stmt, program: Program, schedules: Mapping[str, FuncSchedule], strided: Collection[str] = ()
) -> Stmt:
    """Give every access its place in memory."""
    flatten = _FlattenStorage(program, schedules, strided)
    return flatten.outputs_dumped(flatten(stmt))


class _Layout:
    """Where an element of a buffer lies: start + (index - mins) · strides."""

    def __init__(self, mins: list[Expr], strides: list[Expr], start: Expr | None = None) -> None:
        self.mins, self.strides = mins, strides
        self.start = as_expr(0) if start is None else start

    def offset(self, index: tuple[Expr, ...]) -> Expr:
        total = self.start
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
    only = (Realize, Reserve, Provide, Read, Evaluate)

    def __init__(self, program: Program, schedules: Mapping[str, FuncSchedule], strided: Collection[str]) -> None:
        super().__init__()
        self.program, self.schedules = program, schedules
        self.layouts: dict[str, _Layout] = {}
        self.held: dict[str, tuple[tuple[tuple[Expr, Expr], ...], Expr]] = {}  # region and number of elements
        self.starts: dict[str, Expr] = {}  # of Funcs with reserved memory
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
        defined = [split_undefined(v)[1] for v in values]
        if len(values) == 1:
            return _where(defined[0], Store(buffers[0], self.layouts[buffers[0]].offset(index), values[0]))
        # All elements are evaluated before any is written, and so is where they are.
        lets = [(f"{p.name}.at.{d}", e) for d, e in enumerate(index) if e.has(Load)]
        named = {e: Var(name, e.dtype) for name, e in lets}
        index = tuple(named.get(e, e) for e in index)
        stores: list[Stmt] = []
        for buffer, value, condition in zip(buffers, values, defined, strict=True):
            if condition is FALSE:
                continue
            lets.append((f"{buffer}.value", value))
            if condition is not TRUE:
                lets.append((f"{buffer}.defined", condition))
                condition = Var(f"{buffer}.defined", BOOL)
            store = Store(buffer, self.layouts[buffer].offset(index), Var(f"{buffer}.value", value.dtype))
            stores.append(_where(condition, store))
        return let_all(lets, block(*stores))

    def rewrite_Realize(self, r: Realize) -> Stmt:
        function = self.program.functions[r.name]
        order = self.schedules[r.name].storage_order(function.args)
        extents = self.padded(r.name, [extent for _, extent in r.bounds])
        lets, strides = _dense_strides(r.name, extents, [function.args.index(arg) for arg in order])
        layout = _Layout([low for low, _ in r.bounds], strides, self.starts.get(r.name))
        self.held[r.name] = (r.bounds, _size(extents))
        for element in range(len(r.dtypes)):
            self.layouts[self.buffer(r.name, element)] = layout
        body = self.dumped(r.name, self(r.body), r.bounds)
        return let_all(lets, body if r.name in self.starts else self.allocated(r, _size(extents), body))

    def dumped(self, func: str, body: Stmt, bounds: Sequence[tuple[Expr, Expr]]) -> Stmt:
        """The body, and then a file of what this region of the Func's memory holds, where that is asked for."""
        directive = self.schedules[func].last(DebugToFile) if func in self.schedules else None
        if directive is None or not isinstance(directive.action, DebugToFile):
            return body
        service = Dump(func, directive.action.filename, self.program.functions[func].dtypes[0])
        return block(body, Evaluate(Effect(service, as_expr(0), tuple(self.part(func, bounds)))))

    def outputs_dumped(self, body: Stmt) -> Stmt:
        """The same for outputs, whose memory is the caller's."""
        for name in self.program.outputs:
            rank = self.program.functions[name].rank
            ends = [(buffer_property(name, "min", d), buffer_property(name, "extent", d)) for d in range(rank)]
            body = self.dumped(name, body, ends)
        return body

    def rewrite_Evaluate(self, stmt: Evaluate) -> Stmt:
        effect = self(stmt.value)
        if not isinstance(effect, Effect) or not isinstance(effect.service, CallExtern):
            return Evaluate(effect)
        service, rest = effect.service, iter(effect.args)
        args: list[Expr] = [next(rest) for a in service.arguments if not a.name]
        for func in (*(a.name for a in service.arguments if a.name and a.position < 0), service.func):
            sizes = [(next(rest), next(rest)) for _ in range(self.program.functions[func].rank)]
            for element in range(self.elements[func]):
                args += self.part(self.buffer(func, element), sizes)
        return Evaluate(Effect(service, effect.value, tuple(args)))

    def part(self, buffer: str, sizes: Sequence[tuple[Expr, Expr]]) -> list[Expr]:
        """Where a region begins in a buffer; then min, extent and stride of each dimension."""
        layout = self.layouts[buffer]
        start = layout.offset(tuple(low for low, _ in sizes))
        shape = [(low, extent, stride) for (low, extent), stride in zip(sizes, layout.strides, strict=True)]
        return [start, *(e for row in shape for e in row)]

    def rewrite_Produce(self, p: Produce) -> Stmt:
        produce = Produce(p.name, self(p.body))
        memoized = self.schedules[p.name].last(Memoize) if p.name in self.schedules else None
        if memoized is None or not isinstance(memoized.action, Memoize):
            return produce
        function = self.program.functions[p.name]
        bounds, size = self.held[p.name]
        buffers = [self.buffer(p.name, element) for element in range(len(function.dtypes))]
        return recall_results(produce, function, memoized.action, buffers, size, bounds)

    def rewrite_Reserve(self, r: Reserve) -> Stmt:
        part = _size(self.padded(r.name, r.extents))
        if const_value(r.slots) == 1:
            self.starts[r.name] = as_expr(0)
            return self.allocated(r, part, self(r.body))
        name = f"{r.name}.part"
        self.starts[r.name] = mul(Var(slot_name(r.name)), Var(name))
        return LetStmt(name, part, self.allocated(r, mul(Var(name), r.slots), self(r.body)))

    def allocated(self, r: Realize | Reserve, size: Expr, body: Stmt) -> Stmt:
        """The body with memory for each element of a Func."""
        for element, dtype in enumerate(r.dtypes):
            body = Allocate(self.buffer(r.name, element), dtype, size, r.memory, body)
        return body

    def padded(self, func: str, extents: Sequence[Expr]) -> list[Expr]:
        """The extents in memory: multiples of what the schedule says."""
        aligned = storage_alignments(self.schedules[func]) if func in self.schedules else {}
        args = self.program.functions[func].args
        return [_rounded_up(e, aligned[arg]) if arg in aligned else e for arg, e in zip(args, extents, strict=True)]


def _where(defined: Expr, store: Store) -> Stmt:
    """The store where its value is defined."""
    return store if defined is TRUE else NOTHING if defined is FALSE else If(defined, store)


def _caller_layout(buffer: str, rank: int, strided: bool) -> _Layout:
    mins: list[Expr] = [buffer_property(buffer, "min", d) for d in range(rank)]
    strides: list[Expr] = [
        as_expr(1) if d == 0 and not strided else buffer_property(buffer, "stride", d) for d in range(rank)
    ]
    return _Layout(mins, strides)


def _rounded_up(extent: Expr, alignment: Expr) -> Expr:
    unit = alignment if isinstance(alignment, Const) else maximum(alignment, 1)
    return mul(div(add(extent, sub(unit, 1)), unit), unit)


def _dense_strides(
    func: str, extents: Sequence[Expr], order: Sequence[int]
) -> tuple[list[tuple[str, Expr]], list[Expr]]:
    """Strides of dense memory with the dimensions in `order`; those that are no numbers are let-bound."""
    lets: list[tuple[str, Expr]] = []
    strides: list[Expr] = [as_expr(1)] * len(extents)
    stride = as_expr(1)
    for d in order:
        strides[d] = stride
        stride = mul(stride, extents[d])
        if not isinstance(stride, Const | Var):
            lets.append((f"{func}.stride.{d}", stride))
            stride = Var(f"{func}.stride.{d}")
    return lets, strides


def _size(extents: Sequence[Expr]) -> Expr:
    size = as_expr(1)
    for extent in extents:
        size = mul(size, extent)
    return size
