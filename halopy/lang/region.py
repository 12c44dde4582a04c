"""Ranges and regions: `(min, extent)` pairs, one per dimension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from ..errors import TypeMismatch
from ..source import caller
from .expressions.conversion import show
from .expressions.expr import Expr, ToExpr, to_expr

__all__ = ["Range"]


class Range:
    """`extent` places from `min` on. Undefined ends mean that there is no bound."""

    __slots__ = ("extent", "min")

    def __init__(self, min: ToExpr | None = None, extent: ToExpr | None = None) -> None:
        self.min = Expr() if min is None else to_expr(min)
        self.extent = Expr() if extent is None else to_expr(extent)

    def __iter__(self) -> Iterator[Expr]:
        return iter((self.min, self.extent))

    def __repr__(self) -> str:
        ends = (show(end.node) if end.defined() else "undefined" for end in self)
        return f"<halopy.Range {', '.join(ends)}>"


ToRange: TypeAlias = "Range | tuple[ToExpr, ToExpr]"


class Dimension(Protocol):
    """One dimension of a Buffer or ImageParam."""

    def min(self) -> ToExpr: ...

    def extent(self) -> ToExpr: ...


@runtime_checkable
class Shaped(Protocol):
    """A Buffer or an ImageParam."""

    def dimensions(self) -> int: ...

    def dim(self, i: int, /) -> Dimension: ...

    def name(self) -> str: ...


def to_range(value: ToRange) -> Range:
    if isinstance(value, Range):
        return value
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeMismatch(
            f"{value!r} is not a range", location=caller(), accepted="a pair (min, extent), or hl.Range(min, extent)"
        )
    return Range(*value)


def to_region(value: Sequence[ToRange]) -> list[Range]:
    """One Range per dimension."""
    if not isinstance(value, Sequence):
        raise TypeMismatch(
            f"{value!r} is not a region", location=caller(), accepted="a list of (min, extent) pairs, x first"
        )
    return [to_range(item) for item in value]


def region_of(shaped: Shaped) -> list[Range]:
    """The region that a Buffer or an ImageParam covers."""
    dims = (shaped.dim(i) for i in range(shaped.dimensions()))
    return [Range(d.min(), d.extent()) for d in dims]
