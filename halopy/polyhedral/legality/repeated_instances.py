"""Which instances of an update the tail of a split runs twice, and one of them that reads what it wrote itself.

split(v, outer, inner, k, ShiftInwards), v over [m, m + n)      the last tile starts at m + n - k

twice   m + n - k <= v,  m + (v - m) / k * k + k < m + n        in the last tile, and in an earlier one
wrong   { i -> i : i in twice, an element that i reads is one that it writes }
"""

from __future__ import annotations

import islpy as isl

from ...ir.build import add, div, ge, lt, mul, sub
from ...ir.expr import Expr, Var, const_value
from ...ir.rewrite import free_vars
from ...schedule.directives import Split
from ...witness import Witness
from ..affine import Affine
from ..isl_limits import ask
from ..question import NotAffine
from .dependences import Dependence
from .find_witness import find_witness
from .stage_model import Access, Model, Stage

MOST_OPERATIONS = 200_000


def repeated_instance(stage: Stage, split: Split) -> Witness | None:
    """An instance that ShiftInwards runs twice, and that reads what it wrote; None where none is found.

    Only where the split loop runs over a variable of the stage as it is.
    """
    try:
        model = Model(stage)
        if split.old not in model.ranges or const_value(split.factor) is None:
            return None
        span = model.ranges[split.old]
        conditions = [model.canonical(e) for e in _twice(Var(split.old), span.min, span.extent, split.factor)]
        timed_by = free_vars(model.canonical(span.min)) | free_vars(model.canonical(span.extent))
    except NotAffine:
        return None
    return ask(lambda context: _found(model, conditions, timed_by, model.affine(context)), MOST_OPERATIONS)


def _twice(v: Expr, low: Expr, extent: Expr, factor: Expr) -> list[Expr]:
    return [ge(v, sub(add(low, extent), factor)), lt(add(mul(div(sub(v, low), factor), factor), factor), extent)]


def _found(model: Model, conditions: list[Expr], timed_by: frozenset[str], affine: Affine) -> Witness | None:
    points = model.instances(affine)
    for condition in conditions:
        points = points.intersect(affine.set(condition))
    for read, write in _own_elements(model):
        same = isl.Map.identity(isl.Space.map_from_set(points.get_space())).intersect_domain(points)
        for a, b in zip(read.index, write.index, strict=True):
            assert a is not None and b is not None, "these indices are known"
            same = same.intersect(affine.function(a).eq_map(affine.function(b)))
        if not same.is_empty():
            return find_witness(same, Dependence(same, write, read, None), model, affine, timed_by)
    return None


def _own_elements(model: Model) -> list[tuple[Access, Access]]:
    if model.vague is not None:
        return []
    known = [a for a in model.accesses if a.vague is None]
    return [(r, w) for r in known if not r.is_write for w in known if w.is_write]
