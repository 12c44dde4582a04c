"""`Expr`, the user's handle of an expression, and the operators that all expression-like handles share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np

from ...errors import DefinitionError, NoTruthValue, TypeMismatch
from ...ir import expr as nodes
from ...source import caller
from . import operators, types  # `types` also uses this module, so neither takes names from the other
from .conversion import as_integer, float_literal, integer_literal, number, show
from .operators import Operand

__all__ = ["Expr"]


class ExprLike(ABC):
    """What stands for an expression: has all operators, and no truth value."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # == builds an expression
    __array_ufunc__: ClassVar[None] = None  # so that numpy_scalar + expr asks the expression

    @abstractmethod
    def _as_expr(self) -> Expr:
        """The expression meant. Raises a HalideError where there is none."""

    def __bool__(self) -> bool:
        raise NoTruthValue(
            f"the {type(self).__name__} `{self._shown()}` cannot be converted to a bool",
            location=caller(),
            reason=["its value is known only when the pipeline runs, so `and`, `or`, `not`, `if` and a < b < c fail"],
            accepted="`&`, `|`, `~` in place of `and`, `or`, `not`; hl.select(condition, a, b) in place of `if`",
        )

    def _shown(self) -> str:
        return show(self._as_expr().node)

    def __add__(self, other: object) -> Expr:
        return _binary(nodes.Add, self, other)

    def __radd__(self, other: object) -> Expr:
        return _binary(nodes.Add, other, self)

    def __sub__(self, other: object) -> Expr:
        return _binary(nodes.Sub, self, other)

    def __rsub__(self, other: object) -> Expr:
        return _binary(nodes.Sub, other, self)

    def __mul__(self, other: object) -> Expr:
        return _binary(nodes.Mul, self, other)

    def __rmul__(self, other: object) -> Expr:
        return _binary(nodes.Mul, other, self)

    def __truediv__(self, other: object) -> Expr:
        return _binary(nodes.Div, self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return _binary(nodes.Div, other, self)

    def __mod__(self, other: object) -> Expr:
        return _binary(nodes.Mod, self, other)

    def __rmod__(self, other: object) -> Expr:
        return _binary(nodes.Mod, other, self)

    def __floordiv__(self, other: object) -> Expr:
        a, b = _operand(self), _operand(other)
        return NotImplemented if a is None or b is None else Expr(operators.floor_divide(a, b))

    def __rfloordiv__(self, other: object) -> Expr:
        a, b = _operand(other), _operand(self)
        return NotImplemented if a is None or b is None else Expr(operators.floor_divide(a, b))

    def __pow__(self, other: object) -> Expr:
        return _power(self, other)

    def __rpow__(self, other: object) -> Expr:
        return _power(other, self)

    def __lshift__(self, other: object) -> Expr:
        return _shift("shift_left", self, other)

    def __rlshift__(self, other: object) -> Expr:
        return _shift("shift_left", other, self)

    def __rshift__(self, other: object) -> Expr:
        return _shift("shift_right", self, other)

    def __rrshift__(self, other: object) -> Expr:
        return _shift("shift_right", other, self)

    def __and__(self, other: object) -> Expr:
        return _bitwise("&", self, other)

    def __rand__(self, other: object) -> Expr:
        return _bitwise("&", other, self)

    def __or__(self, other: object) -> Expr:
        return _bitwise("|", self, other)

    def __ror__(self, other: object) -> Expr:
        return _bitwise("|", other, self)

    def __xor__(self, other: object) -> Expr:
        return _bitwise("^", self, other)

    def __rxor__(self, other: object) -> Expr:
        return _bitwise("^", other, self)

    def __lt__(self, other: object) -> Expr:
        return _binary(nodes.LT, self, other)

    def __le__(self, other: object) -> Expr:
        return _binary(nodes.LE, self, other)

    def __gt__(self, other: object) -> Expr:
        return _binary(nodes.GT, self, other)

    def __ge__(self, other: object) -> Expr:
        return _binary(nodes.GE, self, other)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return _binary(nodes.EQ, self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return _binary(nodes.NE, self, other)

    def __neg__(self) -> Expr:
        return Expr(operators.negate(to_node(self)))

    def __invert__(self) -> Expr:
        return Expr(operators.invert(to_node(self)))

    def logical_not(self) -> Expr:
        """The negation of a boolean."""
        return Expr(operators.logical_not(to_node(self)))


Number: TypeAlias = "int | float | np.integer[Any] | np.floating[Any] | np.bool_"
ToExpr: TypeAlias = "ExprLike | Number"


class Expr(ExprLike):
    """An immutable expression; `hl.Expr()` is undefined. `node` is what it means."""

    __slots__ = ("_node",)

    def __init__(self, value: nodes.Expr | ToExpr | None = None) -> None:
        if value is None or isinstance(value, nodes.Expr):
            self._node: nodes.Expr | None = value
        elif isinstance(value, ExprLike):
            self._node = value._as_expr()._node
        else:
            self._node = to_node(value)

    @property
    def node(self) -> nodes.Expr:
        """What it means. Raises DefinitionError where it is undefined."""
        if self._node is None:
            raise DefinitionError("an undefined Expr, hl.Expr(), is used", location=caller())
        return self._node

    def _as_expr(self) -> Expr:
        return self

    def defined(self) -> bool:
        """Whether this is an expression at all."""
        return self._node is not None

    def type(self) -> types.Type:
        """The type of its value."""
        return types.Type.of(self.node.dtype)

    def __repr__(self) -> str:
        if self._node is None:
            return "<undefined halopy.Expr>"
        return f"<halopy.Expr of type {self._node.dtype}: {self._node}>"


def to_expr(value: object) -> Expr:
    """The expression that a handle or a number stands for. Raises TypeMismatch for anything else."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, ExprLike):
        return value._as_expr()
    literal = number(value)
    if literal is None:
        raise TypeMismatch(
            f"{value!r} of type {type(value).__name__} is not an expression",
            location=caller(),
            accepted="Expr, Var, RVar, Param, f[x, y], or a Python or NumPy number",
        )
    return Expr(literal)


def to_node(value: object) -> nodes.Expr:
    """The ir expression that a handle or a number stands for."""
    return to_expr(value).node


def _operand(value: object) -> Operand | None:
    """An operand of an operator: a node, or an int for a literal that takes the other operand's type."""
    if isinstance(value, ExprLike):
        return value._as_expr().node
    integer = as_integer(value)
    if integer is not None:
        return integer if -(1 << 31) <= integer < 1 << 31 else integer_literal(integer)
    return float_literal(float(value)) if isinstance(value, float | np.floating) else None


def _binary(node: type[nodes.Binary], a: object, b: object) -> Expr:
    left, right = _operand(a), _operand(b)
    if left is None or right is None:
        return cast(Expr, NotImplemented)
    return Expr(operators.binary(node, left, right))


def _bitwise(symbol: str, a: object, b: object) -> Expr:
    left, right = _operand(a), _operand(b)
    if left is None or right is None:
        return cast(Expr, NotImplemented)
    return Expr(operators.bitwise(symbol, left, right))


def _shift(name: str, a: object, b: object) -> Expr:
    left, right = _operand(a), _operand(b)
    if left is None or right is None:
        return cast(Expr, NotImplemented)
    return Expr(operators.shift(name, left, right))


def _power(base: object, exponent: object) -> Expr:
    if _operand(base) is None or _operand(exponent) is None:
        return cast(Expr, NotImplemented)
    return Expr(operators.power(to_node(base), to_node(exponent)))
