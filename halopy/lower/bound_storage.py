"""Give a Func's memory the extents that its schedule says, after a check that they are enough.

realize g over [m, m + n)   ->   assert n <= 16:   realize g over [m, m + 16)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ScheduleError
from ..ir.build import add, le, sub
from ..ir.expr import Const, Expr
from ..ir.stmt import Assert, ErrorSite, MemoryKind, Stmt
from ..schedule.directives import StoreIn
from ..schedule.storage import storage_bounds

if TYPE_CHECKING:
    from .regions import Regions


def bound_storage(regions: Regions, func: str, bounds: list[tuple[Expr, Expr]]) -> list[Stmt]:
    """Changes `bounds`, pairs of min and extent; answers the checks. Folds have the say over what they fold."""
    checks: list[Stmt] = []
    function, folds = regions.functions[func], regions.folds.get(func, {})
    for arg, (extent, directive) in storage_bounds(regions.placement.schedules[func]).items():
        d = function.args.index(arg)
        if d not in folds:
            low, high = regions.storage_box(func)[d]
            assert low is not None and high is not None, "boxes have ends"
            needed = add(sub(high, low), 1)
            names = (func, arg, directive.text)
            check = Assert(le(needed, extent), ErrorSite.STORAGE_TOO_SMALL, names, (extent, needed))
            checks.append(regions.fused.where_needed(func, regions.placement.store[func], check))
            bounds[d] = (low, extent)
    _check_registers(regions, func, [folds.get(d, extent) for d, (_, extent) in enumerate(bounds)])
    return checks


def _check_registers(regions: Regions, func: str, extents: list[Expr]) -> None:
    """Registers have numbers, so what is kept in them has a size that is known."""
    directive = regions.placement.schedules[func].last(StoreIn)
    if directive is None or regions.placement.schedules[func].memory is not MemoryKind.REGISTER:
        return
    for arg, extent in zip(regions.functions[func].args, extents, strict=True):
        if not isinstance(extent, Const):
            raise ScheduleError(
                directive.text,
                location=directive.location,
                reason=[f"the size of {func} in {arg}, {extent}, is not a constant"],
                accepted=f"bound_extent() or bound_storage() of {arg} with a constant; or MemoryType.Stack or Heap",
            )
