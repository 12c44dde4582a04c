"""How loops are named in directives: by a Var, an RVar, or an RDom of one dimension."""

from __future__ import annotations

import itertools
from typing import TypeAlias

from ..errors import MistypedDirective
from ..source import caller
from .expressions.expr import ExprLike
from .expressions.numbered import Translated
from .expressions.var import Var
from .rdom import RDom, RVar


class VarOrRVar:
    """Either of both, as every directive takes them.

    VarOrRVar(var), VarOrRVar(rvar), VarOrRVar(rdom of one dimension), VarOrRVar("name", is_rvar)
    """

    __slots__ = ("is_rvar", "rvar", "var")

    def __init__(self, source: str | Var | RVar | RDom, is_rvar: bool = False) -> None:
        if isinstance(source, str):
            self.is_rvar, self.var, self.rvar = is_rvar, Var(source), RVar(source)
            return
        name = loop_name(source)
        self.is_rvar = not isinstance(source, Var)
        self.var = source if isinstance(source, Var) else Var(name)
        self.rvar = RVar(name) if isinstance(source, Var) else RVar(source) if isinstance(source, RDom) else source

    def name(self) -> str:
        """The name of the loop."""
        return self.var.name()

    def __repr__(self) -> str:
        return f"<halopy.VarOrRVar {'rvar' if self.is_rvar else 'var'} '{self.name()}'>"


Loop: TypeAlias = "Var | RVar | RDom | VarOrRVar"
LOOPS = (Var, RVar, RDom, VarOrRVar)


def loop_name(var: object) -> str:
    """The name of the loop."""
    if isinstance(var, RDom):
        return var.only_variable().name()
    if isinstance(var, Var | RVar | VarOrRVar):
        return var.name()
    raise MistypedDirective(
        f"{var!r} of type {type(var).__name__} does not name a loop",
        location=caller(),
        accepted="a Var or an RVar",
    )


def is_reduction_loop(var: Loop) -> bool:
    """Whether the name is that of a reduction loop."""
    return var.is_rvar if isinstance(var, VarOrRVar) else not isinstance(var, Var)


def shown(value: object) -> str:
    """An argument of a directive as the user would write it."""
    if isinstance(value, VarOrRVar):
        value = value.rvar if value.is_rvar else value.var
    if isinstance(value, Var):
        return value.name()
    if isinstance(value, RVar):
        return value.name().replace("$", ".")
    if isinstance(value, RDom):
        return value.domain().name
    if isinstance(value, Translated):
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
