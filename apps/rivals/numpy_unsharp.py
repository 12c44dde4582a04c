"""The unsharp mask in NumPy, as its reference computes it."""

from __future__ import annotations

from collections.abc import Sequence

from apps.cases import Array
from apps.cases.unsharp import sharpened
from apps.rivals import Prepared


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:
    del threads  # NumPy uses one
    (rgb,) = inputs

    def call() -> None:
        output[...] = sharpened(rgb)

    return Prepared(call, output)
