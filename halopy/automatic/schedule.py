"""A schedule for a whole program, chosen from its definitions and the sizes to be expected; nothing is run.

Deterministic, and legal whatever the sizes turn out to be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..instrument import timed
from ..ir.function import Function
from ..ir.program import Program
from ..recursion import deep_recursion
from ..schedule.directives import INLINED, ROOT, ComputeAt
from ..schedule.nest import FuncSchedule
from .boxes import Box, Boxes
from .choices import Choice
from .estimates import Estimates, Expected
from .inlining import without_cheap
from .machine import Machine
from .operations import operations, widest
from .stage_loops import StageLoops, spread_stage


def automatic_schedule(
    program: Program, schedules: Mapping[str, FuncSchedule], estimates: Estimates, machine: Machine
) -> list[Choice]:
    """Directives for the Funcs of the program, in its order. Of `schedules`, storage orders and `compute_inline` count.

    Raises ScheduleError where an estimate that is needed is missing.
    """
    with timed("automatic_schedule"), deep_recursion():
        expected = Expected(program, estimates)
        wanted = [n for n, s in schedules.items() if s.last(ComputeAt) is not None and s.compute_level == INLINED]
        stored = without_cheap(program, expected, wanted)
        boxes = Boxes(stored, expected)
        return [c for function in stored.functions.values() for c in _at_root(function, boxes, schedules, machine)]


def _at_root(function: Function, boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine) -> list[Choice]:
    schedule, box = schedules[function.name], boxes.root[function.name]
    is_output = function.name in boxes.program.outputs
    choices = [] if is_output else [Choice(function.name, 0, ComputeAt(ROOT))]
    if box is None:
        return choices
    dense = next(iter(schedule.storage_order(function.args)), None)
    for stage in range(len(function.definitions)):
        made = _stage(function, stage, boxes, box, schedule, dense, machine)
        choices += made or ([Choice(function.name, stage, None)] if stage else [])
    return choices


def _stage(
    function: Function,
    stage: int,
    boxes: Boxes,
    box: Box,
    schedule: FuncSchedule,
    dense: str | None,
    machine: Machine,
) -> list[Choice]:
    definition = function.definitions[stage]
    loops = StageLoops(function.name, stage, schedule.nests[stage], boxes.iterations(function.name, stage, box))
    work = math.prod(loops.extents.values()) * max(1, operations(definition))
    along = dense if dense in loops.extents else None
    spread_stage(loops, along, machine.lanes(widest(definition, function.dtypes)), work, machine)
    return loops.choices
