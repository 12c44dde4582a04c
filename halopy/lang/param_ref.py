"""What stands behind a scalar input: its identity, and its value and range now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from ..dtypes import DType
from ..errors import ParamError, TypeMismatch
from ..ir import expr as nodes
from ..ir.refs import ScalarRef
from ..ir.rewrite import Rewriter
from ..ir.simplify import simplify
from ..source import caller
from .expressions.expr import Expr, Number

Scalar: TypeAlias = int | float | bool
_NO_OTHERS: Mapping[ScalarRef, int | float | bool] = {}


class ParamRef(ScalarRef):
    """A Param's identity, and its value and range now."""

    __slots__ = ("default", "estimate", "max", "min", "value", "version")

    def __init__(self, name: str, dtype: DType) -> None:
        super().__init__(name, dtype)
        self.value: Scalar = 0 if dtype.is_integer else 0.0
        self.version = 0  # grows with each new value, as equal values may differ: 0.0 == -0.0
        self.min: Expr = Expr()
        self.max: Expr = Expr()
        self.default: Expr = Expr()
        self.estimate: Expr = Expr()

    def set(self, value: Number) -> None:
        """The value for the next runs. Raises ParamError where the type does not have it."""
        self.value = fitting(self, value)
        self.version += 1

    def check(self) -> None:
        """Raises ParamError where there is no value, or one outside the promised range."""
        if not self.version:
            raise ParamError(
                f"Param `{self.name}` does not have a valid scalar value",
                reason=["it was never given one"],
                accepted=f"{self.name}.set(value) with a {self.dtype}, before the run",
            )
        check_range(self, self.value)


def check_range(ref: ParamRef, value: Scalar, others: Mapping[ScalarRef, Scalar] = _NO_OTHERS) -> None:
    """Raises ParamError where the value is outside the range that the parameter promises.

    A range may be about other parameters: their values are those in `others`, or the ones that they have now.
    """
    low, high = _limit(ref.min, others), _limit(ref.max, others)
    if (low is not None and value < low) or (high is not None and value > high):
        raise ParamError(
            f"Param `{ref.name}` is {value}, outside its range",
            accepted=f"from {'any value' if low is None else low} to {'any value' if high is None else high}",
        )


def _limit(bound: Expr, others: Mapping[ScalarRef, Scalar]) -> Scalar | None:
    if not bound.defined():
        return None
    known = nodes.const_value(bound.node)
    return nodes.const_value(simplify(_Values(others)(bound.node))) if known is None else known


class _Values(Rewriter):
    """Parameters as the numbers that they are."""

    only = (nodes.Param,)

    def __init__(self, values: Mapping[ScalarRef, Scalar]) -> None:
        super().__init__()
        self.values = values

    def rewrite_Param(self, param: nodes.Param) -> nodes.Expr:
        ref = param.ref
        value = self.values.get(ref, ref.value if isinstance(ref, ParamRef) else 0)
        return nodes.const(value, param.dtype)


def fitting(ref: ParamRef, value: Number) -> Scalar:
    """The number as the parameter's type has it. Raises ParamError where it does not have it."""
    dtype = ref.dtype
    number = value.item() if isinstance(value, np.generic) else value
    if dtype.is_bool and isinstance(number, bool | int) and number in (0, 1):
        return bool(number)
    if dtype.is_float and isinstance(number, bool | int | float):
        return _rounded(dtype, number)
    if isinstance(number, bool | int) and (dtype.can_hold(number) if dtype.is_integer else not dtype.is_float):
        return int(number)
    wanted = f"{dtype.min} to {dtype.max}" if dtype.is_integer and not dtype.is_bool else f"a {dtype}"
    error = ParamError if isinstance(number, bool | int | float) else TypeMismatch
    raise error(f"Param `{ref.name}` of type {dtype} cannot be {value!r}", location=caller(), accepted=wanted)


def _rounded(dtype: DType, number: float) -> float:
    """The nearest value of the type; infinite where the number is too large for it."""
    try:
        return nodes.round_to(float(number), dtype)
    except OverflowError:  # an int beyond all floats
        return math.inf if number > 0 else -math.inf
