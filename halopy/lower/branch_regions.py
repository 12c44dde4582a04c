"""Regions where a stage has several versions: the one that runs says what is needed.

p: f reads g over [0, 9]; not p: over [5, 20]; h reads g over [2, 3]
->  g over [select(p, min(0, 2), min(5, 2)), select(p, max(9, 3), max(20, 3))]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..ir.branches import Path, condition_of
from ..ir.build import logical_or, select, sub
from ..ir.expr import FALSE, Expr
from ..ir.interval import Interval, union
from ..ir.linear import difference

Ends: TypeAlias = Sequence[Interval]
Piece: TypeAlias = tuple[Path, Ends]  # the conditions under which it is needed, and what


def joined(pieces: Sequence[Piece]) -> Ends | None:
    """What is needed of all pieces, each under its conditions; None where there are none."""
    return _joined([(path, ends) for path, ends in pieces], None)


def needed_when(paths: Sequence[Path]) -> Expr:
    """The condition that any of the paths is taken."""
    condition: Expr = FALSE
    for path in dict.fromkeys(paths):
        condition = logical_or(condition, condition_of(path))
    return condition


def _joined(pieces: Sequence[Piece], around: Ends | None) -> Ends | None:
    total = around
    for path, ends in pieces:
        if not path:
            total = ends if total is None else _union(total, ends)
    for condition in dict.fromkeys(path[0][0] for path, _ in pieces if path):
        yes, no = (
            _joined([(path[1:], ends) for path, ends in pieces if path and path[0] == (condition, truth)], total)
            for truth in (True, False)
        )
        total = _chosen(condition, yes, no)
    return total


def _union(a: Ends, b: Ends) -> Ends:
    return a if a is b else tuple(union(i, j) for i, j in zip(a, b, strict=True))


def _chosen(condition: Expr, yes: Ends | None, no: Ends | None) -> Ends | None:
    if yes is None or no is None:
        some = no if yes is None else yes
        return None if some is None else tuple(_or_nothing(condition, i, some is yes) for i in some)
    return yes if yes is no else tuple(_either(condition, i, j) for i, j in zip(yes, no, strict=True))


def _either(condition: Expr, yes: Interval, no: Interval) -> Interval:
    return Interval(*(_end(condition, a, b) for a, b in zip(yes, no, strict=True)))


def _end(condition: Expr, yes: Expr | None, no: Expr | None) -> Expr | None:
    if yes is None or no is None:
        return None
    return yes if difference(yes, no) == 0 else select(condition, yes, no)


def _or_nothing(condition: Expr, i: Interval, truth: bool) -> Interval:
    """The interval where the condition is as said, else one without elements."""
    if i.lo is None or i.hi is None:
        return i
    before = sub(i.lo, 1)
    return Interval(i.lo, select(condition, i.hi, before) if truth else select(condition, before, i.hi))
