"""Where in the user's program a definition or directive was written."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


@dataclass(frozen=True, slots=True)
class SourceLocation:
    file: str
    line: int
    is_hearsay: bool = field(default=False, compare=False)  # read from data: nothing may open a file of that name

    @property
    def quotable(self) -> str:
        """The file as warnings may name it, which open it to quote the line."""
        return f"<{self.file}>" if self.is_hearsay else self.file

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Written:
    """Text of the user's program, and where it stands."""

    text: str
    location: SourceLocation | None

    def __str__(self) -> str:
        return self.text if self.location is None else f"{self.text}, {self.location}"


def caller() -> SourceLocation:
    """The nearest line outside the halopy package, found by walking frames (no stack text is built)."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return SourceLocation(_short(frame.f_code.co_filename), frame.f_lineno)


def _short(path: str) -> str:
    try:
        here = os.getcwd() + os.sep
    except OSError:  # the folder is gone
        return path
    return path[len(here) :] if path.startswith(here) else path
