"""Integer expressions over many environments at once: a column of numbers for each name, or for a whole expression.

y: 0 1 2 3    H: 3 3 3 3        y < H      1 1 1 0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..ir import expr as ir
from ..ir.expr import Expr
from ..ir.node import Node

Column: TypeAlias = "NDArray[np.int64]"


class UnknownValue(Exception):
    """A number that only data could tell."""


class Columns:
    """What names, and whole expressions, are in each of `count` environments."""

    def __init__(self, count: int, known: Mapping[Expr, Column]) -> None:
        self.count = count
        self.known = dict(known)
        self._found: dict[Expr, Column | None] = {}  # None: not known

    def value(self, e: Expr) -> Column:
        """The column of an expression. Raises UnknownValue."""
        column = self.known.get(e)
        if column is not None:
            return column
        if e not in self._found:
            self._found[e] = None  # until it is found
            self._found[e] = self._evaluated(e)
        column = self._found[e]
        if column is None:
            raise UnknownValue
        return column

    def bound(self, name: Expr, column: Column | None) -> Columns:
        """The environments with one more name; None makes it unknown."""
        known = {e: c for e, c in self.known.items() if e is not name}
        if column is not None:
            known[name] = column
        return Columns(self.count, known)

    def _evaluated(self, e: Expr) -> Column:
        if isinstance(e, ir.Const):
            return np.full(self.count, int(e.value), np.int64) if not e.dtype.is_float else _unknown()
        if isinstance(e, ir.Binary):
            operator = _OPERATORS.get(type(e))
            if operator is None or e.a.dtype.is_float:
                raise UnknownValue
            result: Column = np.asarray(operator(self.value(e.a), self.value(e.b)), np.int64)
            return result
        if isinstance(e, ir.Not):
            return 1 - self.value(e.a)
        if isinstance(e, ir.Select):
            return np.where(self.value(e.condition) != 0, self.value(e.a), self.value(e.b))
        if isinstance(e, ir.Cast) and e.dtype.is_integer and not e.a.dtype.is_float:
            return self.value(e.a)
        if isinstance(e, ir.Call) and e.name in _TRANSPARENT:
            return self.value(e.args[0])
        if isinstance(e, ir.Call) and e.name == "abs" and not e.dtype.is_float:
            return np.abs(self.value(e.args[0]))
        if isinstance(e, ir.Let):
            return self.bound(ir.Var(e.name, e.value.dtype), self.value(e.value)).value(e.body)
        raise UnknownValue


_TRANSPARENT = frozenset({"likely", "likely_if_innermost", "promise_clamped", "unsafe_promise_clamped"})


def _unknown() -> Column:
    raise UnknownValue


def _div(a: Column, b: Column) -> Column:
    """Rounded so that the remainder is never negative; 0 by 0."""
    safe = np.where(b == 0, 1, b)
    quotient: Column = np.where(b == 0, 0, np.where(safe > 0, a // safe, -(a // -safe)))
    return quotient


def _mod(a: Column, b: Column) -> Column:
    remainder: Column = np.where(b == 0, 0, a % np.where(b == 0, 1, np.abs(b)))
    return remainder


_OPERATORS: Mapping[type[Node], Callable[[Any, Any], Any]] = {
    ir.Add: np.add,
    ir.Sub: np.subtract,
    ir.Mul: np.multiply,
    ir.Div: _div,
    ir.Mod: _mod,
    ir.Min: np.minimum,
    ir.Max: np.maximum,
    ir.And: np.logical_and,
    ir.Or: np.logical_or,
    ir.EQ: np.equal,
    ir.NE: np.not_equal,
    ir.LT: np.less,
    ir.LE: np.less_equal,
    ir.GT: np.greater,
    ir.GE: np.greater_equal,
}
