"""Who uses the memory of a Func, as isl's sets and functions: its stages, one after the other, and then its consumers.

    u(x, 0) = init(x)                      stage 1     { [x] }       writes (x, 0)
    u(r.x, r.t) = u(r.x, r.t - 1)          stage 2     { [t, x] }    writes (x, t), reads (x, t - 1)
    out(x) = u(x, T)                       consumers   { [x, t] }    read (x, t), for all of the box that is needed

All have the same symbols. Stages that write nothing, because their values are `undef`, are no actors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import islpy as isl

from ...ir.expr import Call, Expr
from ...ir.function import Function
from ...schedule.directives import Split, Tail
from ...schedule.nest import StageNest
from ...witness import Instance
from ..affine import Affine
from ..question import Symbols, canonical
from .loop_dates import Unknown, loop_dates
from .stage_model import Access, Model, Stage
from .violations import TimedLoop, as_run

Box: TypeAlias = Sequence[tuple[Expr, Expr]]  # the first and last index of each dimension
Index: TypeAlias = tuple[isl.PwAff | None, ...]  # None: may be any

AGAIN = (Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS_AND_BLEND, Tail.ROUND_UP_AND_BLEND)


@dataclass(frozen=True, slots=True)
class Role:
    """An actor before isl is asked: a stage with its loops, or the `needed` box of the consumers."""

    func: str
    number: int
    name: str
    variables: tuple[str, ...]
    symbols: Symbols
    accesses: tuple[Access, ...]
    loops: tuple[TimedLoop, ...] = ()
    model: Model | None = None
    needed: Box = ()
    runs_again: bool = False  # some instances run twice

    @property
    def vague(self) -> str | None:
        """What is no affine function of its variables."""
        of_model = self.model.vague if self.model else None
        return of_model or next((a.vague for a in self.accesses if a.vague), None)


def roles_of(function: Function, nests: Sequence[StageNest], needed: Box) -> list[Role]:
    """In the order in which they run. Raises NotAffine."""
    shared = Symbols(())
    roles = [_stage(function, nest, shared) for nest in nests if not writes_nothing(function, nest.stage)]
    own = tuple(f"{function.name}.{arg}" for arg in function.args)
    symbols = Symbols(own, shared)
    box = [(canonical(low, symbols), canonical(high, symbols)) for low, high in needed]
    read = Access(tuple(symbols.moving.values()), is_write=False, vague=None)
    return [*roles, Role(function.name, len(nests), f"what reads {function.name}", own, symbols, (read,), needed=box)]


def writes_nothing(function: Function, stage: int) -> bool:
    return all(isinstance(v, Call) and v.name == "undef" for v in function.definitions[stage].values)


def _stage(function: Function, nest: StageNest, shared: Symbols) -> Role:
    stage = Stage(function, nest.stage, None)
    model = Model(stage, shared)
    dates = [tuple(map(model.canonical, date)) for date in loop_dates(nest, model.ranges)]
    again = any(isinstance(s, Split) and s.tail in AGAIN for s in nest.steps)
    loops = tuple(as_run(nest, dates))
    name, number, own, symbols = function.name, nest.stage, model.variables, model.symbols
    return Role(name, number, stage.name, own, symbols, model.accesses, loops, model, runs_again=again)


class Actor:
    """A role in isl's terms."""

    def __init__(self, role: Role, context: isl.Context) -> None:
        self.role, self.context = role, context
        self.number, self.func = role.number, role.func
        self._affine = Affine(context, len(role.variables), len(role.symbols))
        self.instances = self._instances()

    def _instances(self) -> isl.Set:
        if self.role.model is not None:
            return self.role.model.instances(self._affine)
        points = self._affine.universe
        for name, (low, high) in zip(self.role.variables, self.role.needed, strict=True):
            v = self._affine.function(self.role.symbols.moving[name])
            points = points.intersect(self._affine.function(low).le_set(v))
            points = points.intersect(v.le_set(self._affine.function(high)))
        return points

    @cached_property
    def reads(self) -> list[Index]:
        return [self._index(a) for a in self.role.accesses if not a.is_write]

    @cached_property
    def writes(self) -> list[Index]:
        return [self._index(a) for a in self.role.accesses if a.is_write]

    def _index(self, access: Access) -> Index:
        return tuple(None if e is None else self._affine.function(e) for e in access.index)

    def with_each_of(self, other: Actor) -> isl.Map:
        """All pairs of an instance of this actor and one of the other."""
        return isl.Map.from_domain_and_range(self.instances, other.instances)

    def not_before(self, other: Actor, pairs: isl.Map) -> list[isl.Map]:
        """The pairs, in parts, of which the instance of this actor may run after the other's, or at the same time.

        One instance is before itself.
        """
        if self.number != other.number:
            return [] if self.number < other.number else [pairs]
        found, agreeing = [], pairs
        for loop in self.role.loops:
            assert not isinstance(loop.date, Unknown), "dates of actors are known"
            for part in loop.date:
                date = self._affine.function(part)
                later = date.gt_map(date)
                at_once = loop.is_at_once or self.role.runs_again
                found.append(agreeing.intersect(later.union(date.lt_map(date)) if at_once else later))
                agreeing = agreeing.intersect(date.eq_map(date))
        return [part for part in found if not part.is_empty()]

    def value(self, index: Index, at: Sequence[int], symbols: Sequence[int]) -> tuple[int, ...]:
        """The cell of an index at an instance."""
        point = self._affine.universe
        for n, number in enumerate(at):
            point = point.fix_val(isl.dim_type.set, n, self._affine.value(number))
        for n, number in enumerate(symbols):
            point = point.fix_val(isl.dim_type.param, n, self._affine.value(number))
        found = [isl.Map.from_pw_aff(e).intersect_domain(point).range().sample_point() for e in index if e is not None]
        return tuple(coordinate(one, 0) for one in found)

    def told(self, at: Sequence[int]) -> Instance:
        """An instance as the user names things, the innermost variable first."""
        names = [name.replace("$", ".") for name in self.role.variables]
        pairs = zip(names, at, strict=True)
        return Instance(self.role.name, dict(pairs if self.role.model is None else reversed(list(pairs))))


def coordinate(point: isl.Point, at: int) -> int:
    return int(point.get_coordinate_val(isl.dim_type.set, at).to_python())
