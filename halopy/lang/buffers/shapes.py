"""The shape of a Buffer: looking at it, and taking other views of the same memory.

Each change comes twice: `crop` changes this buffer, `cropped` gives another one that shares its memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from ...errors import BufferError
from ...source import caller
from ..argument_names import also_called
from .contents import BufferContents

Box = Sequence[tuple[int, int]]
_Slice = slice


class BufferDimension:
    """One dimension of a Buffer."""

    __slots__ = ("_contents", "_dim")

    def __init__(self, contents: BufferContents, dim: int) -> None:
        self._contents, self._dim = contents, dim

    def min(self) -> int:
        """The first place."""
        return self._contents.mins[self._dim]

    def extent(self) -> int:
        """How many places it has."""
        extent: int = self._contents.array.shape[-1 - self._dim]
        return extent

    def stride(self) -> int:
        """Elements from one place to the next."""
        return self._contents.raw.strides[self._dim]

    def max(self) -> int:
        """The last place."""
        return self.min() + self.extent() - 1

    def __repr__(self) -> str:
        return f"<halopy.BufferDimension [{self.min()},{self.extent()},{self.stride()}]>"


class BufferShapes:
    """The part of Buffer that is about shape."""

    __slots__ = ()

    @property
    def _contents(self) -> BufferContents:
        raise NotImplementedError

    @classmethod
    def _of(cls, contents: BufferContents) -> Self:
        raise NotImplementedError

    def dim(self, dimension: int) -> BufferDimension:
        """The nth dimension."""
        self._check_dimension(dimension)
        return BufferDimension(self._contents, dimension)

    def dimensions(self) -> int:
        """How many dimensions it has."""
        return self._contents.array.ndim

    def width(self) -> int:
        """The extent of dimension 0; 1 if there is none."""
        return self._extent(0)

    def height(self) -> int:
        """The extent of dimension 1; 1 if there is none."""
        return self._extent(1)

    def channels(self) -> int:
        """The extent of dimension 2; 1 if there is none."""
        return self._extent(2)

    def left(self) -> int:
        """The first place of dimension 0."""
        return self.dim(0).min()

    def right(self) -> int:
        """The last place of dimension 0."""
        return self.dim(0).max()

    def top(self) -> int:
        """The first place of dimension 1."""
        return self.dim(1).min()

    def bottom(self) -> int:
        """The last place of dimension 1."""
        return self.dim(1).max()

    def _extent(self, dimension: int) -> int:
        """1 for dimensions that there are not."""
        shape = self._contents.array.shape
        return shape[-1 - dimension] if dimension < len(shape) else 1

    def number_of_elements(self) -> int:
        """How many elements it has."""
        return self._contents.array.size

    def size_in_bytes(self) -> int:
        """Bytes from the first to past the last element."""
        array = self._contents.array
        steps = sum((extent - 1) * abs(step) for extent, step in zip(array.shape, array.strides, strict=True))
        return steps + array.itemsize if array.size else 0

    def contains(self, coords: Sequence[int]) -> bool:
        """Whether the place is inside; the first dimensions only, when fewer are given."""
        if len(coords) > self.dimensions():
            raise ValueError("Too many arguments")
        return all(self.dim(d).min() <= at <= self.dim(d).max() for d, at in enumerate(coords))

    def set_min(self, mins: Sequence[int]) -> None:
        """The region starts elsewhere; dimensions not given stay."""
        if len(mins) > self.dimensions():
            raise ValueError("Too many arguments")
        self._contents.reshape(self._contents.array, (*mins, *self._contents.mins[len(mins) :]))

    @also_called(dimension="delta")
    def translate(self, dimension: int | Sequence[int], dx: int = 0) -> None:
        """Move the region: in one dimension by dx, or in the first ones by a list."""
        moves = [0] * self.dimensions()
        if isinstance(dimension, Sequence):
            moves[: len(dimension)] = dimension
        else:
            self._check_dimension(dimension)
            moves[dimension] = dx
        moved = [low + move for low, move in zip(self._contents.mins, moves, strict=True)]
        self._contents.reshape(self._contents.array, moved)

    @also_called(dimension="delta")
    def translated(self, dimension: int | Sequence[int], dx: int = 0) -> Self:
        """A view that starts elsewhere, as `translate` has it."""
        return self._other(BufferShapes.translate, dimension, dx)

    @also_called(dimension="rect")
    def crop(self, dimension: int | Box, min: int = 0, extent: int = 0) -> None:
        """Keep a part of the region: in one dimension, or a box."""
        box = [(dimension, (min, extent))] if isinstance(dimension, int) else list(enumerate(dimension))
        for d, (low, size) in box:
            self._crop(d, low, size)

    @also_called(dimension="rect")
    def cropped(self, dimension: int | Box, min: int = 0, extent: int = 0) -> Self:
        """A view of a part of the region, as `crop` has it."""
        return self._other(BufferShapes.crop, dimension, min, extent)

    def _crop(self, d: int, low: int, size: int) -> None:
        now = self.dim(d)
        if low < now.min() or size < 0 or low + size > now.min() + now.extent():
            raise BufferError(
                f"[{low}, {low + size}) is not inside dimension {d}, [{now.min()}, {now.max() + 1})", location=caller()
            )
        start = low - now.min()
        self._contents.reshape(
            self._contents.array[self._along(d, slice(start, start + size))], _changed(self._contents.mins, d, low)
        )

    def slice(self, dimension: int, pos: int | None = None) -> None:
        """Drop a dimension, keeping what is at `pos` (its min, unless given)."""
        now = self.dim(dimension)
        at = now.min() if pos is None else pos
        if not now.min() <= at <= now.max():
            raise BufferError(
                f"{at} is not inside dimension {dimension}, [{now.min()}, {now.max() + 1})", location=caller()
            )
        mins = self._contents.mins
        place = at - now.min()
        part = self._contents.array[self._along(dimension, slice(place, place + 1))]
        self._contents.reshape(part.squeeze(-1 - dimension), mins[:dimension] + mins[dimension + 1 :])

    def sliced(self, dimension: int, pos: int | None = None) -> Self:
        """A view without a dimension, as `slice` has it."""
        return self._other(BufferShapes.slice, dimension, pos)

    def embed(self, dimension: int, pos: int = 0) -> None:
        """Add a dimension of extent 1, whose only place is `pos`."""
        if not 0 <= dimension <= self.dimensions():
            raise BufferError(
                f"a new dimension {dimension} of {self.dimensions()}",
                location=caller(),
                accepted=f"0 to {self.dimensions()}",
            )
        mins = self._contents.mins
        axis = self.dimensions() - dimension
        self._contents.reshape(np.expand_dims(self._contents.array, axis), (*mins[:dimension], pos, *mins[dimension:]))

    def embedded(self, dimension: int, pos: int = 0) -> Self:
        """A view with a dimension more, as `embed` has it."""
        return self._other(BufferShapes.embed, dimension, pos)

    def add_dimension(self) -> None:
        """Add an outermost dimension of extent 1."""
        self.embed(self.dimensions())

    @also_called(d1="order")
    def transpose(self, d1: int | Sequence[int], d2: int | None = None) -> None:
        """Swap two dimensions, or make dimension i the new dimension d1[i]. No element moves."""
        order = list(range(self.dimensions()))
        if isinstance(d1, Sequence):
            order = [list(d1).index(d) if d in d1 else -1 for d in range(max(self.dimensions(), len(d1)))]
        else:
            assert d2 is not None, "two dimensions are swapped"
            self._check_dimension(d1)
            self._check_dimension(d2)
            order[d1], order[d2] = order[d2], order[d1]
        if sorted(order) != list(range(self.dimensions())):
            raise BufferError(f"{d1} does not list the dimensions", location=caller(), accepted="each once")
        last = self.dimensions() - 1
        array = self._contents.array.transpose([last - order[last - axis] for axis in range(last + 1)])
        self._contents.reshape(array, [self._contents.mins[d] for d in order])

    @also_called(d1="order")
    def transposed(self, d1: int | Sequence[int], d2: int | None = None) -> Self:
        """A view with other dimensions first, as `transpose` has it."""
        return self._other(BufferShapes.transpose, d1, d2)

    def reverse_axes(self) -> Self:
        """A view with the dimensions in reverse order."""
        return self.transposed(list(reversed(range(self.dimensions()))))

    def _other(self, change: Callable[..., None], *args: object) -> Self:
        """A second buffer on the same memory, changed."""
        contents = self._contents
        other = self._of(BufferContents(contents.elements(), contents.dtype, contents.mins, contents.name))
        change(other, *args)
        return other

    def _along(self, dimension: int, part: _Slice) -> tuple[_Slice, ...]:
        return (*(slice(None),) * (self.dimensions() - 1 - dimension), part)

    def _check_dimension(self, dimension: int) -> None:
        if not 0 <= dimension < self.dimensions():
            raise BufferError(
                f"Buffer `{self._contents.name}` has no dimension {dimension}",
                location=caller(),
                accepted=f"0 to {self.dimensions() - 1}" if self.dimensions() else "nothing: it has no dimensions",
            )


def _changed(values: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*values[:place], value, *values[place + 1 :])
