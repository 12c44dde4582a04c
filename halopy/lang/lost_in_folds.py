"""What is said where a run is refused as a Func is folded to fewer rows than it needs: two iterations that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..codegen.kernel import AssertSite
from ..compile import finished_loops
from ..errors import HalideError, IllegalSchedule
from ..ir.expr import Expr
from ..lower.lost_in_run import lost_in_run
from ..schedule.storage import folds
from ..target import Target
from .shown_names import shown_names
from .snapshot import Snapshot


def lost_in_folds(
    error: HalideError,
    snapshot: Snapshot,
    target: Target,
    check: AssertSite,
    numbers: Sequence[int],
    shapes: Mapping[str, Expr],
    scalars: Mapping[str, Expr],
) -> HalideError:
    """The refusal with a witness and a repair; the one there was where no read is found that shows it."""
    func, arg, *_ = check.names
    schedule = snapshot.schedules.get(func)
    if schedule is None or arg not in folds(schedule):  # a copy of a Func, which users cannot name
        return error
    try:
        loops = finished_loops(snapshot.program, snapshot.schedules, target)
    except HalideError:
        return error
    lost = lost_in_run(loops, func, schedule, shapes, scalars)
    if lost is None:
        return error
    factor, needed = numbers[:2]
    shown, directive = shown_names(snapshot.program).get(func, func), folds(schedule)[arg][1]
    return IllegalSchedule(
        directive.text,
        location=directive.location,
        reason=[f"`{shown}` is folded to {factor} in {arg}, but {needed} are in use at once", lost.told()],
        accepted=error.accepted,
        witness=lost.witness,
        repair=f"fold_storage({arg}, {needed})",
    )
