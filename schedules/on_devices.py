"""What schedules for OpenCL devices have in common: blocks of threads, each of which computes a vector."""

from __future__ import annotations

import halopy as hl

_GUARD = hl.TailStrategy.GuardWithIf


def in_blocks(stage: hl.Func, width: int = 8, height: int = 8, *, lanes: int = 1, rows: int = 1) -> hl.Var:
    """Blocks of so many threads over the first two dimensions, each thread with `lanes` columns in a vector, by `rows`.

    Of blocks there are further dimensions for one or two of the stage. The answer is the innermost loop over blocks. An
    output has to be as wide as a vector, but otherwise may have any size.
    """
    x, y, *rest = stage.args()
    xi, yi, tx, ty = (hl.Var(name) for name in ("xi", "yi", "tx", "ty"))
    if lanes > 1:
        stage.split(x, x, xi, lanes).vectorize(xi)
    if rows > 1:
        stage.split(y, y, yi, rows, _GUARD)
    stage.gpu_tile(x, y, tx, ty, width, height, _GUARD)
    if rows > 1:
        stage.reorder(*([xi, yi] if lanes > 1 else [yi]), tx, ty).unroll(yi)
    if len(rest) > 1:  # devices number three dimensions
        both = hl.Var("both")
        stage.fuse(rest[0], rest[1], both).gpu_blocks(both)
    elif rest:
        stage.gpu_blocks(rest[0])
    return x


def shared(stage: hl.Func, consumer: hl.Func, block: hl.Var, *, lanes: int = 1) -> None:
    """Computed for a block of the consumer by its threads together, in memory that they share."""
    x, y, *_ = stage.args()
    xi = hl.Var("xi")
    stage.compute_at(consumer, block)
    if lanes > 1:
        stage.split(x, x, xi, lanes).vectorize(xi)
    stage.gpu_threads(x, y)
