"""Bounds queries: buffers without memory get the shapes that a pipeline needs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import BufferError
from ..ir.expr import Expr, const
from ..ir.program import Program, buffer_property
from ..lower.query_bounds import Needs, Query
from ..runtime.extern_functions import ask_function
from ..source import caller
from .buffers.contents import BufferContents, ShapeOnly
from .param_ref import ParamRef, Scalar

_MOST_ROUNDS = 64


def find_shapes(
    query: Query, program: Program, buffers: Mapping[str, BufferContents], values: Mapping[str, Scalar]
) -> None:
    """Give each ShapeOnly among a program's buffers, by name, the shape that it needs.

    A shape may depend on others, and a promise on the shape that it is about, so this goes on until nothing changes.
    Raises BufferError where it does not end.
    """
    scalars = {name: _constant(program, name, value) for name, value in values.items()}
    shapes = {name: _Shape(contents) for name, contents in buffers.items()}
    open_shapes = {name: s for name, s in shapes.items() if isinstance(s.contents, ShapeOnly)}
    for _ in range(_MOST_ROUNDS):
        before = [shape.now() for shape in open_shapes.values()]
        needs = query.ask(_known(shapes, scalars), ask_function)
        for name, shape in open_shapes.items():
            shape.cover(name, needs, is_input=name in program.images)
        promised = query.promised(_known(shapes, scalars))  # they may be about the shape that is needed
        for name, shape in open_shapes.items():
            shape.keep(name, promised)
        if before == [shape.now() for shape in open_shapes.values()]:
            for shape in open_shapes.values():
                shape.store()
            return
    inputs = [f"`{program.images[name].ref.name}`" for name in open_shapes if name in program.images]
    whose = f"the shape of {', '.join(inputs)}" if inputs else "the shapes of the outputs"
    raise BufferError(
        f"{whose} would never be enough: what is needed is still more after {_MOST_ROUNDS} rounds",
        location=caller(),
        reason=["an input may be needed beyond its own end, or promises about shapes may contradict each other"],
    )


def _constant(program: Program, name: str, value: Scalar) -> Expr:
    return const(value, program.scalars[name].dtype)


def scalars_now(program: Program) -> dict[str, Scalar]:
    """The values of a program's Params."""
    return {name: s.ref.value for name, s in program.scalars.items() if isinstance(s.ref, ParamRef)}


def shape_symbols(name: str, mins: Sequence[int], extents: Sequence[int], strides: Sequence[int]) -> dict[str, Expr]:
    """What the properties of a buffer are called in a program, as constants."""
    parts = {"min": mins, "extent": extents, "stride": strides}
    return {
        buffer_property(name, what, d).name: const(number)
        for what, numbers in parts.items()
        for d, number in enumerate(numbers)
    }


def _known(shapes: Mapping[str, _Shape], scalars: Mapping[str, Expr]) -> dict[str, Expr]:
    known = dict(scalars)
    for name, shape in shapes.items():
        known |= shape.symbols(name)
    return known


class _Shape:
    """A shape that is being found, starting with the one that a buffer has."""

    def __init__(self, contents: BufferContents) -> None:
        self.contents = contents
        raw = contents.raw
        self.mins, self.extents, self.strides = list(raw.mins), list(raw.extents), list(raw.strides)

    def symbols(self, name: str) -> dict[str, Expr]:
        """What its properties are called in a program, as constants."""
        return shape_symbols(name, self.mins, self.extents, self.strides)

    def now(self) -> tuple[list[int], ...]:
        """The shape as it stands."""
        return list(self.mins), list(self.extents), list(self.strides)

    def cover(self, name: str, needs: Needs, *, is_input: bool) -> None:
        """Become the region that is needed; an output also grows to what its splits want."""
        for d, (least, extent) in enumerate(zip(self.mins, self.extents, strict=True)):
            low, high = needs.regions.get((name, d), (least, least + extent - 1))
            if not is_input:
                high = max(high, least + extent - 1 + needs.growth.get(buffer_property(name, "extent", d).name, 0))
            self.mins[d], self.extents[d] = low, max(0, high - low + 1)

    def keep(self, name: str, promised: Mapping[tuple[str, str, int], int]) -> None:
        """Become what is promised; the rest still reaches as far, and lies densely."""
        for d, (low, extent) in enumerate(zip(self.mins, self.extents, strict=True)):
            self.mins[d] = promised.get((name, "min", d), low)
            self.extents[d] = promised.get((name, "extent", d), max(0, extent + low - self.mins[d]))
        for d in range(len(self.strides)):
            dense = self.strides[d - 1] * self.extents[d - 1] if d else 1
            self.strides[d] = promised.get((name, "stride", d), dense)

    def store(self) -> None:
        """Give the shape to the buffer."""
        assert isinstance(self.contents, ShapeOnly), "only shapes without memory are found"
        self.contents.set_shape(self.mins, self.extents, self.strides)
