"""Runs lowered statements on NumPy arrays, slowly and strictly.

    execute(stmt, {"in": a, "out": b}, {"out.min.0": 0, "out.extent.0": 7})

Arrays are one-dimensional and written in place. Every access is checked: outside its buffer it is an
`OutOfBounds`; a name without a value is a `KeyError`; a failing Assert is an `AssertFailed`. Fresh
allocations hold garbage, the same each time. Parallel loops run backwards, so that a result that
depends on their order shows; vector statements read all lanes before they write in lane order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from halopy.dtypes import DType
from halopy.ir import expr as e
from halopy.ir import stmt as s
from halopy.ir.node import Node

from .arithmetic import BINARY, REDUCE, Number, call, convert, fit

Lanes = tuple[Number, ...]
Memory = dict[str, npt.NDArray[Any]]
GARBAGE = 93


class OutOfBounds(Exception):
    """A load or store outside its buffer."""


class AssertFailed(Exception):
    """An Assert did not hold; carries its site and the values of its arguments."""

    def __init__(self, site: s.ErrorSite, args: tuple[Number, ...]) -> None:
        super().__init__(site, args)
        self.site = site
        self.values = args


def execute(stmt: s.Stmt, memory: Mapping[str, npt.NDArray[Any]], scalars: Mapping[str, Number] | None = None) -> None:
    """Run a statement; the arrays in `memory` change in place."""
    machine = _Machine(dict(memory), {name: (value,) for name, value in (scalars or {}).items()})
    machine.run(stmt)


def evaluate(expr: e.Expr, scalars: Mapping[str, Number] | None = None) -> Lanes:
    """The lanes of an expression without loads."""
    return _Machine({}, {name: (value,) for name, value in (scalars or {}).items()}).value(expr)


class _Machine:
    """The state of one run: buffers by name, and the values of names in scope."""

    def __init__(self, memory: Memory, names: dict[str, Lanes]) -> None:
        self.memory = memory
        self.names = names
        self._methods: dict[type[Node], Callable[[Any], Any]] = {}

    def _method(self, node: Node) -> Callable[[Any], Any]:
        cls = type(node)
        found = self._methods.get(cls)
        if found is None:
            name = "binary" if isinstance(node, e.Binary) else cls.__name__.lower()
            found = self._methods[cls] = getattr(self, f"_{name}")
        return found

    def run(self, stmt: s.Stmt) -> None:
        self._method(stmt)(stmt)

    def value(self, expr: e.Expr) -> Lanes:
        lanes: Lanes = self._method(expr)(expr)
        assert len(lanes) == expr.dtype.lanes, f"{expr!r} has {len(lanes)} lanes, its type says {expr.dtype}"
        return lanes

    def scalar(self, expr: e.Expr) -> int:
        (value,) = self.value(expr)
        return int(value)

    # Statements

    def _block(self, block: s.Block) -> None:
        for stmt in block.stmts:
            self.run(stmt)

    def _for(self, loop: s.For) -> None:
        low, extent = self.scalar(loop.min), self.scalar(loop.extent)
        steps = range(low, low + extent)
        for i in reversed(steps) if loop.kind is s.LoopKind.PARALLEL else steps:
            self._under(loop.name, (i,), loop.body)

    def _if(self, stmt: s.If) -> None:
        if self.scalar(stmt.condition):
            self.run(stmt.then)
        elif stmt.otherwise is not None:
            self.run(stmt.otherwise)

    def _letstmt(self, let: s.LetStmt) -> None:
        self._under(let.name, self.value(let.value), let.body)

    def _under(self, name: str, value: Lanes, body: Node) -> Any:
        shadowed = self.names.get(name)
        self.names[name] = value
        result = self._method(body)(body)
        if shadowed is None:
            del self.names[name]
        else:
            self.names[name] = shadowed
        return result

    def _produce(self, stmt: s.Produce) -> None:
        self.run(stmt.body)

    def _atomic(self, stmt: s.Atomic) -> None:
        self.run(stmt.body)

    def _evaluate(self, stmt: s.Evaluate) -> None:
        self.value(stmt.value)

    def _prefetch(self, stmt: s.Prefetch) -> None:
        """Nothing is read."""

    def _assert(self, stmt: s.Assert) -> None:
        if not self.scalar(stmt.condition):
            raise AssertFailed(stmt.site, tuple(self.value(a)[0] for a in stmt.args))

    def _allocate(self, stmt: s.Allocate) -> None:
        shadowed = self.memory.get(stmt.buffer)
        size = max(self.scalar(stmt.size), 0)
        self.memory[stmt.buffer] = np.full(size, GARBAGE, stmt.dtype.element.to_numpy())
        self.run(stmt.body)
        if shadowed is None:
            del self.memory[stmt.buffer]
        else:
            self.memory[stmt.buffer] = shadowed

    def _store(self, stmt: s.Store) -> None:
        index, value = self.value(stmt.index), self.value(stmt.value)
        active = self._active(stmt.predicate, len(index))
        assert len(index) == len(value), f"{len(value)} values stored at {len(index)} places of {stmt.buffer}"
        array = self.memory[stmt.buffer]
        for place, lane, on in zip(index, value, active, strict=True):
            if on:
                array[self._place(stmt.buffer, place)] = lane

    def _active(self, predicate: e.Expr | None, lanes: int) -> Lanes:
        if predicate is None:
            return (1,) * lanes
        active = self.value(predicate)
        assert len(active) == lanes, f"a predicate of {len(active)} lanes on an access of {lanes}"
        return active

    def _place(self, buffer: str, index: Number) -> int:
        size = len(self.memory[buffer])
        if not 0 <= index < size:
            raise OutOfBounds(f"{buffer}[{index}] of {size}")
        return int(index)

    # Expressions

    def _const(self, node: e.Const) -> Lanes:
        return (node.value,)

    def _var(self, node: e.Var) -> Lanes:
        return self.names[node.name]

    def _binary(self, node: e.Binary) -> Lanes:
        assert node.a.dtype is node.b.dtype, f"{type(node).__name__} of {node.a.dtype} and {node.b.dtype}"
        operation, element = BINARY[type(node)], node.dtype.element
        pairs = zip(self.value(node.a), self.value(node.b), strict=True)
        return tuple(fit(operation(a, b), element) for a, b in pairs)

    def _not(self, node: e.Not) -> Lanes:
        return tuple(int(not a) for a in self.value(node.a))

    def _select(self, node: e.Select) -> Lanes:
        condition = self.value(node.condition)
        if len(condition) == 1:
            return self.value(node.a if condition[0] else node.b)
        sides = zip(condition, self.value(node.a), self.value(node.b), strict=True)
        return tuple(a if c else b for c, a, b in sides)

    def _cast(self, node: e.Cast) -> Lanes:
        return tuple(convert(a, node.dtype.element) for a in self.value(node.a))

    def _call(self, node: e.Call) -> Lanes:
        if node.name == "if_then_else" and node.dtype.lanes == 1:
            return self.value(node.args[1] if self.scalar(node.args[0]) else node.args[2])
        args = [self.value(a) for a in node.args]
        source = node.args[0].dtype.element if node.args else node.dtype.element
        return tuple(call(node.name, list(lane), source, node.dtype.element) for lane in zip(*args, strict=True))

    def _let(self, node: e.Let) -> Lanes:
        lanes: Lanes = self._under(node.name, self.value(node.value), node.body)
        return lanes

    def _load(self, node: e.Load) -> Lanes:
        index = self.value(node.index)
        active = self._active(node.predicate, len(index))
        return tuple(self._read(node.buffer, i, node.dtype) if on else 0 for i, on in zip(index, active, strict=True))

    def _read(self, buffer: str, index: Number, dtype: DType) -> Number:
        value: Number = self.memory[buffer][self._place(buffer, index)].item()
        return int(value) if dtype.is_bool else value

    def _ramp(self, node: e.Ramp) -> Lanes:
        base, stride, element = self.value(node.base), self.value(node.stride), node.dtype.element
        assert len(base) == len(stride), f"a ramp of {len(base)} lanes with a stride of {len(stride)}"
        step = [(b, d) for b, d in zip(base, stride, strict=True)]
        return tuple(fit(b + i * d, element) for i in range(node.lanes) for b, d in step)

    def _broadcast(self, node: e.Broadcast) -> Lanes:
        return self.value(node.value) * node.lanes

    def _shuffle(self, node: e.Shuffle) -> Lanes:
        lanes = [lane for vector in node.vectors for lane in self.value(vector)]
        return tuple(lanes[i] for i in node.indices)

    def _vectorreduce(self, node: e.VectorReduce) -> Lanes:
        value, element = self.value(node.value), node.dtype.element
        size = len(value) // node.lanes
        groups = (value[i : i + size] for i in range(0, len(value), size))
        return tuple(reduce(lambda a, b: fit(REDUCE[node.op](a, b), element), group) for group in groups)
