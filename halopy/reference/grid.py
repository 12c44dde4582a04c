"""Values of a Func or an image over a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arithmetic.values import Array, carrier, to_storage
from ..dtypes import DType
from .boxes import Box, shape_of


@dataclass(frozen=True, slots=True)
class Grid:
    """One array per tuple element over `box`; the last axis is dimension 0."""

    box: Box
    arrays: tuple[Array, ...]

    def gather(self, index: Sequence[Array], element: int) -> Array:
        """The values at the points of broadcasting index arrays."""
        return np.asarray(self.arrays[element][self._offsets(index)])

    def scatter(self, index: Sequence[Array], element: int, value: Array, where: Array) -> None:
        """Write the values at the points where `where` holds."""
        shape = np.broadcast_shapes(value.shape, where.shape, *(i.shape for i in index))
        if where.all():
            where = np.ones(shape, np.bool_)
        mask = np.broadcast_to(where, shape)
        chosen = [np.broadcast_to(i, shape)[mask] for i in index]
        values = np.broadcast_to(value, shape)[mask]
        if chosen:
            self.arrays[element][self._offsets(chosen)] = values
        elif values.size:
            self.arrays[element][()] = values[-1]

    def fill(self, element: int, value: Array) -> None:
        """Write the whole box."""
        self.arrays[element][...] = value

    def window(self, box: Box) -> Grid:
        """The part inside `box`, without a copy."""
        window = tuple(slice(b[0] - g[0], b[1] - g[0] + 1) for b, g in zip(box, self.box, strict=True))[::-1]
        return Grid(box, tuple(a[window] for a in self.arrays))

    def stored(self, dtypes: Sequence[DType]) -> list[Array]:
        """Copies as in memory."""
        return [np.array(to_storage(a, d), order="C") for a, d in zip(self.arrays, dtypes, strict=True)]

    def _offsets(self, index: Sequence[Array]) -> tuple[Array, ...]:
        return tuple(np.subtract(i, low, dtype=np.int64) for i, (low, _) in zip(index, self.box, strict=True))[::-1]


def blank(box: Box, dtypes: Sequence[DType]) -> Grid:
    """Zeros over the box."""
    return Grid(box, tuple(np.zeros(shape_of(box), carrier(d)) for d in dtypes))
