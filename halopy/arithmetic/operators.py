"""What each expression node computes, on whole arrays: exact wrap-around, Euclidean division, IEEE rounding per step.

Operands are arrays in the carrier of their type (`values.py`) that broadcast against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..dtypes import DType
from ..errors import InternalError
from ..ir.expr import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Call,
    Cast,
    Const,
    Div,
    Expr,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Select,
    Sub,
)
from .calls import apply_call
from .values import Array, as_values, convert


def apply(node: Expr, operands: Sequence[Array]) -> Array:
    """The value of one node from the values of its operands. Overflow and division by zero are silent."""
    operator = _OPERATORS.get(type(node))
    if operator is None:
        raise InternalError(f"the reference evaluator does not know {type(node).__name__} nodes")
    return operator(node, operands)


def literal(node: Const) -> Array:
    """The value of a literal, as an array of rank 0."""
    return as_values(np.array(node.value), node.dtype)


def _wrapped(f: Callable[[Array, Array], Array], on_bool: Callable[[Array, Array], Array]) -> _Operator:
    """An arithmetic operator; one-bit arithmetic is that of integers modulo 2."""

    def operator(node: Expr, operands: Sequence[Array]) -> Array:
        a, b = operands
        return np.asarray(on_bool(a, b)) if node.dtype.is_bool else as_values(f(a, b), node.dtype)

    return operator


def _binary(f: Callable[[Array, Array], Array]) -> _Operator:
    return lambda _node, operands: np.asarray(f(operands[0], operands[1]))


def quotient(a: Array, b: Array, dtype: DType) -> Array:
    """`Div`: Euclidean for integers, 0 where b is 0."""
    if dtype.is_float:
        return as_values(np.true_divide(a, b), dtype)
    if dtype.is_bool:
        return np.logical_and(a, b)
    return _euclidean(a, b)[0]


def remainder(a: Array, b: Array, dtype: DType) -> Array:
    """`Mod`: in [0, |b|) for integers, 0 where b is 0; a - b*floor(a/b) for floats."""
    if dtype.is_float:
        floor = as_values(np.floor(quotient(a, b, dtype)), dtype)
        return as_values(a - as_values(b * floor, dtype), dtype)
    if dtype.is_bool:
        return np.zeros(np.broadcast_shapes(a.shape, b.shape), np.bool_)
    return _euclidean(a, b)[1]


def _euclidean(a: Array, b: Array) -> tuple[Array, Array]:
    """Quotient and remainder. NumPy rounds down, so its remainder has the sign of b; where b < 0 that is mended."""
    safe = np.where(b == 0, b.dtype.type(1), b)
    q = np.floor_divide(a, safe)
    r = a - q * safe
    negative = r < 0
    q = np.where(negative, q + q.dtype.type(1), q)
    r = np.where(negative, r - safe, r)
    zero = a.dtype.type(0)
    return np.where(b == 0, zero, q), np.where(b == 0, zero, r)


def _select(_node: Expr, operands: Sequence[Array]) -> Array:
    condition, a, b = operands
    return np.where(condition, a, b)


def _cast(node: Expr, operands: Sequence[Array]) -> Array:
    assert isinstance(node, Cast), "expected a Cast"
    return convert(operands[0], node.a.dtype, node.dtype)


def _call(node: Expr, operands: Sequence[Array]) -> Array:
    assert isinstance(node, Call), "expected a Call"
    return apply_call(node, operands)


_Operator = Callable[[Expr, Sequence[Array]], Array]
_OPERATORS: Mapping[type[Expr], _Operator] = {
    Add: _wrapped(np.add, np.logical_xor),
    Sub: _wrapped(np.subtract, np.logical_xor),
    Mul: _wrapped(np.multiply, np.logical_and),
    Div: lambda node, operands: quotient(operands[0], operands[1], node.dtype),
    Mod: lambda node, operands: remainder(operands[0], operands[1], node.dtype),
    Min: _binary(lambda a, b: np.where(a < b, a, b)),
    Max: _binary(lambda a, b: np.where(a > b, a, b)),
    EQ: _binary(np.equal),
    NE: _binary(np.not_equal),
    LT: _binary(np.less),
    LE: _binary(np.less_equal),
    GT: _binary(np.greater),
    GE: _binary(np.greater_equal),
    And: _binary(np.logical_and),
    Or: _binary(np.logical_or),
    Not: lambda _node, operands: np.logical_not(operands[0]),
    Select: _select,
    Cast: _cast,
    Call: _call,
}
