"""Whether a schedule is carried out as it was meant: every region has bounds, and members of groups slide.

Groups are chosen by numbers, at the sizes expected. What follows holds for all sizes, so lowering is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..ir.program import Program
from ..lower.place_functions import place_functions
from ..lower.regions import Regions
from ..schedule.directives import ComputeAt, Directive, ReorderStorage, StoreAt
from ..schedule.nest import FuncSchedule
from ..schedule.versions import applied
from .boxes import size
from .choices import Choice
from .groups import Group


def recomputed(
    program: Program, schedules: Mapping[str, FuncSchedule], choices: Iterable[Choice], groups: Iterable[Group]
) -> set[str]:
    """Members of groups that would compute rows again which earlier rows of the head have computed.

    Raises DefinitionError where something is computed as a whole whose region has no bounds.
    """
    regions = Regions(place_functions(program, _scheduled(program, schedules, choices)))
    for name, function in reversed(list(regions.functions.items())):
        for stage in range(len(function.definitions)):
            regions.stage_box(name, stage)
    return {name for g in groups for name in g.members if name not in regions.slides and _shares_rows(g, name)}


def _shares_rows(group: Group, name: str) -> bool:
    """Whether two rows of the head need less than twice what one needs, in some dimension that moves."""
    row, strip = group.row_of(name), group.strips[max(group.strips)][name]
    return any(size(a) > 1 and size(b) > size(a) for a, b in zip(row, strip, strict=True))


def _scheduled(
    program: Program, schedules: Mapping[str, FuncSchedule], choices: Iterable[Choice]
) -> dict[str, FuncSchedule]:
    found = {name: schedules[name] for name in program.functions}
    for choice in choices:
        action, schedule = choice.action, found[choice.func]
        if action is None:
            continue
        directive = Directive(action, choice.stage, None, f"automatic {choice.func}")
        if isinstance(action, ComputeAt | StoreAt | ReorderStorage):
            found[choice.func] = replace(schedule, directives=(*schedule.directives, directive))
        else:
            nests = list(schedule.nests)
            when = None if choice.when is None else choice.when.condition()
            nests[choice.stage] = applied(nests[choice.stage], directive, when)
            found[choice.func] = replace(schedule, nests=tuple(nests))
    return found
