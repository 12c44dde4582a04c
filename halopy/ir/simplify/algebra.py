"""What the rules for one kind of node may ask of the simplifier."""

from __future__ import annotations

from typing import Protocol

from ..expr import Expr, Load, Read
from ..node import NodeMeta
from ..ranges import Ranges
from .facts import Facts


class Algebra(Protocol):
    """The simplifier, as seen by the rules."""

    facts: Facts

    @property
    def ranges(self) -> Ranges: ...

    def __call__(self, e: Expr) -> Expr:
        """Simplify an expression."""

    def make(self, operator: NodeMeta, *operands: Expr) -> Expr:
        """The simplified node over operands that are simplified already."""


def holds_data(*operands: Expr) -> bool:
    """Whether values from memory take part, which may be the extremes of their type: what is added to one may wrap."""
    return any(e.kinds & (Load.bit | Read.bit) for e in operands)


def may_wrap(s: Algebra, *operands: Expr) -> bool:
    """Whether values from memory may make an operand pass the ends of its type, so that algebra would not hold."""
    return any(holds_data(e) and not _stays_in_type(s, e) for e in operands)


def _stays_in_type(s: Algebra, e: Expr) -> bool:
    lo, hi = s.ranges.of(e)
    return lo is not None and hi is not None and lo >= e.dtype.min and hi <= e.dtype.max
