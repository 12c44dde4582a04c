"""Statements run at small sizes, to see of what each element is computed: where two texts differ, one of them is wrong.

    g[2] = …            version of g[2]: the statement's buffer, place, and number
    f[1] = g[2] + 1     version of f[1]: what it has read, and their versions

Values are not computed: an element's version says from which elements it came. What depends on data ends the run.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...ir import expr as ir
from ...ir.expr import Effect, Expr, Load, Var, const
from ...ir.node import Node, find
from ...ir.stmt import Allocate, Assert, Atomic, Block, Evaluate, For, If, LetStmt, Prefetch, Produce, Stmt, Store
from ..validation.names import names_in
from .chosen_loads import chosen_loads
from .one_lane import Apart, OneLane, Progression, Unknown
from .polynomials import Scope

_Function: TypeAlias = Callable[[dict[str, int]], int]
_MOST_STORES = 12_000


class Ended(Exception):
    """A run cannot go on, or need not."""


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote an element: its version, what was read for it, and in which iteration."""

    version: int
    reads: frozenset[tuple[str, int]]
    at: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """A load that counts where choices are so."""

    buffer: str
    index: _Function
    choices: tuple[_Function, ...]


@dataclass(frozen=True, slots=True)
class _Lane:
    """One lane of a store, or of what a name stands for; `names` are those it uses."""

    index: _Function
    masks: tuple[_Function, ...]
    reads: tuple[_Read, ...]
    names: tuple[str, ...]
    value: _Function | None


_Reads = frozenset[tuple[str, int, int]]  # buffer, place and version


class Run:
    """One run of a text; `memory` is what is in the caller's buffers in the end. Raises Ended where it cannot be."""

    def __init__(self, stmt: Stmt, sizes: Mapping[str, int], end: float) -> None:
        self.values, self.end = dict(sizes), end
        self.memory: dict[str, dict[int, Written]] = {}
        self._scratch: dict[str, tuple[int, dict[int, Written]]] = {}
        self._early: dict[str, _Reads] = {}  # what was read for names
        self._lanes: dict[object, list[_Lane]] = {}
        self._stores = 0
        self._loops: list[str] = []
        self._do(stmt, {})

    def _do(self, stmt: Stmt, names: dict[str, Expr]) -> None:
        rule = _RULES.get(type(stmt))
        if rule is None:
            raise Ended
        rule(self, stmt, names)

    def _number(self, e: Expr) -> int:
        return _function(_canonical(e, {}))(self.values)

    def _block(self, stmt: Block, names: dict[str, Expr]) -> None:
        for part in stmt.stmts:
            self._do(part, names)

    def _body(self, stmt: Produce | Atomic, names: dict[str, Expr]) -> None:
        self._do(stmt.body, names)

    def _loop(self, stmt: For, names: dict[str, Expr]) -> None:
        low, extent = self._number(stmt.min), self._number(stmt.extent)
        self._loops.append(stmt.name)
        for n in range(low, low + extent):
            self.values[stmt.name] = n
            self._do(stmt.body, names)
        self._loops.pop()

    def _if(self, stmt: If, names: dict[str, Expr]) -> None:
        if self._holds(stmt.condition):
            self._do(stmt.then, names)
        elif stmt.otherwise is not None:
            self._do(stmt.otherwise, names)

    def _holds(self, condition: Expr) -> bool:
        if isinstance(condition, ir.VectorReduce) and condition.op in ("and", "or") and condition.lanes == 1:
            every = (self._number(_lane_of(condition.value, {}, n)) for n in range(condition.value.dtype.lanes))
            return all(every) if condition.op == "and" else any(every)
        return bool(self._number(condition))

    def _let(self, stmt: LetStmt, names: dict[str, Expr]) -> None:
        inner = {name: e for name, e in names.items() if name != stmt.name}
        if stmt.value.has(Effect):
            raise Ended
        if stmt.value.has(Load):  # what is read now is used later
            lanes = self._lanes_of(stmt, names)
            own = [stmt.name] if len(lanes) == 1 else [f"{stmt.name}@{n}" for n in range(len(lanes))]
            self._early.update((name, self._read(lane)) for name, lane in zip(own, lanes, strict=True))
            if len(lanes) > 1:
                each = tuple(Var(name, stmt.value.dtype.element) for name in own)
                inner[stmt.name] = ir.Shuffle(each, tuple(range(len(each))))
        elif stmt.value.dtype.lanes > 1 or not stmt.value.dtype.is_index_like:
            inner[stmt.name] = stmt.value
        else:
            self._early.pop(stmt.name, None)
            self.values[stmt.name] = self._number(stmt.value)
        self._do(stmt.body, inner)

    def _check(self, stmt: Assert, _names: dict[str, Expr]) -> None:
        if not self._holds(stmt.condition):
            raise Ended

    def _allocate(self, stmt: Allocate, names: dict[str, Expr]) -> None:
        outside = self._scratch.get(stmt.buffer)
        self._scratch[stmt.buffer] = self._number(stmt.size), {}
        self._do(stmt.body, names)
        if outside is not None:
            self._scratch[stmt.buffer] = outside

    def _nothing(self, stmt: Stmt, _names: dict[str, Expr]) -> None:
        if isinstance(stmt, Evaluate) and stmt.has(Effect):
            raise Ended

    def _cells(self, buffer: str, index: int) -> dict[int, Written]:
        size, cells = self._scratch.get(buffer, (None, self.memory.setdefault(buffer, {})))
        if size is not None and not 0 <= index < size:
            raise OutsideError(buffer, index)
        return cells

    def _store(self, stmt: Store, names: dict[str, Expr]) -> None:
        active = [lane for lane in self._lanes_of(stmt, names) if all(mask(self.values) for mask in lane.masks)]
        written = [(lane.index(self.values), self._of(stmt.buffer, lane)) for lane in active]
        for index, value in written:
            self._cells(stmt.buffer, index)[index] = value
        self._stores += len(written)
        if self._stores > _MOST_STORES or time.process_time() > self.end:
            raise Ended

    def _lanes_of(self, stmt: Store | LetStmt, names: dict[str, Expr]) -> list[_Lane]:
        key = stmt, tuple(names.items()), frozenset(self._early)
        lanes = self._lanes.get(key)
        if lanes is None:
            lanes = self._lanes[key] = list(_lanes(stmt, names, self._early.keys()))
        return lanes

    def _of(self, buffer: str, lane: _Lane) -> Written:
        reads = self._read(lane)
        number = 0 if lane.value is None else lane.value(self.values)
        place = -1 if buffer in self._scratch else lane.index(self.values)
        told = frozenset((name, -1 if name in self._scratch else index, version) for name, index, version in reads)
        version = hash((buffer, place, told, number))  # where scratch memory keeps what does not count
        at = {name: self.values[name] for name in self._loops}
        return Written(version, frozenset((name, index) for name, index, _ in reads), at)

    def _read(self, lane: _Lane) -> _Reads:
        """What is read now, and what was read before for names."""
        found = set()
        for read in lane.reads:
            if all(choice(self.values) for choice in read.choices):
                index = read.index(self.values)
                before = self._cells(read.buffer, index).get(index)
                found.add((read.buffer, index, 0 if before is None else before.version))
        return frozenset(found).union(*(self._early[name] for name in lane.names if name in self._early))


class OutsideError(Exception):
    """An access outside of memory."""

    def __init__(self, buffer: str, index: int) -> None:
        super().__init__(f"{buffer}[{index}]")


_RULES: Mapping[type[Stmt], Callable[[Run, Any, dict[str, Expr]], None]] = {
    Block: Run._block,
    Produce: Run._body,
    Atomic: Run._body,
    For: Run._loop,
    If: Run._if,
    LetStmt: Run._let,
    Assert: Run._check,
    Allocate: Run._allocate,
    Store: Run._store,
    Evaluate: Run._nothing,
    Prefetch: Run._nothing,
}


def _lane_of(e: Expr, names: Mapping[str, Expr], n: int) -> Expr:
    vectors = {name: value for name, value in names.items() if value.dtype.lanes > 1}
    try:
        return OneLane(vectors)(e, Progression(n, 0, 1))
    except (Apart, Unknown) as reason:
        raise Ended from reason


def _canonical(e: Expr, names: Mapping[str, Expr]) -> Expr:
    scope = Scope({})
    for name, value in names.items():
        if value.dtype.lanes == 1:
            scope = scope.under({name: scope.value(value)})
    return scope.expression(e)


def _lanes(stmt: Store | LetStmt, names: Mapping[str, Expr], early: Collection[str]) -> Iterator[_Lane]:
    if stmt.value.has(Effect):
        raise Ended
    for n in range(stmt.value.dtype.lanes):
        index, masks = const(0), []
        if isinstance(stmt, Store):
            index = _canonical(_lane_of(stmt.index, names, n), names)
            masks = [] if stmt.predicate is None else [_canonical(_lane_of(stmt.predicate, names, n), names)]
        value = _canonical(_lane_of(stmt.value, names, n), names)
        used = tuple(sorted(names_in(value)))
        is_number = value.dtype.is_index_like and not value.has(Load) and not any(name in early for name in used)
        number = _function(value) if is_number else None
        yield _Lane(_function(index), tuple(map(_function, masks)), tuple(_reads(value)), used, number)


def _reads(value: Expr) -> Iterator[_Read]:
    for load, choices in chosen_loads((value,)):
        if load.predicate is not None or find(load.index, Load):
            raise Ended
        yield _Read(load.buffer, _function(load.index), tuple(map(_function, choices)))


_functions: dict[Expr, _Function] = {}  # may be emptied at any time


def _function(e: Expr) -> _Function:
    """What computes an expression from the values of names."""
    found = _functions.get(e)
    if found is None:
        if len(_functions) > 1 << 13:
            _functions.clear()
        found = _functions[e] = _made(e)
    return found


def _made(e: Expr) -> _Function:
    if isinstance(e, ir.Const) and not e.dtype.is_float:
        value = int(e.value)
        return lambda _: value
    if isinstance(e, Var):
        name = e.name
        return lambda v: v[name]
    if isinstance(e, ir.Binary) and (e.a.dtype.is_index_like or e.dtype.is_bool):
        combine, a, b = _OPERATORS[type(e)], _function(e.a), _function(e.b)
        return lambda v: combine(a(v), b(v))
    if isinstance(e, ir.Not):
        inner = _function(e.a)
        return lambda v: not inner(v)
    if isinstance(e, ir.Select):
        condition, yes, no = map(_function, (e.condition, e.a, e.b))
        return lambda v: yes(v) if condition(v) else no(v)
    raise Ended


def _div(a: int, b: int) -> int:
    return 0 if b == 0 else a // b if b > 0 else -(a // -b)


def _mod(a: int, b: int) -> int:
    return 0 if b == 0 else a % abs(b)


_OPERATORS: Mapping[type[Node], Callable[[int, int], int]] = {
    ir.Add: operator.add,
    ir.Sub: operator.sub,
    ir.Mul: operator.mul,
    ir.Div: _div,
    ir.Mod: _mod,
    ir.Min: min,
    ir.Max: max,
    ir.And: lambda a, b: bool(a and b),
    ir.Or: lambda a, b: bool(a or b),
    ir.EQ: operator.eq,
    ir.NE: operator.ne,
    ir.LT: operator.lt,
    ir.LE: operator.le,
    ir.GT: operator.gt,
    ir.GE: operator.ge,
}
