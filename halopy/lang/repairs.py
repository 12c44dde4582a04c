"""What could be written instead of a refused directive: a few standard rewrites, tried in turn until one is legal.

    parallel(r.y)   reorder(r.y, r.x).parallel(r.y)                        where loops around it tell elements apart
                    skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)      a wavefront
                    atomic().parallel(r.y)                                 where steps may be grouped otherwise
    tile(...)       skew(r.x, r.y, 1).tile(...)

Each is checked like the user's own directives would be, so what is offered is accepted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import IllegalSchedule, ScheduleError
from ..schedule.directives import Directive, Fuse, NestDirective, Reorder, SetKind, Skew, Split
from ..schedule.nest import DoubtfulSchedule, StageNest
from ..schedule.taking_turns import turns
from .legality import applied

if TYPE_CHECKING:
    from .func_contents import FuncContents

_FACTORS = (1, 2, -1)
_MOST = 16  # candidates


def with_repair(
    refusal: IllegalSchedule, contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str
) -> IllegalSchedule:
    """The refusal of a line's directives, with what could stand instead; `nest` is what there was before, and `call`
    the line without the stage that it is about.
    """
    if refusal.witness is None and not isinstance(refusal, DoubtfulSchedule):
        return refusal
    return IllegalSchedule(
        refusal.summary,
        location=refusal.location,
        reason=refusal.reason,
        accepted=refusal.accepted,
        witness=refusal.witness,
        repair=find_repair(contents, nest, actions, call),
    )


def find_repair(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective], call: str) -> str | None:
    """Directives that are legal in place of a line, as the user would write them; None where none are found."""
    for before in itertools.islice(_candidates(contents, nest, actions), _MOST):
        if _is_legal(contents, nest, (*before, *actions)):
            return ".".join([*map(_text, before), call])
    return None


def _candidates(
    contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective]
) -> Iterator[tuple[NestDirective, ...]]:
    """What could stand in front of the line, the simplest first."""
    subject = next((a.old if isinstance(a, Split) else a.loop for a in actions if isinstance(a, Split | SetKind)), None)
    ordered = [d.name for d in nest.dims if d.is_ordered]
    is_mark = any(isinstance(a, SetKind) for a in actions) and not any(isinstance(a, Reorder | Fuse) for a in actions)
    if is_mark and subject in nest.loop_names:
        inside = nest.loop_names[: nest.loop_names.index(subject)]
        if inside:
            yield (Reorder((subject, *inside)),)
        for other, factor in itertools.product((n for n in ordered if n != subject), _FACTORS):
            skew = Skew(other, subject, factor)
            yield (skew, Reorder((subject, other))) if other in inside else (skew,)
        yield (turns(nest, contents.defined_function, contents, override=False),)
    elif any(isinstance(a, Reorder) for a in actions):
        for pair, factor in itertools.product(itertools.permutations(ordered, 2), _FACTORS):
            yield (Skew(*pair, factor),)


def _is_legal(contents: FuncContents, nest: StageNest, actions: Sequence[NestDirective]) -> bool:
    try:
        for action in actions:
            nest = applied(contents, nest, Directive(action, nest.stage, None, "repair"))
    except ScheduleError:
        return False
    return True


def _text(action: NestDirective) -> str:
    if isinstance(action, Skew):
        return f"skew({_loops((action.loop, action.by))}, {action.factor})"
    if isinstance(action, Reorder):
        return f"reorder({_loops(action.loops)})"
    return "atomic()"


def _loops(names: Sequence[str]) -> str:
    return ", ".join(names).replace("$", ".")
