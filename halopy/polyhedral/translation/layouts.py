"""Whether flat memory holds what memory with several dimensions did: each element at a place of its own, inside.

    realize g over [x0, nx) × [y0, ny)           allocate g[nx*ny]
      g(x, y) = …                          ->      g[(x - x0) + (y - y0)*nx] = …

Elements inside the box then lie at places in [0, nx*ny) that are theirs alone. That accesses are inside the box is
asked elsewhere, of the statement before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ...ir import build
from ...ir.expr import FALSE, Const, Expr, Load, Read, Var, const_value
from ...ir.node import find
from ...ir.program import Program, buffer_property, output_buffers
from ...ir.rewrite import Rewriter
from ...ir.stmt import Provide, Realize, Reserve, Stmt, Store
from ...ir.undefined import split_undefined
from ...schedule.nest import FuncSchedule
from ...schedule.storage import storage_alignments
from .paths import Guard, Leaf, Loop, Memory, Name, Path, Paths
from .polynomials import ZERO, Polynomial, Scope, minus, number, plus, times, written
from .samples import Sample, samples
from .texts import is_symbolic


@dataclass(frozen=True, slots=True)
class Box:
    """What memory holds: start, extent in memory, and how many elements lie between neighbours, by dimension."""

    mins: tuple[Polynomial, ...]
    strides: tuple[Polynomial, ...]
    start: Polynomial
    size: Polynomial | None

    def place(self, cell: tuple[Expr, ...], scope: Scope) -> Polynomial:
        total = self.start
        for e, low, stride in zip(cell, self.mins, self.strides, strict=True):
            total = plus(total, times(minus(scope.integer(e), low), stride))
        return total


@dataclass(frozen=True, slots=True)
class Doubt:
    """What of a Func may be elsewhere in flat memory than it should; with `is_sure` it is."""

    func: str
    why: str
    is_sure: bool


def doubts(
    boxed: Stmt, flat: Stmt, program: Program, schedules: Mapping[str, FuncSchedule], strided: Collection[str]
) -> list[Doubt]:
    """What is wrong with the flat text, or may be."""
    boxes = _Boxes(program, schedules, strided)
    stores = (leaf for leaf in Paths().of(flat) if isinstance(leaf.node, Store))
    found: list[Doubt] = []
    for leaf in boxes.of(boxed):
        provide = leaf.node
        for element in _stored(provide) if isinstance(provide, Provide) else ():
            assert isinstance(provide, Provide), "asked just now"
            store = next(stores, None)
            if store is None:
                return [*found, Doubt(provide.name, f"{provide} is not stored", True)]
            found += boxes.doubts(leaf.path, provide, element, store)
    more = next(stores, None)
    return found if more is None else [*found, Doubt(program.outputs[0], f"nothing provides {more.node}", True)]


def _stored(provide: Provide) -> list[int]:
    return [n for n, value in enumerate(provide.values) if split_undefined(value)[1] is not FALSE]


class _Boxes(Paths):
    """Goes through what provides elements; `current` says meanwhile what memory each buffer is."""

    def __init__(self, program: Program, schedules: Mapping[str, FuncSchedule], strided: Collection[str]) -> None:
        super().__init__()
        self.program, self.schedules, self.strided = program, schedules, strided
        self.parts: dict[str, Polynomial] = {}  # where the part in use begins, of reserved memory
        self.current: dict[str, Box] = {}
        for image in program.images.values():
            self.current[image.name] = self._of_caller(image.name, image.rank)
        for name in program.outputs:
            function = program.functions[name]
            for buffer in output_buffers(name, len(function.dtypes)):
                self.current[buffer] = self._of_caller(buffer, function.rank)

    def of(self, stmt: Stmt, path: Path = ()) -> Iterator[Leaf]:
        if isinstance(stmt, Realize):
            self._enter(stmt)
            yield from self.of(stmt.body, path)
        elif isinstance(stmt, Reserve):
            slots = const_value(stmt.slots)
            part, slot = (Scope({}).integer(Var(f"{stmt.name}.{name}")) for name in ("part", "slot"))
            self.parts[stmt.name] = ZERO if slots == 1 else times(part, slot)
            yield from self.of(stmt.body, path)
        else:
            yield from super().of(stmt, path)

    def _of_caller(self, buffer: str, rank: int) -> Box:
        mins = tuple(Scope({}).integer(buffer_property(buffer, "min", d)) for d in range(rank))
        strides = [Scope({}).integer(buffer_property(buffer, "stride", d)) for d in range(rank)]
        if rank and buffer not in self.strided:
            strides[0] = number(1)
        return Box(mins, tuple(strides), ZERO, None)

    def _enter(self, realize: Realize) -> None:
        function, schedule = self.program.functions[realize.name], self.schedules[realize.name]
        aligned = storage_alignments(schedule)
        stride, strides = number(1), [number(1)] * function.rank
        for arg in schedule.storage_order(function.args):
            d = function.args.index(arg)
            strides[d] = stride
            extent = realize.bounds[d][1]
            extent = _rounded_up(extent, aligned[arg]) if arg in aligned else extent
            stride = times(stride, Scope({}).integer(extent))
        mins = tuple(Scope({}).integer(low) for low, _ in realize.bounds)
        box = Box(mins, tuple(strides), self.parts.get(realize.name, ZERO), stride)
        for buffer in output_buffers(realize.name, len(function.dtypes)):
            self.current[buffer] = box

    def doubts(self, path: Path, provide: Provide, element: int, store: Leaf) -> Iterator[Doubt]:
        """Why a store may not be that of an element."""
        node = store.node
        assert isinstance(node, Store), "these are compared"
        buffer = output_buffers(provide.name, len(provide.values))[element]
        if node.buffer != buffer:
            yield Doubt(provide.name, f"{buffer} is not stored, but {node.buffer}", True)
            return
        if len(provide.values) > 1 and (node.value.has(Load) or node.index.has(Load)):
            yield Doubt(provide.name, "values are read again when some are stored", False)
        reads, scope = _Flat(self), _scope(store.path)
        place = written(self.current[buffer].place(tuple(map(reads, provide.index)), scope))
        yield from _difference(provide.name, "is stored to", scope.expression(node.index), place, store.path)
        value, meant = scope.expression(node.value), scope.expression(reads(provide.values[element]))
        if value is not meant:
            yield from _different_reads(provide.name, value, meant, store.path)
        yield from self._size_doubts(provide.name, buffer, store)
        if not _is_same_path(path, store.path, reads, scope):
            yield Doubt(provide.name, "loops or conditions around it have changed", False)

    def _size_doubts(self, func: str, buffer: str, store: Leaf) -> Iterator[Doubt]:
        size = self.current[buffer].size
        memory = next((s for s in reversed(store.path) if isinstance(s, Memory) and s.buffer == buffer), None)
        if size is None or memory is None:
            if (size is None) != (memory is None):
                yield Doubt(func, f"{buffer} lies in other memory", True)
        elif func not in self.parts:
            has = _scope(store.path).expression(memory.size)
            yield from _difference(func, "has room for as many elements as", has, written(size), store.path)


class _Flat(Rewriter):
    """Reads as loads from where the element lies."""

    only = (Read,)

    def __init__(self, boxes: _Boxes) -> None:
        super().__init__()
        self.boxes = boxes

    def rewrite_Read(self, read: Read) -> Expr:
        function = self.boxes.program.functions.get(read.name)
        buffer = read.name if function is None else output_buffers(read.name, len(function.dtypes))[read.element]
        place = self.boxes.current[buffer].place(tuple(map(self, read.index)), Scope({}))
        return Load(buffer, written(place), read.dtype)


_MADE = re.compile(r"\.(stride|at)\.\d+$|\.(value|defined)$")  # names that flattening makes


def _scope(path: Path) -> Scope:
    """With the names that flattening made looked through, and those of what is read."""
    scope = Scope({})
    for step in path:
        if isinstance(step, Name) and (_MADE.search(step.name) or not is_symbolic(step.value)):
            scope = scope.under({step.name: scope.value(step.value)})
    return scope


def _is_same_path(boxed: Path, flat: Path, reads: Rewriter, scope: Scope) -> bool:
    """Whether loops and conditions around are the same; there may be one more, where not all values are defined."""
    mine = [step for step in boxed if isinstance(step, Loop | Guard)]
    its = [step for step in flat if isinstance(step, Loop | Guard)]
    for a, b in zip(mine, its, strict=False):
        pairs = [(a.condition, b.condition)] if isinstance(a, Guard) and isinstance(b, Guard) else []
        if isinstance(a, Loop) and isinstance(b, Loop) and a.name == b.name and a.kind is b.kind:
            pairs = [(a.min, b.min), (a.extent, b.extent)]
        if not pairs or any(scope.expression(reads(e)) is not scope.expression(o) for e, o in pairs):
            return False
    return len(mine) <= len(its)


def _difference(func: str, verb: str, found: Expr, meant: Expr, path: Path) -> Iterator[Doubt]:
    """Of two integers that should be equal at the end of a path."""
    if found is meant:
        return
    sample = next((s for s in _samples(path, (found, meant)) if s(found) != s(meant)), None)
    at = "" if sample is None else ", ".join(f"{name} = {n}" for name, n in sorted(sample.values.items()))
    where = f": it is {sample(found)}, not {sample(meant)}, where {at}" if sample else ""
    yield Doubt(func, f"{func} {verb} {found} instead of {meant}{where}", _is_sure(sample))


def _different_reads(func: str, found: Expr, meant: Expr, path: Path) -> Iterator[Doubt]:
    """Of two values whose text differs: whether they read different elements. Which is read first does not count."""
    mine, its = _indices(found), _indices(meant)
    if mine.keys() == its.keys() and all(len(mine[buffer]) == len(its[buffer]) for buffer in mine):
        for buffer in mine:
            doubt = _different_elements(func, buffer, mine[buffer], its[buffer], path)
            if doubt is not None:
                yield doubt
                return
    yield Doubt(func, f"{found} is stored for {meant}", False)


def _indices(value: Expr) -> dict[str, list[Expr]]:
    """Where each buffer is read."""
    found: dict[str, list[Expr]] = {}
    for load in find(value, Load):
        found.setdefault(load.buffer, []).append(load.index)
    return found


def _different_elements(func: str, buffer: str, mine: list[Expr], its: list[Expr], path: Path) -> Doubt | None:
    for sample in _samples(path, (*mine, *its)):
        read, meant = {sample(e): e for e in mine}, {sample(e): e for e in its}
        wrong, missed = sorted(read.keys() - meant.keys()), sorted(meant.keys() - read.keys())
        if wrong and missed:
            at = ", ".join(f"{name} = {n}" for name, n in sorted(sample.values.items()))
            why = f"{func} is made of what lies in {buffer} at {read[wrong[0]]} instead of {meant[missed[0]]}"
            return Doubt(func, f"{why}: it is {wrong[0]}, not {missed[0]}, where {at}", _is_sure(sample))
    return None


def _is_sure(sample: Sample | None) -> bool:
    return sample is not None and not sample.has_guessed


def _samples(path: Path, expressions: tuple[Expr, ...]) -> list[Sample]:
    scope = _scope(path)
    loops = [(s.name, scope.integer(s.min), scope.integer(s.extent)) for s in path if isinstance(s, Loop)]
    names = {s.name: s.value for s in path if isinstance(s, Name) and s.value.dtype.is_index_like}
    definitions = {name: scope.expression(value) for name, value in names.items() if not value.has(Load)}
    guards = [s for s in path if isinstance(s, Guard) and s.holds and not s.condition.has(Load)]
    return samples(loops, 1, [scope.condition(s.condition) for s in guards], definitions, expressions)


def _rounded_up(extent: Expr, alignment: Expr) -> Expr:
    unit = alignment if isinstance(alignment, Const) else build.maximum(alignment, 1)
    return build.mul(build.div(build.add(extent, build.sub(unit, 1)), unit), unit)
