"""Which prefetches a stage has, and whether its loops, as they are in the end, are those they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import ScheduleError
from .directives import Prefetch
from .nest import FuncSchedule, StageNest


def prefetches(nest: StageNest) -> Iterator[Prefetch]:
    """In the order written."""
    return (d.action for d in nest.prefetches if isinstance(d.action, Prefetch))


def check_prefetches(schedules: Mapping[str, FuncSchedule]) -> None:
    """Raises ScheduleError where a loop is gone, or one inside `at` would say how far ahead to fetch."""
    for schedule in schedules.values():
        for nest in schedule.nests:
            for directive in nest.prefetches:
                reason = _wrong(nest, directive.action) if isinstance(directive.action, Prefetch) else None
                if reason is not None:
                    shown = ", ".join(nest.loop_names)
                    raise ScheduleError(
                        directive.text,
                        location=directive.location,
                        reason=[reason],
                        accepted=f"a loop, and the same or one around it, of {shown} (innermost first)",
                    )


def _wrong(nest: StageNest, prefetch: Prefetch) -> str | None:
    for loop in (prefetch.at, prefetch.distance):
        if nest.dim(loop) is None:
            return f"the loop `{loop}` is gone: a later directive replaced it"
    if nest.loop_names.index(prefetch.distance) < nest.loop_names.index(prefetch.at):
        return f"the loop `{prefetch.distance}` runs inside `{prefetch.at}`, so no iteration of it is under way there"
    return None
