"""Load at once what gathers at one index and those beside it read.

    in[i] + in[i + 1]     ->     first half of d  +  second half of d,    where d is in[ramp(i, 1, 2)]

for a vector `i` of any indices: each lane's elements lie side by side, so a lane is one load for two of them, or four.
Reads of which a condition decides stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..ir.expr import Broadcast, Call, Expr, Let, Load, Ramp, Shuffle, const
from ..ir.linear import LinearForm, linear
from ..ir.node import find
from ..ir.rewrite import Rewriter
from ..ir.stmt import Stmt
from .values_of_statements import rewrite_values

_COUNTS = (4, 2)  # elements that are loaded at once
_BITS = 32  # of an element
_LEAST_LANES = 8


def share_gathers(stmt: Stmt) -> Stmt:
    return rewrite_values(stmt, Load, _shared)


def _shared(value: Expr) -> Expr:
    if value.dtype.lanes < _LEAST_LANES or value.has(Let):
        return value
    gathers = [load for load in find(value, Load) if _is_gather(load)]
    if len(gathers) < 2 or any(call.name == "if_then_else" for call in find(value, Call)):
        return value
    alike: dict[object, dict[int, Load]] = defaultdict(dict)
    for load in gathers:
        form = _form(load.index)
        alike[load.buffer, load.dtype, frozenset(form.terms.items())][form.constant] = load
    replaced: dict[Load, Expr] = {}
    for loads in alike.values():
        replaced.update(_neighbours(loads))
    return _Replace(replaced)(value) if replaced else value


def _is_gather(load: Load) -> bool:
    dtype, index = load.dtype, load.index
    if load.predicate is not None or dtype.bits != _BITS or dtype.lanes < _LEAST_LANES:
        return False
    return not isinstance(index, Ramp | Broadcast) and index.dtype.bits == _BITS


def _form(index: Expr) -> LinearForm:
    """The index as a sum, in which what all lanes have in common is added up as scalars."""
    form = linear(index)
    total = LinearForm({}, form.constant)
    for term, factor in form.terms.items():
        if isinstance(term, Ramp) and term.base.dtype.lanes == 1:
            steps = Ramp(const(0, term.base.dtype), term.stride, term.lanes)
            total = total.plus(LinearForm({steps: 1}), factor).plus(linear(term.base), factor)
        elif isinstance(term, Broadcast) and term.value.dtype.lanes == 1:
            total = total.plus(linear(term.value), factor)
        else:
            total = total.plus(LinearForm({term: 1}), factor)
    return total


def _neighbours(loads: dict[int, Load]) -> dict[Load, Expr]:
    """What to put for those of the loads, by their distance, that have others just beside them."""
    replaced: dict[Load, Expr] = {}
    offsets = sorted(loads)
    while offsets:
        count = next((n for n in _COUNTS if offsets[n - 1 : n] == [offsets[0] + n - 1]), 1)
        if count > 1:
            replaced.update(_at_once([loads[offset] for offset in offsets[:count]]))
        offsets = offsets[count:]
    return replaced


def _at_once(loads: Sequence[Load]) -> dict[Load, Expr]:
    index, dtype, count = loads[0].index, loads[0].dtype, len(loads)
    lanes = dtype.lanes
    ramp = Ramp(index, Broadcast(const(1, index.dtype.element), lanes), count)
    rows = Load(loads[0].buffer, ramp, dtype.with_lanes(lanes * count))
    return {load: Shuffle((rows,), tuple(range(k * lanes, (k + 1) * lanes))) for k, load in enumerate(loads)}


class _Replace(Rewriter):
    only = (Load,)

    def __init__(self, replaced: dict[Load, Expr]) -> None:
        super().__init__()
        self.replaced = replaced

    def rewrite_Load(self, load: Load) -> Expr:
        other = self.replaced.get(load)
        rebuilt: Expr = self.rebuild(load) if other is None else self(other)
        return rebuilt
