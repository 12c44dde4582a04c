"""What an app hands to whoever schedules and runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import halopy as hl


@dataclass(frozen=True)
class Algorithm:
    """A pipeline without a schedule. `stages` are the Funcs a schedule speaks about, by the names of its arguments:
    `schedule(**algorithm.stages)`; the last of them is the output."""

    inputs: tuple[hl.ImageParam, ...]
    stages: Mapping[str, hl.Func]

    @property
    def output(self) -> hl.Func:
        return list(self.stages.values())[-1]
