"""Loads. Nothing outside the lanes named by an access is touched."""

from __future__ import annotations

from ...dtypes import DType
from ...ir.expr import Broadcast, Expr, Load, Ramp, const_value
from .addresses import (
    address_of,
    base_of,
    mask_arguments,
    mask_parts,
    memory_element,
    moved_as,
    pieces_of,
    row_indices,
    scattered_address,
    sliced,
    strided_address,
)
from .context import Context
from .grouped_gathers import grouped_gather
from .lookups import lookup
from .near_loads import near_load
from .pieces import canonical, grain_of, pick
from .scopes import Mode
from .tables import look_up
from .types import EQUALITY, PLUS, POSTFIX, TERNARY, Text, Value, Vec, bits_of, storages

# Strides whose elements are picked from dense loads, where they fill registers.
_SHUFFLED_STRIDES = (2, 3, 4, -1)


def print_load(context: Context, node: Load) -> Value:
    """The C of a load whose index has been printed."""
    if node.dtype.lanes == 1:
        return _scalar_load(context, node)
    index = node.index
    if isinstance(index, Broadcast):
        return (
            context.value(Broadcast(_narrowed(node, index.value), index.lanes))
            if node.predicate is None
            else _gather(context, node)
        )
    if isinstance(index, Ramp) and index.base.dtype.lanes > 1:
        return _rows(context, node, index)
    if isinstance(index, Ramp):
        return _ramp_load(context, node, index)
    found = lookup(context, node) or look_up(context, node) or near_load(context, node)
    return _gather(context, node) if found is None else found


def _narrowed(node: Load, index: Expr) -> Load:
    return Load(node.buffer, index, node.dtype.with_lanes(index.dtype.lanes))


def _scalar_load(context: Context, node: Load) -> Text:
    if node.buffer in context.registers:
        return _held(context, node.buffer, node.index, 0)
    text = Text(f"{context.pointer(node.buffer)}[{context.scalar(node.index, Mode.INDEX).code}]", POSTFIX)
    if node.dtype.is_bool:
        text = Text(f"{text.code} != 0", EQUALITY)
    if node.predicate is None:
        return text
    condition = context.scalar(node.predicate)
    return Text(f"{condition.at(EQUALITY)} ? {text.at(EQUALITY)} : 0", TERNARY)


def _held(context: Context, buffer: str, first: Expr, offset: int) -> Text:
    """The variable that holds elements, as a value: it may change, so it is no name for what it holds now."""
    return Text(f"({context.registers[buffer][int(const_value(first) or 0) + offset].name})")


def _finished(context: Context, vec: Vec, dtype: DType) -> Vec:
    """Bytes become truths where the buffer holds bools."""
    if not dtype.is_bool:
        return vec
    for size in storages(vec.lanes, vec.grain):
        context.vector_c_type("i8", size)
    parts = tuple(Text(f"{part.at(PLUS)} != 0", EQUALITY) for part in vec.parts)
    return Vec("i8", vec.lanes, vec.grain, parts, True)


# Ramps.


def _ramp_load(context: Context, node: Load, ramp: Ramp) -> Vec:
    stride = const_value(ramp.stride)
    if stride == 1:
        return _dense_load(context, node, ramp)
    if node.predicate is None and stride in _SHUFFLED_STRIDES and node.dtype.lanes >= 4:
        return _shuffled_load(context, node, ramp, int(stride or 0))
    return _strided_load(context, node, ramp)


def _dense_load(context: Context, node: Load, ramp: Ramp) -> Vec:
    element = memory_element(node.dtype)
    lanes = node.dtype.lanes
    if node.buffer in context.registers:
        grain = grain_of(context, element, lanes)
        parts = [_held(context, node.buffer, ramp.base, start) for start, _, _ in pieces_of(lanes, grain)]
        return Vec(element, lanes, grain, tuple(parts))
    if node.predicate is not None:
        return _dense_load_where(context, node, ramp)
    vec = _dense(context, node.buffer, element, base_of(context, ramp.base), 0, lanes)
    return _finished(context, vec, node.dtype)


def print_load_for_widening(context: Context, node: Load, bits: int) -> Vec | None:
    """A dense load in the pieces that fill registers when they have `bits`, so that nothing is taken apart; or None."""
    index = node.index
    if type(index) is not Ramp or index.base.dtype.lanes > 1 or const_value(index.stride) != 1 or node.dtype.is_bool:
        return None
    element, grain = memory_element(node.dtype), grain_of(context, f"u{bits}", node.dtype.lanes)
    if node.predicate is not None or node.buffer in context.registers or grain * bits_of(element) < 128:
        return None
    return _dense(context, node.buffer, element, base_of(context, index.base), 0, node.dtype.lanes, grain)


def _dense(
    context: Context, buffer: str, element: str, base: Text, offset: int, lanes: int, grain: int | None = None
) -> Vec:
    """`lanes` adjacent elements from base + offset."""
    grain = grain or grain_of(context, element, lanes)
    parts = []
    for start, count, size in pieces_of(lanes, grain):
        at = address_of(context, buffer, base, offset + start)
        if count == size:
            parts.append(Text(f"{context.prelude.helper('load', moved_as(element), size)}({at})", POSTFIX))
        else:
            helper = context.prelude.helper("load_first", moved_as(element), size)
            parts.append(Text(f"{helper}({at}, {count})", POSTFIX))
    return Vec(element, lanes, grain, tuple(parts))


def _dense_load_where(context: Context, node: Load, ramp: Ramp) -> Vec:
    element = memory_element(node.dtype)
    lanes = node.dtype.lanes
    grain = grain_of(context, element, lanes)
    mask = mask_parts(context, node.predicate, lanes, bits_of(element), grain)
    base = base_of(context, ramp.base)
    parts = []
    for (start, count, size), where in zip(pieces_of(lanes, grain), mask.parts, strict=True):
        helper = context.prelude.helper("load_where", moved_as(element), size)
        parts.append(Text(f"{helper}({address_of(context, node.buffer, base, start)}, {where.code}, {count})", POSTFIX))
    return _finished(context, Vec(element, lanes, grain, tuple(parts)), node.dtype)


def _shuffled_load(context: Context, node: Load, ramp: Ramp, stride: int) -> Vec:
    """Lanes picked from dense loads that start at the first and end at the last element touched."""
    element = memory_element(node.dtype)
    lanes = node.dtype.lanes
    span = (lanes - 1) * abs(stride) + 1
    first = min(0, (lanes - 1) * stride)
    grain = grain_of(context, element, span)
    if span < grain:
        grain //= 2  # the last register starts earlier, so as to end with the last element
    starts = [*range(0, span - grain, grain), span - grain]
    base = base_of(context, ramp.base)
    loads = [_dense(context, node.buffer, element, base, first + start, grain) for start in starts]
    places = []
    for k in range(lanes):
        position = k * stride - first
        load = min(position // grain, len(starts) - 1)
        places.append(load * grain + position - starts[load])
    return _finished(context, pick(context, loads, places), node.dtype)


def _strided_load(context: Context, node: Load, ramp: Ramp) -> Vec:
    element = memory_element(node.dtype)
    lanes = node.dtype.lanes
    grain = grain_of(context, element, lanes)
    base, stride = base_of(context, ramp.base), base_of(context, ramp.stride)
    masks = mask_arguments(context, node.predicate, lanes, bits_of(element), grain)
    parts = []
    for (start, count, size), where in zip(pieces_of(lanes, grain), masks, strict=True):
        helper = context.prelude.helper("load_stride" + ("_where" if where else ""), moved_as(element), size)
        at = strided_address(context, node.buffer, base, stride, start)
        parts.append(Text(f"{helper}({at}, {stride.code}, {where}{count})", POSTFIX))
    return _finished(context, Vec(element, lanes, grain, tuple(parts)), node.dtype)


def _rows(context: Context, node: Load, ramp: Ramp) -> Vec:
    """A ramp of vectors: one load for each, or all at once where they gather what lies side by side."""
    vec = _grouped_gather(context, node, ramp)
    if vec is not None:
        return vec
    loads = tuple(
        Load(node.buffer, index, node.dtype.with_lanes(index.dtype.lanes), sliced(node.predicate, k, index.dtype.lanes))
        for k, index in enumerate(row_indices(ramp))
    )
    vecs = [context.vector(load) for load in loads]
    return pick(context, vecs, range(node.dtype.lanes)) if len(vecs) > 1 else vecs[0]


# Any index.


def _grouped_gather(context: Context, node: Load, ramp: Ramp) -> Vec | None:
    """Gathers at one index and at those that follow it."""
    lanes = ramp.base.dtype.lanes
    if node.predicate is not None or node.dtype.is_bool or isinstance(ramp.base, Ramp) or const_value(ramp.stride) != 1:
        return None
    element = memory_element(node.dtype)
    grain = grain_of(context, element, lanes)
    helper = grouped_gather(context.prelude, element, min(lanes, grain), ramp.lanes)
    if helper is None or lanes % grain:
        return None
    name, rows = helper
    start, at = scattered_address(context, node.buffer, ramp.base, grain)
    pieces = [context.local(rows, Text(f"{name}({start}, {index.code})"), "rows").code for index in at]
    parts = tuple(Text(f"{piece}.r{k}", POSTFIX) for k in range(ramp.lanes) for piece in pieces)
    return Vec(element, node.dtype.lanes, grain, parts)


def _gather(context: Context, node: Load) -> Vec:
    element = memory_element(node.dtype)
    lanes = node.dtype.lanes
    grain = min(grain_of(context, element, lanes), grain_of(context, "i32", lanes))
    start, at = scattered_address(context, node.buffer, node.index, grain)
    masks = mask_arguments(context, node.predicate, lanes, bits_of(element), grain)
    parts = []
    for (_, count, size), index, where in zip(pieces_of(lanes, grain), at, masks, strict=True):
        helper = context.prelude.helper("gather" + ("_where" if where else ""), moved_as(element), size)
        parts.append(Text(f"{helper}({start}, {index.code}, {where}{count})", POSTFIX))
    return _finished(context, canonical(context, Vec(element, lanes, grain, tuple(parts))), node.dtype)
