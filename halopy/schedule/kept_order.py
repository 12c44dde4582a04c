"""Whether two stages of one Func may take turns in the loops that they share.

    for y: f(x, y) = ...                    for y:
    for y: f(x, y) += g(x, y)     ->            f(x, y) = ...
                                                f(x, y) += g(x, y)

A stage that is pure in y touches of its Func, when it runs for some y, elements at that y alone. So where every shared
loop runs over pure variables of both stages, they meet in an element only in the same iteration, and there the earlier
one comes first. That equal iterations are the same elements takes equal splits, with tails that do not shift
(`guard_shared_tails` sees to that), and equal alignments: these are known only with the ranges, so lowering looks at
them.
"""

from __future__ import annotations

from typing import TypeAlias

from ..ir.function import Function
from .directives import Fuse, Rename, Split
from .fused_nests import FusedNests, OwnLoop, StageId
from .initial import pure_variables
from .nest import StageNest

Origin: TypeAlias = tuple[object, ...]  # (variable,), or what a loop was made as, of which origins, with which factor


def broken_order(early: StageId, late: StageId, function: Function, fused: FusedNests) -> tuple[str, str] | None:
    """A loop that would change which of two values is written or read first, and why; None where none does."""
    for loop, other in shared_loops(early, late, fused):
        nests = fused.schedules[early.func].nests[early.stage], fused.schedules[late.func].nests[late.stage]
        why = _why_apart(*nests, loop, other, function)
        if why is not None:
            return loop, why
    return None


def shared_loops(one: StageId, other: StageId, fused: FusedNests) -> list[tuple[str, str]]:
    """The loops that two stages share, the outermost first, by the names that they have in both."""
    loops = zip(fused.loops(one), fused.loops(other), strict=False)
    return [(a, b) for a, b in loops if fused.owner(OwnLoop(*one, a)) == fused.owner(OwnLoop(*other, b))]


def _why_apart(early: StageNest, late: StageNest, loop: str, other: str, function: Function) -> str | None:
    """Why equal iterations of both loops may not be those of the same values of pure variables."""
    one = origin(early, loop)
    if one != origin(late, other):
        return "they run over differently split or fused variables"
    if not variables_of(one) <= set(pure_variables(function, early.stage)) & set(pure_variables(function, late.stage)):
        return "it is no loop over a pure variable of both"
    return None


def origin(nest: StageNest, loop: str) -> Origin:
    """How a loop came of the stage's own variables."""
    known: dict[str, Origin] = {}
    for step in nest.steps:
        if isinstance(step, Split):
            old = known.pop(step.old, (step.old,))
            known[step.inner] = ("<inner>", old, step.factor)
            known[step.outer] = ("<outer>", old, step.factor)
        elif isinstance(step, Fuse):
            inner, outer = known.pop(step.inner, (step.inner,)), known.pop(step.outer, (step.outer,))
            known[step.fused] = ("<fused>", inner, outer)
        elif isinstance(step, Rename):
            known[step.new] = known.pop(step.old, (step.old,))
        else:
            skewed, by = (known.get(name, (name,)) for name in (step.loop, step.by))
            known[step.loop] = ("<skewed>", skewed, by, step.factor)
    return known.get(loop, (loop,))


def variables_of(origin: Origin) -> set[str]:
    """The stage's own variables of which the loop came."""
    if len(origin) == 1:
        return {str(origin[0])}
    return {name for part in origin if isinstance(part, tuple) for name in variables_of(part)}
