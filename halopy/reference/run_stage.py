"""Run one stage over a box: its points in order, batch by batch, every value read before any is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..arithmetic.values import Array
from ..ir.expr import FALSE, TRUE, Read
from .accumulate import accumulate, new_values
from .boxes import Box, box_around, covers
from .grid import Grid
from .order import batches_of, reduction_sequence
from .stage import Stage
from .tape import ReadElement


class Outgrown(Exception):
    """An update touched cells, those in `box`, outside what the stage before it covers."""

    def __init__(self, box: Box) -> None:
        self.box = box


def run_stage(
    stage: Stage, box: Box, grid: Grid, reachable: Box, variables: Mapping[str, Array], read_other: ReadElement
) -> None:
    """Compute the stage over `box` into `grid`. Raises Outgrown when it touches cells outside `reachable`."""

    def read(node: Read, index: Sequence[Array]) -> Array:
        if node.name != stage.function.name:
            return read_other(node, index)
        _check_reachable(index, reachable)
        return grid.gather(index, node.element)

    bounds = stage.reduction_bounds(variables, read)
    pure = stage.pure_points(box)
    if pure is None or any(extent <= 0 for _, extent in bounds):
        return
    sequence = stage.select_flat(variables, reduction_sequence(bounds, stage.reduction_names), read)
    if any(points.size == 0 for points in sequence.values()):
        return
    new = new_values(stage) if sequence else None
    if new is not None:
        accumulate(stage, new, grid, {**variables, **pure}, sequence, read)
        return
    for batch in batches_of(stage, sequence, variables, read):
        points = stage.restrict(variables, {**pure, **batch}, read)
        if points is not None:
            results = stage.action.run({**variables, **points}, read)
            _store(stage, results, grid, reachable)


def _store(stage: Stage, results: Sequence[Array], grid: Grid, reachable: Box) -> None:
    rest = iter(results)
    for write in stage.writes:
        index, values, defined = ([next(rest) for _ in part] for part in (write.index, write.values, write.conditions))
        if stage.number:
            _check_reachable(index, reachable)
        for element, (value, condition) in enumerate(zip(values, write.conditions, strict=True)):
            if not stage.number and condition is TRUE:
                grid.fill(element, value)
            elif condition is not FALSE:
                grid.scatter(index, element, value, defined[element])


def _check_reachable(index: Sequence[Array], reachable: Box) -> None:
    touched = box_around(index)
    if not covers(reachable, touched):
        raise Outgrown(touched)
