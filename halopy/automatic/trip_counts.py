"""How often each loop and each statement of a finished nest runs, exactly, without running it iteration by iteration.

    for y in [0, 4800): for x in [0, 400): for xi in [0, 16): if 16*x + xi < 6390: S       S: 4800 * 6390 times

Environments that differ in nothing that the rest of the nest asks about are counted together: above, S depends on
`16*x + xi < 6390` alone, so all rows are one environment, of weight 4800, and the pairs of x and xi are looked at once.
Where too many remain, iterations of an outer loop that do the same as those at both ends and between are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from ..ir.expr import Expr, Let, Var
from ..ir.node import find
from ..ir.rewrite import free_vars, substitute
from ..ir.stmt import Block, For, If, LetStmt, Provide, Realize, Reserve, Stmt
from .columns import Column, Columns, UnknownValue

Instance: TypeAlias = "tuple[str, int, tuple[Expr, ...]]"  # Func, stage, and values of the stage's variables

_MOST = 1 << 20  # environments looked at one by one
_ROWS = 4  # environments around a loop that is counted in sections


@dataclass(slots=True)
class Counts:
    """`entered` and `iterations` by loop name, `executions` by what `instance` says.

    `stored` are how often a Func gets storage, and the bytes of the largest.

    What data decides counts as if it always ran, and is not `exact` then.
    """

    entered: Counter[str] = field(default_factory=Counter)
    iterations: Counter[str] = field(default_factory=Counter)
    executions: dict[Instance, int] = field(default_factory=dict)
    stored: dict[str, tuple[int, int]] = field(default_factory=dict)
    exact: bool = True

    def copy(self) -> Counts:
        """Counts that go on apart."""
        return Counts(
            Counter(self.entered), Counter(self.iterations), dict(self.executions), dict(self.stored), self.exact
        )

    def add(self, more: Counts, times: int) -> None:
        """So many times what was counted elsewhere."""
        for into, counted in ((self.entered, more.entered), (self.iterations, more.iterations)):
            for name, n in counted.items():
                into[name] += n * times
        for key, n in more.executions.items():
            self.executions[key] = self.executions.get(key, 0) + n * times
        for name, (n, size) in more.stored.items():
            before, largest = self.stored.get(name, (0, 0))
            self.stored[name] = before + n * times, max(largest, size)
        self.exact = self.exact and more.exact


class _TooMany(Exception):
    """More environments than are looked at one by one."""


def trip_counts(stmt: Stmt, known: Mapping[str, int]) -> Counts:
    """The counts of a nest whose symbols are these numbers."""
    counting = _Counting()
    names: dict[Expr, Column] = {v: np.array([known[v.name]], np.int64) for v in find(stmt, Var) if v.name in known}
    counting.run(stmt, Columns(1, names), np.ones(1, np.int64))
    return counting.counts


def instance(stmt: Provide) -> Instance:
    """What tells a statement from others, whatever is folded."""
    return stmt.name, stmt.stage, stmt.at


class _Counting:
    def __init__(self, asked: dict[Stmt, frozenset[Expr]] | None = None) -> None:
        self.counts = Counts()
        self._asked = {} if asked is None else asked

    def run(self, stmt: Stmt, rows: Columns, weights: Column) -> None:
        if isinstance(stmt, For):
            self.loop(stmt, rows, weights)
        elif isinstance(stmt, LetStmt):
            name = Var(stmt.name, stmt.value.dtype)
            is_asked = any(stmt.name in _names(e) for e in self.asked(stmt.body))
            self.run(stmt.body, rows.bound(name, self.value(stmt.value, rows) if is_asked else None), weights)
        elif isinstance(stmt, If):
            self.branches(stmt, rows, weights)
        elif isinstance(stmt, Provide):
            key = instance(stmt)
            self.counts.executions[key] = self.counts.executions.get(key, 0) + int(weights.sum())
        else:
            if isinstance(stmt, Realize | Reserve):
                self.stored(stmt, rows, weights)
            for part in stmt.stmts if isinstance(stmt, Block) else _statements(stmt):
                self.run(part, rows, weights)

    def loop(self, loop: For, rows: Columns, weights: Column) -> None:
        extent = self.value(loop.extent, rows)
        extent = np.ones(rows.count, np.int64) if extent is None else np.maximum(extent, 0)
        counts = self.counts
        counts.entered[loop.name] += int(weights.sum())
        counts.iterations[loop.name] += int((weights * extent).sum())
        asked = self.asked(loop.body)
        if not any(loop.name in _names(e) for e in asked):
            self.projected(loop.body, asked, rows, weights * extent)
            return
        total = int(extent.sum())
        if total > _MOST:
            raise _TooMany
        before = self.counts
        self.counts = before.copy()
        try:
            inner = np.repeat(np.arange(rows.count), extent)
            step = np.arange(total) - np.repeat(np.cumsum(extent) - extent, extent)
            outer = {e: c[inner] for e in _split(asked, loop.name) if (c := self.value(e, rows)) is not None}
            variable = self._low(loop, rows)[inner] + step
            self.projected(loop.body, asked, Columns(total, {**outer, Var(loop.name): variable}), weights[inner])
        except _TooMany:
            if rows.count > _ROWS:
                raise
            self.counts = before
            for row in range(rows.count):
                self.sections(loop, rows, row, int(weights[row]), int(extent[row]))

    def sections(self, loop: For, rows: Columns, row: int, weight: int, extent: int) -> None:
        """Count sections of a loop whose iterations do the same by one of them."""
        low = int(self._low(loop, rows)[row])
        asked = self.asked(loop.body)
        outer = {e: c[row : row + 1] for e in _split(asked, loop.name) if (c := self.value(e, rows)) is not None}
        found: dict[int, Counts] = {}

        def of(step: int) -> Counts:
            if step not in found:
                inside = _Counting(self._asked)
                variable = np.array([low + step], np.int64)
                one = np.ones(1, np.int64)
                inside.projected(loop.body, asked, Columns(1, {**outer, Var(loop.name): variable}), one)
                found[step] = inside.counts
            return found[step]

        todo = [(0, extent - 1)] if extent else []
        while todo:
            first, last = todo.pop()
            middle = (first + last) // 2
            if of(first) == of(last) == of(middle):
                self.counts.add(of(first), weight * (last - first + 1))
            else:
                todo += [(first, middle), (middle + 1, last)]

    def _low(self, loop: For, rows: Columns) -> Column:
        low = self.value(loop.min, rows)
        return np.zeros(rows.count, np.int64) if low is None else low

    def projected(self, body: Stmt, asked: Iterable[Expr], rows: Columns, weights: Column) -> None:
        """Go on with environments that differ in what is asked."""
        kept = weights > 0
        columns = {e: c for e in asked if (c := self.value(e, rows)) is not None}
        if not columns:
            total = weights.sum()
            if total:
                self.run(body, Columns(1, {}), np.array([total], np.int64))
            return
        table = np.stack([c[kept] for c in columns.values()])
        if table.shape[1] == 0:
            return
        distinct, which = np.unique(table, axis=1, return_inverse=True)
        totals = np.bincount(which.ravel(), weights=weights[kept], minlength=distinct.shape[1])
        self.run(
            body,
            Columns(distinct.shape[1], dict(zip(columns, distinct, strict=True))),
            np.rint(totals).astype(np.int64),
        )

    def branches(self, stmt: If, rows: Columns, weights: Column) -> None:
        holds = self.value(stmt.condition, rows)
        if holds is None:
            holds = np.ones(rows.count, np.int64)
        for branch, share in ((stmt.then, holds != 0), (stmt.otherwise, holds == 0)):
            if branch is not None and (weights * share).any():
                self.projected(branch, self.asked(branch), rows, weights * share)

    def stored(self, stmt: Realize | Reserve, rows: Columns, weights: Column) -> None:
        extents = [e for _, e in stmt.bounds] if isinstance(stmt, Realize) else list(stmt.extents)
        size = np.full(rows.count, sum(d.bytes for d in stmt.dtypes), np.int64)
        for extent in extents:
            column = self.value(extent, rows)
            size = size * (1 if column is None else np.maximum(column, 0))
        times, largest = self.counts.stored.get(stmt.name, (0, 0))
        self.counts.stored[stmt.name] = times + int(weights.sum()), max(largest, int(size.max(initial=0)))

    def value(self, e: Expr, rows: Columns) -> Column | None:
        """None, and no longer exact, where data decides."""
        try:
            return rows.value(e)
        except UnknownValue:
            self.counts.exact = False
            return None

    def asked(self, stmt: Stmt) -> frozenset[Expr]:
        """The largest expressions that the counts below depend on and whose names are all bound outside."""
        found = self._asked.get(stmt)
        if found is None:
            found = self._asked[stmt] = self._asked_by(stmt)
        return found

    def _asked_by(self, stmt: Stmt) -> frozenset[Expr]:
        if isinstance(stmt, For):
            inner = self.asked(stmt.body)
            own = _split((stmt.extent,), None)
            if any(stmt.name in _names(e) for e in inner):
                own |= _split((stmt.min,), None)
            return own | _split(inner, stmt.name)
        if isinstance(stmt, LetStmt):
            inner = self.asked(stmt.body)
            own = _split((stmt.value,), None) if any(stmt.name in _names(e) for e in inner) else frozenset()
            return own | _split(inner, stmt.name)
        found: frozenset[Expr] = frozenset()
        if isinstance(stmt, If):
            found |= _split((stmt.condition,), None)
        elif isinstance(stmt, Realize):
            found |= _split([e for _, e in stmt.bounds], None)
        elif isinstance(stmt, Reserve):
            found |= _split(stmt.extents, None)
        for part in _statements(stmt):
            found |= self.asked(part)
        return found


def _split(expressions: Iterable[Expr], name: str | None) -> frozenset[Expr]:
    """The largest parts of expressions in which a name does not occur; constants are left out."""
    found: set[Expr] = set()
    stack = list(expressions)
    seen: set[Expr] = set()
    while stack:
        e = stack.pop()
        if e in seen or not _names(e):
            continue
        seen.add(e)
        if isinstance(e, Let):
            stack.append(substitute(e.body, {e.name: e.value}))
        elif name is None or name not in _names(e):
            found.add(e)
        else:
            stack += [child for child in e.children() if isinstance(child, Expr)]
    return frozenset(found)


@lru_cache(maxsize=1 << 16)
def _names(e: Expr) -> frozenset[str]:
    return free_vars(e)


def _statements(stmt: Stmt) -> list[Stmt]:
    return [child for child in stmt.children() if isinstance(child, Stmt)]
