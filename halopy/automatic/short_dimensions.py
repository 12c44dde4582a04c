"""Dimensions of a few elements, such as colours, that are computed beside each other, as they share most of the work.

out(x, y, c) = ratio(x, y) * rgb(x, y, c)      for c: for x: ...    ->    for x: c = 0, 1, 2 of one ratio
out(x, y, c) = select(c == 0, f(x, y), g(x, y))                           and of each choice, only what is chosen
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.expr import Expr, Select
from ..ir.function import Function
from ..ir.node import find
from ..ir.rewrite import free_vars
from ..lower.place_functions import stage_reads

_MOST = 4


def computed_together(function: Function, extents: Mapping[str, int], dense: str | None) -> list[str]:
    """The pure variables of a Func that are worth it, given how far they are expected to go."""
    if len(function.definitions) > 1:
        return []
    short = [a for a in function.args if a != dense and 1 < extents.get(a, 0) <= _MOST]
    return [name for name in short if _shares(function, name)]


def _shares(function: Function, name: str) -> bool:
    """Whether elements along a dimension read the same, or choose by it."""
    reads = [frozenset[str]().union(*map(free_vars, read.index)) for read in stage_reads(function.pure)]
    if any(name not in names and names for names in reads):
        return True
    choices: list[Expr] = [s.condition for value in function.pure.values for s in find(value, Select)]
    return any(name in free_vars(condition) for condition in choices)
