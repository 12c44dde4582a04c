"""Factors, extents and other sizes that directives take: int32 expressions known before the pipeline runs."""

from __future__ import annotations

from ..dtypes import INT32
from ..errors import ScheduleError
from ..ir.expr import Const, Expr, FuncAccess, ImageAccess, RVarAccess, Var
from ..source import caller
from .expressions.conversion import lossless_cast, show, typed
from .expressions.expr import to_node
from .expressions.leaves import leaves


def size_expression(text: str, value: object) -> Expr:
    """An int32 expression of numbers, Params and buffer shapes. Raises ScheduleError for others."""
    e = to_node(value)
    _require_fixed(text, e)
    size = lossless_cast(INT32, e)
    if size is None:
        raise ScheduleError(
            text, location=caller(), reason=[f"{typed(e)} is not an int32"], accepted="an integer of 32 bits or fewer"
        )
    return size


def condition_expression(text: str, value: object) -> Expr:
    """A condition on numbers, Params and buffer shapes. Raises ScheduleError for others."""
    e = to_node(value)
    _require_fixed(text, e)
    if not e.dtype.is_bool:
        raise ScheduleError(
            text,
            location=caller(),
            reason=[f"{typed(e)} is not a condition"],
            accepted=f"a bool, such as {show(e)} != 0",
        )
    return e


def _require_fixed(text: str, e: Expr) -> None:
    for node in leaves(e, Var, RVarAccess, FuncAccess, ImageAccess):
        raise ScheduleError(
            text,
            location=caller(),
            reason=[f"`{show(e)}` depends on `{show(node)}`, which changes while the pipeline runs"],
            accepted="numbers, Params, and the shapes of Buffers and ImageParams",
        )


def constant_size(text: str, value: object) -> int:
    """A positive integer. Raises ScheduleError for expressions that are not constant."""
    e = size_expression(text, value)
    if not isinstance(e, Const):
        raise ScheduleError(
            text,
            location=caller(),
            reason=[f"the factor `{show(e)}` is not a constant"],
            accepted="an integer of 1 or more",
        )
    if e.value < 1:
        raise ScheduleError(
            text, location=caller(), reason=[f"the factor is {e.value}"], accepted="a factor of 1 or more"
        )
    return int(e.value)
