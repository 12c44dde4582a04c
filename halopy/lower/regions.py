"""Which box of every Func is needed where, as let-bound symbols.

The region of a Func at its compute level (the root, or just inside a loop) is the union, over the stages
that read it, of the footprint of their reads while the loops inside that level run. Consumers are asked
before producers, and each answer is bound to symbols that later answers use, so the cost grows with the
edges of the pipeline and not with its paths. Seen from a level further out, a region is the hull over
the loops between.

    root:            out.x.lo, out.x.hi       from the output buffer
    in loop out.y:   g.x.lo = out.x.lo - 1, g.x.hi = out.x.hi + 1, g.y.lo = out.s0.y - 1, ...
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import DefinitionError
from ..ir.branches import Path, known_values
from ..ir.build import add, as_expr, sub
from ..ir.expr import Cast, Expr, Var, is_const
from ..ir.function import Function, ReductionVar
from ..ir.interval import Interval, union
from ..ir.linear import difference, linear
from ..ir.program import buffer_property
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..ir.stmt import Stmt
from ..polyhedral.footprint import footprint
from ..schedule.initial import pure_variables
from ..schedule.nest import StageNest
from .align_bounds import aligned
from .ask_extern import Answers, computed_by_extern, is_extern, needed_by_extern
from .bound_check import bound_check
from .branch_regions import joined, needed_when
from .fused_loops import FusedLoops
from .place_functions import ROOT_LEVEL, Level, Placement
from .region_symbols import Expand, NameCasts
from .seen_from import seen_from
from .slide_windows import Slide, slide
from .stage_loops import Range, StageLoops
from .stage_reads import reads_of_stage
from .standing_conditions import StandingConditions
from .storage_folds import storage_folds
from .value_bounds import ValueBounds

_MOST_TERMS = 3
_NOTHING = Interval(as_expr(0), as_expr(-1))

Box = tuple[Interval, ...]  # one closed interval per dimension; ends are never None


@dataclass(slots=True)
class Scope:
    """What is let-bound just inside a level, outermost first."""

    bindings: list[tuple[str, Expr]] = field(default_factory=list)


class Regions:
    """Answers region questions for one placed program; bindings gather in `scopes`."""

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.functions = placement.program.functions
        self.trusted: set[str] = set()  # Funcs whose folds are taken as they are
        self._begin()

    def begin_again(self, *, trusting: str) -> None:
        """Forget all answers; the folds of one Func more are taken as they are."""
        self.trusted.add(trusting)
        self._begin()

    def _begin(self) -> None:
        self.scopes: dict[Level, Scope] = {}
        self.definitions: dict[str, tuple[Level, Expr]] = {}  # symbol -> where bound, value
        self.slides: dict[str, Slide] = {}
        self.folds: dict[str, dict[int, Expr]] = {}  # rows kept, by dimension
        self.checks: dict[Level, list[Stmt]] = {}
        self.answers = Answers()  # of extern stages
        self._required: dict[str, Box] = {}
        self._needed: dict[str, Box] = {}
        self._stored: dict[str, Box] = {}
        self._expanders: dict[tuple[Level, frozenset[str]], Expand] = {}
        self._stage_boxes: dict[tuple[str, int], Box] = {}
        self._stage_needs: dict[tuple[str, int], Box] = {}  # by the stage that needs it of those before it
        self._loops: dict[tuple[str, int], StageLoops] = {}
        self._paths: dict[Level, frozenset[Level]] = {}
        self._reads = {
            (f.name, s): reads_of_stage(d) for f in self.functions.values() for s, d in enumerate(f.definitions)
        }
        self.readers: dict[str, list[tuple[str, int]]] = {}
        for stage, reads in self._reads.items():
            for name in reads.by_name:
                self.readers.setdefault(name, []).append(stage)
        self.fused = FusedLoops(self)
        self.conditions = StandingConditions(self)
        self.values = ValueBounds(self.functions, lambda name, value: self.bind(ROOT_LEVEL, name, value))

    # -- questions ---------------------------------------------------------------------------------------------

    def scope(self, level: Level) -> Scope:
        return self.scopes.setdefault(level, Scope())

    def loops(self, func: str, stage: int) -> StageLoops:
        """The loops of a stage over the box that it computes."""
        key = (func, stage)
        if key not in self._loops:
            loops = self._loops[key] = self._nest_over(func, stage, self.stage_box(func, stage))
            for h in (h for symbols in loops.hoisted.values() for h in symbols):
                self.definitions[h.symbol] = (self.placement.level(func, stage, h.loop), h.value)
            self.definitions.update(self.fused.own_variables(func, stage))
            self.definitions.update(self._single_values(func, stage))
        return self._loops[key]

    def whole_loops(self, func: str, stage: int) -> StageLoops:
        """The same if the Func did not slide."""
        loops = self.loops(func, stage)
        return loops if func not in self.slides else self._nest_over(func, stage, self._stage_need(func, stage))

    def _single_values(self, func: str, stage: int) -> dict[str, tuple[Level, Expr]]:
        """Where the variables of loops that run once are defined, and as what."""
        loops = (
            (self.placement.level(func, stage, name), loop) for name, loop in self.loops(func, stage).loops.items()
        )
        return {loop.name: (level, loop.range.min) for level, loop in loops if self.runs_once(level)}

    def runs_once(self, level: Level) -> bool:
        """Whether the loop of a level has one iteration, of one stage."""
        if level.func is None or self.fused.is_shared(level):
            return False
        return is_const(self.loops(level.func, level.stage).loops[level.loop].range.extent, 1)

    def nest(self, func: str, stage: int) -> StageNest:
        return self.placement.schedules[func].nests[stage]

    def stage_box(self, func: str, stage: int) -> Box:
        """What a stage of the Func computes where it is computed, before its splits round it up."""
        key = (func, stage)
        if key not in self._stage_boxes:
            if self._later(func, stage) is None:
                box = self._computed(func)
            else:
                box = self._with_later_stage(func, stage)
            self._stage_boxes[key] = box
        return self._stage_boxes[key]

    def needed(self, func: str) -> Box:
        """The box of the Func that is needed at its compute level, before sliding."""
        if func not in self._needed:
            box = self.required(func)
            level = self.placement.compute[func]
            self._needed[func] = computed_by_extern(self, func, level) if is_extern(self, func) else box
        return self._needed[func]

    def required(self, func: str) -> Box:
        """The same before the function of an extern stage says that it computes more."""
        if func not in self._required:
            level = self.placement.compute[func]
            is_output = func in self.placement.program.outputs
            box = self._output_box(func) if is_output else self._read_box(func)
            self._required[func] = self._bound(func, level, box)
        return self._required[func]

    def image_box(self, image: str, rank: int) -> list[Interval]:
        """The region of an input image that the whole pipeline reads; ends may be None."""
        users = self.readers.get(image, [])
        return self._read(image, users, ROOT_LEVEL, rank, slid=False)

    def read_when(self, name: str) -> Expr:
        """The condition under which anything reads the Func or input: false where no version that runs does."""
        return needed_when([self._conditions_to(user, ROOT_LEVEL) for user in self.readers.get(name, [])])

    def read_inside(self, name: str, level: Level, rank: int) -> list[Interval]:
        """The region of a Func or image that is read while the loops inside a level run; ends may be None."""
        readers = self.readers.get(name, [])
        users = [user for user in readers if level in self.levels_around(self.placement.innermost(*user))]
        return self._read(name, users, level, rank if users else 0, slid=False)

    def touched(self, func: str) -> Box:
        """All of an output that its own stages compute and that other Funcs read."""
        box = self.storage_box(func)
        others = [user for user in self.readers.get(func, []) if user[0] != func]
        if not others:
            return box
        read = self._read(func, others, ROOT_LEVEL, len(box), slid=False)
        return tuple(map(union, box, read))

    def storage_box(self, func: str) -> Box:
        """What memory for the Func must hold at its store level: all that its stages touch, tails included."""
        if func not in self._stored:
            level = self.placement.store[func]
            self._stored[func] = self._symbols(func, level, self.touched_seen_from(func, level), "stored")
        return self._stored[func]

    def touched_seen_from(self, func: str, level: Level) -> Box:
        """All that the Func's stages touch, tails included, while the loops inside a level run."""
        return tuple(self.seen_from(i, self.placement.compute[func], level) for i in self.reach(func))

    def reach(self, func: str) -> Sequence[Interval]:
        """All that the Func's stages would touch, tails included, if nothing slid."""
        whole: Sequence[Interval] = self._stage_need(func, 0)
        stages = range(len(self.functions[func].definitions))
        for versions in dict.fromkeys(map(self.functions[func].versions, stages)):
            whole = joined([(self._conditions(func, s), self._with_reach(func, s, whole)) for s in versions]) or whole
        return whole

    def _with_reach(self, func: str, stage: int, box: Sequence[Interval]) -> Sequence[Interval]:
        if self.fails(func, stage):
            return box
        reach = self._nest_over(func, stage, self._stage_need(func, stage)).box(())
        args = self.functions[func].args
        return [union(i, reach[name]) if name in reach else i for i, name in zip(box, args, strict=True)]

    def fails(self, func: str, stage: int) -> bool:
        """Whether the stage is a version that stops the pipeline."""
        branch = self.functions[func].definitions[stage].branch
        return branch is not None and branch.failure is not None

    def expand(self, e: Expr, inside: Level, keep: Collection[str] = ()) -> Expr:
        """The expression in terms of loop variables and of symbols bound outside the loop of `inside`, or kept."""
        key = (inside, frozenset(keep))
        if key not in self._expanders:
            self._expanders[key] = Expand(self, *key)
        return self._expanders[key](e)

    def grain(self, func: str, stage: int, own: str) -> int | None:
        """A number of rows of which the stage's loops over an own variable compute any multiple exactly."""
        any_size = {name: Range(as_expr(0), Var("n")) for name in self._own_names(func, stage)}
        return StageLoops(func, self.nest(func, stage), any_size).grain(own)

    def own_reads(self, func: str, stage: int) -> tuple[tuple[Expr, ...], ...]:
        """Where a stage reads the Func that it belongs to."""
        return self._reads[(func, stage)].by_name.get(func, ())

    # -- how ---------------------------------------------------------------------------------------------------

    def _output_box(self, func: str) -> Box:
        rank = self.functions[func].rank
        name = output_buffer(self.functions[func], 0)
        box = []
        for d in range(rank):
            lo, extent = buffer_property(name, "min", d), buffer_property(name, "extent", d)
            box.append(Interval(lo, sub(add(lo, extent), 1)))
        return tuple(box)

    def _read_box(self, func: str) -> Box:
        level = self.placement.compute[func]
        slid = self.placement.store[func] == level  # what slides itself is found from whole windows
        rank = self.functions[func].rank
        users = [user for user in self.readers.get(func, []) if user[0] != func]
        box = self._read(func, users, level, rank, slid=slid)
        for d, interval in enumerate(box):
            if interval.lo is None or interval.hi is None:
                raise self._unbounded(func, d)
        return tuple(box)

    def _read(
        self, name: str, users: Sequence[tuple[str, int]], level: Level, rank: int, *, slid: bool
    ) -> list[Interval]:
        """What the stages read inside a level, of versions of a stage only what the one that runs reads."""
        pieces = [(self._conditions_to(u, level), self._footprint(name, u, level, rank, slid=slid)) for u in users]
        if self.fused.is_shared(level):
            return self.fused.needed_box(users, pieces, level) or [_NOTHING] * rank
        return list(joined(pieces) or [_NOTHING] * rank)

    def _conditions(self, func: str, stage: int) -> Path:
        branch = self.functions[func].definitions[stage].branch
        return () if branch is None else branch.path

    def _conditions_to(self, user: tuple[str, int], level: Level) -> Path:
        """The conditions under which a stage runs where the level is reached."""
        func, stage = user
        path: Path = ()
        while self.placement.own_loop(func, stage, level) is None:
            path = (*self._conditions(func, stage), *path)
            at = self.placement.compute[func]
            if at.func is None:
                break
            func, stage = at.func, at.stage
        return path

    def _unbounded(self, func: str, dim: int) -> DefinitionError:
        function = self.functions[func]
        users = sorted({user for user, _ in self.readers.get(func, []) if user != func})
        read = f"it is read by {', '.join(f'`{u}`' for u in users)} at an index" if users else ""
        return DefinitionError(
            f"the region of `{func}` that is needed has no bounds in dimension {dim} (`{function.args[dim]}`)",
            location=function.location,
            reason=[f"{read or 'an update of it has an index'} that may have any value"],
            accepted="an index inside clamp(), or a bound() on the Func",
        )

    def levels_around(self, level: Level) -> frozenset[Level]:
        """The level and all that enclose it."""
        if level not in self._paths:
            self._paths[level] = frozenset(self.placement.path(level))
        return self._paths[level]

    def _footprint(self, name: str, user: tuple[str, int], level: Level, rank: int, *, slid: bool) -> list[Interval]:
        if is_extern(self, user[0]):
            return list(needed_by_extern(self, user[0], level).by_name[name])
        reads = self._reads[user]
        scope = self.instances(user, level, slid=slid)
        columns: list[dict[Expr, None]] = [{} for _ in range(rank)]
        for index in reads.by_name[name]:
            for column, e in zip(columns, index, strict=True):
                column.setdefault(e)
        box = []
        for column in columns:
            ends = [self._extent_of(e, scope, reads.predicate) for e in column]
            box.append(_union_of(ends))
        return box

    def _extent_of(self, index: Expr, scope: Mapping[str, Interval], predicate: Expr | None) -> Interval:
        named, wider = self.values.named(index, scope)
        return footprint((named,), wider, predicate)[0]

    def instances(self, user: tuple[str, int], level: Level, *, slid: bool) -> dict[str, Interval]:
        """The values that a stage's own variables take inside a level, which encloses the stage."""
        func, stage = user
        compute = self.placement.compute[func]
        own = self.placement.own_loop(func, stage, level)
        if own is not None:
            return self.loops(func, stage).box(self._standing(func, stage, own))
        if level == compute and slid:
            return self.loops(func, stage).box(())
        reach = self._nest_over(func, stage, self._stage_need(func, stage)).box(())
        return {name: self.seen_from(i, compute, level, slid=slid) for name, i in reach.items()}

    def seen_from(self, interval: Interval, level: Level, outer: Level, *, slid: bool = True) -> Interval:
        """The hull of an interval over the loops between its level and one further out; `slid`: as these loops run."""
        return seen_from(self, interval, level, outer, slid=slid)

    def _standing(self, func: str, stage: int, loop: str) -> list[str]:
        names = self.nest(func, stage).loop_names
        return list(names[names.index(loop) :])

    def _computed(self, func: str) -> Box:
        """What the last stage computes: what is needed, less what earlier iterations left in place."""
        level = self.placement.compute[func]
        box = self.needed(func)
        found = slide(self, func, box)
        self.folds[func] = storage_folds(self, func, found)
        if found is None:
            return box
        self.slides[func] = found
        return self._symbols(func, level, found.box, "new")

    def _later(self, func: str, stage: int) -> range | None:
        """The versions of the stage after this one; None after the last."""
        after = self.functions[func].versions(stage).stop
        return None if after >= len(self.functions[func].definitions) else self.functions[func].versions(after)

    def _with_later_stage(self, func: str, stage: int) -> Box:
        """The box of a stage: that of the next, with what the next reads of the Func itself, and writes."""
        versions = self._later(func, stage)
        assert versions is not None, "there is a later stage"
        later = self.stage_box(func, versions[0])
        grown = self._grown_by(func, versions, later, lambda v: self.loops(func, v).box(()))
        if grown is later:
            return later
        return self._symbols(func, self.placement.compute[func], grown, f"s{stage}")

    def _stage_need(self, func: str, stage: int) -> Box:
        """As `stage_box`, before sliding."""
        versions = self._later(func, stage)
        if versions is None:
            return self.needed(func)
        key = (func, versions[0])
        if key not in self._stage_needs:
            need = self._stage_need(func, versions[0])
            self._stage_needs[key] = self._grown_by(
                func, versions, need, lambda v: self._nest_over(func, v, need).box(())
            )
        return self._stage_needs[key]

    def _grown_by(
        self, func: str, versions: Sequence[int], box: Box, own: Callable[[int], Mapping[str, Interval]]
    ) -> Box:
        """The box with what the versions of a stage touch, of which the one that runs counts."""
        pieces = [
            (self._conditions(func, v), box if self.fails(func, v) else self._grown(func, v, box, own(v)))
            for v in versions
        ]
        grown = joined(pieces)
        assert grown is not None, "a stage has a version"
        return box if grown is box else tuple(grown)

    def _grown(self, func: str, stage: int, box: Box, own: Mapping[str, Interval]) -> Box:
        reads = self._reads[(func, stage)]
        touched = [*reads.by_name.get(func, ()), *reads.writes]
        ends: list[list[Interval]] = [[i] for i in box]
        names = self.functions[func].args
        for index in touched:
            for d, e in enumerate(index):
                if not (isinstance(e, Var) and e.name == names[d] and e.name in own):
                    ends[d].append(self._extent_of(e, own, reads.predicate))
        for d, name in enumerate(names):  # tiles that overrun touch what lies past the end
            if name in own:
                ends[d].append(own[name])
        grown = tuple(_union_of(e) for e in ends)
        for d, i in enumerate(grown):
            if i.lo is None or i.hi is None:
                raise self._unbounded(func, d)
        return box if all(_same(a, b) for a, b in zip(grown, box, strict=True)) else grown

    def _nest_over(self, func: str, stage: int, box: Sequence[Interval]) -> StageLoops:
        ranges = self._ranges(func, stage, box)
        values = known_values(self.functions[func].definitions[stage].branch)
        if values:
            ranges = {n: Range(substitute(r.min, values), self._known(r.extent, values)) for n, r in ranges.items()}
        return StageLoops(func, self.nest(func, stage), ranges, fits=func in self.placement.program.outputs)

    def _known(self, extent: Expr, values: Mapping[str, Expr]) -> Expr:
        """An extent where these values are known: a number, if that follows from what its symbols stand for."""
        number: Expr = simplify(substitute(self.expand(extent, ROOT_LEVEL), values))
        return number if is_const(number) else substitute(extent, values)

    def _own_names(self, func: str, stage: int) -> list[str]:
        function = self.functions[func]
        return [*pure_variables(function, stage), *(v.name for v in _rdom_vars(function, stage))]

    def _ranges(self, func: str, stage: int, box: Sequence[Interval]) -> dict[str, Range]:
        function = self.functions[func]
        ranges = {v.name: Range(v.min, v.extent) for v in _rdom_vars(function, stage)}
        pure = pure_variables(function, stage)
        for name, i in zip(function.args, box, strict=True):
            if name in pure:
                assert i.lo is not None and i.hi is not None, "boxes have ends"
                ranges[name] = Range(i.lo, add(sub(i.hi, i.lo), 1))
        return ranges

    def _bound(self, func: str, level: Level, box: Box) -> Box:
        """Apply `bound` and `align_bounds`, and bind the ends to symbols."""
        schedule = self.placement.schedules[func]
        args = self.functions[func].args
        ends = list(box)
        for align in schedule.alignments:
            d = args.index(align.arg)
            ends[d] = aligned(ends[d], align.modulus, align.remainder)
        for b in schedule.bounds:
            d = args.index(b.arg)
            lo = b.min if b.min is not None else ends[d].lo
            assert lo is not None, "boxes have ends"
            given = Interval(lo, sub(add(lo, b.extent), 1))
            check = self.fused.where_needed(func, level, bound_check(func, b.arg, given, ends[d]))
            self.checks.setdefault(level, []).append(check)
            ends[d] = given
        return self._symbols(func, level, tuple(ends), "")

    def _symbols(self, func: str, level: Level, box: Box, what: str) -> Box:
        """Bind the lower ends and the distances of the upper ends from them."""
        bound = []
        for name, i in zip(self.functions[func].args, box, strict=True):
            assert i.lo is not None and i.hi is not None, "boxes have ends"
            low = self.bind(level, f"{func}.{name}.lo", simplify(i.lo), what)
            span = simplify(sub(i.hi, i.lo))
            span = self.bind(level, f"{func}.{name}.span", span, what)
            bound.append(Interval(low, add(low, span)))
        return tuple(bound)

    def bind(self, level: Level, name: str, value: Expr, what: str = "") -> Expr:
        """A symbol for the value inside the level; the value itself where that is as short."""
        if _is_sum_of_symbols(value):
            return value  # so that differences from it are seen to be constant
        if not isinstance(value, Cast):
            value = NameCasts(lambda cast: self.bind(level, name, cast, "end"))(value)
        symbol = ".".join(part for part in (name, what) if part)
        number = 0
        unique = symbol
        while unique in self.definitions:
            if self.definitions[unique] == (level, value):
                return Var(unique)
            number += 1
            unique = f"{symbol}.{number}"
        self.definitions[unique] = (level, value)
        self.scope(level).bindings.append((unique, value))
        return Var(unique)


def output_buffer(function: Function, element: int) -> str:
    """The name of the buffer behind one element of a Func."""
    return function.name if len(function.dtypes) == 1 else f"{function.name}.{element}"


def _rdom_vars(function: Function, stage: int) -> tuple[ReductionVar, ...]:
    rdom = function.definitions[stage].rdom
    return rdom.vars if rdom else ()


def _union_of(intervals: Sequence[Interval]) -> Interval:
    if not intervals:
        return _NOTHING
    total = intervals[0]
    for i in intervals[1:]:
        total = union(total, i)
    return total


def _is_sum_of_symbols(e: Expr) -> bool:
    """A sum of few symbols with constant factors, and a number."""
    terms = linear(e).terms
    return len(terms) <= _MOST_TERMS and all(isinstance(t, Var) for t in terms)


def _same(a: Interval, b: Interval) -> bool:
    if a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        return False
    return difference(a.lo, b.lo) == 0 and difference(a.hi, b.hi) == 0
