"""Harris corners in NumPy, as their reference computes them."""

from __future__ import annotations

from collections.abc import Sequence

from apps.cases import Array
from apps.cases.harris import corners
from apps.rivals import Prepared


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    del threads  # NumPy uses one
    (rgb,) = inputs

    def call() -> None:
        output[...] = corners(rgb)

    return Prepared(call, output)
