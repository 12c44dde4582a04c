"""Which box of every Func is needed, in numbers: of the whole pipeline, or of a producer for a part of a consumer.

blur_y needs  x: 0..99, y: 0..49      ->      blur_x is needed in  x: 0..99, y: -1..50
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import ScheduleError
from ..ir.build import add, sub
from ..ir.effects import without_effects
from ..ir.expr import Expr, Let, Read, const, const_value
from ..ir.extern import extern_call
from ..ir.function import Definition
from ..ir.interval import EVERYTHING, Interval, bounds_of
from ..ir.node import walk
from ..ir.program import Program
from ..lower.value_bounds import ValueBounds
from ..polyhedral.footprint import footprint
from ..schedule.initial import pure_variables
from .estimates import Expected

Range: TypeAlias = "tuple[int, int]"  # both ends included
Box: TypeAlias = "tuple[Range, ...]"


@dataclass(frozen=True, slots=True)
class Access:
    """A Func, at an index in numbers and the variables of the stage that reads or writes it."""

    name: str
    index: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class StageModel:
    """What a stage touches. `rvars` with their least and greatest values, which may depend on the Func's arguments."""

    reads: tuple[Access, ...]
    writes: Access
    rvars: tuple[tuple[str, Expr, Expr], ...]
    predicate: Expr | None
    bound_inside: frozenset[str]  # names of Lets


class Boxes:
    """Numeric regions of a program. A Func that nothing bounds has none."""

    def __init__(self, program: Program, expected: Expected) -> None:
        self.program = program
        self.expected = expected
        self.stages = {
            (name, number): self._model(name, definition)
            for name, function in program.functions.items()
            for number, definition in enumerate(function.definitions)
        }
        self.values = ValueBounds(program.functions, self._in_numbers)
        self.root = self._all_needed()

    def needed_by(self, consumer: str, box: Box) -> dict[str, Box | None]:
        """Of each Func and input that a Func reads, the part needed while it is computed over a box."""
        found: dict[str, Box | None] = {}
        for stage in range(len(self.program.functions[consumer].definitions)):
            for name, part in self._read_by(consumer, stage, box).items():
                found[name] = joined(found[name], part) if name in found else part
        return found

    def iterations(self, func: str, stage: int, box: Box) -> dict[str, int]:
        """How often each loop of a stage runs over a box of its Func, by the variable that the loop is over."""
        scope = self._scope(func, stage, box)
        names = pure_variables(self.program.functions[func], stage)
        return {name: _extent(scope[name]) for name in (*names, *(v for v, _, _ in self.stages[func, stage].rvars))}

    def _all_needed(self) -> dict[str, Box | None]:
        found: dict[str, Box | None] = {}
        for name in reversed(list(self.program.functions)):
            if name in self.program.outputs:
                box: Box | None = self.expected.output_box(name)
                found[name] = joined(found[name], box) if name in found else box
            own = found.setdefault(name, None)
            if own is None:
                continue
            found[name] = own = self._with_updates(name, own)
            for producer, part in self.needed_by(name, own).items():
                if producer != name and producer in self.program.functions:
                    found[producer] = joined(found[producer], part) if producer in found else part
        return found

    def _with_updates(self, name: str, box: Box) -> Box:
        """The box with what the Func's own updates write and read of it."""
        for stage in range(1, len(self.program.functions[name].definitions)):
            model = self.stages[name, stage]
            scope = self._scope(name, stage, box)
            own = [model.writes, *(r for r in model.reads if r.name == name)]
            for access in own:
                part = self._part(access, scope, model.predicate)
                box = joined(box, part) or box
        return box

    def _read_by(self, consumer: str, stage: int, box: Box) -> dict[str, Box | None]:
        model = self.stages[consumer, stage]
        scope = self._scope(consumer, stage, box)
        found: dict[str, Box | None] = {}
        if extern_call(self.program.functions[consumer]) is not None:  # not asked: mostly about as much as it computes
            return {access.name: box if len(access.index) == len(box) else None for access in model.reads}
        for access in model.reads:
            part = self._part(access, scope, model.predicate)
            found[access.name] = joined(found[access.name], part) if access.name in found else part
        return found

    def _part(self, access: Access, scope: Mapping[str, Interval], predicate: Expr | None) -> Box | None:
        """The elements that an access may touch; where it looks at values of Funcs, within what these lie between."""
        index = []
        for e in access.index:
            named, scope = self.values.named(e, scope)
            index.append(named)
        return _numbers(footprint(tuple(index), scope, predicate))

    def _in_numbers(self, _name: str, value: Expr) -> Expr:
        try:
            return self.expected.numbers(value, frozenset())
        except ScheduleError:
            return value  # of a Param that nobody estimates

    def _scope(self, func: str, stage: int, box: Box) -> dict[str, Interval]:
        model = self.stages[func, stage]
        args = self.program.functions[func].args
        scope = {a: Interval(const(lo), const(hi)) for a, (lo, hi) in zip(args, box, strict=True)}
        for name, low, high in model.rvars:
            scope[name] = Interval(bounds_of(low, scope).lo, bounds_of(high, scope).hi)
        return scope | dict.fromkeys(model.bound_inside, EVERYTHING)

    def _model(self, name: str, definition: Definition) -> StageModel:
        roots = [without_effects(e) for e in _expressions(definition)]
        rdom = definition.rdom
        inside = frozenset(n.name for root in roots if root.has(Let) for n in walk(root) if isinstance(n, Let))
        variables = frozenset(self.program.functions[name].args) | inside
        if rdom is not None:
            variables |= {v.name for v in rdom.vars}
        reads = dict.fromkeys(n for root in roots if root.has(Read) for n in walk(root) if isinstance(n, Read))
        number = self.expected.numbers

        def access(func: str, index: Sequence[Expr]) -> Access:
            return Access(func, tuple(number(without_effects(e), variables) for e in index))

        return StageModel(
            reads=tuple(dict.fromkeys(access(read.name, read.index) for read in reads)),
            writes=access(name, definition.index),
            rvars=()
            if rdom is None
            else tuple(
                (v.name, number(v.min, variables), number(sub(add(v.min, v.extent), 1), variables)) for v in rdom.vars
            ),
            predicate=None
            if rdom is None or rdom.predicate is None
            else number(without_effects(rdom.predicate), variables),
            bound_inside=inside,
        )


def readers_of(boxes: Boxes) -> dict[str, list[str]]:
    """The other Funcs that read each Func."""
    found: dict[str, dict[str, None]] = {name: {} for name in boxes.program.functions}
    for (user, _), model in boxes.stages.items():
        for read in model.reads:
            if read.name in found and read.name != user:
                found[read.name][user] = None
    return {name: list(users) for name, users in found.items()}


def size(r: Range) -> int:
    return max(0, r[1] - r[0] + 1)


def points(box: Iterable[Range]) -> int:
    """Elements of a box."""
    total = 1
    for r in box:
        total *= size(r)
    return total


def joined(a: Box | None, b: Box | None) -> Box | None:
    """The least box around both; none where one is unbounded."""
    if a is None or b is None:
        return None
    return tuple((min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True))


def _expressions(definition: Definition) -> list[Expr]:
    rdom = definition.rdom
    domain = [] if rdom is None else [e for v in rdom.vars for e in (v.min, v.extent)]
    predicate = [] if rdom is None or rdom.predicate is None else [rdom.predicate]
    return [*definition.index, *definition.values, *domain, *predicate]


def _numbers(intervals: Sequence[Interval]) -> Box | None:
    box = []
    for i in intervals:
        lo, hi = (None if end is None else const_value(end) for end in i)
        if lo is None or hi is None:
            return None
        box.append((int(lo), int(hi)))
    return tuple(box)


def _extent(i: Interval) -> int:
    box = _numbers([i])
    return 1 if box is None else size(box[0])
