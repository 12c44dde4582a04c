"""Folds of a Func that is stored where it is computed: only values that are still to be read need a place.

    u(x, t) = (u(x - 1, t - 1) + u(x + 1, t - 1)) / 2       u.fold_storage(t, 2):  u(x, t) lives at (x, t % 2)

Its updates overwrite what was read for the last time. Whether they do is decided by dependences, for the loops that
they have (`polyhedral/legality/check_fold.py`): with time tiles as well as without.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..errors import IllegalSchedule
from ..instrument import timed
from ..ir.expr import Expr, const_value
from ..proof import NOT_PROVED, PROVED, REFUTED
from ..schedule.directives import Async, DebugToFile, Directive, HoistStorage, RingBuffer
from ..schedule.storage import folds
from .decide_folds import DoubtfulFold

if TYPE_CHECKING:
    from ..polyhedral.legality.check_stage import Verdict
    from .regions import Box, Regions

_TRIED = (1, 2, 3)  # rows more than asked for, in search of a factor that is accepted


def folds_at_compute_level(regions: Regions, func: str, needed: Box) -> dict[int, Expr]:
    """By dimension, the number of rows kept. Raises IllegalSchedule where that is not proved to be enough.

    A Func without updates is computed as a whole before it is read, and not folded.
    """
    schedule, function = regions.placement.schedules[func], regions.functions[func]
    wanted = folds(schedule)
    if not wanted or not function.updates or func in regions.placement.program.outputs:
        return {}
    found: dict[int, Expr] = {}
    for arg, (factor, directive) in wanted.items():
        if func in regions.trusted:
            found[function.args.index(arg)] = factor
            continue
        why_not = _why_not(regions, func, factor)
        if why_not:
            raise IllegalSchedule(directive.text, location=directive.location, reason=[why_not], accepted=_WITHOUT)
        unclear = _unclear(regions, func, several=len(wanted) > 1)
        if unclear:
            raise DoubtfulFold(func, directive, unclear, accepted=_WITHOUT, is_unclear=True)
        dim, rows = function.args.index(arg), int(const_value(factor) or 1)
        verdict = _verdict(regions, func, dim, rows, needed)
        if verdict.status == NOT_PROVED:
            raise DoubtfulFold(func, directive, verdict.reason, accepted=_WITHOUT)
        if verdict.status == REFUTED:
            raise _refused(regions, func, directive, (dim, rows), needed, verdict)
        found[dim] = factor
    return found


_WITHOUT = "no fold_storage()"


def _unclear(regions: Regions, func: str, *, several: bool) -> str:
    """What only the finished loops can tell; empty where dependences do."""
    schedule, function = regions.placement.schedules[func], regions.functions[func]
    if several:
        return f"several dimensions of {func}, which is stored where it is computed, are folded"
    if any(d.branch is not None for d in function.definitions):
        return f"a stage of {func} has versions, of which one runs"
    if any(nest.compute_with for nest in schedule.nests):
        return f"stages of {func} share loops with others"
    return ""


def _why_not(regions: Regions, func: str, factor: Expr) -> str:
    """What cannot be folded at all; empty where it may be."""
    schedule = regions.placement.schedules[func]
    if const_value(factor) is None:
        return "the factor is no number, so nothing is known of which values share a place"
    if any(schedule.last(kind) for kind in (Async, DebugToFile, HoistStorage, RingBuffer)):
        return f"{func} is stored where it is computed, and its values are used elsewhere too"
    return ""


def _refused(
    regions: Regions, func: str, directive: Directive, fold: tuple[int, int], needed: Box, verdict: Verdict
) -> IllegalSchedule:
    """The refusal, with the next larger factor that is accepted."""
    dim, rows = fold
    larger = (rows + more for more in _TRIED)
    enough = next((n for n in larger if _verdict(regions, func, dim, n, needed).status == PROVED), None)
    repair = None if enough is None else f"fold_storage({regions.functions[func].args[dim]}, {enough})"
    return IllegalSchedule(
        directive.text,
        location=directive.location,
        reason=[verdict.reason],
        witness=verdict.witness,
        repair=repair if verdict.witness else None,
        accepted=repair or _WITHOUT,
    )


def _verdict(regions: Regions, func: str, dim: int, rows: int, needed: Box) -> Verdict:
    """isl takes long to import, and most schedules never need it."""
    legality = importlib.import_module("..polyhedral.legality.check_fold", __package__)
    level = regions.placement.compute[func]
    box = []
    for i in needed:
        assert i.lo is not None and i.hi is not None, "boxes have ends"
        box.append((regions.expand(i.lo, level), regions.expand(i.hi, level)))
    nests = regions.placement.schedules[func].nests
    with timed("legality"):
        verdict: Verdict = legality.check_fold(regions.functions[func], nests, legality.Fold(dim, rows), tuple(box))
    return verdict
