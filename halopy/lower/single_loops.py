"""Which loops turn out to run exactly once, whatever the sizes: loop nests are shown without them."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.node import walk
from ..ir.program import Program
from ..ir.simplify import simplify
from ..ir.stmt import For
from ..schedule.nest import FuncSchedule
from ..schedule.placement import PathLoop
from .build_loop_nests import build_loop_nests
from .place_functions import place_functions
from .regions import Regions


def single_loops(program: Program, schedules: Mapping[str, FuncSchedule]) -> set[PathLoop]:
    """The loops of the schedule that are no loops once regions are known."""
    placement = place_functions(program, schedules)
    regions = Regions(placement)
    stmt = simplify(build_loop_nests(regions))
    left = {node.name for node in walk(stmt) if isinstance(node, For)}
    return {
        PathLoop(func, nest.stage, loop)
        for func, schedule in placement.schedules.items()
        for nest in schedule.nests
        if not regions.fails(func, nest.stage)
        for loop in nest.loop_names
        if f"{func}.s{nest.stage}.{loop}" not in left
    }
