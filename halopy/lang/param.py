"""`Param`: a scalar input, set before a run."""

from __future__ import annotations

from ..ir import expr as nodes
from . import revision
from .expressions.expr import Expr, ExprLike, Number, ToExpr, to_expr
from .expressions.types import Type, to_dtype
from .param_ref import ParamRef, Scalar, fitting
from .parameter import Parameter
from .unnamed import unnamed_input


class Param(ExprLike):
    """A scalar whose value is read at each run.

    Param(Type), Param(Type, "name"), Param(Type, value), Param(Type, "name", value)
    """

    __slots__ = ("_ref",)

    def __init__(self, type: Type, name: str | Scalar | None = None, value: Scalar | None = None) -> None:
        if name is not None and not isinstance(name, str):
            name, value = None, name
        self._ref = ParamRef(name or unnamed_input(), to_dtype(type))
        if value is not None:
            self.set(value)

    def name(self) -> str:
        """What messages and generated code call it."""
        return self._ref.name

    def type(self) -> Type:
        """The type of its value."""
        return Type.of(self._ref.dtype)

    def set(self, value: Number) -> None:
        """The value for the next runs. Raises ParamError where the type does not have it."""
        self._ref.set(value)

    def get(self) -> Scalar:
        """The value that the next runs read."""
        return self._ref.value

    def parameter(self) -> Parameter:
        """The Parameter behind it."""
        return Parameter._of(self._ref)

    def set_range(self, min: ToExpr, max: ToExpr) -> None:
        """Promise that the value lies in [min, max]; a run with another value is refused."""
        self.set_min_value(min)
        self.set_max_value(max)

    def set_min_value(self, min: ToExpr) -> None:
        """Promise that the value is no less."""
        self._ref.min = to_expr(min)
        revision.changed()

    def set_max_value(self, max: ToExpr) -> None:
        """Promise that the value is no greater."""
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
        self._ref.estimate = Expr(nodes.const(fitting(self._ref, value), self._ref.dtype))

    def _as_expr(self) -> Expr:
        return Expr(nodes.Param(self._ref))

    def _shown(self) -> str:
        return self._ref.name

    def __repr__(self) -> str:
        return f"<halopy.Param '{self._ref.name}' type {self._ref.dtype}>"
