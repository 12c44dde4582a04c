"""How loops are named in directives: by a Var, an RVar, or an RDom of one dimension."""

from __future__ import annotations

import itertools
from typing import TypeAlias

from ..errors import ScheduleError
from ..source import caller
from .enums import LoopAlignStrategy, Partition, PrefetchBoundStrategy, TailStrategy
from .expr import ExprLike
from .rdom import RDom, RVar
from .var import Var

Loop: TypeAlias = "Var | RVar | RDom"


def loop_name(var: object) -> str:
    """The name of the loop."""
    if isinstance(var, RDom):
        return var.only_variable().name()
    if isinstance(var, Var | RVar):
        return var.name()
    raise ScheduleError(
        f"{var!r} of type {type(var).__name__} does not name a loop",
        location=caller(),
        accepted="a Var or an RVar",
    )


def is_reduction_loop(var: Loop) -> bool:
    """Whether the name is that of a reduction loop."""
    return not isinstance(var, Var)


def shown(value: object) -> str:
    """An argument of a directive as the user would write it."""
    if isinstance(value, Var):
        return value.name()
    if isinstance(value, RVar):
        return value.name().replace("$", ".")
    if isinstance(value, RDom):
        return value.domain().name
    if isinstance(value, TailStrategy | Partition | PrefetchBoundStrategy | LoopAlignStrategy):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, ExprLike):
        return str(value._as_expr().node) if value._as_expr().defined() else "Expr()"
    name = getattr(value, "name", None)
    return str(name()) if callable(name) else str(value)


def bare(text: str) -> str:
    """The text of an expression without parentheses around the whole of it."""
    depths = list(itertools.accumulate((c == "(") - (c == ")") for c in text))
    return text[1:-1] if text.startswith("(") and depths.index(0) == len(text) - 1 else text
