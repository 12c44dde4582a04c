"""Which loops turn out to run exactly once, whatever the sizes: loop nests are shown without them.

A loop that may run no iteration at all counts as such. So does one that runs once in the steady state, such as the loop
over the rows of a sliding window where one row is new in each iteration after the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..dtypes import BOOL
from ..ir.build import add, sub
from ..ir.expr import TRUE, Call, Expr, const_value
from ..ir.node import walk
from ..ir.program import Program
from ..ir.rewrite import Rewriter, free_vars
from ..ir.simplify import simplify
from ..ir.stmt import For, Stmt
from ..schedule.directives import Rename
from ..schedule.nest import FuncSchedule, StageNest
from ..schedule.placement import PathLoop
from .build_loop_nests import build_loop_nests
from .constant_extent import most
from .likely import LIKELY
from .place_functions import place_functions
from .regions import Regions
from .stage_loops import loop_name


def single_loops(program: Program, schedules: Mapping[str, FuncSchedule]) -> set[PathLoop]:
    """The loops of the schedule that are no loops once regions are known."""
    placement = place_functions(program, schedules)
    regions = Regions(placement)
    stmt = build_loop_nests(regions)
    always, later = _loops(stmt), _loops(_Later()(stmt))
    sliding = dict(_sliding(regions))
    return {
        loop
        for func, schedule in placement.schedules.items()
        for nest in schedule.nests
        if not regions.fails(func, nest.stage)
        for loop in (PathLoop(func, nest.stage, name) for name in nest.loop_names)
        if (name := loop_name(func, nest.stage, loop.loop)) not in always or sliding.get(loop, name not in later)
    }


def _loops(stmt: Stmt) -> set[str]:
    """The names of the loops that may run more than once."""
    return {node.name for node in walk(simplify(stmt)) if isinstance(node, For) and most(node.extent) != 1}


def _sliding(regions: Regions) -> Iterator[tuple[PathLoop, bool]]:
    """The loops over rows of sliding windows, and whether they are shown as one iteration.

    Not so where the loop along which a window slides stops before its end: its first iteration may be all.
    """
    for func, slid in regions.slides.items():
        for arg, (low, high) in zip(regions.functions[func].args, slid.box, strict=True):
            assert low is not None and high is not None, "boxes have ends"
            new: Expr = _Later()(add(sub(high, low), 1))
            stops = _stops_early(regions, func, free_vars(low) | free_vars(high))
            for nest in regions.placement.schedules[func].nests:
                yield PathLoop(func, nest.stage, _final_name(nest, arg)), not stops and const_value(simplify(new)) == 1


def _stops_early(regions: Regions, func: str, variables: Collection[str]) -> bool:
    placement = regions.placement
    return any(
        hoisted.last is not None
        for level in placement.path(placement.compute[func])
        if level.func is not None and loop_name(level.func, level.stage, level.loop) in variables
        for hoisted in regions.loops(level.func, level.stage).hoisted.get(level.loop, [])
    )


def _final_name(nest: StageNest, arg: str) -> str:
    """The loop over an argument that no split or fuse takes part in."""
    for step in nest.steps:
        if isinstance(step, Rename) and step.old == arg:
            arg = step.new
    return arg


class _Later(Rewriter):
    """Conditions that hold in the steady state, taken to hold."""

    only = (Call,)

    def rewrite_Call(self, call: Call) -> Expr:
        is_mark = call.name in LIKELY and call.dtype is BOOL
        rebuilt: Expr = TRUE if is_mark else self.rebuild(call)
        return rebuilt
