"""Reads of one statement that are asked about together.

g(x - 1, y), g(x, y), g(x + 1, y)     ->     g(c, y)   x - 1 <= c <= x + 1
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...ir import build
from ...ir.expr import Expr, Read, Var
from ...ir.interval import bounds_of
from ...ir.linear import difference
from .events import Event
from .names import names_in
from .question import Names


@dataclass(frozen=True, slots=True)
class Target:
    """Cells that an instance reads: `event` stands for all; `cell` holds expressions, and free Vars within `bounds`.

    Indices that are `unknown` depend on data: any value within their bounds is asked about.
    """

    event: Event
    cell: tuple[Expr, ...]
    bounds: tuple[Expr, ...]
    unknown: tuple[Expr, ...]

    @property
    def free(self) -> list[str]:
        return [f"cell.{d}" for d in range(len(self.cell))]

    def place(self) -> tuple[Expr, ...]:
        """Where the cells lie."""
        event = self.event
        if event.folded is None:
            return event.place
        extents = [extent for _, extent in event.storage.box]
        return tuple(
            build.mod(cell, extent) if folded else cell
            for cell, folded, extent in zip(self.cell, event.folded, extents, strict=True)
        )


def anywhere(event: Event) -> Target:
    """An access whose index is free: to any element that the memory holds."""
    box = zip(event.cell, event.storage.box, strict=True)
    bounds = [c for i, (low, extent) in box for c in (build.le(low, i), build.lt(i, build.add(low, extent)))]
    return Target(event, event.cell, tuple(bounds), ())


def together(reads: Iterable[Event]) -> list[list[Event]]:
    """Groups of reads that are alike but for constants in their indices; reads of a Func by itself stay alone.

    Around these lie elements that are written at about the same time.
    """
    groups: dict[object, list[list[Event]]] = {}
    for read in reads:
        own = read.cell if read.by == read.func else None
        alike = groups.setdefault((read.func, read.position, read.around.conditions, read.folded, own), [])
        group = next((g for g in alike if _near(g[0], read)), None)
        if group is None:
            alike.append([read])
        else:
            group.append(read)
    return [group for alike in groups.values() for group in alike]


def target(group: list[Event]) -> Target:
    """One target around all of a group."""
    cell: list[Expr] = []
    bounds: list[Expr] = []
    unknown: list[Expr] = []
    for d, e in enumerate(group[0].cell):
        apart = [difference(read.cell[d], e) or 0 for read in group]
        free = Var(f"cell.{d}")
        if e.has(Read) or not Names(names_in(e), {}).says(e):
            low, high = bounds_of(e, {})
            low = None if low is None else build.add(low, min(apart))
            high = None if high is None else build.add(high, max(apart))
            unknown.append(e)
        elif len(set(apart)) == 1:
            cell.append(e)
            continue
        else:
            low, high = build.add(e, min(apart)), build.add(e, max(apart))
        cell.append(free)
        bounds += [] if low is None else [build.le(low, free)]
        bounds += [] if high is None else [build.le(free, high)]
    return Target(group[0], tuple(cell), tuple(bounds), tuple(unknown))


def _near(one: Event, other: Event) -> bool:
    regular = one.folded is not None or one.place is other.place
    return regular and all(difference(a, b) is not None for a, b in zip(one.cell, other.cell, strict=True))
