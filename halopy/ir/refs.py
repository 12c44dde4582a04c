"""Identities that user-level expressions hold: which Func, image or parameter is meant.

Two Funcs may carry one name; the reference object tells them apart. `ir.program` replaces
references by unique names, so nothing below it sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import DType

if TYPE_CHECKING:
    from .expr import Expr
    from .function import Function


class FunctionRef:
    """A Func's identity. `function` is its latest definition; None while undefined."""

    __slots__ = ("__weakref__", "function", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.function: Function | None = None


class ImageRef:
    """An image's identity: an ImageParam, or a Buffer used inside an expression (`constant`).

    Or the output buffer of one element of a Func (`output`): then only its shape appears in expressions.
    """

    __slots__ = ("__weakref__", "constant", "dtype", "name", "output", "rank")

    def __init__(
        self,
        name: str,
        dtype: DType,
        rank: int,
        constant: object | None = None,
        output: tuple[FunctionRef, int] | None = None,
    ) -> None:
        self.output = output
        self.name = name
        self.dtype = dtype
        self.rank = rank
        self.constant = constant


class ScalarRef:
    """A scalar parameter's identity."""

    __slots__ = ("__weakref__", "dtype", "name")

    def __init__(self, name: str, dtype: DType) -> None:
        self.name = name
        self.dtype = dtype


class DomainRef:
    """A reduction domain's identity. `predicate` may be narrowed until a definition uses it (`frozen`)."""

    __slots__ = ("__weakref__", "extents", "frozen", "mins", "name", "predicate")

    def __init__(self, name: str, mins: tuple[Expr, ...], extents: tuple[Expr, ...]) -> None:
        self.name = name
        self.mins = mins
        self.extents = extents
        self.predicate: Expr | None = None
        self.frozen = False

    def var_name(self, position: int) -> str:
        """Name of the variable of one dimension: `r$x r$y r$z r$w r$4 ...`."""
        return f"{self.name}${'xyzw'[position] if position < 4 else position}"
