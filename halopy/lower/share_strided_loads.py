"""Load once what strided reads of one row take turns in.

    in[ramp(b, 2, 8)] + in[ramp(b + 1, 2, 8)]   ->   lanes 0, 2, 4 … of d  +  lanes 1, 3, 5 … of d,
                                                     where d is in[ramp(b, 1, 16)]

Where together they leave no gap, so that no element is read which was not. Reads of which a condition decides stay.
"""

from __future__ import annotations

from collections import defaultdict

from ..dtypes import DType
from ..ir.expr import Call, Expr, Let, Load, Ramp, Shuffle, const, const_value
from ..ir.linear import difference
from ..ir.node import find
from ..ir.rewrite import Rewriter
from ..ir.stmt import Stmt
from .values_of_statements import rewrite_values

_MOST = 4  # the longest stride
_Kind = tuple[str, DType, int]  # buffer, type and stride


def share_strided_loads(stmt: Stmt) -> Stmt:
    return rewrite_values(stmt, Ramp, _shared)


def _shared(value: Expr) -> Expr:
    if value.has(Let) or any(call.name == "if_then_else" for call in find(value, Call)):
        return value
    kinds: dict[_Kind, list[Load]] = defaultdict(list)
    for load in find(value, Load):
        stride = _stride(load)
        if stride is not None:
            kinds[load.buffer, load.dtype, stride].append(load)
    replaced: dict[Load, Expr] = {}
    for (_, _, stride), loads in kinds.items():
        if len(loads) >= stride:
            replaced.update(_rows(loads, stride))
    return _Replace(replaced)(value) if replaced else value


def _stride(load: Load) -> int | None:
    index = load.index
    if load.predicate is not None or load.dtype.is_bool or not isinstance(index, Ramp) or index.base.dtype.lanes != 1:
        return None
    stride = const_value(index.stride)
    return int(stride) if stride is not None and 2 <= stride <= _MOST else None


def _rows(loads: list[Load], stride: int) -> dict[Load, Expr]:
    """What to put for those loads that fill a row together."""
    replaced: dict[Load, Expr] = {}
    while loads:
        near, loads = _near(loads)
        offsets = sorted(near)
        while len(offsets) >= stride:
            window = offsets[:stride]
            if window[-1] - window[0] == stride - 1:
                replaced.update(_row([near[offset] for offset in window], stride))
                offsets = offsets[stride:]
            else:
                offsets = offsets[1:]
    return replaced


def _near(loads: list[Load]) -> tuple[dict[int, Load], list[Load]]:
    """The loads a known distance from the first, by it; the others."""
    near: dict[int, Load] = {}
    others: list[Load] = []
    for load in loads:
        offset = difference(_base(load), _base(loads[0]))
        if offset is None:
            others.append(load)
        else:
            near[offset] = load
    return near, others


def _base(load: Load) -> Expr:
    assert isinstance(load.index, Ramp)
    return load.index.base


def _row(loads: list[Load], stride: int) -> dict[Load, Expr]:
    base, lanes = _base(loads[0]), loads[0].dtype.lanes
    count = lanes * stride
    row = Load(loads[0].buffer, Ramp(base, const(1, base.dtype), count), loads[0].dtype.with_lanes(count))
    return {load: Shuffle((row,), tuple(range(k, count, stride))) for k, load in enumerate(loads)}


class _Replace(Rewriter):
    only = (Load,)

    def __init__(self, replaced: dict[Load, Expr]) -> None:
        super().__init__()
        self.replaced = replaced

    def rewrite_Load(self, load: Load) -> Expr:
        other = self.replaced.get(load)
        rebuilt: Expr = self.rebuild(load) if other is None else other
        return rebuilt
