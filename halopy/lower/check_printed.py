"""Whether the passes kept their word: what is printed is compared with the loops that were built.

Together with `check_dataflow`, which compares these loops with the algorithm, it validates a compilation.
`HALOPY_VERIFY` says how much is asked, as there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..errors import InternalError
from ..instrument import verification
from ..ir.node import walk
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


Judge: TypeAlias = Callable[[Texts, Placement, Collection[str]], None]

_PER_NODE = 15  # operations, microseconds about, where lowering takes eight times as many for what is printed
_MOST_OPERATIONS = 250_000  # for one compilation; who asks for a proof gets more


def check_printed(texts: Texts, placement: Placement, strided: Collection[str]) -> None:
    """Raise InternalError for statements that do not do what the loops do."""
    mode = verification()
    if mode == "off":
        return
    nodes = sum(1 for _ in walk(texts.printed))
    operations = _MOST_OPERATIONS if mode == "full" else min(_MOST_OPERATIONS, _PER_NODE * nodes)
    for obligation in obligations_of(texts, placement, strided, operations):
        if obligation.status == REFUTED:
            raise InternalError(
                f"what is printed for {' and '.join(obligation.stages)} is wrong",
                reason=[obligation.reason, "nothing was compiled; please report this, with the program"],
            )


def obligations_of(
    texts: Texts, placement: Placement, strided: Collection[str], operations: int | None = None
) -> list[Obligation]:
    """What must hold of the printed statements for them to do what the loops do, as far as so many operations tell."""
    translation = importlib.import_module("..polyhedral.translation.validate", __package__)  # not needed to import us
    try:
        return _obligations(translation, texts, placement, strided, operations)
    except RecursionError:  # of operands within operands, some ten thousand deep
        stages = tuple(placement.program.functions)
        return [Obligation(translation.PRINTED, stages, NOT_PROVED, "an expression is too deep for a proof")]


def _obligations(
    translation: Any, texts: Texts, placement: Placement, strided: Collection[str], operations: int | None
) -> list[Obligation]:
    found: list[Obligation] = translation.validate_layouts(
        texts.boxed, texts.flat, placement.program, placement.schedules, strided, operations
    )
    printed: list[Obligation] = translation.validate_printed(texts.built, texts.printed, operations)
    races = any(nest.races_allowed for schedule in placement.schedules.values() for nest in schedule.nests)
    return [*found, *(_allowed(o) if races and o.status == REFUTED else o for o in printed)]


def _allowed(refuted: Obligation) -> Obligation:
    """Iterations that race may give other values than one after the other."""
    return replace(refuted, status=NOT_PROVED, reason=f"allow_race_conditions() was given, and {refuted.reason}")
