"""Dimensions that are looked up by values lie densest, so that what is read for one element stands in one place.

    out(x, y) = band(x, y, below(x, y)) + band(x, y, below(x, y) + 1)     ->    band.reorder_storage(k, x, y)

A vector then holds all of k, for the Func itself and for those that it is made of, element by element of k. Where these
read every second x, no vector is strided either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..ir.expr import Expr, Read, Var
from ..ir.function import Function
from ..lower.place_functions import stage_reads
from ..schedule.directives import Directive, ReorderStorage
from ..schedule.nest import FuncSchedule
from .boxes import Boxes, size
from .machine import Machine

_LEAST, _MOST_VECTORS = 4, 1


def looked_up(boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine) -> dict[str, ReorderStorage]:
    """A storage order for each Func that has such a dimension. What the user has ordered stays."""
    found: dict[str, int] = {}
    todo = [place for f in boxes.program.functions.values() for place in _looked_up_by(f)]
    while todo:
        name, dimension = todo.pop()
        function = boxes.program.functions.get(name)
        if name in found or function is None or not _may_be(function, dimension, boxes, schedules, machine):
            continue
        found[name] = dimension
        todo += _read_along(function, function.args[dimension])
    return {name: _dense_first(boxes.program.functions[name], d) for name, d in found.items()}


def with_orders(schedules: Mapping[str, FuncSchedule], orders: Mapping[str, ReorderStorage]) -> dict[str, FuncSchedule]:
    """The schedules with these orders of storage."""
    found = dict(schedules)
    for name, order in orders.items():
        directive = Directive(order, 0, None, f"automatic {name}")
        found[name] = replace(found[name], directives=(*found[name].directives, directive))
    return found


def _looked_up_by(function: Function) -> Iterator[tuple[str, int]]:
    for definition in function.definitions:
        for read in stage_reads(definition):
            by_value = [d for d, e in enumerate(read.index) if e.has(Read)]
            if len(by_value) == 1 and len(read.index) > 1:
                yield read.name, by_value[0]


def _read_along(function: Function, variable: str) -> Iterator[tuple[str, int]]:
    for read in stage_reads(function.pure):
        along = [d for d, e in enumerate(read.index) if _is(e, variable)]
        if len(along) == 1 and len(read.index) > 1:
            yield read.name, along[0]


def _may_be(
    function: Function, dimension: int, boxes: Boxes, schedules: Mapping[str, FuncSchedule], machine: Machine
) -> bool:
    box = boxes.root[function.name]
    if box is None or function.updates or function.name in boxes.program.outputs or dimension == 0:
        return False
    is_free = tuple(schedules[function.name].storage_order(function.args)) == tuple(function.args)
    return is_free and _LEAST <= size(box[dimension]) <= _MOST_VECTORS * machine.lanes(function.dtypes[0])


def _dense_first(function: Function, dimension: int) -> ReorderStorage:
    dense = function.args[dimension]
    return ReorderStorage((dense, *(a for a in function.args if a != dense)))


def _is(e: Expr, variable: str) -> bool:
    return isinstance(e, Var) and e.name == variable
