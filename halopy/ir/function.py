"""The algorithm of one Func, as a value: its pure definition and its updates."""

from __future__ import annotations

from dataclasses import dataclass

from ..dtypes import DType
from ..source import SourceLocation
from .expr import Expr


@dataclass(frozen=True, slots=True)
class ReductionVar:
    """One dimension of a reduction domain: `name` runs over [min, min + extent)."""

    name: str
    min: Expr
    extent: Expr


@dataclass(frozen=True, slots=True)
class ReductionDomain:
    """An iteration box, first variable innermost, restricted to where `predicate` holds."""

    vars: tuple[ReductionVar, ...]
    predicate: Expr | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One stage: `func[index] = values`, for all pure variables, and over `rdom` in order.

    In the pure definition every index is a Var of the Func's arguments. In an update the pure
    variables are those arguments that stand alone at their own place in `index`.
    """

    index: tuple[Expr, ...]
    values: tuple[Expr, ...]
    rdom: ReductionDomain | None = None
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A named grid of values with `args` (names, innermost first) and one dtype per tuple element."""

    name: str
    args: tuple[str, ...]
    dtypes: tuple[DType, ...]
    definitions: tuple[Definition, ...]
    location: SourceLocation | None = None

    @property
    def pure(self) -> Definition:
        return self.definitions[0]

    @property
    def updates(self) -> tuple[Definition, ...]:
        return self.definitions[1:]

    @property
    def rank(self) -> int:
        return len(self.args)
