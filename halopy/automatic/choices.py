"""What an automatic schedule consists of: directives as values, for whom they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..schedule.directives import ComputeAt, LoopDirective, StoreAt


@dataclass(frozen=True, slots=True)
class Choice:
    """One directive about a stage of a Func, by the program's name of it. None: the stage is left as it is."""

    func: str
    stage: int
    action: LoopDirective | ComputeAt | StoreAt | None
