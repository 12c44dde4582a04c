"""Conditions as sets of integer points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import islpy as isl

from ...ir.expr import Expr, Var
from ..affine import Affine


class Space:
    """Sets over some variables, from conditions in canonical form."""

    def __init__(self, context: isl.Context, variables: int, symbols: int, everywhere: Sequence[Expr]) -> None:
        self.affine = Affine(context, variables, symbols)
        self._known: dict[tuple[Expr, ...], isl.Set] = {}
        self._everywhere = self._all(self.affine.universe, everywhere)

    def set(self, *parts: Sequence[Expr]) -> isl.Set:
        """Where all conditions of all parts hold. The first part is remembered."""
        first = tuple(parts[0])
        found = self._known.get(first)
        if found is None:
            found = self._known[first] = self._all(self._everywhere, first)
        for part in parts[1:]:
            found = self._all(found, part)
        return found

    def _all(self, found: isl.Set, conditions: Iterable[Expr]) -> isl.Set:
        for condition in conditions:
            found = found.intersect(self.affine.set(condition))
        return found


def opaque_in(s: isl.Set, opaque: Mapping[Expr, Var]) -> list[Expr]:
    """What a set depends on that isl was told nothing about."""
    names = {v.name: e for e, v in opaque.items()}
    params = isl.dim_type.param
    involved = [s.get_dim_name(params, n) for n in range(s.dim(params)) if s.involves_dims(params, n, 1)]
    return [names[name] for name in involved if name in names]
