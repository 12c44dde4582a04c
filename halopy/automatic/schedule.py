"""A schedule for a whole program, chosen from its definitions and the sizes to be expected; nothing is run.

Deterministic, and legal whatever the sizes turn out to be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..errors import DefinitionError
from ..instrument import timed
from ..ir.extern import extern_call
from ..ir.program import Program
from ..recursion import deep_recursion
from ..schedule.directives import INLINED, ROOT, ComputeAt, LoopLevel, StoreAt
from ..schedule.extern_stages import never_inlined
from ..schedule.nest import FuncSchedule
from .boxes import Box, Boxes
from .choices import Choice
from .estimates import Estimates, Expected
from .groups import Group, groups_of
from .inlining import without_cheap
from .lookups import looked_up, with_orders
from .machine import Machine
from .operations import operations, widest
from .proof import recomputed
from .register_tiles import NO_TILES, RegisterTile, TileDirectives, copied_for_reductions, register_tiles
from .short_dimensions import computed_together
from .stage_loops import StageLoops, in_rows, in_strips, spread_stage


def automatic_schedule(
    program: Program, schedules: Mapping[str, FuncSchedule], estimates: Estimates, machine: Machine
) -> list[Choice]:
    """Directives for the Funcs of the program. Of `schedules`, storage orders and `compute_inline` count.

    Raises ScheduleError where an estimate that is needed is missing.
    """
    with timed("automatic_schedule"), deep_recursion():
        expected = Expected(program, estimates)
        wanted = [n for n, s in schedules.items() if s.last(ComputeAt) is not None and s.compute_level == INLINED]
        try:
            copies = copied_for_reductions(program)
            rows = looked_up(Boxes(program, expected), schedules, machine)
            tiled = Boxes(without_cheap(program, expected, machine, wanted, copies, rows), expected)
            tiles = register_tiles(tiled, schedules, machine, copies)
            if not copies <= {name for tile in tiles.values() for name in tile.packed}:
                tiled = Boxes(without_cheap(program, expected, machine, wanted, (), rows), expected)
                tiles = register_tiles(tiled, schedules, machine, ())
            return _proved(tiled, schedules, machine, tiles)
        except DefinitionError:  # something has bounds at the sizes expected only, so nothing is stored
            boxes = Boxes(without_cheap(program, expected, machine, program.functions), expected)
            return _Directives(boxes, schedules, machine).of(groups_of(boxes, machine, program.functions))


def _proved(
    boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine, tiles: Mapping[str, RegisterTile]
) -> list[Choice]:
    """Directives for groups whose members never compute a row twice in one strip, and for tiles in registers."""
    orders = looked_up(boxes, schedules, machine)
    schedules = with_orders(schedules, orders)
    alone = set(never_inlined(boxes.program)) | {n for t in tiles.values() for n in (t.reduction, *t.packed)}
    while True:
        groups = groups_of(boxes, machine, alone)
        choices = _Directives(boxes, schedules, machine).of(groups, tiles)
        failed = recomputed(boxes.program, schedules, choices, groups)
        if not failed:
            return [*(Choice(name, 0, order) for name, order in orders.items()), *choices]
        alone |= failed


class _Directives:
    """Writes the directives of groups."""

    def __init__(self, boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine) -> None:
        self.boxes, self.schedules, self.machine = boxes, schedules, machine
        self.program = boxes.program
        self.refs = {name: ref for ref, name in boxes.program.names.items()}

    def of(self, groups: Sequence[Group], tiles: Mapping[str, RegisterTile] = NO_TILES) -> list[Choice]:
        tiled = {g.head: tiles[g.head] for g in groups if g.head in tiles and not g.members}
        inside = {name for tile in tiled.values() for name in (tile.reduction, *tile.packed)}
        choices: list[Choice] = []
        for group in groups:
            if group.head in tiled:
                choices += TileDirectives(self.boxes, self.schedules, self.machine, tiled[group.head]).all()
            elif group.head not in inside:
                choices += self.strips(group) if group.members else self.alone(group.head)
        return choices

    def strips(self, group: Group) -> list[Choice]:
        """The head in strips, the members row by row inside."""
        head, box = group.head, self.boxes.root[group.head]
        assert box is not None and group.rows is not None, "a group has a head with rows"
        loops = self.loops(head, 0, box)
        inner = in_strips(loops, self.dense(head), self.lanes(head, 0), group.rows, group.height, self.together(loops))
        choices = [*self.at_root(head), *loops.choices]
        ref = self.refs[head]
        for name in group.members:
            choices += [
                Choice(name, 0, StoreAt(LoopLevel(ref, group.rows))),
                Choice(name, 0, ComputeAt(LoopLevel(ref, inner))),
            ]
            for stage in range(len(self.program.functions[name].definitions)):
                loops = self.loops(name, stage, group.row_of(name))
                in_rows(loops, self.dense(name), self.lanes(name, stage), self.together(loops))
                choices += self.said(loops)
        return choices

    def alone(self, name: str) -> list[Choice]:
        """All of a Func at once, before its consumers."""
        choices, box = self.at_root(name), self.boxes.root[name]
        if box is None or extern_call(self.program.functions[name]) is not None:
            return choices
        for stage, definition in enumerate(self.program.functions[name].definitions):
            loops = self.loops(name, stage, box)
            work = math.prod(loops.extents.values()) * max(1, operations(definition))
            spread_stage(loops, self.dense(name), self.lanes(name, stage), work, self.machine, self.together(loops))
            choices += self.said(loops)
        return choices

    def at_root(self, name: str) -> list[Choice]:
        return [] if name in self.program.outputs else [Choice(name, 0, ComputeAt(ROOT))]

    def said(self, loops: StageLoops) -> list[Choice]:
        """What is said of a stage; of an update at least that it is left as it is."""
        return loops.choices or ([Choice(loops.func, loops.stage, None)] if loops.stage else [])

    def loops(self, name: str, stage: int, box: Box) -> StageLoops:
        return StageLoops(name, stage, self.schedules[name].nests[stage], self.boxes.iterations(name, stage, box))

    def together(self, loops: StageLoops) -> list[str]:
        """Short dimensions of a stage that are computed beside each other."""
        return computed_together(self.program.functions[loops.func], loops.extents, self.dense(loops.func))

    def dense(self, name: str) -> str | None:
        """The dimension whose elements are neighbours in memory."""
        return next(iter(self.schedules[name].storage_order(self.program.functions[name].args)), None)

    def lanes(self, name: str, stage: int) -> int:
        function = self.program.functions[name]
        return self.machine.lanes(widest(function.definitions[stage], function.dtypes))
