"""Which instances of a stage must keep their order: those that touch one element, where one of them writes it.

    source -> sink     source comes before sink in the algorithm, access(source) == access'(sink)

Flow: the sink reads what the source wrote. Anti: the sink overwrites what the source read. Output: both write.
"""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from ...ir.expr import Expr
from ..affine import Affine
from .stage_model import Access, Model


@dataclass(frozen=True, slots=True)
class Dependence:
    """Pairs of instances, by the accesses that meet. `vague`: an index or predicate for which there may be fewer."""

    pairs: isl.Map
    source: Access
    sink: Access
    vague: str | None


def dependences(model: Model, affine: Affine) -> list[Dependence]:
    """All of a stage's dependences on itself that may have pairs; those that surely have them come first."""
    instances = model.instances(affine)
    later = isl.Map.lex_lt(instances.get_space()).intersect_domain(instances).intersect_range(instances)
    found = []
    for source, sink in _meeting(model):
        pairs = later
        for a, b in zip(source.index, sink.index, strict=True):
            if a is not None and b is not None:
                pairs = pairs.intersect(affine.function(a).eq_map(affine.function(b)))
        if not pairs.is_empty():
            found.append(Dependence(pairs, source, sink, source.vague or sink.vague or model.vague))
    return sorted(found, key=lambda d: d.vague is not None)


def _meeting(model: Model) -> list[tuple[Access, Access]]:
    """Flow, anti and output. A read of the element that the same instance writes meets what the write meets."""
    writes = [a for a in model.accesses if a.is_write]
    reads = [a for a in model.accesses if not a.is_write]
    candidates = [(w, r) for w in writes for r in reads]
    candidates += [(r, w) for r in reads for w in writes]
    candidates += [(a, b) for a in writes for b in writes]
    distinct: dict[tuple[tuple[Expr | None, ...], ...], tuple[Access, Access]] = {}
    for source, sink in candidates:
        distinct.setdefault((source.index, sink.index), (source, sink))
    return list(distinct.values())
