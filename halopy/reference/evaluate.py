"""Evaluate a program over regions of its outputs: what each Func must hold is found from what its consumers read.

Two walks. Consumers first: the index of every read is computed over the points of the stage, and
the least box around it is what the producer must hold. Producers first: each stage is computed
over its box. An index that depends on data reads that data, which is evaluated when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ..arithmetic.values import Array
from ..errors import BufferError
from ..ir.contraction import kept_exact
from ..ir.effects import without_effects
from ..ir.expr import Effect, Read
from ..ir.extern import extern_call
from ..ir.function import Function
from ..ir.program import Program, expressions
from .boxes import Box, box_around, box_of_region, covers, is_empty, shape_of, union
from .extern import ExternFunctions, ExternStage
from .grid import blank
from .inputs import ImageArgument, image_grids, input_variables
from .run_stage import Outgrown, run_stage
from .stage import Stage

Region: TypeAlias = Sequence[tuple[int, int]]


def evaluate(
    program: Program,
    images: Mapping[str, ImageArgument],
    scalars: Mapping[str, int | float],
    regions: Mapping[str, Region],
    functions: ExternFunctions | None = None,
) -> dict[str, list[Array]]:
    """The outputs named by `regions`, one array per tuple element, last axis for dimension 0.

    `images` has for each input image its array (last axis for dimension 0, bfloat16 as uint16) and
    the mins of its dimensions; `regions` has (min, extent) per dimension. Schedules play no part.
    Raises BufferError where an input image does not fit, or is read outside its region; DefinitionError for an extern
    stage without `functions`.
    """
    evaluation = _Evaluation(program, images, scalars, functions)
    boxes = {name: box_of_region(region) for name, region in regions.items()}
    evaluation.realize(boxes)
    return {name: evaluation.result(name, box) for name, box in boxes.items()}


def _silent(program: Program) -> Program:
    """The program without what it prints and requires: that changes no value."""
    return replace(program, functions={name: _silent_function(f) for name, f in program.functions.items()})


def _silent_function(function: Function) -> Function:
    if not any(root.has(Effect) for root in expressions(function)):
        return function
    definitions = []
    for d in function.definitions:
        predicate = None if d.rdom is None or d.rdom.predicate is None else without_effects(d.rdom.predicate)
        definitions.append(
            replace(
                d,
                index=tuple(map(without_effects, d.index)),
                values=tuple(map(without_effects, d.values)),
                rdom=d.rdom and replace(d.rdom, predicate=predicate),
            )
        )
    return replace(function, definitions=tuple(definitions))


class _Evaluation:
    """One call of `evaluate`: what has been realized so far."""

    def __init__(
        self,
        program: Program,
        images: Mapping[str, ImageArgument],
        scalars: Mapping[str, int | float],
        functions: ExternFunctions | None,
    ) -> None:
        self.program = _silent(program)
        self.exact = kept_exact(self.program)
        self.grids = image_grids(program, images)
        self.variables = input_variables(program, images, scalars)
        self._extern = {
            name: ExternStage(self.program, f, functions, self.variables)
            for name, f in self.program.functions.items()
            if extern_call(f) is not None
        }
        self._extern_needs: dict[str, dict[str, Box]] = {}
        self._stages: dict[str, list[Stage]] = {}
        self._grown: dict[tuple[str, int], Box] = {}

    def result(self, name: str, box: Box) -> list[Array]:
        """A realized output over exactly `box`, as in memory."""
        dtypes = self.program.functions[name].dtypes
        if is_empty(box):
            return [np.zeros(shape_of(box), d.to_numpy()) for d in dtypes]
        return self.grids[name].window(box).stored(dtypes)

    def realize(self, wanted: Mapping[str, Box]) -> None:
        """Compute the Funcs at least over the boxes."""
        demand = {name: box for name, box in wanted.items() if not is_empty(box)}
        plans: dict[str, list[Box]] = {}
        for name in reversed(list(self.program.functions)):
            if name in demand and not self._holds(name, demand[name]):
                held = self.grids[name].box if name in self.grids else None
                plans[name] = self._plan(name, union(held, demand[name]), demand)
        for name in self.program.functions:
            if name in plans and not self._holds(name, plans[name][-1]):
                self._compute(name, plans[name])

    def _holds(self, name: str, box: Box) -> bool:
        return name in self.grids and covers(self.grids[name].box, box)

    def _stages_of(self, name: str) -> list[Stage]:
        if name not in self._stages:
            function = self.program.functions[name]
            stages = range(len(function.definitions))
            self._stages[name] = [Stage(function, k, exact=name in self.exact) for k in stages]
        return self._stages[name]

    def _plan(self, name: str, box: Box, demand: dict[str, Box]) -> list[Box]:
        """The box of each stage: what consumers and later stages of the Func touch. Adds reads to `demand`."""
        if name in self._extern:
            return [self._plan_extern(name, box, demand)]
        boxes = [box]
        for stage in reversed(self._stages_of(name)):
            self._demand(stage, boxes[0], demand)
            if stage.number:
                touched = union(demand.pop(name, None), boxes[0])
                boxes.insert(0, union(self._grown.get((name, stage.number)), touched))
        return boxes

    def _plan_extern(self, name: str, box: Box, demand: dict[str, Box]) -> Box:
        """What the function computes where a box is needed."""
        computed, needed = self._extern[name].needs(box, self.grids)
        self._extern_needs[name] = needed
        for read, part in needed.items():
            if read in self.program.images:
                self._check_inside(read, part)
            elif not is_empty(part):
                demand[read] = union(demand.get(read), part)
        return computed

    def _demand(self, stage: Stage, box: Box, demand: dict[str, Box]) -> None:
        """Add what the stage reads and what it updates, as far as that can be known before it runs."""
        if not stage.touches.roots:
            return
        points = stage.whole_domain(box, self.variables, self.read)
        if points is None:
            return
        indexes = iter(stage.touches.run({**self.variables, **points}, self.read))
        if stage.writes_are_known:
            for write in stage.writes:
                written = box_around([next(indexes) for _ in write.index])
                if stage.number:
                    demand[stage.function.name] = union(demand.get(stage.function.name), written)
        for r in stage.known_reads:
            needed = box_around([next(indexes) for _ in r.index])
            if r.name in self.program.functions:
                demand[r.name] = union(demand.get(r.name), needed)

    def read(self, node: Read, index: Sequence[Array]) -> Array:
        """The value of a Read of another Func or an image."""
        needed = box_around(index)
        if node.name in self.program.images:
            self._check_inside(node.name, needed)
        elif not self._holds(node.name, needed):
            self.realize({node.name: needed})
        return self.grids[node.name].gather(index, node.element)

    def _check_inside(self, name: str, needed: Box) -> None:
        for dim, (need, have) in enumerate(zip(needed, self.grids[name].box, strict=True)):
            if need[0] < have[0] or need[1] > have[1]:
                raise BufferError(
                    f"input image `{name}` is too small in dimension {dim}",
                    reason=[f"needed are {need[0]} to {need[1]}, given are {have[0]} to {have[1]}"],
                )

    def _compute(self, name: str, boxes: list[Box]) -> None:
        """Run all stages; start again with larger boxes when an update touches more than could be foreseen."""
        if name in self._extern:
            self.grids[name] = self._extern[name].values(boxes[0], self._extern_needs[name], self.grids)
            return
        stages = self._stages_of(name)
        done = False
        while not done:
            grid = blank(boxes[0], self.program.functions[name].dtypes)
            for stage, box in zip(stages, boxes, strict=True):
                before = boxes[max(stage.number - 1, 0)]
                try:
                    run_stage(stage, box, grid, before, self.variables, self.read)
                except Outgrown as more:
                    key = (name, stage.number)
                    self._grown[key] = union(self._grown.get(key), more.box)
                    boxes = self._plan(name, boxes[-1], {})
                    break
            else:
                self.grids[name] = grid.window(boxes[-1])  # beyond it not all stages have run
                done = True
