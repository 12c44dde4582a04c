"""`Schedule`: all that was said about the Funcs of a pipeline, as a value apart from the algorithm."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ScheduleError
from ..source import caller
from .serialization.apply_schedules import apply_schedules
from .serialization.document import Json, from_text, to_text
from .serialization.malformed import Malformed, reading
from .serialization.schedule_text import directive_lines, python_text
from .serialization.schedules import FORMAT, VERSION, check_schedules, subject_of, write_schedules

if TYPE_CHECKING:
    from ..ir.program import Program
    from .func_contents import FuncContents


class Schedule:
    """The directives of each Func, by name: data that can be kept, compared, and given to the same algorithm again.

    `pipeline.schedule` gives one, `pipeline.apply_schedule(s)` takes one, `Schedule.from_json(text)` reads one.
    """

    __slots__ = ("_content",)

    def __init__(self) -> None:
        """Nothing is said about any Func."""
        tables = ("scalars", "images", "nodes", "functions", "wrappers", "schedules")
        self._content: dict[str, Json] = {table: [] for table in tables}

    @classmethod
    def _of(cls, outputs: Sequence[FuncContents], program: Program) -> Schedule:
        made = cls()
        made._content = write_schedules(subject_of(outputs, program))
        return made

    def _apply(self, outputs: Sequence[FuncContents], program: Program) -> None:
        try:
            apply_schedules(self._content, subject_of(outputs, program))
        except Malformed as misfit:
            raise ScheduleError(
                f"the schedule does not fit the pipeline, at {misfit.place()}",
                location=caller(),
                reason=misfit.reasons,
                accepted=misfit.accepted,
            ) from None

    def to_json(self) -> str:
        """As text, with the version of its form."""
        return to_text(FORMAT, VERSION, self._content)

    @classmethod
    def from_json(cls, text: str | bytes) -> Schedule:
        """Read what `to_json` wrote. Raises SerializationError for anything else. Nothing is run."""
        made = cls()
        with reading("the data", "schedule"):
            made._content = from_text(text, FORMAT, VERSION)
            check_schedules(made._content)
        return made

    def to_python(self) -> str:
        """As a Python function of the Funcs and inputs, which says the same by calling directives."""
        return python_text(self._content)

    def diff(self, other: Schedule) -> str:
        """The directives that only this one has, each after `-`, and those that only the other has, after `+`."""
        lines = difflib.ndiff(directive_lines(self._content), directive_lines(other._content))
        return "\n".join(line for line in lines if line[0] in "-+")

    def __eq__(self, other: object) -> bool:
        """Whether both say the same."""
        if not isinstance(other, Schedule):
            return NotImplemented
        return self._content == other._content or directive_lines(self._content) == directive_lines(other._content)

    def __hash__(self) -> int:
        return hash(tuple(directive_lines(self._content)))

    def __repr__(self) -> str:
        return f"<halopy.Schedule of {', '.join(row['name'] for row in self._content['functions']) or 'nothing'}>"
