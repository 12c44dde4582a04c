"""A text run in numbers, at sizes and on inputs that are made up: what is in the caller's buffers in the end.

Loops that run at once run one after the other, and a vector is computed before any lane of it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...arithmetic.values import Array
from ...dtypes import DType
from ...ir.expr import Expr
from ...ir.node import Node
from ...ir.stmt import Allocate, Assert, Atomic, Block, Evaluate, For, If, LetStmt, Prefetch, Produce, Stmt, Store
from .computed import Computed, Ended, Number, as_number, computed
from .contents import contents, unwritten

_MOST_ELEMENTS = 1 << 22


class Refused(Exception):
    """A check of the text does not hold."""


class OutsideError(Exception):
    """An access outside of memory."""

    def __init__(self, buffer: str, index: int) -> None:
        super().__init__(f"{buffer}[{index}]")


class Steps:
    """How many steps may still be taken."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Ended


class Trial:
    """One run of a text; `outputs` says of which type and how large the buffers are that are stored to.

    Raises Refused and OutsideError for what the text does wrong at these sizes, and Ended where it cannot be run.
    """

    def __init__(
        self, stmt: Stmt, sizes: Mapping[str, Number], outputs: Mapping[str, tuple[DType, int]], seed: int, steps: Steps
    ) -> None:
        self.names: dict[str, Number] = dict(sizes)
        self.seed, self.steps = seed, steps
        self.memory = {b: contents(b, np.arange(size), dtype, seed) for b, (dtype, size) in outputs.items()}
        self._computed: dict[object, Computed] = {}
        self._inputs: dict[tuple[str, int], Number] = {}
        with np.errstate(all="ignore"):
            self._do(stmt)

    def load(self, buffer: str, index: Number, dtype: DType, is_strict: bool) -> Number:
        """Elements; of buffers that nothing is stored to, any that are asked for."""
        cells = self.memory.get(buffer)
        if cells is None:
            return self._input(buffer, index, dtype)
        if isinstance(index, np.ndarray):
            outside = (index < 0) | (index >= len(cells))
            if not outside.any():
                return cells[index]
            if is_strict:
                raise OutsideError(buffer, int(index[outside][0]))
            return np.where(outside, np.zeros((), cells.dtype), cells[np.where(outside, 0, index)])
        if not 0 <= index < len(cells):
            if is_strict:
                raise OutsideError(buffer, index)
            return as_number(np.zeros((), cells.dtype), dtype)
        return as_number(cells[index], dtype)

    def _input(self, buffer: str, index: Number, dtype: DType) -> Number:
        if isinstance(index, np.ndarray):
            return contents(buffer, index, dtype, self.seed)
        found = self._inputs.get((buffer, index))
        if found is None:
            found = as_number(contents(buffer, np.array(index), dtype, self.seed), dtype)
            self._inputs[buffer, index] = found
        return found

    def _values(self, node: Node, *roots: Expr, is_strict: bool = True) -> list[Number]:
        found = self._computed.get(node)
        if found is None:
            found = self._computed[node] = computed(roots, is_strict)
        self.steps.take(found.cost)
        return found(self)

    def _do(self, stmt: Stmt) -> None:
        rule = _RULES.get(type(stmt))
        if rule is None:
            raise Ended
        rule(self, stmt)

    def _block(self, stmt: Block) -> None:
        for part in stmt.stmts:
            self._do(part)

    def _body(self, stmt: Produce | Atomic) -> None:
        self._do(stmt.body)

    def _loop(self, stmt: For) -> None:
        low, extent = self._values(stmt, stmt.min, stmt.extent)
        for n in range(low, low + extent):
            self.names[stmt.name] = n
            self._do(stmt.body)

    def _if(self, stmt: If) -> None:
        (condition,) = self._values(stmt, stmt.condition)
        if condition:
            self._do(stmt.then)
        elif stmt.otherwise is not None:
            self._do(stmt.otherwise)

    def _let(self, stmt: LetStmt) -> None:
        before = self.names.get(stmt.name)
        (self.names[stmt.name],) = self._values(stmt, stmt.value)
        self._do(stmt.body)
        self.names[stmt.name] = before

    def _check(self, stmt: Assert) -> None:
        (condition,) = self._values(stmt, stmt.condition)
        if not condition:
            raise Refused

    def _allocate(self, stmt: Allocate) -> None:
        before = self.memory.get(stmt.buffer)
        (size,) = self._values(stmt, stmt.size)
        if size > _MOST_ELEMENTS:
            raise Ended
        self.memory[stmt.buffer] = unwritten(stmt.dtype.element, max(size, 0))
        self._do(stmt.body)
        if before is not None:
            self.memory[stmt.buffer] = before

    def _evaluate(self, stmt: Evaluate) -> None:
        self._values(stmt, stmt.value)

    def _nothing(self, stmt: Prefetch) -> None:
        """Memory does not change."""

    def _store(self, stmt: Store) -> None:
        roots = (stmt.index, stmt.value) if stmt.predicate is None else (stmt.index, stmt.value, stmt.predicate)
        index, value, *active = self._values(stmt, *roots, is_strict=stmt.predicate is None)
        if active and not isinstance(index, np.ndarray):
            if not active[0]:
                return
        elif active:
            mask = np.asarray(active[0], np.bool_)
            index, value = index[mask], value[mask]
        self._put(stmt.buffer, index, value)

    def _put(self, buffer: str, index: Number, value: Number) -> None:
        cells = self.memory[buffer]
        outside = self._outside(cells, index)
        if outside is not None:
            raise OutsideError(buffer, outside)
        cells[index] = value

    def _outside(self, cells: Array, index: Number) -> int | None:
        if not isinstance(index, np.ndarray):
            return None if 0 <= index < len(cells) else int(index)
        wrong = index[(index < 0) | (index >= len(cells))]
        return int(wrong[0]) if len(wrong) else None


_RULES: Mapping[type[Stmt], Callable[[Trial, Any], None]] = {
    Block: Trial._block,
    Produce: Trial._body,
    Atomic: Trial._body,
    For: Trial._loop,
    If: Trial._if,
    LetStmt: Trial._let,
    Assert: Trial._check,
    Allocate: Trial._allocate,
    Store: Trial._store,
    Evaluate: Trial._evaluate,
    Prefetch: Trial._nothing,
}
