"""What an automatic schedule consists of: directives as values, for whom they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.build import ge, logical_and
from ..ir.expr import TRUE, Expr, const
from ..ir.program import buffer_property
from ..schedule.directives import ComputeAt, LoopDirective, ReorderStorage, StoreAt


@dataclass(frozen=True, slots=True)
class Large:
    """The condition that an output has at least so many elements in each dimension; 0 for any number."""

    output: str
    least: tuple[int, ...]

    def condition(self) -> Expr:
        """In symbols of the program. The output has one value."""
        holds: Expr = TRUE
        for d, least in enumerate(self.least):
            if least:
                holds = logical_and(holds, ge(buffer_property(self.output, "extent", d), const(least)))
        return holds


@dataclass(frozen=True, slots=True)
class Choice:
    """One directive about a stage of a Func, by the program's name of it. None: the stage is left as it is.

    Where `when` is given, it is about the version of the stage for such sizes. Versions come before the rest.
    """

    func: str
    stage: int
    action: LoopDirective | ComputeAt | StoreAt | ReorderStorage | None
    when: Large | None = None
