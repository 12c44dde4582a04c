"""Extern stages: the functions of users compute them here too, if they are there to be called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from ..arithmetic.values import Array, from_storage
from ..errors import DefinitionError
from ..ir.extern import extern_numbers, extern_service
from ..ir.function import Function
from ..ir.program import Program
from ..ir.services import AskExtern, CallExtern
from .boxes import Box, box_of_region, is_empty, shape_of, union
from .grid import Grid, blank
from .tape import Tape

_Region: TypeAlias = Sequence[tuple[int, int]]
_Shapes: TypeAlias = Mapping[str, Sequence[tuple[int, int, int]]]
_Numbers: TypeAlias = Sequence[int | float]
_Placed: TypeAlias = "tuple[Array, Sequence[int]]"  # memory, and the mins of its dimensions


class ExternFunctions(NamedTuple):
    """How functions are asked which regions they need (by argument, dimension, and min or extent), and called."""

    ask: Callable[[AskExtern, _Numbers, _Region, _Region, _Shapes], dict[tuple[int, int, int], int]]
    compute: Callable[[CallExtern, _Numbers, Sequence[Sequence[_Placed]]], None]


class ExternStage:
    """One extern stage of a program. Raises DefinitionError where there is no way to call functions."""

    def __init__(
        self, program: Program, function: Function, functions: ExternFunctions | None, variables: Mapping[str, Array]
    ) -> None:
        if functions is None:
            raise DefinitionError(
                f"the extern stage `{function.name}` cannot be evaluated: nothing here calls its function",
                location=function.location,
            )
        self.functions, self.function = functions, function
        self.call = extern_service(program, function.name, function.name)
        found = Tape(extern_numbers(function)).run(variables, _reads_nothing)
        self.numbers = [n.item() for n in found]

    def needs(self, box: Box, images: Mapping[str, Grid]) -> tuple[Box, dict[str, Box]]:
        """What the function computes where a box is needed, and which boxes of Funcs and images it needs for that."""
        arguments, rank = self.call.arguments, len(box)
        shapes = {a.name: _shape(images[a.name]) for a in arguments if a.position >= 0}
        question = AskExtern("", self.call, rank, grows=True, outer=False, stays=False)
        answers = self.functions.ask(question, self.numbers, _region(box), (), shapes)

        def told(at: int, dims: int) -> Box:
            return box_of_region([(answers[at, d, 0], answers[at, d, 1]) for d in range(dims)])

        needed: dict[str, Box] = {}
        for at, argument in enumerate(arguments):
            if argument.name:
                needed[argument.name] = union(needed.get(argument.name), told(at, argument.rank))
        return told(len(arguments), rank), needed

    def values(self, box: Box, needed: Mapping[str, Box], grids: Mapping[str, Grid]) -> Grid:
        """The stage over a box, from grids that hold what is needed."""
        results = [np.zeros(shape_of(box), dtype.to_numpy()) for dtype in self.call.dtypes]
        given: list[list[_Placed]] = []
        for argument in self.call.arguments:
            arrays: list[Array] = []
            if argument.name:
                part = needed[argument.name]
                grid = blank(part, argument.dtypes) if is_empty(part) else grids[argument.name].window(part)
                arrays = grid.stored(argument.dtypes)
            given.append([(array, [low for low, _ in needed[argument.name]]) for array in arrays])
        mins = [low for low, _ in box]
        self.functions.compute(self.call, self.numbers, [*given, [(array, mins) for array in results]])
        return Grid(box, tuple(from_storage(a, d) for a, d in zip(results, self.call.dtypes, strict=True)))


def _region(box: Box) -> list[tuple[int, int]]:
    return [(low, max(0, high - low + 1)) for low, high in box]


def _shape(grid: Grid) -> list[tuple[int, int, int]]:
    """Min, extent and stride of each dimension, as if it were dense."""
    rows, stride = [], 1
    for low, extent in _region(grid.box):
        rows.append((low, extent, stride))
        stride *= extent
    return rows


def _reads_nothing(*_: object) -> Array:
    raise AssertionError("expected numbers that are known before anything runs, found a read")
