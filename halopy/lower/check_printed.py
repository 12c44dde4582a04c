"""Whether the passes kept their word: what is printed is compared with the loops that were built.

Together with `check_dataflow`, which compares these loops with the algorithm, it validates a compilation.
`HALOPY_VERIFY` says how much is asked, as there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..errors import InternalError
from ..instrument import verification
from ..ir.stmt import Stmt
from ..proof import NOT_PROVED, REFUTED, Obligation
from .place_functions import Placement


@dataclass(frozen=True, slots=True)
class Texts:
    """A program between passes: with folded boxes, with flat memory, as checks stand around it, and as printed."""

    boxed: Stmt
    flat: Stmt
    built: Stmt
    printed: Stmt


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that lowering took, and that were spent on validating it."""

    lowering: float
    validating: float


Judge: TypeAlias = Callable[[Texts, Placement, Collection[str], Times], None]

_SHARE = 0.25  # of the time of lowering, for all validation
_MOST_SECONDS = 0.25  # for one compilation; who asks for a proof gets more


def check_printed(texts: Texts, placement: Placement, strided: Collection[str], times: Times) -> None:
    """Raise InternalError for statements that do not do what the loops do."""
    mode = verification()
    seconds = _MOST_SECONDS if mode == "full" else min(_MOST_SECONDS, _SHARE * times.lowering - times.validating)
    if mode == "off" or seconds <= 0:
        return
    for obligation in obligations_of(texts, placement, strided, seconds):
        if obligation.status == REFUTED:
            raise InternalError(
                f"what is printed for {' and '.join(obligation.stages)} is wrong",
                reason=[obligation.reason, "nothing was compiled; please report this, with the program"],
            )


def obligations_of(
    texts: Texts, placement: Placement, strided: Collection[str], seconds: float | None = None
) -> list[Obligation]:
    """What must hold of the printed statements for them to do what the loops do. After `seconds` no more is asked."""
    translation = importlib.import_module("..polyhedral.translation.validate", __package__)  # not needed to import us
    found: list[Obligation] = translation.validate_layouts(
        texts.boxed, texts.flat, placement.program, placement.schedules, strided
    )
    printed: list[Obligation] = translation.validate_printed(texts.built, texts.printed, seconds)
    races = any(nest.races_allowed for schedule in placement.schedules.values() for nest in schedule.nests)
    return [*found, *(_allowed(o) if races and o.status == REFUTED else o for o in printed)]


def _allowed(refuted: Obligation) -> Obligation:
    """Iterations that race may give other values than one after the other."""
    return replace(refuted, status=NOT_PROVED, reason=f"allow_race_conditions() was given, and {refuted.reason}")
