"""The loops of one stage: its dense dimension in vectors, its longest outer dimension in parallel tasks.

    for y: for x: S    ->    for y in parallel tasks: for y_t: for x: for x_v in vector lanes: S

Every split guards its tail, so that a stage asks of its inputs what it would ask without a schedule.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from ..dtypes import INT32
from ..ir.expr import Const
from ..ir.stmt import LoopKind
from ..schedule.directives import Directive, LoopDirective, Reorder, SetKind, Split, Tail
from ..schedule.nest import StageNest
from ..schedule.nest import apply as apply_to_nest
from .choices import Choice, Large
from .machine import Machine

_SMALLEST_VECTOR = 4
_TASK = 1 << 15  # operations that are worth a task of their own
_TASKS = 4  # for each thread


class StageLoops:
    """Gathers directives about one stage, and keeps the nest that they make.

    `extents` are the expected iterations of each loop. With `when`, it is about the version for such sizes.
    """

    def __init__(
        self, func: str, stage: int, nest: StageNest, extents: Mapping[str, int], when: Large | None = None
    ) -> None:
        self.func, self.stage, self.nest, self.when = func, stage, nest, when
        self.extents = dict(extents)
        self.choices: list[Choice] = []

    def do(self, action: LoopDirective) -> None:
        self.nest = apply_to_nest(self.nest, Directive(action, self.stage, None, f"automatic {self.func}"))
        self.choices.append(Choice(self.func, self.stage, action, self.when))

    def split(self, loop: str, suffix: str, factor: int, tail: Tail = Tail.GUARD_WITH_IF) -> str:
        """Split a loop into tiles of this size; gives the inner loop's name."""
        inner = self._unused(f"{loop.rsplit('$', 1)[-1]}_{suffix}")  # a domain's name may differ each time
        self.do(Split(loop, loop, inner, Const(factor, INT32), tail))
        self.extents[inner] = factor
        self.extents[loop] = math.ceil(self.extents[loop] / factor)
        return inner

    def order(self, loops: Iterable[str]) -> None:
        """All loops in this order, innermost first."""
        wanted = tuple(loops)
        assert sorted(wanted) == sorted(self.nest.loop_names), f"{wanted} are not the loops {self.nest.loop_names}"
        if wanted != self.nest.loop_names:
            self.do(Reorder(wanted))

    def mark(self, loop: str, kind: LoopKind) -> None:
        self.do(SetKind(loop, kind))

    def is_free(self, loop: str) -> bool:
        """Whether the iterations of a loop touch different elements."""
        dim = self.nest.dim(loop)
        return dim is not None and not (dim.is_reduction and dim.is_ordered)

    def _unused(self, name: str) -> str:
        candidates = (name + "_" * n for n in range(len(self.nest.dims) + 1))
        return next(c for c in candidates if self.nest.dim(c) is None)


def spread_stage(
    loops: StageLoops, dense: str | None, lanes: int, work: int, machine: Machine, together: Collection[str] = ()
) -> None:
    """Vectors along `dense` and tasks along the longest other free loop. `work` is all the stage's operations.

    Iterations of the loops `together` are computed beside each other.
    """
    vector = in_vectors(loops, dense, lanes)
    copies = beside_each_other(loops, together)
    inner = [*([] if vector is None else [vector]), *copies]
    task = _task_loop(loops, dense, copies)
    is_spread = task is not None and work > 2 * _TASK and loops.extents[task] > 1
    if is_spread and task is not None:
        loops.order([*inner, *(n for n in loops.nest.loop_names if n not in (*inner, task)), task])
    else:
        loops.order([*inner, *(n for n in loops.nest.loop_names if n not in inner)])
    if vector is not None:
        loops.mark(vector, LoopKind.VECTORIZED)
    for copy in copies:
        loops.mark(copy, LoopKind.UNROLLED)
    if is_spread and task is not None:
        iterations = loops.extents[task]
        least = math.ceil(iterations / max(1, work // _TASK))
        task_size = max(least, iterations // (_TASKS * machine.parallelism))
        if 1 < task_size < iterations:
            loops.split(task, "t", task_size)
        loops.mark(task, LoopKind.PARALLEL)


def vector_width(extent: int, lanes: int) -> int:
    """Lanes for a loop of so many iterations: a register's, fewer for a short loop, 1 for none."""
    width = lanes
    while width > extent:
        width //= 2
    return width if width >= _SMALLEST_VECTOR else 1


def in_strips(
    loops: StageLoops, dense: str | None, lanes: int, rows: str, height: int, together: Collection[str] = ()
) -> str:
    """Parallel strips of so many rows each; gives the loop over the rows of a strip."""
    vector = in_vectors(loops, dense, lanes)
    inner = loops.split(rows, "t", height)
    copies = beside_each_other(loops, [name for name in together if name != rows])
    first = [*([] if vector is None else [vector]), *copies]
    loops.order([*first, *(n for n in loops.nest.loop_names if n not in (*first, inner, rows)), inner, rows])
    if vector is not None:
        loops.mark(vector, LoopKind.VECTORIZED)
    for copy in copies:
        loops.mark(copy, LoopKind.UNROLLED)
    loops.mark(rows, LoopKind.PARALLEL)
    return inner


def in_rows(loops: StageLoops, dense: str | None, lanes: int, together: Collection[str] = ()) -> None:
    """Vectors, with the iterations of some loops beside each other."""
    vector = in_vectors(loops, dense, lanes)
    copies = beside_each_other(loops, together)
    inner = [*([] if vector is None else [vector]), *copies]
    loops.order([*inner, *(n for n in loops.nest.loop_names if n not in inner)])
    if vector is not None:
        loops.mark(vector, LoopKind.VECTORIZED)
    for copy in copies:
        loops.mark(copy, LoopKind.UNROLLED)


def beside_each_other(loops: StageLoops, names: Iterable[str]) -> list[str]:
    """Loops to unroll, which have all iterations of these short ones that are expected."""
    return [loops.split(name, "u", loops.extents[name]) for name in names if loops.extents[name] > 1]


def in_vectors(loops: StageLoops, dense: str | None, lanes: int) -> str | None:
    """Split the dense loop by a vector's width; the name of the loop over lanes, which is still to be marked."""
    if dense is None or not loops.is_free(dense):
        return None
    width = vector_width(loops.extents[dense], lanes)
    return loops.split(dense, "v", width) if width > 1 else None


def _task_loop(loops: StageLoops, dense: str | None, copies: Collection[str]) -> str | None:
    """The outer loop with most iterations; the dense one only where there is no other."""
    names = [name for name in loops.nest.loop_names if name not in copies and not name.endswith("_v")]
    free = [name for name in names if loops.is_free(name)]
    others = [name for name in free if name != dense and loops.extents[name] > 1]
    candidates = others or [name for name in free if name == dense]
    return max(reversed(candidates), key=lambda name: loops.extents[name]) if candidates else None
