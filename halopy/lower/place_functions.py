"""Decide for every Func the one loop in which it is computed and the one in which it is stored.

A user's `compute_at(f, x)` may mean a loop `x` in several stages of `f`, and a Func with updates that is
inlined means the innermost loop of each stage that reads it. Where there is more than one such place, each
gets a copy of the Func, so that afterwards a Func has one compute level and one store level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from ..ir.expr import Expr, Read
from ..ir.function import Definition, Function
from ..ir.map_definitions import map_definition
from ..ir.node import walk
from ..ir.program import Program
from ..ir.rewrite import Rewriter
from ..schedule.directives import LoopLevel
from ..schedule.fused_nests import FusedNests, OwnLoop, StageId, fused_nests
from ..schedule.guard_shared_tails import guard_shared_tails
from ..schedule.nest import FuncSchedule
from ..schedule.side_by_side import side_by_side
from ..schedule.simplify_branches import simplify_branches
from .inline_functions import inline_functions


@dataclass(frozen=True, slots=True)
class Level:
    """Just inside loop `loop` of a stage; the root where `func` is None; just inside the stage where `loop` is ""."""

    func: str | None = None
    stage: int = 0
    loop: str = ""


ROOT_LEVEL = Level()


@dataclass(frozen=True, slots=True)
class Placement:
    """The program without inlined Funcs, a schedule per remaining Func, and where each is computed and stored."""

    program: Program
    schedules: Mapping[str, FuncSchedule]
    compute: Mapping[str, Level]
    store: Mapping[str, Level]
    fused: FusedNests  # a level inside a loop that stages share is named after the loop's owner
    hoist: Mapping[str, Level] = field(default_factory=dict)  # of Funcs whose memory is taken further out
    originals: Mapping[str, str] = field(default_factory=dict)  # of copies

    def level(self, func: str, stage: int, loop: str) -> Level:
        """The level just inside a stage's loop."""
        return Level(*self.fused.owner(OwnLoop(func, stage, loop)))

    def enclosing(self, level: Level) -> Level:
        """The level around a level other than the root."""
        assert level.func is not None, "the root has nothing around it"
        loops = self.schedules[level.func].nests[level.stage].loop_names
        at = loops.index(level.loop) if level.loop else len(loops)
        if at + 1 >= len(loops):
            return self.around_stage(level.func)
        return self.level(level.func, level.stage, loops[at + 1])

    def around_stage(self, func: str) -> Level:
        return self.compute[func]

    def path(self, level: Level) -> list[Level]:
        """The level and all around it, the root last."""
        levels = [level]
        while levels[-1] != ROOT_LEVEL:
            levels.append(self.enclosing(levels[-1]))
        return levels

    def innermost(self, func: str, stage: int) -> Level:
        """The level in which the stage's values are computed."""
        loops = self.schedules[func].nests[stage].loop_names
        return self.level(func, stage, loops[0]) if loops else self.around_stage(func)

    def own_loop(self, func: str, stage: int, level: Level) -> str | None:
        """The stage's own name of the loop around a level, if that is a loop of the stage, shared or not."""
        if level.func is None:
            return None
        shared = self.fused.sharers(OwnLoop(level.func, level.stage, level.loop))
        return next((own.loop for own in shared if own[:2] == (func, stage)), None)


def place_functions(program: Program, schedules: Mapping[str, FuncSchedule]) -> Placement:
    """Inline what is inlined, copy what is computed in several places, and find every Func's levels."""
    inlined = [
        name
        for name, f in program.functions.items()
        if not f.updates and name not in program.outputs and schedules[name].compute_level.is_inlined
    ]
    fused = fused_nests(program, schedules)
    schedules = guard_shared_tails(schedules, fused)
    program = simplify_branches(inline_functions(program, inlined))
    return _Placing(side_by_side(program, fused.groups(program.functions)), schedules, fused).run()


class _Placing:
    """Walks consumers before producers, so that a consumer's own place is known."""

    def __init__(self, program: Program, schedules: Mapping[str, FuncSchedule], fused: FusedNests) -> None:
        self.program = program
        self.wanted = fused  # by the names before there were copies
        self.functions = dict(program.functions)
        self.schedules = {name: schedules[name] for name in self.functions}
        self.compute: dict[str, Level] = {}
        self.store: dict[str, Level] = {}
        self.hoist: dict[str, Level] = {}
        self.originals: dict[str, str] = {}  # of copies
        self.fused = FusedNests({}, self.schedules)  # grows with the Funcs placed
        self.users = _users(self.functions)

    def run(self) -> Placement:
        order: list[str] = []
        for name in reversed(list(self.functions)):
            order.extend(reversed(self.place(name)))
            self.fuse(name)
        program = replace(self.program, functions={name: self.functions[name] for name in reversed(order)})
        return replace(self.view(), program=program)

    def fuse(self, name: str) -> None:
        """Copies of one Func and of another that are computed in one place share loops as these two do."""
        found = dict(self.fused.fusions)
        for fusion in self.wanted.fusions.values():
            if name in (fusion.child.func, fusion.parent.func):
                for child, parent in product(self.lives_of(fusion.child.func), self.lives_of(fusion.parent.func)):
                    if self.compute[child] == self.compute[parent]:
                        at = StageId(child, fusion.child.stage)
                        found[at] = replace(fusion, child=at, parent=StageId(parent, fusion.parent.stage))
        if len(found) > len(self.fused.fusions):
            self.fused = FusedNests(found, self.schedules)

    def lives_of(self, name: str) -> list[str]:
        """The Func and its copies, those with a place."""
        return [f for f in self.compute if self.originals.get(f, f) == name]

    def place(self, name: str) -> list[str]:
        """Find the places of one Func; gives the names under which it lives on, none where nothing reads it."""
        schedule = self.schedules[name]
        # a reader without a place is not read itself
        readers = [user for user in self.users.get(name, []) if user[0] in self.compute]
        if name in self.program.outputs or (readers and schedule.compute_level.is_root):
            self.compute[name] = self.store[name] = ROOT_LEVEL
            return [name]
        uses: dict[Level, list[tuple[str, int]]] = {}
        for user in readers:
            uses.setdefault(self.level_for(name, user), []).append(user)
        names = []
        for number, (level, users) in enumerate(uses.items()):
            copy = name if number == 0 else self.copy(name, number, users)
            self.compute[copy] = level
            self.store[copy] = self.placed(schedule.store_level, level)
            hoist = self.placed(schedule.hoist_level, level)
            if hoist != self.store[copy]:
                self.hoist[copy] = hoist
            names.append(copy)
        return names

    def level_for(self, name: str, user: tuple[str, int]) -> Level:
        """Where Func `name` is computed for the sake of one reading stage."""
        wanted = self.schedules[name].compute_level
        placement = self.view()
        innermost = placement.innermost(*user)
        if wanted.is_inlined:
            return innermost
        return self.match(wanted, placement.path(innermost))

    def match(self, wanted: LoopLevel, path: list[Level]) -> Level:
        if wanted.is_root:
            return ROOT_LEVEL
        assert wanted.func is not None, "inlined was handled before"
        func = self.program.names.get(wanted.func, wanted.func.name)
        for level in path:
            if level.func is None:
                continue
            for own in self.fused.sharers(OwnLoop(level.func, level.stage, level.loop)):
                here = self.originals.get(own.func, own.func)
                written = self.functions[own.func].written_stage(own.stage)
                if here == func and own.loop == wanted.loop and wanted.stage in (None, written):
                    return level
        raise AssertionError(f"expected a legal level, found {wanted}; check_placements runs before")

    def placed(self, wanted: LoopLevel, compute: Level) -> Level:
        """Where the memory of a Func computed at a level lives, or is taken."""
        return compute if wanted.is_inlined else self.match(wanted, self.view().path(compute))

    def view(self) -> Placement:
        return Placement(self.program, self.schedules, self.compute, self.store, self.fused, self.hoist, self.originals)

    def copy(self, name: str, number: int, users: list[tuple[str, int]]) -> str:
        """A copy of the Func for some of its readers."""
        taken = {*self.functions, *self.program.images, *self.program.scalars}
        copy = next(c for n in range(number, len(taken) + number + 1) if (c := f"{name}_{n}") not in taken)
        rename = _RenameReads(name, copy)
        function = self.functions[name]
        self.functions[copy] = replace(
            function, name=copy, definitions=tuple(map_definition(d, rename) for d in function.definitions)
        )
        self.schedules[copy] = self.schedules[name]
        self.originals[copy] = name
        for func, stage in users:
            self.functions[func] = _map_stage(self.functions[func], stage, rename)
        for readers in self.users.values():
            readers.extend((copy, stage) for func, stage in list(readers) if func == name)
        return copy


def _map_stage(function: Function, stage: int, rewrite: Rewriter) -> Function:
    definitions = list(function.definitions)
    definitions[stage] = map_definition(definitions[stage], rewrite)
    return replace(function, definitions=tuple(definitions))


class _RenameReads(Rewriter):
    only = (Read,)

    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.old, self.new = old, new

    def rewrite_Read(self, read: Read) -> Expr:
        name = self.new if read.name == self.old else read.name
        return Read(name, tuple(map(self, read.index)), read.element, read.dtype)


def _users(functions: Mapping[str, Function]) -> dict[str, list[tuple[str, int]]]:
    """For every Func the stages of other Funcs that read it."""
    users: dict[str, list[tuple[str, int]]] = {}
    for name, function in functions.items():
        for stage, definition in enumerate(function.definitions):
            for read in dict.fromkeys(r.name for r in stage_reads(definition)):
                if read != name and read in functions:
                    users.setdefault(read, []).append((name, stage))
    return users


def stage_expressions(definition: Definition) -> list[Expr]:
    """What a stage evaluates for every point of its domain."""
    roots = [*definition.index, *definition.values]
    if definition.rdom is not None:
        for v in definition.rdom.vars:
            roots += [v.min, v.extent]
        if definition.rdom.predicate is not None:
            roots.append(definition.rdom.predicate)
    return roots


def stage_reads(definition: Definition) -> list[Read]:
    """Every distinct Read of a stage."""
    found: dict[Read, None] = {}
    for root in stage_expressions(definition):
        if root.kinds & Read.bit:
            found.update((node, None) for node in walk(root) if isinstance(node, Read))
    return list(found)
