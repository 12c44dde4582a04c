"""Schedules that `halopy tune` found for the apps, as data: NAME.json for each case, with machine and measurement."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import halopy as hl

_FOLDER = Path(__file__).parent


def tuned(name: str) -> Callable[..., None]:
    """The schedule of a case, to be given to an algorithm's stages like one that is written by hand."""

    def schedule(**stages: hl.Func) -> None:
        try:
            content = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise hl.ScheduleError(
                f"there is no tuned schedule of {name}", accepted=f"`halopy tune {name}` searches for one"
            ) from None
        found = hl.Schedule.from_json(json.dumps(content["schedule"]))
        hl.Pipeline(list(stages.values())[-1]).apply_schedule(found)

    return schedule
