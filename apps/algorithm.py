"""What an app hands to whoever schedules and runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import halopy as hl

Value = NDArray[Any] | int | float


@dataclass(frozen=True)
class Algorithm:
    """A pipeline without a schedule. `stages` are the Funcs a schedule speaks about, by the names of its arguments:
    `schedule(**algorithm.stages)`; the last of them is the output."""

    inputs: tuple[hl.ImageParam | hl.Param, ...]
    stages: Mapping[str, hl.Func]

    @property
    def output(self) -> hl.Func:
        return list(self.stages.values())[-1]

    def give(self, values: Sequence[Value]) -> None:
        """One array for each image, and one number for each parameter."""
        for parameter, value in zip(self.inputs, values, strict=True):
            parameter.set(hl.Buffer(value) if isinstance(value, np.ndarray) else value)

    def estimate(self, values: Sequence[Value], result: NDArray[Any]) -> None:
        """Tell an autoscheduler which sizes and numbers to expect: these."""
        for parameter, value in zip(self.inputs, values, strict=True):
            if isinstance(value, np.ndarray):
                parameter.set_estimates(_ranges(value))
            else:
                parameter.set_estimate(value)
        self.output.set_estimates(_ranges(result))


def _ranges(array: NDArray[Any]) -> list[hl.Range]:
    return [hl.Range(0, extent) for extent in reversed(array.shape)]
