"""A reduction over vector lanes that all hit the same elements.

    vectorized (r, 0, 8) {
      s[0] = s[0] + f[r]     ->     s[0] = s[0] + reduce_add(f[ramp(0, 1, 8)])
    }

For operators that are associative and commutative bit by bit: not for floating point, unless the schedule allows it.
"""

from __future__ import annotations

from functools import reduce

from ..dtypes import DType
from ..ir.expr import Add, And, Binary, Expr, Load, Max, Min, Mul, Or, VectorReduce, chained
from ..ir.node import find
from ..ir.stmt import Stmt, Store
from . import lanes
from .widen import Widener

_NAMES: dict[type[Binary], str] = {Add: "add", Mul: "mul", Min: "min", Max: "max", And: "and", Or: "or"}


def reduce_lanes(stmt: Store, place: Expr, widen: Widener, *, regroups: bool = False) -> Stmt | None:
    """The store for all iterations at once, or None where their order matters. `place` is the common index.

    With `regroups`, sums and products of floating point may be grouped otherwise.
    """
    others = _combined(stmt, regroups)
    if not others:
        return None
    operator: type[Binary] = type(stmt.value)  # type: ignore[assignment]  # `_combined` saw it
    before = Load(stmt.buffer, place, stmt.value.dtype)
    total = _across(operator, widen.full(reduce(operator, others)), stmt.value.dtype, widen.count)
    return Store(stmt.buffer, place, operator(before, total))


def is_reduction(stmt: Store) -> bool:
    """Whether the store combines an element with something, in any order."""
    return bool(_combined(stmt))


def _combined(stmt: Store, regroups: bool = False) -> list[Expr]:
    """What is combined with the element that is there; empty where the store is no such reduction."""
    operator = type(stmt.value)
    if not isinstance(stmt.value, Binary) or operator not in _NAMES or stmt.predicate:
        return []
    if stmt.value.dtype.is_float and not regroups:
        return []
    operands = chained(operator, stmt.value)
    before = Load(stmt.buffer, stmt.index, stmt.value.dtype)
    others = [e for e in operands if e is not before]
    alone = len(others) == len(operands) - 1 and not any(_reads(e, stmt.buffer) for e in (*others, stmt.index))
    return others if alone else []


def _reads(e: Expr, buffer: str) -> bool:
    return any(load.buffer == buffer for load in find(e, Load))


def _across(operator: type[Binary], wide: Expr, dtype: DType, count: int) -> Expr:
    """Iterations combined, lane by lane of `dtype`."""
    if dtype.lanes == 1:
        return VectorReduce(_NAMES[operator], wide, 1)
    rows = [lanes.lanes_of(wide, i * dtype.lanes, dtype.lanes) for i in range(count)]
    return reduce(operator, rows)
