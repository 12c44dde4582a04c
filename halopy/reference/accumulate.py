"""Updates that only combine a cell with a new value: f[x] = f[x] + g, and likewise *, and min and max of integers.

The new values of many reduction points are computed at once; NumPy's `accumulate` then combines
them one after the other, rounding or wrapping at each step, as the points would one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..arithmetic.values import Array
from ..dtypes import Code
from ..ir.expr import TRUE, Add, Expr, Max, Min, Mul, Read
from ..ir.node import Node
from .grid import Grid
from .stage import Stage
from .tape import ReadElement, Tape, reads_of

CHUNK = 1 << 20  # values computed at once
_ACCUMULATED: Mapping[type[Node], np.ufunc] = {Add: np.add, Mul: np.multiply, Min: np.minimum, Max: np.maximum}


def new_values(stage: Stage) -> list[Expr] | None:
    """What each element is combined with; None where the stage does something else."""
    (write, *more) = stage.writes
    if more or len(stage.pure) < stage.function.rank or any(c is not TRUE for c in write.conditions):
        return None
    if stage.predicate and not stage.predicate_is_flat:
        return None
    found = [_combined_with(stage, element, value) for element, value in enumerate(write.values)]
    return [g for g in found if g is not None] if None not in found else None


def _combined_with(stage: Stage, element: int, value: Expr) -> Expr | None:
    dtype = value.dtype
    if not isinstance(value, Add | Mul | Min | Max) or dtype.is_bool or dtype.code == Code.BFLOAT:
        return None
    if isinstance(value, Min | Max) and dtype.is_float:  # of NaN, which NumPy keeps
        return None
    cell = Read(stage.function.name, stage.index, element, dtype)
    new = value.b if value.a is cell else value.a if value.b is cell else None
    if new is None or any(r.name == stage.function.name for r in reads_of([new])):
        return None
    return new


def accumulate(
    stage: Stage,
    new: Sequence[Expr],
    grid: Grid,
    variables: Mapping[str, Array],
    sequence: Mapping[str, Array],
    read: ReadElement,
) -> None:
    """Combine the cells of the stage with the new values of all points of `sequence`, in order.

    `variables` has the pure variables too, whose axes come after the one of the sequence.
    """
    tape = Tape(new)
    index = [variables[arg] for arg in stage.function.args]
    cells = [grid.gather(index, element) for element in range(len(new))]
    operators = [_ACCUMULATED[type(v)] for v in stage.writes[0].values]
    for chunk in _chunks(sequence, stage.function.rank, cells[0].size):
        values = tape.run({**variables, **chunk}, read)
        count = len(next(iter(chunk.values())))
        for element, (operator, value) in enumerate(zip(operators, values, strict=True)):
            steps = np.broadcast_to(value, (count, *cells[element].shape))
            cells[element] = operator.accumulate(np.concatenate([cells[element][np.newaxis], steps]), axis=0)[-1]
    for element, value in enumerate(cells):
        grid.scatter(index, element, value, np.array(True))


def _chunks(sequence: Mapping[str, Array], rank: int, cells: int) -> Iterator[dict[str, Array]]:
    count = len(next(iter(sequence.values())))
    size = max(1, CHUNK // max(cells, 1))
    for start in range(0, count, size):
        yield {n: a[start : start + size].reshape(-1, *(1,) * rank) for n, a in sequence.items()}
