"""Write the loops of every stage, each Func's inside the loop in which it is computed.

    f.s0.y: parallel                    parallel f.s0.y:
    g at f.s0.y                   ->      let g.x.lo = ..., g.x.hi = ...
                                          realize g
                                            produce g:  for g.s0.y: for g.s0.x: g(x, y) = ...
                                            for f.s0.x: f(x, y) = ...

Leaves loops over symbols that are let-bound at the level where they are known, and Funcs that are read and
written by name and index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..dtypes import BOOL
from ..errors import ScheduleError
from ..ir.branches import known_values
from ..ir.build import add, le, logical_and, lt, select, sub
from ..ir.expr import TRUE, Call, Const, Expr, Var, const, is_const
from ..ir.extern import extern_call
from ..ir.function import Branch
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..ir.stmt import (
    Atomic,
    For,
    If,
    LetStmt,
    LoopKind,
    LoopPartition,
    MemoryKind,
    Produce,
    Realize,
    Stmt,
    block,
    let_all,
)
from ..schedule.directives import Memoize, OnDevice, SetKind
from ..schedule.nest import Dim, StageNest
from ..schedule.taking_turns import take_turns
from .bound_storage import bound_storage
from .call_extern import call_extern
from .check_buffers import promised_shapes, root_checks
from .constant_extent import most
from .decide_folds import DoubtfulFold, decide_fold
from .failing_versions import failure
from .fetch_ahead import fetch_ahead
from .fuse_nests import fuse_nests
from .place_functions import ROOT_LEVEL, Level, Placement
from .regions import Regions
from .reserve_storage import choose_slot, reserve_storage
from .skip_iterations import SkipIterations
from .skip_stages import skip_stages
from .stage_loops import Range
from .write_values import write_values

_LARGEST_CONSTANT_EXTENT = 1 << 20
_MOST_COPIES = 1 << 12
ON_DEVICE = "one thread"  # the loop that makes a whole stage one thread on a device


def build_loop_nests(regions: Regions) -> Stmt:
    """The whole program as one statement, its run-time checks first. Raises IllegalSchedule for folds that lose values.

    Folds that need it are decided by the finished loops, which are built as if they were right.
    """
    doubts: list[DoubtfulFold] = []
    while True:
        try:
            stmt = LoopNests(regions).root()
            break
        except DoubtfulFold as doubtful:
            doubts.append(doubtful)
            regions.begin_again(trusting=doubtful.func)
    for doubt in doubts:
        decide_fold(doubt, stmt, regions.folds, regions.placement)
    return stmt


class LoopNests:
    """Writes the loops of one program."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self.placement: Placement = regions.placement
        self.computed_at = _group(self.placement.compute, self.placement)
        self.stored_at = _group(self.placement.store, self.placement)
        self.hoisted_at = _group(self.placement.hoist, self.placement)
        self.realized: dict[str, Realize] = {}
        groups = self.placement.fused.groups(self.placement.program.functions)
        self.group_of = {func: group for group in groups for func in group}
        self.promised = promised_shapes(self.placement.program)
        self.needed = skip_stages(self.placement.program, self.placement.schedules)
        self.skipped = SkipIterations(regions)

    def root(self) -> Stmt:
        checks: list[Stmt] = []

        def check() -> Stmt:
            checks.append(root_checks(self.regions))  # asked last: the checks need all regions
            return block()

        body = self.level(ROOT_LEVEL, check)
        return let_all(self.regions.scope(ROOT_LEVEL).bindings, block(checks[0], body))

    def level(self, level: Level, core: Callable[[], Stmt]) -> Stmt:
        """What stands inside a level: storage, the Funcs computed here, then the rest of the stage's own nest."""
        here = self.computed_at.get(level, [])
        for func in reversed(here):  # consumers first: producers' regions are made of theirs
            for stage in reversed(range(len(self.regions.functions[func].definitions))):
                self.regions.loops(func, stage)
            self.skipped.needed(func)
        parts = [self.produce(self.group_of[func]) for func in here if func == self.group_of[func][0]]
        body = block(*parts, core())
        body = block(*fetch_ahead(self.regions, level), body)  # asked last: all regions inside are known
        for func in reversed(self.stored_at.get(level, [])):
            if func not in self.placement.program.outputs:
                body = self.realize(func, level, body)
        for func in reversed(self.hoisted_at.get(level, [])):
            body = reserve_storage(self.regions, self.realized[func], level, body)
        if level == ROOT_LEVEL:
            return body
        checks = self.regions.checks.get(level, [])
        return let_all(self.regions.scope(level).bindings, block(*checks, body))

    def realize(self, func: str, level: Level, body: Stmt) -> Stmt:
        function, schedule = self.regions.functions[func], self.placement.schedules[func]
        bounds: list[tuple[Expr, Expr]] = []
        for interval in self.regions.storage_box(func):
            assert interval.lo is not None and interval.hi is not None, "boxes have ends"
            extent = add(sub(interval.hi, interval.lo), 1)
            if not schedule.last(Memoize):  # whose results are known by the region that they cover
                extent = self.extent(extent, level, schedule.memory)
            if not isinstance(extent, Const):  # where nobody needs the Func, its region is no region
                extent = select(self.regions.fused.needed(func, level), extent, 0)
            bounds.append((interval.lo, extent))
        checks = bound_storage(self.regions, func, bounds)
        realize = Realize(func, function.dtypes, tuple(bounds), schedule.memory, body)
        self.realized[func] = realize
        return block(*checks, choose_slot(self.regions, realize) if func in self.placement.hoist else realize)

    def extent(self, extent: Expr, level: Level, memory: MemoryKind) -> Expr:
        """A number instead of the extent where one bounds it, so that small storage can live on the stack.

        At the root, where sizes mostly depend on the caller's, only for what is wanted there.
        """
        if isinstance(extent, Const) or (level == ROOT_LEVEL and memory not in (MemoryKind.STACK, MemoryKind.REGISTER)):
            return extent
        outermost = level if level == ROOT_LEVEL else self.placement.path(level)[-2]
        limit = most(simplify(substitute(self.regions.expand(extent, outermost), self.promised)))
        return const(limit) if limit is not None and 0 <= limit <= _LARGEST_CONSTANT_EXTENT else extent

    def produce(self, group: Sequence[str]) -> Stmt:
        if len(group) > 1:
            return fuse_nests(self, group)
        (func,) = group
        function = self.regions.functions[func]
        stages = dict.fromkeys(map(function.versions, range(len(function.definitions))))
        body = block(*(self.choice(func, versions, 0) for versions in stages))
        produce = self.regions.fused.where_needed(func, self.placement.compute[func], Produce(func, body))
        when = logical_and(self.needed.get(func, TRUE), self.skipped.needed(func))
        return produce if when is TRUE else If(when, produce)

    def choice(self, func: str, versions: Sequence[int], depth: int) -> Stmt:
        """The version of a stage whose conditions, from the given one on, are as its path says."""
        branches = {v: self.regions.functions[func].definitions[v].branch or Branch(0) for v in versions}
        first = branches[versions[0]]
        if len(first.path) == depth:
            return self.nest(func, versions[0]) if first.failure is None else failure(func, first.failure)
        condition = first.path[depth][0]
        yes, no = ([v for v in versions if branches[v].path[depth][1] is truth] for truth in (True, False))
        otherwise = self.choice(func, no, depth + 1) if no else None
        return If(condition, self.choice(func, yes, depth + 1), otherwise) if yes else otherwise or block()

    def nest(self, func: str, stage: int) -> Stmt:
        names = self.nest_of(func, stage).loop_names  # innermost first

        def at(depth: int) -> Stmt:
            if depth < 0:
                return self.values(func, stage)
            body = self.level(Level(func, stage, names[depth]), lambda: at(depth - 1))
            return self.loop(func, stage, names[depth], self.hoisted(func, stage, names[depth], body))

        whole = at(len(names) - 1)
        if any(isinstance(d.action, OnDevice) for d in self.nest_of(func, stage).directives):
            return For(f"{func}.s{stage}.{ON_DEVICE}", const(0), const(1), LoopKind.GPU_BLOCK, whole)
        return whole

    def nest_of(self, func: str, stage: int) -> StageNest:
        return self.placement.schedules[func].nests[stage]

    def hoisted(self, func: str, stage: int, loop: str, body: Stmt) -> Stmt:
        """The body with what the stage's loop decides for it."""
        for condition in self.regions.conditions.of_loop(func, stage, loop):
            body = If(condition, body)
        for h in reversed(self.regions.loops(func, stage).hoisted.get(loop, [])):
            if h.last is not None:
                body = If(Call("likely", (le(Var(h.symbol), h.last),), BOOL), body)
            body = LetStmt(h.symbol, h.value, body)
        return body

    def loop(self, func: str, stage: int, name: str, body: Stmt, whole: Range | None = None) -> Stmt:
        """The loop over its own range or a whole one that others share.

        One that becomes lanes or copies gets a constant extent, with a guard if that is too large.
        """
        loop = self.regions.loops(func, stage).loops[name]
        low, extent = (whole or loop.range).min, (whole or loop.range).extent
        if loop.kind in (LoopKind.VECTORIZED, LoopKind.UNROLLED) and not isinstance(extent, Const):
            exact = self.exact(extent, func, stage, self.placement.path(Level(func, stage, name))[-2])
            limit = most(exact)
            if limit is None:
                limit = most(self.exact(extent, func, stage, ROOT_LEVEL))
            if limit is None or limit > _MOST_COPIES:
                dim = self.nest_of(func, stage).dim(name)
                assert dim is not None, "a loop of the nest"
                raise _not_constant(dim, extent)
            if not isinstance(exact, Const):
                body = If(lt(sub(Var(loop.name), low), extent), body)
            extent = const(max(limit, 0))
        dim = self.nest_of(func, stage).dim(name)
        partition = LoopPartition.AUTO if dim is None else dim.partition
        return For(loop.name, low, extent, loop.kind, body, partition)

    def exact(self, extent: Expr, func: str, stage: int, inside: Level) -> Expr:
        """The extent in terms of what is known outside the loop of a level, and when the stage runs."""
        known = known_values(self.regions.functions[func].definitions[stage].branch)
        exact: Expr = substitute(self.regions.expand(extent, inside), {**self.promised, **known})
        return simplify(exact)

    def values(self, func: str, stage: int) -> Stmt:
        if extern_call(self.regions.functions[func]) is not None:
            return call_extern(self.regions, func)
        loops = self.regions.loops(func, stage)
        function = self.regions.functions[func]
        values = loops.values()
        provide = write_values(function, stage, values)
        step = take_turns(self.nest_of(func, stage))
        provide = provide if step is None else Atomic(func, step is LoopKind.PARALLEL, provide)
        conditions = loops.guards()
        conditions += self.regions.conditions.of_loop(func, stage, "")
        for condition in conditions:
            if not is_const(condition, 1):
                provide = If(condition, provide)
        return provide


def _not_constant(dim: Dim, extent: Expr) -> ScheduleError:
    directive = next(d for d in reversed(dim.made_by) if isinstance(d.action, SetKind))
    return ScheduleError(
        directive.text,
        location=directive.location,
        reason=[
            f"loop `{dim.name}` becomes {dim.kind.value}, but the number of its iterations, {extent}, is not a constant"
        ],
        accepted=f"a factor, as in {directive.text[:-1]}, 8); or bound() with a constant extent",
    )


def _group(levels: Mapping[str, Level], placement: Placement) -> dict[Level, list[str]]:
    """Funcs by level, producers first."""
    groups: dict[Level, list[str]] = {}
    for func in placement.program.functions:
        if func in levels:
            groups.setdefault(levels[func], []).append(func)
    return groups
