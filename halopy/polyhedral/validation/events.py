"""What a loop nest does to the memory of Funcs: who reads and writes which cell, where it lies, and when.

    for y:                                      write g    cell (x, y)      place (x, y % 4)        at 1 y 2 x 3
      for x: g(x, y % 4) = ...          ->      read  g    cell (x, y - 1)  place (x, (y - 1) % 4)  at 1 y 4 x 5
      for x: f(x, y) = g(x, (y-1) % 4)          write f    cell (x, y)      place (x, y)            at 1 y 4 x 5

A cell is an element of the algorithm; its place is where a folded storage keeps it. A moment is a vector of positions
in the text and the loops in between, and compares lexicographically.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ...ir.build import add, ge, logical_not, logical_or, mod, mul
from ...ir.expr import FALSE, Call, Const, Div, Expr, Let, Mod, Mul, Read, Select, Var, is_const
from ...ir.node import Node
from ...ir.program import Program, buffer_property, output_buffers
from ...ir.rewrite import Rewriter, substitute
from ...ir.stmt import (
    Assert,
    Atomic,
    Block,
    For,
    Fork,
    If,
    LetStmt,
    LoopKind,
    Prefetch,
    Produce,
    Provide,
    Realize,
    Stmt,
)
from ...ir.undefined import split_undefined

Box: TypeAlias = tuple[tuple[Expr, Expr], ...]  # (min, extent) by dimension


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop around an event; `position` is where it stands in the text."""

    name: str
    min: Expr
    extent: Expr
    kind: LoopKind
    position: int


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for, how many loops are around it, and how many names were bound before."""

    value: Expr
    depth: int
    number: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Loops around a place in the text, outermost first; what names stand for there; the conditions under which it is
    reached; and `checked` ones, without which the kernel would have stopped. `tasks`: in which of a fork's it is.
    """

    loops: tuple[Loop, ...] = ()
    lets: Mapping[str, Named] = field(default_factory=dict)
    conditions: tuple[Expr, ...] = ()
    checked: tuple[Expr, ...] = ()
    renamed: Mapping[str, Expr] = field(default_factory=dict)
    digits: Mapping[Expr, Expr] = field(default_factory=dict)
    tasks: tuple[tuple[int, str], ...] = ()
    takes_turns: bool = False

    def __call__(self, e: Expr) -> Expr:
        """The expression in names that are bound only once, and with fused loops apart."""
        result: Expr = substitute(e, self.renamed) if self.renamed else e
        return _Apart(self.digits)(result) if self.digits else result

    def all(self, expressions: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(map(self, expressions))

    def where(self, *conditions: Expr) -> Surroundings:
        return replace(self, conditions=(*self.conditions, *map(self, conditions)))


@dataclass(frozen=True, slots=True)
class Storage:
    """Memory of a Func: another one in each iteration of the `loops` around it. `box` is what it holds."""

    func: str
    box: Box
    around: Surroundings


@dataclass(frozen=True, slots=True)
class Event:
    """An access to one cell, by instance `at` (values of its own variables) of a stage of the Func `by`.

    `folded`: the dimensions in which the place is the remainder by the memory's extent, elsewhere the cell; None:
    in some it is neither.
    """

    cell: tuple[Expr, ...]
    place: tuple[Expr, ...]
    storage: Storage
    around: Surroundings
    position: int
    by: str
    stage: int
    at: tuple[Expr, ...]
    folded: tuple[bool, ...] | None = None

    @property
    def func(self) -> str:
        """Whose cell it is."""
        return self.storage.func


@dataclass(slots=True)
class Events:
    """All accesses of a nest, in the order of its text, and the names that are bound in it.

    `reads` are those of Funcs whose values count, `inputs` those of images; `touches` are reads that must lie inside,
    whatever finds what; `results` what the caller will read of each output, as one access to any element.
    """

    writes: dict[str, list[Event]] = field(default_factory=dict)
    reads: list[Event] = field(default_factory=list)
    inputs: list[Event] = field(default_factory=list)
    touches: list[Event] = field(default_factory=list)
    results: list[Event] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)


def events_of(unfolded: Stmt, folded: Stmt, program: Program) -> Events:
    """The accesses of a nest, which is given before and after its storage was folded."""
    collector = _Collector(program)
    collector.visit(unfolded, folded, collector.end)
    collector.results(program)
    return collector.events


def _not_empty(program: Program) -> Iterator[Expr]:
    """Where some output is empty, nothing of the nest runs."""
    for name in program.outputs:
        function = program.functions[name]
        buffer = output_buffers(name, len(function.dtypes))[0]
        for d in range(function.rank):
            yield ge(buffer_property(buffer, "extent", d), 1)


class _Collector:
    def __init__(self, program: Program) -> None:
        self.functions = program.functions
        self.end = Surroundings(conditions=tuple(_not_empty(program)))  # what is known when all is done
        self.events = Events()
        self.position = 0
        self.bindings: dict[str, int] = {}
        self.storages: dict[str, Storage] = {}
        self.extents: dict[str, tuple[Expr, ...]] = {}  # as written
        for image in program.images.values():
            self._buffer(image.name, image.name, image.rank)
        for name in program.outputs:
            function = program.functions[name]
            self._buffer(name, output_buffers(name, len(function.dtypes))[0], function.rank)

    def _buffer(self, name: str, buffer: str, rank: int) -> None:
        box = tuple((buffer_property(buffer, "min", d), buffer_property(buffer, "extent", d)) for d in range(rank))
        self.storages[name] = Storage(name, box, Surroundings())
        self.extents[name] = tuple(extent for _, extent in box)

    def results(self, program: Program) -> None:
        for name in program.outputs:
            rank = program.functions[name].rank
            cell = tuple(Var(f"cell.{d}") for d in range(rank))
            unfolded = (False,) * rank
            event = Event(cell, cell, self.storages[name], self.end, self.position + 1, "", 0, (), unfolded)
            self.events.results.append(event)

    def visit(self, before: Stmt, after: Stmt, around: Surroundings) -> None:
        """The same statement twice: with cells, and with places."""
        self.position += 1
        if isinstance(before, Block) and isinstance(after, Block):
            for one, other in zip(before.stmts, after.stmts, strict=True):
                self.visit(one, other, around)
                around = replace(around, checked=(*around.checked, *map(around, _checks(one))))
            if not around.loops and around.conditions == self.end.conditions:
                self.end = max(around, self.end, key=lambda end: len(end.checked))
            return
        self._reads(before, after, around)
        if isinstance(before, Provide) and isinstance(after, Provide):
            if all(split_undefined(value)[1] is FALSE for value in before.values):
                return  # nothing is written
            event = self._event(before.name, before, (before.index, after.index), around)
            self.events.writes.setdefault(before.name, []).append(event)
        elif isinstance(before, If) and isinstance(after, If):
            self.visit(before.then, after.then, around.where(before.condition))
            if before.otherwise is not None and after.otherwise is not None:
                self.visit(before.otherwise, after.otherwise, around.where(logical_not(before.condition)))
        elif isinstance(before, Fork) and isinstance(after, Fork):
            tasks = (*around.tasks, (self.position, "producer")), (*around.tasks, (self.position, "consumer"))
            self.visit(before.producer, after.producer, replace(around, tasks=tasks[0]))
            self.visit(before.consumer, after.consumer, replace(around, tasks=tasks[1]))
        else:
            inner = self._inside(before, after, around)
            for one, other in zip(_statements(before), _statements(after), strict=True):
                self.visit(one, other, inner)

    def _inside(self, before: Stmt, after: Stmt, around: Surroundings) -> Surroundings:
        """What is around the body of a statement."""
        if isinstance(before, For):
            inner, name = self._bound(before.name, before.min, around)
            loop = Loop(name, around(before.min), around(before.extent), before.kind, self.position)
            return _entered(inner, loop)
        if isinstance(before, LetStmt):
            inner, name = self._bound(before.name, before.value, around)
            return replace(
                inner, lets={**around.lets, name: Named(around(before.value), len(around.loops), len(around.lets))}
            )
        if isinstance(before, Realize) and isinstance(after, Realize):
            box = tuple((around(low), around(extent)) for low, extent in after.bounds)
            self.storages[before.name] = Storage(before.name, box, around)
            self.extents[before.name] = tuple(extent for _, extent in after.bounds)
        return replace(around, takes_turns=True) if isinstance(before, Atomic) else around

    def _bound(self, name: str, value: Expr, around: Surroundings) -> tuple[Surroundings, str]:
        """A name that may come back in other parts of the text gets one of its own for each."""
        count = self.bindings[name] = self.bindings.get(name, 0) + 1
        own = name if count == 1 else f"{name}#{count}"
        self.events.bound.add(own)
        if count == 1:
            return around, name
        return replace(around, renamed={**around.renamed, name: Var(own, value.dtype)}), own

    def _event(
        self, name: str, by: Stmt, index: tuple[tuple[Expr, ...], tuple[Expr, ...]], around: Surroundings
    ) -> Event:
        cell, place = map(around.all, index)
        stage, at, own = (by.stage, by.at, by.name) if isinstance(by, Provide) else (0, (), "")
        folded = _folded(*index, self.extents[name])
        return Event(cell, place, self.storages[name], around, self.position, own, stage, around.all(at), folded)

    def _reads(self, before: Stmt, after: Stmt, around: Surroundings) -> None:
        """Reads in the statement's own expressions, each once."""
        for one, other, counts, runs in dict.fromkeys(_read_twice(before, after)):
            if isinstance(before, Prefetch) and one is before.place:
                continue  # an address, which may be any
            event = self._event(one.name, before, (one.index, other.index), around.where(*counts))
            if one.name in self.functions:
                self.events.reads.append(event)
            else:
                self.events.inputs.append(event)
            if one.name not in self.functions or counts != runs:
                self.events.touches.append(replace(event, around=around.where(*runs)))


def _entered(around: Surroundings, loop: Loop) -> Surroundings:
    """Inside a loop. One that was fused of two, of which the inner has no constant extent, counts as two.

    for t in [0, n*m): ... t % n ... t / n ...      ->      for t.1 in [0, m): for t.0 in [0, n): ... t.0 ... t.1 ...
    """
    if not isinstance(loop.extent, Mul) or isinstance(loop.extent.b, Const) or not is_const(loop.min, 0):
        return replace(around, loops=(*around.loops, loop))
    inner, outer = loop.extent.a, loop.extent.b
    variables = Var(f"{loop.name}.1"), Var(f"{loop.name}.0")
    fused = Var(loop.name)
    digits = {**around.digits, Div(fused, inner): variables[0], Mod(fused, inner): variables[1]}
    both = [replace(loop, name=v.name, extent=e) for v, e in zip(variables, (outer, inner), strict=True)]
    whole = Named(add(mul(variables[0], inner), variables[1]), len(around.loops) + 2, len(around.lets))
    return replace(around, loops=(*around.loops, *both), digits=digits, lets={**around.lets, loop.name: whole})


class _Apart(Rewriter):
    """Writes the digits of a fused loop."""

    only = (Div, Mod)

    def __init__(self, digits: Mapping[Expr, Expr]) -> None:
        super().__init__()
        self.digits = digits

    def rewrite_Div(self, e: Div) -> Expr:
        return self.digits.get(e) or self.rebuild(e)

    def rewrite_Mod(self, e: Mod) -> Expr:
        return self.digits.get(e) or self.rebuild(e)


def _checks(stmt: Stmt) -> list[Expr]:
    """What holds after a statement, or the kernel has stopped."""
    if isinstance(stmt, Assert):
        return [stmt.condition]
    if isinstance(stmt, Block):
        return [c for one in stmt.stmts for c in _checks(one)]
    if isinstance(stmt, Produce):
        return _checks(stmt.body)
    if isinstance(stmt, If):
        otherwise = [] if stmt.otherwise is None else [logical_or(stmt.condition, c) for c in _checks(stmt.otherwise)]
        return [*(logical_or(logical_not(stmt.condition), c) for c in _checks(stmt.then)), *otherwise]
    return []


def _statements(stmt: Stmt) -> list[Stmt]:
    return [child for child in stmt.children() if isinstance(child, Stmt)]


_Choices: TypeAlias = tuple[Expr, ...]
_MOST = 20_000  # expressions of one statement, each under the choices that lead to it


class TooManyAccesses(Exception):
    """Choices inside choices make so many cases of one statement that asking about each would take minutes."""


def reads_in(stmt: Stmt) -> Iterator[tuple[Read, _Choices, _Choices]]:
    """Reads, the choices under which their values count, and those under which they run: a select runs both sides."""
    return ((read, counts, runs) for read, _, counts, runs in _read_twice(stmt, stmt))


def _read_twice(before: Stmt, after: Stmt) -> Iterator[tuple[Read, Read, _Choices, _Choices]]:
    """The same of a statement before and after folding, which may make one read of two."""
    stack: list[tuple[Node, Node, _Choices, _Choices]]
    stack = [(a, b, (), ()) for a, b in _pairs(before, after) if not isinstance(a, Stmt)]
    seen: set[tuple[Node, _Choices, _Choices]] = set()  # what is shared is reached in many ways
    while stack:
        if len(seen) > _MOST:
            raise TooManyAccesses
        node, other, counts, runs = stack.pop()
        while isinstance(other, Mod) and not isinstance(node, Mod):
            other = other.a  # where it is folded
        if not node.has(Read) or not other.has(Read) or (node, counts, runs) in seen:
            continue
        seen.add((node, counts, runs))
        if isinstance(node, Read) and isinstance(other, Read):
            yield node, other, counts, runs
        choice, its = _choice(node), _choice(other)
        if isinstance(node, Let) and isinstance(other, Let):
            bodies = (substitute(let.body, {let.name: let.value}) for let in (node, other))
            stack += [(*bodies, counts, runs), (node.value, other.value, counts, runs)]
        elif choice is None or its is None:
            stack += [(a, b, counts, runs) for a, b in _pairs(node, other)]
        else:
            condition, yes, no = choice
            sides = ((no, its[2], (logical_not(condition),)), (yes, its[1], (condition,)))
            lazy = not isinstance(node, Select)
            stack += [(a, b, (*counts, *where), (*runs, *where) if lazy else runs) for a, b, where in sides]
            stack.append((condition, its[0], counts, runs))


def _pairs(one: Node, other: Node) -> list[tuple[Node, Node]]:
    return list(zip(reversed(one.children()), reversed(other.children()), strict=True))


def _choice(node: Node) -> tuple[Expr, Expr, Expr] | None:
    if isinstance(node, Select):
        return node.condition, node.a, node.b
    if isinstance(node, Call) and node.name == "if_then_else":
        condition, yes, no = node.args
        return condition, yes, no
    return None


def _folded(cell: tuple[Expr, ...], place: tuple[Expr, ...], extents: tuple[Expr, ...]) -> tuple[bool, ...] | None:
    """The dimensions in which a place is the cell's remainder; None unless it is the cell in all others."""
    found: list[bool] = []
    for before, after, extent in zip(map(_BARE, cell), map(_BARE, place), extents, strict=True):
        if after is not before and after is not mod(before, extent):
            return None
        found.append(after is not before)
    return tuple(found)


class _Bare(Rewriter):
    """Reads without where they read, which are accesses of their own."""

    only = (Read,)

    def rewrite_Read(self, read: Read) -> Expr:
        return Read(read.name, (), read.element, read.dtype)


_BARE = _Bare()
