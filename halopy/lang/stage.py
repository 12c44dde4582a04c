"""`Stage`: the schedule of one definition of a Func, pure or update."""

from __future__ import annotations

from dataclasses import replace

from .func_contents import FuncContents
from .scheduling import StageScheduling


class Stage(StageScheduling):
    """One definition of a Func; reached by `f.update(n)`."""

    __slots__ = ("_contents", "_stage")

    def __init__(self, func: Stage | None = None, *, contents: FuncContents | None = None, stage: int = 0) -> None:
        source = contents if contents is not None else getattr(func, "_contents", None)
        assert isinstance(source, FuncContents), "a Stage is made from a Func"
        self._contents, self._stage = source, stage

    def name(self) -> str:
        return self._stage_name()

    def unscheduled(self) -> None:
        """Say that the stage is left alone on purpose, so that no warning is needed."""
        self._contents.nests[self._stage] = replace(self._nest(), is_left_alone=True)

    def __repr__(self) -> str:
        return f"<halopy.Stage '{self.name()}'>"
