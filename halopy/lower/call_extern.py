"""The call that computes an extern stage, or the part of it that its own loops have come to.

    g.tile(x, y, xo, yo, x, y, 8, 8)  ->  blur(f, &g[tile]), where the tile is not empty

The function is given what is valid of each Func that it reads, which may be part of larger storage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ir.build import le
from ..ir.expr import Effect, Expr, const, is_const
from ..ir.extern import extern_funcs, extern_numbers, extern_service
from ..ir.rewrite import free_vars
from ..ir.simplify import simplify
from ..ir.stmt import Evaluate, If, LoopKind, Stmt
from .ask_extern import sizes
from .stage_loops import StageLoops

if TYPE_CHECKING:
    from .regions import Regions


def call_extern(regions: Regions, func: str) -> Stmt:
    """The call inside all loops of the extern stage."""
    program, function = regions.placement.program, regions.functions[func]
    names = regions.nest(func, 0).loop_names
    found = regions.loops(func, 0).box(names)
    part = tuple(found[name] for name in function.args)
    regions_read = [end for read in extern_funcs(program, function) for end in sizes(regions.needed(read))]
    service = extern_service(program, func, regions.placement.originals.get(func, func))
    args = (*extern_numbers(function), *regions_read, *sizes(part))
    call: Stmt = Evaluate(Effect(service, const(0), args))
    for interval in part if names else ():
        assert interval.lo is not None and interval.hi is not None, "boxes have ends"
        some = simplify(le(interval.lo, interval.hi))
        call = call if is_const(some, 1) else If(some, call)
    for condition in _decided(regions.loops(func, 0)):
        call = call if is_const(condition, 1) else If(condition, call)
    return call


def _decided(loops: StageLoops) -> list[Expr]:
    """The guards that the loops decide; those over what the function runs over have made the part smaller."""
    inside = {loop.name for loop in loops.loops.values() if loop.kind is LoopKind.EXTERN}
    return [guard for guard in loops.guards() if not inside & free_vars(guard)]
