"""Whether an output may be written into the memory of an input.

    wrong       writes w of the output and reads r of the input with  cell(w) = cell(r)  and not  moment(r) < moment(w)

Iterations of concurrent loops come in no order. Of one statement, lanes come in order at least: a vector is loaded
before it is stored, and what has no vector form runs lane after lane.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import islpy as isl

from ...ir import build
from ...ir.expr import FALSE, Expr, Var
from ...ir.program import Program
from ...ir.shared_memory import SharedMemory
from ...ir.stmt import LoopKind, Stmt
from ...ir.undefined import split_undefined
from ...proof import NOT_PROVED, PROVED, REFUTED, Obligation
from ...schedule.initial import instance_variables
from ...witness import Cell, Instance, Witness
from .actors import CONCURRENT, Actor, before, shared_loops
from .asking import asked
from .budget import MOST_OPERATIONS, Budget
from .depth import DEPTHS, Depth
from .events import Event, events_of
from .names import READ, WRITE, names_in
from .question import Names, closed
from .reads import Target, target, together
from .space import Space, opaque_in

_SOURCE, _SINK, _CELL = "k:s", "k:t", "k:c"
_IS_GIVEN_UP = "isl would take too long"


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Points at which a write comes too early, or may; `doubts` whether they are such."""

    points: isl.Set
    variables: tuple[str, ...]
    is_at_once: bool
    doubts: tuple[str, ...]


def keeps_input(
    stmt: Stmt, program: Program, shared: SharedMemory, shown: Mapping[str, str], *, exactly: bool
) -> Obligation:
    """Whether a nest reads all that it needs of an image before it writes the output to the same memory.

    With `exactly`, sizes stand as numbers in the nest: reads are looked at one by one, and a witness is found.
    `shown` are the user's names.
    """
    start, budget = time.perf_counter(), Budget()
    events = events_of(stmt, stmt, program)
    reads = [r for r in events.inputs if r.func == shared.image]
    writes = [w for w in events.writes.get(shared.output, []) if not _is_undefined(w, program)]
    doubt = _unclear(reads, writes, program, shared)
    status, reason, witness = (NOT_PROVED, doubt, None) if doubt else (PROVED, "", None)
    if not doubt:
        for accesses, write in _pairs(reads, writes, exactly=exactly):
            wrong = _InPlace(accesses, write, shared).wrong(budget)
            if wrong is not None:
                status, reason, witness = _told(wrong, accesses.event, write, program, shown)
                break
    reason = reason or "each element is read for the last time before it is written"
    return Obligation("in place", (shared.output, shared.image), status, reason, witness, time.perf_counter() - start)


def _is_undefined(write: Event, program: Program) -> bool:
    """Whether nothing is stored."""
    values = program.functions[write.by].definitions[write.stage].values
    return all(split_undefined(value)[1] is FALSE for value in values)


def _unclear(reads: Sequence[Event], writes: Sequence[Event], program: Program, shared: SharedMemory) -> str:
    """Why no order of events says when memory is read; empty where it does."""
    if any(not read.by for read in reads):
        return f"{shared.image} is read by a condition or a name, which may be evaluated again"
    of_tuple = len(program.functions[shared.output].dtypes) > 1
    if of_tuple and any(loop.kind is LoopKind.VECTORIZED for write in writes for loop in write.around.loops):
        return f"lanes store the values of {shared.output} one after the other"
    return ""


def _pairs(reads: Sequence[Event], writes: Sequence[Event], *, exactly: bool) -> Iterator[tuple[Target, Event]]:
    groups = [[read] for read in reads] if exactly else together(reads)
    yield from ((target(group), write) for group in groups for write in writes)


class _InPlace:
    """One group of reads, and one write."""

    def __init__(self, reads: Target, write: Event, shared: SharedMemory) -> None:
        self.reads, self.shared = reads, shared
        self.reader, self.writer = Actor(reads.event, READ, reads.free), Actor(write, WRITE)
        self.cell = self.reader.all(reads.cell)
        self.meeting = [*self._meeting()]

    def _meeting(self) -> Iterator[Expr]:
        for d, e, k in self.shared.ties:
            if d is None:
                assert e is not None, "a tie is about some coordinate"
                yield build.eq(self.writer.cell[e], k)
            else:
                yield build.eq(self.cell[d], k if e is None else build.add(self.writer.cell[e], k))

    def wrong(self, budget: Budget) -> _Wrong | str | None:
        """What is wrong, or why that could not be found out; None for nothing."""
        left: _Wrong | str = _IS_GIVEN_UP
        for depth in DEPTHS:
            found = asked(partial(self._at, depth), budget)
            if found == []:
                return None
            if found:
                left = found[0]
        return left

    def _at(self, depth: Depth, context: isl.Context) -> list[_Wrong]:
        """One thing that is wrong, if anything is."""
        common, orders = self._conditions(depth), [*_too_early(self.writer, self.reader)]
        told_of = self._told_of()
        asked = [*common, *self.meeting, *told_of]
        variables = _in_order({n for c in (*asked, *(c for cs, _ in orders for c in cs)) for n in names_in(c)})
        opaque: dict[Expr, Var] = {}
        names = Names(variables, opaque, choices=depth.choices)
        known = [names.condition(c) for c in asked]
        timed = [([names.condition(c) for c in cs], at_once) for cs, at_once in orders]
        unsaid = [*self.reads.unknown, *(c for c, said in zip(asked, known, strict=True) if said is None)]
        space = Space(context, len(variables), len(opaque), names.choices())
        for order, at_once in timed:
            points = space.set([c for c in known if c is not None], [c for c in order if c is not None])
            if not points.is_empty():
                doubts = dict.fromkeys([*unsaid, *opaque_in(points, opaque)])
                return [_Wrong(points, variables, at_once, tuple(f"isl cannot be told what {e} is" for e in doubts))]
        return []

    def _conditions(self, depth: Depth) -> list[Expr]:
        """That both happen, and what names stand for."""
        actors = self.reader, self.writer
        happens = [c for actor in actors for c in actor.where()] + list(self.reader.all(self.reads.bounds))
        definitions: dict[str, Expr] = {}
        for actor in actors:
            definitions |= actor.names(actor.event.by, deep=depth.names)
        indices = (*self.cell, *self.writer.cell, *self.reader.at, *self.writer.at)
        found = closed(happens, definitions, also={name for e in indices for name in names_in(e)})
        near = {name for c in (*found, *self.meeting) for name in names_in(c)}
        checked = [c for actor in actors for c in actor.checked]
        told = [c for c in dict.fromkeys(checked) if names_in(c) <= near or depth.names]
        return closed(dict.fromkeys([*found, *told]), definitions)

    def _told_of(self) -> list[Expr]:
        """Variables for what a witness says."""
        said = (_SOURCE, self.reader.at), (_SINK, self.writer.at), (_CELL, self.cell)
        return [build.eq(Var(f"{mark}{n}"), e) for mark, several in said for n, e in enumerate(several)]


def _too_early(writer: Actor, reader: Actor) -> Iterator[tuple[list[Expr], bool]]:
    """Conditions, of which one list holds where the write may come before the read; and whether at the same time."""
    for order in before(writer, reader):
        yield order, False
    pairs = shared_loops(writer, reader)
    is_one_statement = writer.event.position == reader.event.position
    for d, (its, mine) in enumerate(pairs):
        same = [build.eq(a.variable, b.variable) for a, b in pairs[:d]]
        if mine.kind is LoopKind.VECTORIZED and is_one_statement:
            yield [*same, build.lt(its.variable, mine.variable)], True
            later = [*same, build.lt(mine.variable, its.variable)]
            yield from (([*later, build.ne(a.variable, b.variable)], True) for a, b in pairs[d + 1 :])
        elif mine.kind in CONCURRENT:
            yield [*same, build.ne(its.variable, mine.variable)], True


def _in_order(names: set[str]) -> tuple[str, ...]:
    """Those that a witness tells come first, the outermost variable before the others, so that a first point exists."""

    def place(name: str) -> tuple[int, int, str]:
        marks = [n for n, mark in enumerate((_SOURCE, _SINK, _CELL)) if name.startswith(mark)]
        return (marks[0], -int(name[len(_CELL) :]), name) if marks else (len(_CELL), 0, name)

    return tuple(sorted(names, key=place))


def _told(
    wrong: _Wrong | str, read: Event, write: Event, program: Program, shown: Mapping[str, str]
) -> tuple[str, str, Witness | None]:
    """Status, reason and witness."""
    if isinstance(wrong, str):
        return NOT_PROVED, f"{wrong}, about {_access(read, shown)}", None
    if wrong.doubts:
        return NOT_PROVED, f"{_access(read, shown)} may come after its element is written: {wrong.doubts[0]}", None
    values = _first(wrong)
    witness = Witness(
        _instance(read, program, values, _SOURCE, shown),
        _instance(write, program, values, _SINK, shown),
        Cell(shown.get(read.func, read.func), tuple(values[f"{_CELL}{n}"] for n in range(len(read.cell)))),
        source_writes=False,
        sink_writes=True,
    )
    return REFUTED, witness.told(_how(wrong, witness)), witness


def _how(wrong: _Wrong, witness: Witness) -> str:
    if witness.source == witness.sink:
        return "runs twice, by the tail of a split, and would find what it wrote"
    return "may run at the same time" if wrong.is_at_once else "would come after it"


def _access(read: Event, shown: Mapping[str, str]) -> str:
    at = ", ".join(map(str, read.cell))
    return f"{shown.get(read.by, read.by)}'s read of {shown.get(read.func, read.func)}({at})"


def _first(wrong: _Wrong) -> Mapping[str, int]:
    context = wrong.points.get_ctx()
    context.reset_operations()
    context.set_max_operations(MOST_OPERATIONS)
    try:
        points = wrong.points.lexmin()
    except isl.Error:
        points = wrong.points
    context.set_max_operations(0)
    point = points.sample_point()
    values = (point.get_coordinate_val(isl.dim_type.set, n) for n in range(len(wrong.variables)))
    return {name: int(value.to_python()) for name, value in zip(wrong.variables, values, strict=True)}


def _instance(
    event: Event, program: Program, values: Mapping[str, int], mark: str, shown: Mapping[str, str]
) -> Instance:
    names = instance_variables(program.functions[event.by], event.stage)
    at = {name.replace("$", "."): values[f"{mark}{n}"] for n, name in enumerate(names)}
    func = shown.get(event.by, event.by)
    return Instance(func if event.stage == 0 else f"{func}.update({event.stage - 1})", at)
