"""The dates of a nest's loops in numbers: when an iteration runs that a witness, or a picture of it, shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...ir.expr import Expr, const, const_value
from ...ir.rewrite import free_vars, substitute
from ...ir.simplify import simplify
from ...ir.stmt import LoopKind
from ...schedule.directives import Fuse, LoopStep, Rename, Split
from ...schedule.nest import StageNest
from .loop_dates import Date, Range
from .violations import is_at_once


@dataclass(frozen=True, slots=True)
class DatesOfLoops:
    """The outermost loops first. What is known neither of sizes nor of starts is taken as 0, which is where regions
    of a witness start."""

    loops: tuple[str, ...]
    at_once: frozenset[int]
    tiles: frozenset[int]
    formulas: tuple[Date, ...]
    ranges: Mapping[str, Range]

    def __call__(self, at: Mapping[str, int], parameters: Mapping[str, int]) -> tuple[tuple[int, ...], ...] | None:
        known = {**parameters, **at}
        for name, span in self.ranges.items():
            low, extent = _number(span.min, known), _number(span.extent, known)
            value = at[name.replace("$", ".")]
            if (low is not None and value < low) or (None not in (low, extent) and value >= (low or 0) + (extent or 0)):
                return None
        dates = tuple(tuple(_number(part, known) for part in date) for date in self.formulas)
        found = tuple(tuple(n for n in date if n is not None) for date in dates)
        return found if tuple(map(len, found)) == tuple(map(len, dates)) else None


def dates_of_loops(nest: StageNest, formulas: tuple[Date, ...], ranges: Mapping[str, Range]) -> DatesOfLoops:
    """For the loops of a stage over its own variables, dated by `loop_dates`."""
    dims = nest.dims[::-1]
    between = _between_tiles(nest.steps)
    return DatesOfLoops(
        tuple(f"{'' if d.kind is LoopKind.SERIAL else f'{d.kind.value} '}{d.name.replace('$', '.')}" for d in dims),
        frozenset(n for n, d in enumerate(dims) if is_at_once(d)),
        frozenset(n for n, d in enumerate(dims) if d.name in between),
        formulas,
        ranges,
    )


def _between_tiles(steps: tuple[LoopStep, ...]) -> set[str]:
    """The loops that go from tile to tile."""
    found: set[str] = set()
    for step in steps:
        if isinstance(step, Split):
            found = (found - {step.old}) | {step.outer}
        elif isinstance(step, Fuse):
            found = (found - {step.inner, step.outer}) | ({step.fused} if {step.inner, step.outer} & found else set())
        elif isinstance(step, Rename) and step.old in found:
            found = (found - {step.old}) | {step.new}
    return found


def _number(e: Expr, known: Mapping[str, int]) -> int | None:
    values: dict[str, Expr] = {}
    for name in free_vars(e):
        value = known.get(name.replace("$", "."))
        if value is None and name.endswith(".min"):
            value = 0
        if value is not None:
            values[name] = const(value)
    found = const_value(simplify(substitute(e, values)))
    return None if found is None else int(found)
