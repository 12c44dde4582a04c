"""Whether two stages of one Func may take turns in the loops that they share.

    for y: f(x, y) = ...                    for y:
    for y: f(x, y) += g(x, y)     ->            f(x, y) = ...
                                                f(x, y) += g(x, y)

A stage that is pure in y touches of its Func, when it runs for some y, elements at that y alone. So where every shared
loop runs over pure variables of both stages, they meet in an element only in the same iteration, and there the earlier
one comes first. That equal iterations are the same elements takes equal splits, without a tail that computes elements
again, and equal alignments: these are known only with the ranges, so lowering looks at them.
"""

from __future__ import annotations

from typing import TypeAlias

from ..ir.function import Function
from .directives import Fuse, Rename, Split, Tail
from .fused_nests import FusedNests, OwnLoop, StageId
from .initial import pure_variables
from .nest import StageNest

Origin: TypeAlias = tuple[object, ...]  # (variable,), or what a loop was made as, of which origins, with which factor
_SHIFTED = (Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS_AND_BLEND)


def broken_order(early: StageId, late: StageId, function: Function, fused: FusedNests) -> tuple[str, str] | None:
    """A loop that would change which of two values is written or read first, and why; None where none does."""
    shared = [
        (one, other)
        for one, other in zip(fused.loops(early), fused.loops(late), strict=False)
        if fused.owner(OwnLoop(*early, one)) == fused.owner(OwnLoop(*late, other))
    ]
    for loop, other in shared:
        nests = fused.schedules[early.func].nests[early.stage], fused.schedules[late.func].nests[late.stage]
        why = _why_apart(*nests, loop, other, function)
        if why is not None:
            return loop, why
    return None


def _why_apart(early: StageNest, late: StageNest, loop: str, other: str, function: Function) -> str | None:
    """Why equal iterations of both loops may not be those of the same values of pure variables."""
    (origins, repeated), (others, repeated_too) = _origins(early), _origins(late)
    one, same = origins.get(loop, (loop,)), others.get(other, (other,))
    if one != same:
        return "they run over differently split or fused variables"
    variables = _variables(one)
    if not variables <= set(pure_variables(function, early.stage)) & set(pure_variables(function, late.stage)):
        return "it is no loop over a pure variable of both"
    if variables & (repeated | repeated_too):
        return "a tail that is shifted inwards computes some elements twice"
    return None


def _origins(nest: StageNest) -> tuple[dict[str, Origin], set[str]]:
    """How each loop came of the stage's own variables, and which of these have tails that repeat elements."""
    known: dict[str, Origin] = {}
    repeated: set[str] = set()
    for step in nest.steps:
        if isinstance(step, Split):
            old = known.pop(step.old, (step.old,))
            known[step.inner] = ("<inner>", old, step.factor)
            known[step.outer] = ("<outer>", old, step.factor)
            repeated |= _variables(old) if step.tail in _SHIFTED else set()
        elif isinstance(step, Fuse):
            inner, outer = known.pop(step.inner, (step.inner,)), known.pop(step.outer, (step.outer,))
            known[step.fused] = ("<fused>", inner, outer)
        elif isinstance(step, Rename):
            known[step.new] = known.pop(step.old, (step.old,))
    return known, repeated


def _variables(origin: Origin) -> set[str]:
    if len(origin) == 1:
        return {str(origin[0])}
    return {name for part in origin if isinstance(part, tuple) for name in _variables(part)}
