"""A place in a loop nest that may be decided later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ScheduleError, TypeMismatch
from ..schedule.directives import INLINED, ROOT, Directive
from ..schedule.directives import LoopLevel as LoopLevelValue
from ..source import caller
from . import revision
from .loop_names import Loop, loop_name

if TYPE_CHECKING:
    from .func import Func
    from .func_contents import FuncContents


_ACCEPTED = "LoopLevel(func, var), LoopLevel.root(), LoopLevel.inlined()"


class LoopLevel:
    """A place to compute or store a Func: inside a loop of another Func, at the root, or inlined.

    `LoopLevel()` is undecided until `set` is called.
    """

    __slots__ = ("_value",)

    def __init__(self, func: Func | None = None, var: Loop | None = None, stage_index: int = -1) -> None:
        self._value: LoopLevelValue | None = None
        if func is not None:
            if not hasattr(func, "_contents") or var is None:
                raise TypeMismatch(f"LoopLevel({func!r}, {var!r}) is no place", location=caller(), accepted=_ACCEPTED)
            stage = None if stage_index < 0 else stage_index
            self._value = LoopLevelValue(func._contents, loop_name(var), stage)

    @staticmethod
    def root() -> LoopLevel:
        """Outside all loops."""
        return _of(ROOT)

    @staticmethod
    def inlined() -> LoopLevel:
        """Nowhere: the Func is part of the expressions that use it."""
        return _of(INLINED)

    @classmethod
    def _at(cls, func: FuncContents, var: Loop) -> LoopLevel:
        return _of(LoopLevelValue(func, loop_name(var)))

    def shown(self) -> str:
        """As messages quote it."""
        value = self._value
        if value is None:
            return "LoopLevel()"
        if value.func is None:
            return "LoopLevel.root()" if value.is_root else "LoopLevel.inlined()"
        return f"{value.func.name}, {value.loop}"

    def set(self, other: LoopLevel) -> None:
        """Take the other's place, also for Funcs that already refer to this level."""
        if not isinstance(other, LoopLevel):
            raise TypeMismatch(f"{other!r} is no LoopLevel", location=caller(), accepted=_ACCEPTED)
        self._value = other._value
        revision.changed()

    def stage_index(self) -> int:
        """The stage that the loop belongs to; -1 for any."""
        return -1 if self._value is None or self._value.stage is None else self._value.stage

    def defined(self) -> bool:
        """Whether the place has been decided."""
        return self._value is not None

    def value(self, directive: Directive) -> LoopLevelValue:
        """The place. Raises ScheduleError if it is still undecided."""
        if self._value is None:
            raise ScheduleError(
                directive.text,
                location=directive.location,
                reason=["the LoopLevel was never given a place"],
                accepted="loop_level.set(hl.LoopLevel(func, var)) before the pipeline is compiled",
            )
        return self._value

    def __repr__(self) -> str:
        return "<halopy.LoopLevel>"


def _of(value: LoopLevelValue) -> LoopLevel:
    level = LoopLevel()
    level._value = value
    return level
