"""Which loops turn out to run exactly once, whatever the sizes: loop nests are shown without them.

The loop over the rows of a sliding window counts as such where one row is new in each iteration after the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..dtypes import BOOL
from ..ir.build import add, sub
from ..ir.expr import TRUE, Call, Expr, const_value
from ..ir.node import walk
from ..ir.program import Program
from ..ir.rewrite import Rewriter
from ..ir.simplify import simplify
from ..ir.stmt import For
from ..schedule.directives import Rename
from ..schedule.nest import FuncSchedule, StageNest
from ..schedule.placement import PathLoop
from .build_loop_nests import build_loop_nests
from .likely import LIKELY
from .place_functions import place_functions
from .regions import Regions
from .slide_windows import Slide


def single_loops(program: Program, schedules: Mapping[str, FuncSchedule]) -> set[PathLoop]:
    """The loops of the schedule that are no loops once regions are known."""
    placement = place_functions(program, schedules)
    regions = Regions(placement)
    stmt = simplify(build_loop_nests(regions))
    left = {node.name for node in walk(stmt) if isinstance(node, For)}
    gone = {
        PathLoop(func, nest.stage, loop)
        for func, schedule in placement.schedules.items()
        for nest in schedule.nests
        if not regions.fails(func, nest.stage)
        for loop in nest.loop_names
        if f"{func}.s{nest.stage}.{loop}" not in left
    }
    sliding = (loop for func, slid in regions.slides.items() for loop in _steady(regions, func, slid))
    return gone.union(sliding)


def _steady(regions: Regions, func: str, slid: Slide) -> Iterator[PathLoop]:
    """The loops over dimensions in which one value is new each time."""
    for arg, (low, high) in zip(regions.functions[func].args, slid.box, strict=True):
        assert low is not None and high is not None, "boxes have ends"
        new: Expr = _Later()(add(sub(high, low), 1))
        if const_value(simplify(new)) == 1:
            for nest in regions.placement.schedules[func].nests:
                yield PathLoop(func, nest.stage, _final_name(nest, arg))


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
