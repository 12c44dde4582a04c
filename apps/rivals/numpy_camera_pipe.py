"""Developing a raw photograph in NumPy, plane by plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.cases import Array
from apps.cases.camera_pipe import developed
from apps.rivals import Prepared


def prepare(inputs: Sequence[Any], output: Array, threads: int) -> Prepared:
    del threads  # NumPy uses one

    def call() -> None:
        output[...] = developed(*inputs)

    return Prepared(call, output)
