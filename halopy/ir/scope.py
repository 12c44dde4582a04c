"""Symbolic intervals, and scopes that give some variables one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .expr import Expr
from .ranges import Range, Ranges


class Interval(NamedTuple):
    """All values from `lo` to `hi`, both included; None where unbounded."""

    lo: Expr | None
    hi: Expr | None


EVERYTHING = Interval(None, None)
Scope = Mapping[str, Interval]


def numeric(scope: Scope) -> dict[str, Range]:
    """The numeric ranges of a scope's variables."""
    ranges = Ranges({})
    return {name: numeric_range(i, ranges) for name, i in scope.items()}


def numeric_range(i: Interval, ranges: Ranges) -> Range:
    """The least number that the low end can be, and the greatest of the high end."""
    return (
        None if i.lo is None else ranges.of(i.lo)[0],
        None if i.hi is None else ranges.of(i.hi)[1],
    )
