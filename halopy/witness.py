"""Two iterations and the element in which they meet: what shows that a schedule would change the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Instance:
    """One iteration of a stage: the values of its variables, those of the innermost loops first."""

    stage: str  # as the user writes it: `f`, `f.update(0)`
    variables: Mapping[str, int]

    def __str__(self) -> str:
        return f"({', '.join(f'{name}={value}' for name, value in self.variables.items())})"


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of a Func."""

    func: str
    coordinates: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.func}({', '.join(map(str, self.coordinates))})"


class Dates(Protocol):
    """When loops run the iterations of a stage.

    `loops` are the outermost first, each as `parallel y`; `at_once` are the places of those that are in no order, and
    `tiles` of those that go from tile to tile.
    """

    @property
    def loops(self) -> tuple[str, ...]: ...
    @property
    def at_once(self) -> frozenset[int]: ...
    @property
    def tiles(self) -> frozenset[int]: ...
    def __call__(self, at: Mapping[str, int], parameters: Mapping[str, int]) -> tuple[tuple[int, ...], ...] | None:
        """The date that each loop gives an iteration; None where there is no such iteration, or it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class Witness:
    """In the algorithm `source` comes before `sink`, both touch `cell`, and at least one of them writes it.

    `parameters`: sizes and other numbers that are known only when the pipeline runs, for which this is so.
    """

    source: Instance
    sink: Instance
    cell: Cell
    parameters: Mapping[str, int] = field(default_factory=dict)
    source_writes: bool = True
    sink_writes: bool = False
    dates: Dates | None = field(default=None, compare=False, repr=False)

    def told(self, how: str) -> str:
        """A sentence; `how` says what becomes of the source: "may run at the same time"."""
        sink = "writes" if self.sink_writes else "reads"
        source = "written" if self.source_writes else "read"
        where = ", ".join(f"{name} = {value}" for name, value in self.parameters.items())
        apart = self.sink.stage != self.source.stage
        return (
            f"{f'with {where}, ' if where else ''}iteration {self.sink}{_of(self.sink) if apart else ''} {sink} "
            f"{self.cell}, {source} by iteration {self.source}{_of(self.source) if apart else ''}, which {how}"
        )


def _of(instance: Instance) -> str:
    return f" of {instance.stage}"
