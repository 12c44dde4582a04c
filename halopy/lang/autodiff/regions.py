"""Which part of each Func a loss depends on: a box of symbols per Func, found from consumers to producers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ...ir.build import add, sub
from ...ir.expr import Expr, FuncAccess, ImageAccess, Var
from ...ir.function import Definition, ReductionDomain
from ...ir.interval import Interval, union
from ...ir.node import find
from ...ir.program import expressions
from ...ir.refs import FunctionRef
from ...ir.simplify import simplify
from ...polyhedral.footprint import footprint
from ..func_contents import FuncContents
from .stage_values import plain

Box: TypeAlias = tuple[Interval, ...]


def producers_first(output: FuncContents) -> list[FuncContents]:
    """The output and all Funcs that it depends on, each after those that it reads."""
    order: list[FuncContents] = []
    seen: set[FunctionRef] = set()
    stack: list[tuple[FuncContents, bool]] = [(output, False)]
    while stack:
        func, is_done = stack.pop()
        if is_done:
            order.append(func)
        elif func not in seen:
            seen.add(func)
            stack.append((func, True))
            stack.extend((read, False) for read in _read_funcs(func))
    return order


def _read_funcs(func: FuncContents) -> list[FuncContents]:
    found = {a.ref for root in expressions(func.defined_function) for a in find(root, FuncAccess)}
    return [ref for ref in found if isinstance(ref, FuncContents)]


def variables(func: FuncContents, stage: int, box: Box) -> dict[str, Interval]:
    """The variables of one stage, with what they range over."""
    function = func.defined_function
    definition = function.definitions[stage]
    pure = zip(function.args, definition.index, box, strict=True)
    found = {name: i for name, e, i in pure if isinstance(e, Var) and e.name == name}
    return found | (_domain(definition.rdom) if definition.rdom else {})


def _domain(rdom: ReductionDomain) -> dict[str, Interval]:
    return {v.name: Interval(v.min, simplify(sub(add(v.min, v.extent), 1))) for v in rdom.vars}


def required_boxes(order: Sequence[FuncContents], box: Box) -> dict[FuncContents, Box]:
    """The box of each Func, given that of the last one. Ends that depend on data are left open."""
    boxes: dict[FuncContents, Box] = {order[-1]: box}
    for func in reversed(order):
        for stage in reversed(range(len(func.defined_function.definitions))):
            scope = variables(func, stage, boxes[func])
            _add_reads(func, plain(func.defined_function.definitions[stage]), scope, boxes)
    return boxes


def _add_reads(
    func: FuncContents, definition: Definition, scope: Mapping[str, Interval], boxes: dict[FuncContents, Box]
) -> None:
    predicate = definition.rdom.predicate if definition.rdom else None
    roots = [*definition.index, *definition.values, *([predicate] if predicate is not None else [])]
    for read in (a for root in roots for a in find(root, FuncAccess)):
        assert isinstance(read.ref, FuncContents), "user-level programs are made of Funcs"
        if read.ref is func and read.index == definition.index:
            continue  # matters only where the result does
        read_box = tuple(Interval(*map(_closed, i)) for i in footprint(read.index, scope, predicate))
        known = boxes.get(read.ref)
        boxes[read.ref] = read_box if known is None else tuple(map(_union, known, read_box))


def _closed(end: Expr | None) -> Expr | None:
    """The end if it is known before the pipeline runs."""
    return None if end is None or end.has(FuncAccess, ImageAccess, Var) else simplify(end)


def _union(a: Interval, b: Interval) -> Interval:
    lo, hi = union(a, b)
    return Interval(None if lo is None else simplify(lo), None if hi is None else simplify(hi))
