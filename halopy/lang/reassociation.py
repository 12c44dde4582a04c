"""Whether a schedule combines floats in another order than the algorithm: right, but not bit for bit.

    s[x] += e, r.x and r.y interchanged      where s is of floats, sums may round otherwise
    s[x] += e, atomic(), r.x in lanes        so do those of lanes and threads,
    s[x] += e, rfactor(r.y, u)               and partial sums
    m[x] = max(m[x], e), the same            the greatest is the same, but for NaNs and the sign of zero

Halide takes floats for associative, and so does halopy; a proof says where that was needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..ir.expr import Max, Min, Select
from ..ir.function import Function
from ..proof import PROVED, REASSOCIATED, Obligation
from ..schedule.associativity import associative_op
from ..schedule.directives import Rfactor
from ..schedule.nest import StageNest
from .func_contents import FuncContents
from .legality import verdict_of

_SUMS = "floats are combined in another order: not bit for bit"
_EXTREMES = "the greatest and least of floats are the same in any order, but for NaNs and the sign of zero"


def reassociation(contents: FuncContents, nest: StageNest, name: str, sizes: tuple[int, ...]) -> Iterator[Obligation]:
    """What a proof says of the order in which a stage combines floats; nothing where it is the algorithm's."""
    function = contents.defined_function.in_version(nest.stage, nest.definition)
    if not nest.is_update or not any(dtype.is_float for dtype in function.dtypes):
        return
    why = _EXTREMES if _keeps_one(function, nest.stage, contents) else _SUMS
    for directive in nest.directives:
        if isinstance(directive.action, Rfactor) and directive.action.intermediate is not contents:
            yield Obligation(REASSOCIATED, (name,), PROVED, f"{directive.text}: {why}")
    is_free = nest.is_order_free or nest.atomic is not None
    in_order = replace(nest, is_order_free=False, atomic=None)
    if is_free and not nest.races_allowed and verdict_of(contents, in_order, sizes).status != PROVED:
        yield Obligation(REASSOCIATED, (name,), PROVED, why)


def _keeps_one(function: Function, stage: int, contents: FuncContents) -> bool:
    """Whether each step keeps one of two values."""
    op = associative_op(function.definitions[stage], function, contents)
    return op is not None and all(isinstance(value, Max | Min | Select) for value in op.values)
