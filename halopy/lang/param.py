"""`Param`: a scalar input, set before a run."""

from __future__ import annotations

import itertools
from typing import Any

from ..dtypes import DType
from ..errors import ParamError
from ..ir import expr as nodes
from ..ir.refs import ScalarRef
from ..source import caller
from .expr import Expr, ExprLike, ToExpr, to_expr
from .types import Type, to_dtype

Scalar = int | float | bool
_numbers = itertools.count()


class ParamRef(ScalarRef):
    """A Param's identity, and its value and range now."""

    __slots__ = ("max", "min", "value")

    def __init__(self, name: str, dtype: DType) -> None:
        super().__init__(name, dtype)
        self.value: Scalar = 0 if dtype.is_integer else 0.0
        self.min: Expr = Expr()
        self.max: Expr = Expr()


class Param(ExprLike):
    """A scalar whose value is read at each run.

    Param(Type), Param(Type, "name"), Param(Type, value), Param(Type, "name", value)
    """

    __slots__ = ("_ref",)

    def __init__(self, type: Type, name: str | Scalar | None = None, value: Scalar | None = None) -> None:
        if name is not None and not isinstance(name, str):
            name, value = None, name
        self._ref = ParamRef(name or f"p{next(_numbers)}", to_dtype(type))
        if value is not None:
            self.set(value)

    def name(self) -> str:
        return self._ref.name

    def type(self) -> Type:
        return Type.of(self._ref.dtype)

    def set(self, value: Any) -> None:
        """The value for the next runs. Raises ParamError where the type does not have it."""
        self._ref.value = _fitting(self._ref, value)

    def get(self) -> Scalar:
        return self._ref.value

    def set_range(self, min: ToExpr, max: ToExpr) -> None:
        """Promise that the value lies in [min, max]; a run with another value is refused."""
        self.set_min_value(min)
        self.set_max_value(max)

    def set_min_value(self, min: ToExpr) -> None:
        self._ref.min = to_expr(min)

    def set_max_value(self, max: ToExpr) -> None:
        self._ref.max = to_expr(max)

    def min_value(self) -> Expr:
        """The promised least value; undefined if none is."""
        return self._ref.min

    def max_value(self) -> Expr:
        """The promised greatest value; undefined if none is."""
        return self._ref.max

    def set_estimate(self, value: Any) -> None:
        """The value to expect, for automatic scheduling: without effect on results."""
        _fitting(self._ref, value)

    def _as_expr(self) -> Expr:
        return Expr(nodes.Param(self._ref))

    def _shown(self) -> str:
        return self._ref.name

    def __repr__(self) -> str:
        return f"<halopy.Param '{self._ref.name}' type {self._ref.dtype}>"


def _fitting(ref: ParamRef, value: Any) -> Scalar:
    dtype = ref.dtype
    try:
        number = value.item() if hasattr(value, "item") else value
        if dtype.is_bool and isinstance(number, bool | int):
            return bool(number)
        if dtype.is_float and isinstance(number, bool | int | float):
            return float(number)
        if isinstance(number, bool | int) and dtype.can_hold(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    wanted = f"{dtype.min} to {dtype.max}" if dtype.is_integer and not dtype.is_bool else f"a {dtype}"
    raise ParamError(f"Param `{ref.name}` of type {dtype} cannot be {value!r}", location=caller(), accepted=wanted)
