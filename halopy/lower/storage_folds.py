"""Into how many rows the memory of a Func is folded: as its schedule says, or as its sliding window allows.

    g.store_root().compute_at(f, y).fold_storage(y, 3)          g(x, y) lives at row y % 3

Rows alive at the same time must be no more than the factor. Where the windows of a loop's iterations share
rows, all that one iteration of that loop needs is alive; where none do, only what the innermost iteration
needs. What numbers cannot tell is checked when the kernel runs. A Func stored where it is computed keeps
nothing between iterations; only its updates can make do with fewer rows (`folds_at_compute_level`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ir.build import add, as_expr, le, sub
from ..ir.expr import Expr, const_value
from ..ir.interval import constant_bounds
from ..ir.simplify import simplify
from ..ir.stmt import Assert, ErrorSite
from ..schedule.directives import Async, DebugToFile, Directive
from ..schedule.storage import folds
from .constant_extent import most
from .decide_folds import DoubtfulFold
from .folds_at_compute_level import folds_at_compute_level
from .place_functions import Level
from .slide_windows import Slide

if TYPE_CHECKING:
    from .regions import Regions


def storage_folds(regions: Regions, func: str, slid: Slide | None) -> dict[int, Expr]:
    """By dimension, the number of rows kept. Raises IllegalSchedule for a factor that is surely too small."""
    placement = regions.placement
    ahead = 2 if placement.schedules[func].last(Async) else 1  # rows that are computed while others are used
    found = {dim: as_expr(ahead * rows) for dim, rows in slid.folds.items()} if slid is not None else {}
    if placement.schedules[func].last(DebugToFile):  # whose rows are all to be seen
        found = {}
    if placement.store[func] == placement.compute[func]:
        return found | folds_at_compute_level(regions, func, regions.needed(func))
    level = placement.compute[func] if slid is None or slid.carrier is None else slid.carrier
    wanted = folds(placement.schedules[func])
    alive = regions.touched_seen_from(func, level) if wanted else ()
    for arg, (factor, directive) in wanted.items():
        dim = regions.functions[func].args.index(arg)
        low, high = alive[dim]
        assert low is not None and high is not None, "boxes have ends"
        if func not in regions.trusted:
            _require(regions, func, level, directive, arg, factor, simplify(add(sub(high, low), 1)))
        found[dim] = factor
    return found


def _require(
    regions: Regions, func: str, level: Level, directive: Directive, arg: str, factor: Expr, rows: Expr
) -> None:
    """The rows alive inside the level fit the factor, or the kernel says that they do not."""
    exact = simplify(regions.expand(rows, level))
    least, greatest, given = constant_bounds(exact)[0], most(exact), const_value(factor)
    if given is not None and greatest is not None and greatest <= given:
        return
    if given is not None and least is not None and least > given:
        schedule, shown = regions.placement.schedules[func], regions.placement.originals.get(func, func)
        raise DoubtfulFold(
            func,
            directive,
            f"{least} values of {shown} in {arg} are in use at once, but only {given} are kept",
            accepted=f"a factor of at least {least if greatest is None else greatest}",
            repair=None if greatest is None else f"fold_storage({arg}, {greatest})",
            is_refused=any(schedule.last(kind) for kind in (Async, DebugToFile)),  # seen by others than the loops
        )
    names = (func, arg, directive.text)
    check = Assert(le(rows, factor), ErrorSite.FOLD_TOO_SMALL, names, (factor, rows))
    regions.checks.setdefault(level, []).append(regions.fused.where_needed(func, level, check))
