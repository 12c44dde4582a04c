"""Enumerations whose members have the numbers that they have in Halide."""

from __future__ import annotations

import enum
from typing import Any, Self

from ...errors import MistypedDirective
from ...source import caller


class Numbered(enum.Enum):
    """`int(member)` is its number, and `Kind(number)` the member."""

    def __int__(self) -> int:
        return int(self._value_)

    __index__ = __int__


class Translated(Numbered):
    """A member also has what the compiler calls it: `member.meaning`."""

    meaning: Any

    def __new__(cls, number: int, meaning: object) -> Self:
        made = object.__new__(cls)
        made._value_ = number
        made.meaning = meaning
        return made

    @classmethod
    def of(cls, meaning: object) -> Self:
        """The member that means this."""
        return next(member for member in cls if member.meaning is meaning)

    @classmethod
    def meant(cls, text: str, given: object) -> Any:
        """What a member given to a directive means. Raises MistypedDirective for anything else."""
        if not isinstance(given, cls):
            raise MistypedDirective(
                text,
                location=caller(),
                reason=[f"{given!r} is no {cls.__name__}"],
                accepted=", ".join(f"{cls.__name__}.{member.name}" for member in cls),
            )
        return given.meaning
