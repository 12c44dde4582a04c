"""Reads of values that, in shared loops, are computed later: what `compute_with` would break, as two iterations.

    for y: for x: f(x, y) = ...
           for x: g(x, y) = f(x, y + 1)        (x=0, y=0) of g reads f(0, 1), which (x=0, y=1) of f computes after it

Looked for in small numbers, where all shared loops run over variables of both stages as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from ..ir.expr import Expr, Read, const, const_value
from ..ir.function import Definition
from ..ir.node import find
from ..ir.program import Program
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from ..witness import Cell, Instance, Witness
from .directives import Align
from .fused_nests import FusedNests, StageId, shown
from .initial import instance_variables, pure_variables
from .kept_order import shared_loops

_SPAN = 3  # values of each pure variable that are looked at
_MOST = 512  # iterations
_Point = Mapping[str, int]


def early_read(reader: StageId, writer: StageId, program: Program, fused: FusedNests) -> Witness | None:
    """Two iterations in which a stage reads what another, of pure definition, computes after it; None if none is found.

    In one iteration of the loops that both share, the one that stands first in the nest comes first.
    """
    function = program.functions[writer.func]
    loops = shared_loops(reader, writer, fused)
    if writer.stage != 0 or not _are_plain(reader, writer, loops, program, fused):
        return None
    order = fused.written_order(fused.root(reader))
    is_first = reader in order and writer in order and order.index(reader) < order.index(writer)
    definition = program.functions[reader.func].definitions[reader.stage]
    for point in itertools.islice(_points(reader, definition, program), _MOST):
        for read in _reads_of(definition, writer.func):
            cell = [_number(e, point) for e in read.index]
            made = {arg: n for arg, n in zip(function.args, cell, strict=True) if n is not None}
            if len(made) < len(cell):
                continue
            dates = [point[a] for a, _ in loops], [made[b] for _, b in loops]
            if dates[1] > dates[0] or (is_first and dates[0] == dates[1]):
                at = {name.replace("$", "."): n for name, n in point.items()}
                return Witness(
                    Instance(shown(writer, program), made),
                    Instance(shown(reader, program), at),
                    Cell(writer.func, tuple(made.values())),
                )
    return None


def _are_plain(
    reader: StageId, writer: StageId, loops: list[tuple[str, str]], program: Program, fused: FusedNests
) -> bool:
    """Whether the loops, if there are any, run over variables of both, not split and not moved."""
    own = [instance_variables(program.functions[s.func], s.stage) for s in (reader, writer)]
    steps = [step for s in (reader, writer) for step in fused.schedules[s.func].nests[s.stage].steps]
    moved = any(align in (Align.START, Align.END) for fusion in fused.fusions.values() for align in fusion.aligns)
    return bool(loops) and not steps and not moved and all(a in own[0] and b in own[1] for a, b in loops)


def _points(stage: StageId, definition: Definition, program: Program) -> Iterator[_Point]:
    function = program.functions[stage.func]
    spans: dict[str, range] = {name: range(_SPAN) for name in pure_variables(function, stage.stage)}
    for v in definition.rdom.vars if definition.rdom else ():
        low, extent = _number(v.min, {}), _number(v.extent, {})
        spans[v.name] = range(0) if low is None or extent is None else range(low, low + extent)
    predicate = definition.rdom.predicate if definition.rdom else None
    for numbers in itertools.product(*spans.values()):
        point = dict(zip(spans, numbers, strict=True))
        if predicate is None or _number(predicate, point) == 1:
            yield point


def _reads_of(definition: Definition, name: str) -> list[Read]:
    return [r for e in (*definition.index, *definition.values) for r in find(e, Read) if r.name == name]


def _number(e: Expr, point: _Point) -> int | None:
    value = const_value(simplify(substitute(e, {name: const(n) for name, n in point.items()})))
    return None if value is None else int(value)
