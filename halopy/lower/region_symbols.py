"""Symbols that regions are bound to: what needs a name, and what names stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..dtypes import INT32
from ..ir.expr import Cast, Expr
from ..ir.rewrite import Rewriter, free_vars, substitute
from ..ir.simplify import simplify
from .place_functions import Level

if TYPE_CHECKING:
    from .regions import Regions


class NameCasts(Rewriter):
    """Names for integers made of floats, which may be any: their sums are then index arithmetic, 64 bits wide."""

    only = (Cast,)

    def __init__(self, name: Callable[[Cast], Expr]) -> None:
        super().__init__()
        self.name = name

    def rewrite_Cast(self, cast: Cast) -> Expr:
        is_made_of_float = cast.dtype is INT32 and cast.a.dtype.is_float
        return self.name(cast) if is_made_of_float else self.rebuild(cast)


class Expand:
    """Replaces symbols bound at or inside a level by what they stand for."""

    def __init__(self, regions: Regions, inside: Level, keep: frozenset[str]) -> None:
        self.regions, self.inside, self.keep = regions, inside, keep
        self.memo: dict[str, Expr] = {}

    def __call__(self, e: Expr) -> Expr:
        from_here: dict[str, Expr] = {}
        for name in free_vars(e):
            known = self.regions.definitions.get(name)
            if known is not None and name not in self.keep and self.inside in self.regions.levels_around(known[0]):
                if name not in self.memo:
                    self.memo[name] = self(known[1])
                from_here[name] = self.memo[name]
        expanded: Expr = simplify(substitute(e, from_here)) if from_here else e
        return expanded
