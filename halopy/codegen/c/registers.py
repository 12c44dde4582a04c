"""Scratch memory that is a few vectors at places known here: variables instead of an array.

    float product[32];                                f32x16 product_0 = {0}, product_16 = {0};
    for (k = 0; k < n; k++) {                         for (k = 0; k < n; k++) {
        store(product, load(product) + ...);     ->       product_0 = (product_0) + ...;
        store(product + 16, ...);                         product_16 = ...;

gcc keeps such arrays in registers too, but takes two for each element that a loop changes, and more than there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ...ir.expr import Effect, Expr, Load, Ramp, const_value
from ...ir.node import find, mask, walk
from ...ir.stmt import (
    Allocate,
    Atomic,
    Await,
    For,
    Fork,
    Launch,
    LoopKind,
    MemoryKind,
    Mirror,
    Prefetch,
    Publish,
    Store,
    ToHost,
)

SUMS = "/* sums that a loop adds to */"
_MOST = 64  # variables of one array; more than twice the registers there are would only be moved around
_ELSEWHERE = mask(Effect, Fork, Publish, Await, Prefetch, Launch, Mirror, ToHost)  # what may mean the memory itself


@dataclass(frozen=True, slots=True)
class Register:
    """A C variable that holds so many elements."""

    name: str
    lanes: int


Registers = Mapping[int, Register]  # by the first element that each holds


def register_lanes(stmt: Allocate, vector_bytes: int) -> dict[int, int] | None:
    """The elements at which variables begin, and their lanes; None where the memory must be an array."""
    dtype, body = stmt.dtype, stmt.body
    if dtype.is_bool or (dtype.bits < 32 and dtype.is_float) or stmt.memory is MemoryKind.HEAP:
        return None
    if const_value(stmt.size) is None or body.kinds & _ELSEWHERE or _in_threads(stmt):
        return None
    grain = max(1, vector_bytes // dtype.bytes)
    found: dict[int, int] = {}
    for access in _accesses(stmt):
        pieces = _pieces(access, grain)
        if not pieces or any(found.setdefault(start, lanes) != lanes for start, lanes in pieces):
            return None
    ends = sorted(found.items())
    overlap = any(start + lanes > after for (start, lanes), (after, _) in pairwise(ends))
    return None if overlap or len(found) > _MOST else found


def is_updated_in_loop(stmt: Allocate) -> bool:
    """Whether a loop changes what the memory holds, again and again."""
    return any(store.buffer == stmt.buffer for loop in find(stmt.body, For) for store in find(loop.body, Store))


def _in_threads(stmt: Allocate) -> bool:
    """Whether other threads may see the memory, or it is updated as if they did."""
    shared = [atomic for atomic in find(stmt.body, Atomic) if atomic.shared]
    updated = any(store.buffer == stmt.buffer for atomic in shared for store in find(atomic, Store))
    return updated or any(loop.kind is LoopKind.PARALLEL for loop in find(stmt.body, For))


def _accesses(stmt: Allocate) -> Iterator[Load | Store]:
    for node in walk(stmt.body):
        if isinstance(node, Load | Store) and node.buffer == stmt.buffer:
            yield node


def _pieces(access: Load | Store, grain: int) -> list[tuple[int, int]]:
    """First element and lanes of each register that the access fills; none where it does not fill registers."""
    lanes = (access.value if isinstance(access, Store) else access).dtype.lanes
    first = _first(access.index, lanes)
    if first is None or access.predicate is not None:
        return []
    if lanes & (lanes - 1) and lanes % grain:
        return []
    return [(first + start, min(grain, lanes)) for start in range(0, lanes, grain)]


def _first(index: Expr, lanes: int) -> int | None:
    if lanes > 1:
        if not isinstance(index, Ramp) or index.base.dtype.lanes > 1 or const_value(index.stride) != 1:
            return None
        index = index.base
    value = const_value(index)
    return None if value is None else int(value)
