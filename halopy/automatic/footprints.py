"""Which bytes each loop of a nest touches, in one run of it and in one iteration, in the middle of the loops around.

    for y: for x: f(x, y) = g(x, y - 1) + g(x, y + 1)       a run of x touches a row of f and, as a hull, three of g

Boxes are spanned by their corners: each index is looked at where loops begin and where they end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..ir.expr import Expr, Read, Var
from ..ir.node import find
from ..ir.program import Program, output_buffers
from ..ir.stmt import For, LetStmt, Provide, Realize, Stmt
from .columns import Column, Columns, UnknownValue

_LINE = 64  # bytes that come from memory together


@dataclass(slots=True)
class Site:
    """An access of a statement. `extents`: for each dimension, places touched while loops from depth k inwards run."""

    buffer: str
    is_write: bool
    is_looked_up: bool
    element_bytes: int
    extents: list[list[int]]

    def varies(self, depth: int) -> bool:
        """Whether the place depends on the loop at this depth."""
        return any(e[depth] != e[depth + 1] for e in self.extents)


@dataclass(slots=True)
class Work:
    """A statement with its accesses, and the loops around it, outermost first."""

    stmt: Provide
    sites: list[Site]
    around: tuple[For, ...]


@dataclass(slots=True)
class Touched:
    """A loop (None: the whole nest) with what is inside. Bytes by buffer, of one run and of one iteration."""

    loop: For | None
    depth: int
    trips: int = 1
    run: dict[str, int] = field(default_factory=dict)
    iteration: dict[str, int] = field(default_factory=dict)
    inside: list[Touched] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)  # Funcs whose storage begins and ends inside an iteration


_Corners = dict[str, tuple[int, "list[tuple[Column, Column]]"]]  # element bytes; least and greatest place by dimension


def footprints(
    stmt: Stmt,
    program: Program,
    known: Mapping[str, int],
    stored: Mapping[str, tuple[int, int]],
    dense: Mapping[str, int],
) -> Touched:
    """What the loops of a nest touch. `stored` are the bytes of each Func's storage, folded as it is; `dense` tells in
    which dimension its elements are neighbours, if not the first."""
    finder = _Finder(program, known, stored, dense)
    root = Touched(None, -1)
    names: dict[Expr, Column] = {v: np.array([known[v.name]], np.int64) for v in find(stmt, Var) if v.name in known}
    finder.visit(stmt, Columns(1, names), (), [root])
    finder.close(root, finder.pending.pop(root.depth, {}))
    return root


class _Finder:
    def __init__(
        self,
        program: Program,
        known: Mapping[str, int],
        stored: Mapping[str, tuple[int, int]],
        dense: Mapping[str, int],
    ) -> None:
        self.stored, self.dense = stored, dense
        self.element_bytes = {i.name: i.dtype.bytes for i in program.images.values()}
        self.element_bytes |= {n: sum(d.bytes for d in f.dtypes) for n, f in program.functions.items()}
        self.sizes = {i.name: _shape(i.name, i.rank, known) for i in program.images.values()}
        for name in program.outputs:
            function = program.functions[name]
            self.sizes[name] = _shape(output_buffers(name, len(function.dtypes))[0], function.rank, known)
        self.pending: dict[int, _Corners] = {}

    def visit(self, stmt: Stmt, rows: Columns, around: tuple[For, ...], path: list[Touched]) -> None:
        if isinstance(stmt, For):
            self.loop(stmt, rows, around, path)
        elif isinstance(stmt, LetStmt):
            self.visit(stmt.body, rows.bound(Var(stmt.name, stmt.value.dtype), _value(stmt.value, rows)), around, path)
        elif isinstance(stmt, Provide):
            self.work(stmt, rows, around, path)
        else:
            if isinstance(stmt, Realize):
                path[-1].stored.add(stmt.name)
                extents = [_value(e, rows) for _, e in stmt.bounds]
                self.sizes[stmt.name] = [None if e is None else int(e[0]) for e in extents]
            for part in stmt.children():
                if isinstance(part, Stmt):
                    self.visit(part, rows, around, path)

    def loop(self, loop: For, rows: Columns, around: tuple[For, ...], path: list[Touched]) -> None:
        low, extent = _value(loop.min, rows), _value(loop.extent, rows)
        low = np.zeros(rows.count, np.int64) if low is None else low
        last = low + (np.maximum(extent, 1) - 1 if extent is not None else 0)
        is_high = np.arange(rows.count) % 2 == 0  # after the middle come pairs of least and greatest
        variable = np.where(is_high, last, low)
        variable[0] = (low[0] + last[0]) // 2
        known = {e: np.append(c, [c[0], c[0]]) for e, c in rows.known.items()}
        known[Var(loop.name)] = np.append(variable, [low[0], last[0]])
        node = Touched(loop, len(around), int(last[0] - low[0]) + 1)
        path[-1].inside.append(node)
        self.visit(loop.body, Columns(rows.count + 2, known), (*around, loop), [*path, node])
        corners = self.pending.pop(node.depth, {})
        self.close(node, corners)
        _join(self.pending.setdefault(path[-1].depth, {}), corners)

    def close(self, node: Touched, corners: _Corners) -> None:
        for name, (size, box) in corners.items():
            if node.loop is not None:
                node.run[name] = self.bytes(name, size, [int(hi[node.depth] - lo[node.depth]) + 1 for lo, hi in box])
            node.iteration[name] = self.bytes(
                name, size, [int(hi[node.depth + 1] - lo[node.depth + 1]) + 1 for lo, hi in box]
            )
        if node.loop is None:
            node.run = node.iteration

    def bytes(self, name: str, size: int, extents: list[int]) -> int:
        near = extents[self.dense.get(name, 0)] if extents else 1
        lines = max(near * size, min(_LINE, near * size * 8)) * (math.prod(extents) // max(1, near))
        limit = self.stored.get(name, (0, 1 << 62))[1]
        whole = self.sizes.get(name)
        if whole is not None and all(s is not None for s in whole):
            limit = min(limit, math.prod(s for s in whole if s is not None) * size)
        return min(lines, max(limit, size))

    def work(self, stmt: Provide, rows: Columns, around: tuple[For, ...], path: list[Touched]) -> None:
        reads = {r for value in (*stmt.values, *stmt.index) for r in find(value, Read)}
        accesses = [(stmt.name, stmt.index, True), *((r.name, r.index, False) for r in reads)]
        work = Work(stmt, [], around)
        path[-1].work.append(work)
        here = self.pending.setdefault(path[-1].depth, {})
        for name, index, is_write in accesses:
            box = [self.ends(name, d, e, rows, path) for d, e in enumerate(index)]
            spans = [[int(hi[k] - lo[k]) + 1 for k in range(len(lo))] for lo, hi in box]
            looked_up = any(find(e, Read) for e in index)
            work.sites.append(Site(name, is_write, looked_up, self.element_bytes.get(name, 4), spans))
            _join(here, {name: (self.element_bytes.get(name, 4), box)})

    def ends(self, name: str, dimension: int, e: Expr, rows: Columns, path: list[Touched]) -> tuple[Column, Column]:
        """Least and greatest place while loops from each depth inwards run; last, in one execution."""
        column = _value(e, rows)
        if column is None:  # anywhere, but at one place at a time
            whole = self.sizes.get(name) or []
            size = (whole[dimension] if dimension < len(whole) else None) or 1
            trips = [math.prod(node.trips for node in path[depth + 1 :]) for depth in range(len(path))]
            high = np.minimum(size, np.array(trips, np.int64)) - 1
            return np.zeros(len(path), np.int64), high
        low, high = np.append(column[1::2], column[0]), np.append(column[2::2], column[0])
        return np.minimum(low, high), np.maximum(low, high)


def _join(into: _Corners, more: _Corners) -> None:
    for name, (size, box) in more.items():
        if name in into:
            old = into[name][1]
            into[name] = size, [_hull(a, b) for a, b in zip(old, box, strict=True)]
        else:
            into[name] = size, box


def _hull(a: tuple[Column, Column], b: tuple[Column, Column]) -> tuple[Column, Column]:
    """Of as many depths as both have."""
    n = min(len(a[0]), len(b[0]))
    return np.minimum(a[0][:n], b[0][:n]), np.maximum(a[1][:n], b[1][:n])


def _shape(name: str, rank: int, known: Mapping[str, int]) -> list[int | None]:
    return [known.get(f"{name}.extent.{d}") for d in range(rank)]


def _value(e: Expr, rows: Columns) -> Column | None:
    try:
        return rows.value(e)
    except UnknownValue:
        return None
