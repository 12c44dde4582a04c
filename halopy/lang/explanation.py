"""`Pipeline.explain`: what a schedule makes of a pipeline at some sizes, in numbers, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..automatic import Cost, Limits, LoopCost, StageCost, predicted_cost
from ..compile import compile_query, finished_loops
from ..ir.program import buffer_property, output_buffers
from ..target import Target
from .bounds_query import find_shapes, scalars_now
from .buffers.contents import BufferContents, ShapeOnly
from .estimated_sizes import estimated_sizes
from .image_ref import ImageParamRef
from .param_ref import ParamRef
from .snapshot import Snapshot


class Explanation:
    """Numbers about a schedule, at some sizes. `str` is a table of them; `as_dict` has all.

    `seconds` is a prediction, of which `nests` tell the parts. Counts of `loops` (`entered`, `iterations`) and of
    `stages` (`executions`, `reads`, `writes`) are exact, unless data decides what runs: then not `exact`.
    """

    __slots__ = ("_cost",)

    def __init__(self, cost: Cost) -> None:
        self._cost = cost

    @property
    def seconds(self) -> float:
        """How long a run is expected to take."""
        return self._cost.seconds

    @property
    def exact(self) -> bool:
        """Whether no count depends on data."""
        return self._cost.exact

    @property
    def loops(self) -> tuple[LoopCost, ...]:
        """Each loop: how often it is entered, its iterations, and the bytes that it touches."""
        return self._cost.loops

    @property
    def stages(self) -> tuple[StageCost, ...]:
        """Each stage: how often it is executed and would have to be, what it reads, computes and writes."""
        return self._cost.stages

    def as_dict(self) -> dict[str, Any]:
        """All numbers, of plain types."""
        return asdict(self._cost)

    def __str__(self) -> str:
        return "\n".join([*_loop_table(self._cost), "", *_stage_table(self._cost), "", *_nest_table(self._cost), ""])

    def __repr__(self) -> str:
        return f"<halopy.Explanation of {self.seconds * 1e3:.3g} ms>"


def explanation(seen: Snapshot, target: Target, sizes: tuple[int, ...] | None, limits: Limits) -> Explanation:
    """The numbers of a snapshot. Without sizes, those that were estimated are taken."""
    known = estimated_sizes(seen)
    program = seen.program
    for name, image in program.images.items():
        if isinstance(image.ref, ImageParamRef) and image.ref.buffer is not None:
            raw = image.ref.buffer._contents.raw
            known |= _shape(name, raw.mins, raw.extents)
    for scalar in program.scalars.values():
        if isinstance(scalar.ref, ParamRef) and scalar.ref.version:
            known[scalar.name] = scalar.ref.value
    if sizes is not None:
        for name in program.outputs:
            function = program.functions[name]
            for buffer in output_buffers(name, len(function.dtypes)):
                known |= _shape(buffer, [0] * len(sizes), sizes)
    known |= _needed_shapes(seen, target, known)
    return Explanation(predicted_cost(finished_loops(program, seen.schedules, target), known, limits))


def _shape(buffer: str, mins: Sequence[int], extents: Sequence[int]) -> dict[str, int | float]:
    parts = {"min": mins, "extent": extents}
    return {buffer_property(buffer, what, d).name: n for what, numbers in parts.items() for d, n in enumerate(numbers)}


def _needed_shapes(seen: Snapshot, target: Target, known: Mapping[str, int | float]) -> dict[str, int | float]:
    """Of inputs of which no shape is known, the one that a run needs; none where that depends on what is not known."""
    program = seen.program
    kinds = {name: (image.dtype, image.rank) for name, image in program.images.items()}
    for name in program.outputs:
        function = program.functions[name]
        kinds |= {
            b: (t, function.rank)
            for b, t in zip(output_buffers(name, len(function.dtypes)), function.dtypes, strict=True)
        }
    buffers: dict[str, BufferContents] = {}
    for name, (dtype, rank) in kinds.items():
        ends = [(known.get(f"{name}.min.{d}"), known.get(f"{name}.extent.{d}")) for d in range(rank)]
        if all(low is not None and extent is not None for low, extent in ends):
            array = np.broadcast_to(np.zeros((), dtype.to_numpy()), [int(e or 0) for _, e in reversed(ends)])
            buffers[name] = BufferContents(array, dtype, [int(low or 0) for low, _ in ends])
        elif name in program.images:
            buffers[name] = ShapeOnly(dtype, [0] * rank, name)
        else:
            return {}  # what is missing is told when it is needed
    found = {name: b for name, b in buffers.items() if isinstance(b, ShapeOnly)}
    if not found:
        return {}
    find_shapes(compile_query(program, seen.schedules, target), program, buffers, scalars_now(program))
    shapes: dict[str, int | float] = {}
    for name, shape in found.items():
        shapes |= _shape(name, shape.raw.mins, shape.raw.extents)
    return shapes


def _loop_table(cost: Cost) -> Iterator[str]:
    """Loops as they stand in each other."""
    levels = [f"L{n + 2} bytes" for n in range(len(cost.loops[0].traffic) - 1)] if cost.loops else []
    rows: list[tuple[str, ...]] = [
        ("loop", "kind", "entered", "iterations", "bytes of a run", "of an iteration", *levels, "memory bytes")
    ]
    for loop in cost.loops:
        numbers = (loop.entered, loop.iterations, loop.run_bytes, loop.iteration_bytes, *loop.traffic)
        rows.append(("  " * loop.depth + loop.name, loop.kind, *map(_grouped, numbers)))
    return _aligned(rows, words=2)


def _stage_table(cost: Cost) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        ("stage", "executions", "computed", "operations", "reads", "writes", "lanes", "used")
    ]
    for s in cost.stages:
        name = s.func if s.stage == 0 else f"{s.func}.update({s.stage - 1})"
        numbers = (s.operations * s.executions, s.reads, s.writes, s.lanes)
        used = f"{s.efficiency:.1%}"
        rows.append((name, _grouped(s.executions), f"{s.recomputed:.3f}x", *map(_grouped, numbers), used))
    return _aligned(rows, words=1)


def _nest_table(cost: Cost) -> Iterator[str]:
    """Milliseconds by what limits a nest."""
    behind = [f"from L{n + 2}" for n in range(len(cost.nests[0].caches) - 1)] if cost.nests else []
    rows: list[tuple[str, ...]] = [("nest", "expected", "arithmetic", *behind, "from memory", "threads")]
    for nest in cost.nests:
        times = (nest.seconds, nest.arithmetic, *nest.caches)
        rows.append((nest.name, *(f"{t * 1e3:.3f} ms" for t in times), f"{nest.speedup:.2f}"))
    rows.append(("all", f"{cost.seconds * 1e3:.3f} ms", *[""] * (len(rows[0]) - 2)))
    return _aligned(rows, words=1)


def _grouped(number: int) -> str:
    return f"{number:,}"


def _aligned(rows: Sequence[tuple[str, ...]], words: int) -> Iterator[str]:
    """Columns of words to the left, of numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (c.ljust(w) if n < words else c.rjust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(cells).rstrip()
