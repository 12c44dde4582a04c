"""One version of a specialised nest, reached by the places of specializations on the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.expr import Expr
from .directives import Directive, Specialize
from .nest import StageNest, apply


def version_at(nest: StageNest, path: Sequence[int]) -> StageNest:
    """The nest of the version; the nest itself for an empty path."""
    for place in path:
        nest = nest.specializations[place].nest
    return nest


def with_version(nest: StageNest, path: Sequence[int], version: StageNest) -> StageNest:
    """The nest with that version in the place of another."""
    if not path:
        return version
    place, *rest = path
    inner = nest.specializations[place]
    changed = replace(inner, nest=with_version(inner.nest, rest, version))
    return replace(nest, specializations=(*nest.specializations[:place], changed, *nest.specializations[place + 1 :]))


def applied(nest: StageNest, directive: Directive, condition: Expr | None) -> StageNest:
    """The nest with a directive about its version for a condition, which is made if it is not there."""
    if condition is None:
        return apply(nest, directive)
    places = [n for n, s in enumerate(nest.specializations) if s.condition is condition and not s.failure]
    if not places:
        nest = apply(nest, replace(directive, action=Specialize(condition)))
        places = [len(nest.specializations) - 1]
    return with_version(nest, places, apply(version_at(nest, places), directive))
