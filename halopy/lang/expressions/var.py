"""`Var`: the name of a dimension of a Func, or of a loop over it."""

from __future__ import annotations

import itertools
import re

from ...errors import DefinitionError, TypeMismatch
from ...ir import expr as nodes
from ...source import caller
from .expr import Expr, ExprLike

__all__ = ["Var", "_", "_0", "_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "vars"]

_numbers = itertools.count()
_IMPLICIT = re.compile(r"_[0-9]*")


class Var(ExprLike):
    """A free dimension. Vars of one name are one Var; without a name it gets a new one."""

    __slots__ = ("_name",)

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeMismatch(f"{name!r} is no name of a Var", location=caller(), accepted="a str")
        if name == "":
            raise DefinitionError("a Var may not have an empty name", location=caller())
        self._name = name if name is not None else f"v{next(_numbers)}"

    def name(self) -> str:
        """Its name, by which Vars are told apart."""
        return self._name

    def same_as(self, other: Var) -> bool:
        """Whether both have one name, and so are one Var."""
        return self._name == other._name

    def is_implicit(self) -> bool:
        """Whether it is `_`, `_0`, `_1`, ..."""
        return _IMPLICIT.fullmatch(self._name) is not None

    def implicit_index(self) -> int:
        """n of `_n`, 0 for `_`, else -1."""
        return int(self._name[1:] or 0) if self.is_implicit() else -1

    def is_placeholder(self) -> bool:
        """Whether it is `_`, which stands for all dimensions not named."""
        return self._name == "_"

    @staticmethod
    def implicit(n: int) -> Var:
        """The nth implicit Var."""
        return Var(f"_{n}")

    @staticmethod
    def outermost() -> Var:
        """The loop outside all others of a stage."""
        return Var("__outermost")

    def _as_expr(self) -> Expr:
        return Expr(nodes.Var(self._name))

    def __repr__(self) -> str:
        return f"<halopy.Var '{self._name}'>"

    def __str__(self) -> str:
        return self._name


def vars(names: str) -> tuple[Var, ...]:
    """`x, y = hl.vars("x y")`."""
    return tuple(Var(name) for name in names.split())


_ = Var("_")
_0, _1, _2, _3, _4, _5, _6, _7, _8, _9 = (Var.implicit(n) for n in range(10))
