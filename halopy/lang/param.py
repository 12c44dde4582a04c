"""`Param`: a scalar input, set before a run."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..dtypes import DType
from ..errors import ParamError
from ..ir import expr as nodes
from ..ir.refs import ScalarRef
from ..source import caller
from . import revision
from .expr import Expr, ExprLike, Number, ToExpr, to_expr
from .types import Type, to_dtype

Scalar = int | float | bool
_numbers = itertools.count()


class ParamRef(ScalarRef):
    """A Param's identity, and its value and range now."""

    __slots__ = ("max", "min", "value", "version")

    def __init__(self, name: str, dtype: DType) -> None:
        super().__init__(name, dtype)
        self.value: Scalar = 0 if dtype.is_integer else 0.0
        self.version = 0  # grows with each new value, as equal values may differ: 0.0 == -0.0
        self.min: Expr = Expr()
        self.max: Expr = Expr()

    def check_range(self) -> None:
        """Raises ParamError where the value is outside the promised range."""
        low, high = _limit(self.min), _limit(self.max)
        if (low is not None and self.value < low) or (high is not None and self.value > high):
            raise ParamError(
                f"Param `{self.name}` is {self.value}, outside its range",
                accepted=f"from {'any value' if low is None else low} to {'any value' if high is None else high}",
            )


def _limit(bound: Expr) -> Scalar | None:
    return nodes.const_value(bound.node) if bound.defined() else None


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

    def set(self, value: Number) -> None:
        """The value for the next runs. Raises ParamError where the type does not have it."""
        self._ref.value = _fitting(self._ref, value)
        self._ref.version += 1

    def get(self) -> Scalar:
        return self._ref.value

    def set_range(self, min: ToExpr, max: ToExpr) -> None:
        """Promise that the value lies in [min, max]; a run with another value is refused."""
        self.set_min_value(min)
        self.set_max_value(max)

    def set_min_value(self, min: ToExpr) -> None:
        self._ref.min = to_expr(min)
        revision.changed()

    def set_max_value(self, max: ToExpr) -> None:
        self._ref.max = to_expr(max)
        revision.changed()

    def min_value(self) -> Expr:
        """The promised least value; undefined if none is."""
        return self._ref.min

    def max_value(self) -> Expr:
        """The promised greatest value; undefined if none is."""
        return self._ref.max

    def set_estimate(self, value: Number) -> None:
        """The value to expect, for automatic scheduling: without effect on results."""
        _fitting(self._ref, value)

    def _as_expr(self) -> Expr:
        return Expr(nodes.Param(self._ref))

    def _shown(self) -> str:
        return self._ref.name

    def __repr__(self) -> str:
        return f"<halopy.Param '{self._ref.name}' type {self._ref.dtype}>"


def _fitting(ref: ParamRef, value: Number) -> Scalar:
    dtype = ref.dtype
    number = value.item() if isinstance(value, np.generic) else value
    if dtype.is_bool and isinstance(number, bool | int):
        return bool(number)
    if dtype.is_float and isinstance(number, bool | int | float):
        return _rounded(dtype, number)
    if isinstance(number, bool | int) and dtype.can_hold(number):
        return int(number)
    wanted = f"{dtype.min} to {dtype.max}" if dtype.is_integer and not dtype.is_bool else f"a {dtype}"
    raise ParamError(f"Param `{ref.name}` of type {dtype} cannot be {value!r}", location=caller(), accepted=wanted)


def _rounded(dtype: DType, number: float) -> float:
    """The nearest value of the type; infinite where the number is too large for it."""
    try:
        return nodes.round_to(float(number), dtype)
    except OverflowError:  # an int beyond all floats
        return math.inf if number > 0 else -math.inf
