"""Reductions in tiles whose sums stay in registers while the reduction runs.

    product(x, y) += a(k, y) * b(x, k)             for tiles of 64x6 of out, in parallel:
    out(x, y) = alpha * product(x, y)        ->      product's 24 vectors = 0
                                                     for k: 4 vectors of b, 6 elements of a: 24 multiply-adds
                                                     the tile of out

What a step of the reduction loads is used by all rows, or by all columns, of the tile. Each element is still added up
in the same order. Tiles are whole in a version for outputs of at least one tile; smaller outputs take the other one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ..ir.expr import Expr, Read, Var
from ..ir.function import Function
from ..ir.node import find
from ..ir.program import Program
from ..ir.rewrite import free_vars
from ..ir.stmt import LoopKind
from ..lower.place_functions import stage_reads
from ..schedule.directives import ComputeAt, LoopLevel, Tail
from ..schedule.initial import pure_variables
from ..schedule.nest import FuncSchedule
from .boxes import Boxes, readers_of, size
from .choices import Choice, Large
from .machine import Machine
from .operations import operations
from .stage_loops import StageLoops

_SHORTEST = 8  # steps of a reduction that are worth a tile
_MOST_VECTORS, _MOST_ROWS = 4, 12
_TASKS = 4  # for each thread


@dataclass(frozen=True, slots=True)
class RegisterTile:
    """`consumer`, an output, reads `reduction` element by element; both go in tiles of width x height elements of the
    dimensions `across`, which is dense, and `down`. `packed` are copies of what a column of tiles reads."""

    reduction: str
    consumer: str
    across: str
    down: str
    width: int
    height: int
    lanes: int
    packed: tuple[str, ...]


NO_TILES: Mapping[str, RegisterTile] = {}


def copied_for_reductions(program: Program) -> set[str]:
    """Funcs that only copy what one reduction reads, densely along its densest dimension, again for each row."""
    found = set()
    for function in program.functions.values():
        definition = function.definitions[-1]
        if len(function.definitions) != 2 or definition.rdom is None or len(pure_variables(function, 1)) < 2:
            continue
        dense, *others = function.args
        for read in stage_reads(definition):
            copy = program.functions.get(read.name)
            if copy is None or copy.updates or operations(copy.pure) != 1 or len(copy.pure.values) != 1:
                continue
            names = frozenset[str]().union(*map(free_vars, read.index))
            is_dense = read.index and isinstance(read.index[0], Var) and read.index[0].name == dense
            is_image = isinstance(copy.pure.values[0], Read) and copy.pure.values[0].name in program.images
            if is_dense and is_image and len(copy.args) > 1 and names.isdisjoint(others):
                found.add(read.name)
    return found


def register_tiles(
    boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine, copies: Collection[str]
) -> dict[str, RegisterTile]:
    """The tiles that are worth it, by consumer."""
    readers = readers_of(boxes)
    found: dict[str, RegisterTile] = {}
    for name, function in boxes.program.functions.items():
        if len(readers[name]) != 1 or readers[name][0] in found:
            continue
        made = _tile(boxes, schedules, machine, function, readers[name][0])
        if made is not None:
            packed = tuple(c for c in copies if readers.get(c) == [name])
            found[made.consumer] = RegisterTile(
                name, made.consumer, made.across, made.down, made.width, made.height, made.lanes, packed
            )
    return found


def _tile(
    boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine, function: Function, consumer: str
) -> RegisterTile | None:
    program, box = boxes.program, boxes.root[function.name]
    reader = program.functions[consumer]
    if box is None or consumer not in program.outputs or not _is_sum(function) or not _is_pointwise(reader, function):
        return None
    args = function.args
    order = [
        s.storage_order(program.functions[n].args)[0] for n, s in schedules.items() if n in (function.name, consumer)
    ]
    extents = dict(zip(args, map(size, box), strict=True))
    if any(dense not in (args[0], reader.args[0]) for dense in order) or len(args) < 2:
        return None
    steps = math.prod(boxes.iterations(function.name, 1, box).values()) // max(1, math.prod(extents.values()))
    lanes = machine.lanes(function.dtypes[0])
    down = max(args[1:], key=lambda a: min(extents[a], 64))
    if steps < _SHORTEST or extents[args[0]] < lanes or lanes == 1:
        return None
    reads = [frozenset[str]().union(*map(free_vars, r.index)) for r in stage_reads(function.updates[0])]
    others = [
        names for names, r in zip(reads, stage_reads(function.updates[0]), strict=True) if r.name != function.name
    ]
    shape = _shape(others, args[0], down, extents, lanes, machine.registers)
    if shape is None:
        return None
    return RegisterTile(function.name, consumer, args[0], down, shape[0] * lanes, shape[1], lanes, ())


def _shape(
    reads: Iterable[frozenset[str]], across: str, down: str, extents: Mapping[str, int], lanes: int, registers: int
) -> tuple[int, int] | None:
    """Vectors and rows of a tile: the fewest loads for each operation, with little of the last tile done again."""
    reads = list(reads)
    best: tuple[float, int, int] | None = None
    for vectors in range(1, _MOST_VECTORS + 1):
        for rows in range(1, _MOST_ROWS + 1):
            if vectors * rows + vectors + 1 > registers or vectors * lanes > extents[across] or rows > extents[down]:
                continue
            loads = sum((vectors if across in r else 1) * (rows if down in r else 1) for r in reads)
            again = math.prod(
                math.ceil(extents[d] / n) * n / extents[d] for d, n in ((across, vectors * lanes), (down, rows))
            )
            cost = (loads / (vectors * rows) + 1) * again
            if best is None or cost < best[0] - 1e-9:
                best = cost, vectors, rows
    return None if best is None or best[1] * best[2] < 2 else (best[1], best[2])


def _is_sum(function: Function) -> bool:
    """One value, and one update that goes over all elements again and again."""
    if len(function.definitions) != 2 or len(function.dtypes) != 1 or function.updates[0].rdom is None:
        return False
    update = function.updates[0]
    own = [r for r in stage_reads(update) if r.name == function.name]
    is_whole = pure_variables(function, 1) == tuple(function.args)
    return (
        is_whole
        and update.rdom is not None
        and update.rdom.predicate is None
        and all(r.index is update.index or r.index == update.index for r in own)
    )


def _is_pointwise(reader: Function, function: Function) -> bool:
    """Whether each element is made of the one at the same place."""
    if len(reader.definitions) != 1 or len(reader.dtypes) != 1 or reader.rank != function.rank:
        return False
    same: tuple[Expr, ...] = tuple(Var(a) for a in reader.args)
    reads = {r for value in reader.pure.values for r in find(value, Read) if r.name == function.name}
    return all(r.index == same for r in reads)


class TileDirectives:
    """Writes the directives of one tile, for sizes of at least a tile, and then for all others."""

    def __init__(
        self, boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine, tile: RegisterTile
    ) -> None:
        self.boxes, self.schedules, self.machine, self.tile = boxes, schedules, machine, tile
        self.program = boxes.program
        names = boxes.program.functions[tile.consumer].args
        args = boxes.program.functions[tile.reduction].args
        self.across, self.down = (names[args.index(d)] for d in (tile.across, tile.down))
        least = {self.across: tile.width, self.down: tile.height}
        self.large = Large(tile.consumer, tuple(least.get(a, 0) for a in names))

    def all(self) -> list[Choice]:
        """Everything about the consumer, the reduction and the copies."""
        choices: list[Choice] = []
        level = ""
        for when in (self.large, None):
            loops = self.loops(self.tile.consumer, 0, when)
            level = self.consumer(loops)
            choices += loops.choices
        ref = next(ref for ref, name in self.program.names.items() if name == self.tile.consumer)
        choices.append(Choice(self.tile.reduction, 0, ComputeAt(LoopLevel(ref, level))))
        for stage in (0, 1):
            for when in (self.large, None):
                loops = self.loops(self.tile.reduction, stage, when)
                self.reduction(loops)
                choices += loops.choices
        for name in self.tile.packed:
            choices.append(Choice(name, 0, ComputeAt(LoopLevel(ref, self.across))))
            loops = self.loops(name, 0, None)
            dense = self.program.functions[name].args[0]
            vector = loops.split(dense, "v", self.tile.lanes)
            loops.mark(vector, LoopKind.VECTORIZED)
            choices += loops.choices
        return choices

    def loops(self, name: str, stage: int, when: Large | None) -> StageLoops:
        box = self.boxes.root[name]
        assert box is not None, "what is tiled has bounds"
        return StageLoops(name, stage, self.schedules[name].nests[stage], self.boxes.iterations(name, stage, box), when)

    def consumer(self, loops: StageLoops) -> str:
        """Tiles in tasks; gives the loop over the tiles of a task."""
        tile, whole = self.tile, loops.when is not None
        tail = Tail.SHIFT_INWARDS if whole else Tail.GUARD_WITH_IF
        tiles = [n for n in loops.nest.loop_names if n not in (self.across, self.down)]
        wide = loops.split(self.across, "i", tile.width, tail)
        high = loops.split(self.down, "i", tile.height, tail)
        vector = loops.split(wide, "v", tile.lanes)
        outer = [self.across, *reversed(tiles)]
        tasks, parallel = 1, []
        for name in outer:
            if tasks < self.wanted and loops.extents[name] > 1:
                parallel.append(name)
                tasks *= loops.extents[name]
        level, last = self.down, []
        if tasks < self.wanted and loops.extents[self.down] > 1:
            chunk = math.ceil(loops.extents[self.down] / math.ceil(self.wanted / tasks))
            level = loops.split(self.down, "t", chunk)
            parallel.append(self.down)
            last = [self.down]
        loops.order([vector, wide, high, level, *tiles, self.across, *last])
        loops.mark(vector, LoopKind.VECTORIZED)
        if whole:
            loops.mark(wide, LoopKind.UNROLLED)
            loops.mark(high, LoopKind.UNROLLED)
        for name in parallel:
            loops.mark(name, LoopKind.PARALLEL)
        return level

    @property
    def wanted(self) -> int:
        return _TASKS * self.machine.parallelism

    def reduction(self, loops: StageLoops) -> None:
        """One tile: a register for each of its vectors."""
        tile = self.tile
        names = loops.nest.loop_names
        if loops.when is None:
            vector = loops.split(tile.across, "v", tile.lanes)
            loops.order([vector, *names])
            loops.mark(vector, LoopKind.VECTORIZED)
            return
        wide, high = loops.split(tile.across, "i", tile.width), loops.split(tile.down, "i", tile.height)
        vector = loops.split(wide, "v", tile.lanes)
        pure = [n for n in names if n in self.program.functions[tile.reduction].args]
        steps = [n for n in names if n not in pure]
        loops.order([vector, wide, high, *steps, *pure])
        loops.mark(vector, LoopKind.VECTORIZED)
        loops.mark(wide, LoopKind.UNROLLED)
        loops.mark(high, LoopKind.UNROLLED)
