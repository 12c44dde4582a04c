"""The order of a reduction: which points may run at once without changing the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..arithmetic.values import Array
from ..ir.expr import Expr, Read
from .stage import Points, Stage
from .tape import ReadElement, Tape, free_names, reads_of


def reduction_sequence(bounds: Sequence[tuple[int, int]], names: Sequence[str]) -> dict[str, Array]:
    """The points of the reduction domain in order, first variable fastest: one flat array per variable."""
    if not bounds:
        return {}
    shape = tuple(extent for _, extent in reversed(bounds))
    axes = np.indices(shape, dtype=np.int32).reshape(len(shape), -1)[::-1]
    return {name: axis + np.int32(low) for name, axis, (low, _) in zip(names, axes, bounds, strict=True)}


def batches_of(
    stage: Stage, sequence: Mapping[str, Array], variables: Points, read: ReadElement
) -> Iterator[dict[str, Array]]:
    """The sequence cut into batches: each may run at once, and they run in order.

    Reduction variables are shaped to stand before the pure axes. The points of a batch write
    different cells, and each cell sees its points in order. Where the stage reads of its own Func
    more than the cell that it writes, or the cell depends on more than reduction variables and
    other Funcs, every point is a batch of its own.
    """
    if not sequence:
        yield {}
        return
    shape = (-1, *(1,) * stage.function.rank)
    count = len(next(iter(sequence.values())))
    groups: Sequence[Array] | Iterator[slice] = (slice(i, i + 1) for i in range(count))
    if _cells_are_independent(stage):
        cells = Tape(_scattered(stage)).run({**variables, **sequence}, read)
        groups = _by_visit([np.broadcast_to(c, (count,)) for c in cells])
    for group in groups:
        yield {n: a[group].reshape(shape) for n, a in sequence.items()}


def _scattered(stage: Stage) -> list[Expr]:
    return [i for d, i in enumerate(stage.index) if d not in stage.pure]


def _cells_are_independent(stage: Stage) -> bool:
    scattered = _scattered(stage)
    own_reads = [r for r in reads_of([*stage.index, *stage.writes[0].values]) if r.name == stage.function.name]
    return (
        bool(scattered)
        and len(stage.writes) == 1
        and stage.writes_are_known
        and all(_is_written_cell(r, stage) for r in own_reads)
        and free_names(scattered).isdisjoint(stage.pure.values())
    )


def _is_written_cell(r: Read, stage: Stage) -> bool:
    return all(a is b for a, b in zip(r.index, stage.index, strict=True))


def _by_visit(cells: Sequence[Array]) -> list[Array]:
    """Positions grouped by how often their cell was visited before."""
    if cells[0].size == 0:
        return []
    cell = np.unique(np.stack(cells), axis=1, return_inverse=True)[1].reshape(-1)
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    visit = np.empty_like(order)
    visit[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered, side="left")
    by_visit = np.argsort(visit, kind="stable")
    ends = np.flatnonzero(np.diff(visit[by_visit])) + 1
    return list(np.split(by_visit, ends))
