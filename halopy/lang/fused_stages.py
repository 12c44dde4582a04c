"""The arguments of `compute_with`: the loop to share, and how iterations meet where the ranges differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..errors import DefinitionError, ScheduleError
from ..schedule.directives import Align, ComputeWith
from ..schedule.directives import LoopLevel as LoopLevelValue
from ..source import caller
from .enums import LoopAlignStrategy
from .func_contents import FuncContents
from .loop_level import LoopLevel
from .loop_names import Loop, loop_name, shown

if TYPE_CHECKING:
    from .scheduling import StageScheduling

Alignment: TypeAlias = "LoopAlignStrategy | Sequence[tuple[Loop, LoopAlignStrategy]]"
Place: TypeAlias = "StageScheduling | LoopLevel"
_FORMS = "compute_with(func or stage, var, align), or compute_with(LoopLevel(func, var), align)"


def in_order(place: Place | None, var: Loop | Alignment | None, align: Alignment) -> tuple[object, object, object]:
    """The arguments in their places: after a LoopLevel the alignment comes second."""
    if isinstance(place, LoopLevel) and isinstance(var, LoopAlignStrategy | list | tuple):
        return place, None, var
    return place, var, align


def shown_arguments(place: object, var: object, align: object) -> list[str]:
    """As messages quote them."""
    if isinstance(place, LoopLevel):
        texts = [place.shown()]
    else:
        name = getattr(place, "_stage_name", None)
        texts = [str(name()) if callable(name) else shown(place), shown(var)]
    if align is LoopAlignStrategy.Auto:
        return texts
    return [*texts, shown(align) if isinstance(align, LoopAlignStrategy) else _shown_pairs(align)]


def compute_with_action(text: str, own: FuncContents, place: object, var: object, align: object) -> ComputeWith:
    """The directive. Raises ScheduleError where the arguments name no loop of another Func."""
    level = place._value if isinstance(place, LoopLevel) and var is None else _level(place, var)
    if level is None or level.func is None:
        raise _refused(text, "the place is not a loop of another Func")
    if level.func is own:
        raise _refused(text, f"{own.name} cannot be computed with itself")
    if level.func.function is None:
        raise DefinitionError(text, location=caller(), reason=[f"Func `{level.func.name}` is not defined yet"])
    return ComputeWith(level, _alignments(text, level.loop, align))


def _level(place: object, var: object) -> LoopLevelValue | None:
    contents = getattr(place, "_contents", None)
    if not isinstance(contents, FuncContents) or var is None:
        return None
    return LoopLevelValue(contents, loop_name(var), getattr(place, "_stage", 0))


def _alignments(text: str, loop: str, align: object) -> tuple[tuple[str, Align], ...]:
    if isinstance(align, LoopAlignStrategy):
        return ((loop, align.meaning),)
    if not isinstance(align, list | tuple) or not all(_is_pair(pair) for pair in align):
        raise _refused(text, "the alignment is neither a LoopAlignStrategy nor a list of pairs (loop, strategy)")
    return tuple((loop_name(var), strategy.meaning) for var, strategy in align)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[1], LoopAlignStrategy)


def _shown_pairs(align: object) -> str:
    if not isinstance(align, list | tuple) or not all(_is_pair(pair) for pair in align):
        return shown(align)
    return "[" + ", ".join(f"({shown(var)}, {shown(strategy)})" for var, strategy in align) + "]"


def _refused(text: str, reason: str) -> ScheduleError:
    return ScheduleError(text, location=caller(), reason=[reason], accepted=_FORMS)
