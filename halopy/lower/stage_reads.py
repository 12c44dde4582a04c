"""Where a stage reads and writes, as indices by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir.effects import without_effects
from ..ir.expr import Expr
from ..ir.function import Definition
from ..ir.groups import elements_of
from .place_functions import stage_reads


@dataclass(frozen=True, slots=True)
class StageReads:
    """The reads of one stage, by name, without repetition; each element of a group is looked at by itself."""

    by_name: Mapping[str, tuple[tuple[Expr, ...], ...]]
    writes: tuple[tuple[Expr, ...], ...]  # the index that the stage writes; several where it scatters
    predicate: Expr | None


def reads_of_stage(definition: Definition) -> StageReads:
    by_name: dict[str, dict[tuple[Expr, ...], None]] = {}
    elements = elements_of(definition)
    for read in (read for element in elements for read in stage_reads(element)):
        by_name.setdefault(read.name, {}).setdefault(tuple(map(without_effects, read.index)))
    predicate = definition.rdom.predicate if definition.rdom else None
    return StageReads(
        {n: tuple(i) for n, i in by_name.items()},
        tuple(tuple(map(without_effects, element.index)) for element in elements),
        predicate and without_effects(predicate),
    )
