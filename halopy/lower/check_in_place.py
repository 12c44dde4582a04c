"""Whether the loops that are built may write an output into the memory of an input."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from ..ir.expr import Expr
from ..ir.extern import extern_call
from ..ir.rewrite import substitute
from ..ir.shared_memory import SharedMemory
from ..ir.simplify import simplify
from ..proof import NOT_PROVED, Obligation
from ..schedule.directives import Async, Memoize
from .build_loop_nests import build_loop_nests
from .place_functions import Placement
from .regions import Regions


def check_in_place(
    placement: Placement, shared: SharedMemory, known: Mapping[str, Expr], shown: Mapping[str, str]
) -> Obligation:
    """Proved for all sizes, or with the symbols for sizes and scalars that are `known`, for these.

    `shown` are the user's names, for a witness.
    """
    doubt = _doubt(placement)
    if doubt:
        return Obligation("in place", (shared.output, shared.image), NOT_PROVED, doubt)
    stmt = build_loop_nests(Regions(placement))
    if known:
        stmt = simplify(substitute(stmt, known))
    in_place = importlib.import_module("..polyhedral.validation.in_place", __package__)  # isl takes long to load
    found: Obligation = in_place.keeps_input(stmt, placement.program, shared, shown, exactly=bool(known))
    return found


def _doubt(placement: Placement) -> str:
    """What reads or writes memory at a time that the loops do not tell."""
    if any(extern_call(f) is not None for f in placement.program.functions.values()):
        return "a function outside computes a stage, of which nothing is known"
    for name, schedule in placement.schedules.items():
        if schedule.last(Async) is not None:
            return f"{name} is async, so when it reads is not known"
        if schedule.last(Memoize) is not None:
            return f"{name} is memoized, by what the input holds when it is looked up"
    return ""
