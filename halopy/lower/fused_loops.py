"""The loops that stages share: over which range they run, and in which of their iterations each stage takes part.

    f.s0.y over [a, b], shared by g            for f.s0.y in [min(a, c + s), max(b, d + s)]:
    g.s0.y over [c, d], aligned by s    ->         let g.s0.y = f.s0.y - s
                                                   f takes part where a <= f.s0.y <= b, g where c <= g.s0.y <= d

Every stage keeps a variable of its own, so its regions are those of its own range. Where one does not take part its
variable has passed its range: a region that several stages need takes only the ends of those that do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..dtypes import BOOL
from ..ir.build import add, ge, le, logical_and, logical_or, maximum, minimum, select, sub
from ..ir.expr import FALSE, TRUE, Call, Expr, Var, const, is_const
from ..ir.interval import Interval, union
from ..ir.linear import difference
from ..ir.simplify import simplify
from ..ir.stmt import If, Stmt
from ..schedule.directives import Align
from ..schedule.fused_nests import OwnLoop, StageId
from .branch_regions import Piece, joined
from .place_functions import Level
from .stage_loops import Hoisted, Range, loop_name

if TYPE_CHECKING:
    from .regions import Regions


class FusedLoops:
    """Answers about shared loops of one placed program. All questions are cheap where no loops are shared."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self.fused = regions.placement.fused
        self._active: dict[tuple[str, Level], frozenset[StageId]] = {}
        self._conditions: dict[tuple[StageId, Level], Expr] = {}

    def is_shared(self, level: Level) -> bool:
        return bool(self.fused.fusions) and len(self.sharers(level)) > 1

    def sharers(self, level: Level) -> Sequence[OwnLoop]:
        """The stages that share a loop, its owner first."""
        return () if level.func is None else self.fused.sharers(OwnLoop(level.func, level.stage, level.loop))

    # -- ranges ------------------------------------------------------------------------------------------------

    def own_range(self, own: OwnLoop) -> Range:
        return self.regions.loops(own.func, own.stage).loops[own.loop].range

    def shift(self, own: OwnLoop) -> Expr:
        """What is added to a stage's own variable to get the owner's."""
        stage = StageId(own.func, own.stage)
        depth = self.fused.loops(stage).index(own.loop)
        fusion = self.fused.fusions.get(stage)
        if fusion is None or depth >= fusion.depth:
            return const(0)
        parent = OwnLoop(*fusion.parent, self.fused.loops(fusion.parent)[depth])
        shift = self.shift(parent)
        mine, other = self.own_range(own), self.own_range(parent)
        if fusion.aligns[depth] is Align.START:
            shift = add(shift, sub(other.min, mine.min))
        elif fusion.aligns[depth] is Align.END:
            shift = add(shift, sub(other.last, mine.last))
        return simplify(shift)

    def shifted(self, own: OwnLoop) -> Interval:
        """A stage's range in terms of the owner's variable."""
        mine, shift = self.own_range(own), self.shift(own)
        return Interval(simplify(add(mine.min, shift)), simplify(add(mine.last, shift)))

    def range(self, level: Level) -> Range:
        """What the shared loop runs over: the least range that holds all of its stages'."""
        whole = Interval(None, None)
        for at, own in enumerate(self.sharers(level)):
            whole = union(whole, self.shifted(own)) if at else self.shifted(own)
        assert whole.lo is not None and whole.hi is not None, "loops have ends"
        return Range(simplify(whole.lo), simplify(add(sub(whole.hi, whole.lo), 1)))

    def variables(self, level: Level) -> list[tuple[str, Expr]]:
        """The own variables of stages other than the owner, in terms of the owner's."""
        return [(loop_name(*own), self.regions.definitions[loop_name(*own)][1]) for own in self.sharers(level)[1:]]

    def own_variables(self, func: str, stage: int) -> dict[str, tuple[Level, Expr]]:
        """Where a stage's own variables of loops that other stages run are defined, and as what."""
        found = {}
        for loop in self.fused.loops(StageId(func, stage)) if self.fused.fusions else ():
            own = OwnLoop(func, stage, loop)
            owner = self.fused.owner(own)
            if owner != own:
                found[loop_name(*own)] = (Level(*owner), sub(Var(loop_name(*owner)), self.shift(own)))
        return found

    def hoisted(self, own: OwnLoop) -> Sequence[Hoisted]:
        return self.regions.loops(own.func, own.stage).hoisted.get(own.loop, [])

    # -- who takes part ----------------------------------------------------------------------------------------

    def takes_part(self, stage: StageId, level: Level) -> Expr:
        """When a stage computes something in an iteration of the shared loops down to a level: a symbol, or TRUE.

        A symbol, since the variables in the condition count as being in their ranges, where it would always hold.
        """
        if self._condition(stage, level) is TRUE:
            return TRUE
        return Var(_symbol(stage, level), BOOL)

    def conditions(self, level: Level) -> dict[str, Expr]:
        """What the symbols of a level stand for."""
        stages = [StageId(own.func, own.stage) for own in self.sharers(level)]
        return {_symbol(stage, level): self._condition(stage, level) for stage in stages}

    def _condition(self, stage: StageId, level: Level) -> Expr:
        key = (stage, level)
        if key not in self._conditions:
            self._conditions[key] = self._takes_part(stage, level)
        return self._conditions[key]

    def _takes_part(self, stage: StageId, level: Level) -> Expr:
        own = self.regions.placement.own_loop(*stage, level)
        assert own is not None, f"{stage} shares the loop of {level}"
        loops = self.fused.loops(stage)
        condition = self.needed(stage.func, self.regions.placement.compute[stage.func])
        for loop in loops[: loops.index(own) + 1]:
            condition = logical_and(condition, self._inside(OwnLoop(*stage, loop)))
        return simplify(condition)

    def _inside(self, own: OwnLoop) -> Expr:
        level = self.regions.placement.level(*own)
        if not self.is_shared(level):
            return TRUE
        whole, mine, variable = self.range(level), self.shifted(own), Var(loop_name(*own))
        range_ = self.own_range(own)
        condition: Expr = TRUE
        assert mine.lo is not None and mine.hi is not None, "loops have ends"
        if difference(mine.lo, whole.min) != 0:
            condition = logical_and(condition, ge(variable, range_.min))
        if difference(mine.hi, whole.last) != 0:
            condition = logical_and(condition, le(variable, range_.last))
        for h in self.hoisted(own):
            if h.last is not None:
                condition = logical_and(condition, le(Var(h.symbol), h.last))
        return condition

    def needed(self, func: str, level: Level) -> Expr:
        """When something of a Func is used inside a level."""
        if not self.is_shared(level):
            return TRUE
        return self.any_takes_part(self.users(func, level), level)

    def where_needed(self, func: str, level: Level, stmt: Stmt) -> Stmt:
        """A statement about a Func, where something of the Func is used inside a level."""
        return where(self.needed(func, level), stmt)

    def any_takes_part(self, stages: Sequence[StageId] | frozenset[StageId], level: Level) -> Expr:
        found: Expr | None = None
        for own in self.sharers(level):
            stage = StageId(own.func, own.stage)
            if stage in stages:
                condition = self.takes_part(stage, level)
                found = condition if found is None else logical_or(found, condition)
        return TRUE if found is None else simplify(found)

    def active(self, func: str, level: Level) -> frozenset[StageId]:
        """The stages sharing the loop of a level for whose sake a Func is computed inside it."""
        key = (func, level)
        if key not in self._active:
            users = [u for u in self.regions.readers.get(func, []) if u[0] != func]
            self._active[key] = frozenset[StageId]().union(*(self.active_for(StageId(*u), level) for u in users))
        return self._active[key]

    def active_for(self, stage: StageId, level: Level) -> frozenset[StageId]:
        """The stages sharing the loop of a level for whose sake a stage runs inside it."""
        if self.regions.placement.own_loop(*stage, level) is not None:
            return frozenset({stage})
        return self.users(stage.func, level)

    def users(self, func: str, level: Level) -> frozenset[StageId]:
        """As `active`, for a Func computed at the level or further in."""
        place = self.regions.placement.compute[func]
        if place == level:
            return self.active(func, level)
        assert place.func is not None, f"{func} is computed inside {level}"
        if not self.is_shared(place):
            return self.active_for(StageId(place.func, place.stage), level)
        return frozenset[StageId]().union(*(self.active_for(s, level) for s in self.active(func, place)))

    def variable(self, func: str, level: Level) -> str | None:
        """The loop variable that stands for a loop where a Func's regions are asked for; None where there are several.

        The Func is then needed in all iterations of the variable's range, and in no others.
        """
        assert level.func is not None, "the root is no loop"
        if not self.is_shared(level):
            return loop_name(level.func, level.stage, level.loop)
        stages = self.users(func, level)
        if len(stages) == 1:
            (stage,) = stages
            return loop_name(*stage, self.regions.placement.own_loop(*stage, level) or "")
        if all(self.takes_part(stage, level) is TRUE for stage in stages):
            return loop_name(level.func, level.stage, level.loop)
        return None

    def start(self, level: Level, variable: str) -> Expr:
        """Where a variable of a loop begins."""
        (own,) = [own for own in self.sharers(level) if loop_name(*own) == variable]
        return self.own_range(own).min

    # -- regions -----------------------------------------------------------------------------------------------

    def needed_box(self, users: Sequence[tuple[str, int]], pieces: Sequence[Piece], level: Level) -> list[Interval]:
        """What several stages need together, of each only where it takes part; empty where there are none."""
        by_condition: dict[Expr, list[Piece]] = {}
        for user, piece in zip(users, pieces, strict=True):
            stages = self.active_for(StageId(*user), level)
            by_condition.setdefault(self.any_takes_part(stages, level), []).append(piece)
        total: list[Interval] = []
        where_total: Expr = FALSE
        for condition, some in by_condition.items():
            box = joined(some) or ()
            both = zip(total or box, box, strict=True)
            total = [_joined(where_total, a, condition, b) for a, b in both]
            where_total = logical_or(where_total, condition)
        return total


def _symbol(stage: StageId, level: Level) -> str:
    return f"{stage.func}.s{stage.stage}.in.{level.func}.s{level.stage}.{level.loop}"


def _joined(where: Expr, a: Interval, other: Expr, b: Interval) -> Interval:
    """The union where both conditions hold, the one interval where only its condition does."""
    if None in (*a, *b):
        return union(a, b)
    assert a.lo is not None and a.hi is not None and b.lo is not None and b.hi is not None
    lo = minimum(select(where, a.lo, b.lo), select(other, b.lo, a.lo))
    hi = maximum(select(where, a.hi, b.hi), select(other, b.hi, a.hi))
    return Interval(simplify(lo), simplify(hi))


def where(condition: Expr, body: Stmt) -> Stmt:
    """The body, where that is not always."""
    return body if is_const(condition, 1) else If(Call("likely", (condition,), BOOL), body)
