"""Nodes that say which lanes hold what: broadcasts, ramps, shuffles."""

from __future__ import annotations

from ...dtypes import DType
from ...ir.expr import Broadcast, Expr, Ramp, Shuffle, const_value
from .context import Context
from .masks import mask_of_width, truth_splat
from .pieces import grain_of, pick, regrain, splat_text
from .types import (
    C_TYPES,
    EQUALITY,
    PLUS,
    POSTFIX,
    TIMES,
    UNARY,
    Text,
    Value,
    Vec,
    bits_of,
    c_type,
    element_name,
    literal,
    storages,
)


def print_broadcast(context: Context, node: Broadcast) -> Value:
    if node.value.dtype.lanes > 1:
        vec = context.vector(node.value)
        if vec.splat is not None:
            return Vec(vec.element, node.dtype.lanes, vec.grain, (), vec.is_mask, vec.splat)
        return _repeated(context, vec, node.lanes) or pick(context, (vec,), list(range(vec.lanes)) * node.lanes)
    return splat(context, context.scalar(node.value), node.dtype)


def _repeated(context: Context, vec: Vec, times: int) -> Vec | None:
    """A vector as small as a number, over and over: as that number in all lanes."""
    bits = vec.lanes * bits_of(vec.element)
    total = vec.lanes * times
    grain = grain_of(context, vec.element, total)
    if bits not in (16, 32, 64) or vec.is_mask or len(vec.parts) != 1 or vec.lanes & (vec.lanes - 1):
        return None
    if grain < 2 * vec.lanes or vec.element in ("f16", "bf16"):
        return None
    number = f"u{bits}"
    value = context.local(C_TYPES[number], Text(f"({C_TYPES[number]}){vec.parts[0].at(UNARY)}", UNARY))
    parts = []
    for size in storages(total, grain):
        numbers = splat_text(context, Vec(number, size // vec.lanes, 2, (), False, value), size // vec.lanes)
        parts.append(Text(f"({context.vector_c_type(vec.element, size)}){numbers.at(UNARY)}", UNARY))
    return Vec(vec.element, total, grain, tuple(parts))


def splat(context: Context, value: Text, dtype: DType) -> Vec:
    """A scalar in all lanes."""
    if dtype.is_bool:
        return truth_splat(value, dtype.lanes)
    if not value.is_literal and not value.code.isidentifier():
        value = context.local(c_type(dtype), value)
    elif value.code.isidentifier() and dtype.is_index_like:
        pass
    return Vec(element_name(dtype), dtype.lanes, 2, (), False, value)


def print_ramp(context: Context, node: Ramp) -> Value:
    """The base in all lanes plus multiples of the stride."""
    dtype = node.dtype
    base_lanes = node.base.dtype.lanes
    steps = const_value(node.stride)
    base: Expr = Broadcast(node.base, node.lanes)
    if steps is not None and base_lanes == 1:
        return _infix_iota(context, base, [k * int(steps) for k in range(node.lanes)], dtype)
    stride = node.stride if node.stride.dtype.lanes == base_lanes else Broadcast(node.stride, base_lanes)
    counts = _iota(context, [k for k in range(node.lanes) for _ in range(base_lanes)], dtype)
    product = _combined(context, context.vector(Broadcast(stride, node.lanes)), counts, "*", TIMES)
    return _combined(context, context.vector(base), product, "+", PLUS)


def _infix_iota(context: Context, base: Expr, offsets: list[int], dtype: DType) -> Vec:
    return _combined(context, context.vector(base), _iota(context, offsets, dtype), "+", PLUS)


def _iota(context: Context, values: list[int], dtype: DType) -> Vec:
    """A constant vector with these lanes."""
    element = element_name(dtype)
    grain = grain_of(context, element, dtype.lanes)
    parts, start = [], 0
    for size in storages(dtype.lanes, grain):
        items = values[start : start + size]
        text = ", ".join(literal(dtype.wrap(v) if dtype.is_integer else v, dtype.element).code for v in items)
        parts.append(Text(f"({context.vector_c_type(element, size)}){{{text}}}", POSTFIX))
        start += size
    return Vec(element, dtype.lanes, grain, tuple(parts))


def _combined(context: Context, a: Vec, b: Vec, symbol: str, precedence: int) -> Vec:
    grain = grain_of(context, a.element, a.lanes)
    left = [a.splat] * len(storages(a.lanes, grain)) if a.splat else list(regrain(context, a, grain).parts)
    right = list(regrain(context, b, grain).parts)
    parts = tuple(
        Text(f"{x.at(precedence)} {symbol} {y.at(precedence + 1)}", precedence)
        for x, y in zip(left, right, strict=True)
        if x is not None
    )
    return Vec(a.element, a.lanes, grain, parts)


def print_shuffle(context: Context, node: Shuffle) -> Value:
    vecs = [_as_vector(context, v) for v in node.vectors]
    vecs = _same_masks(context, vecs)
    if node.dtype.lanes == 1:
        return _one_lane(context, vecs, node.indices[0], node.dtype)
    if all(v.splat is not None and v.splat == vecs[0].splat for v in vecs):
        first = vecs[0]
        return Vec(first.element, node.dtype.lanes, first.grain, (), first.is_mask, first.splat)
    return pick(context, vecs, node.indices)


def _as_vector(context: Context, node: Expr) -> Vec:
    """A vector; a scalar counts as one of one lane."""
    found = context.value(node)
    if isinstance(found, Vec):
        return found
    return splat(context, found, node.dtype.with_lanes(1))


def _same_masks(context: Context, vecs: list[Vec]) -> list[Vec]:
    if not vecs[0].is_mask or len(vecs) == 1:
        return vecs
    bits = next((bits_of(v.element) for v in vecs if v.splat is None), 8)
    return [mask_of_width(context, v, bits) for v in vecs]


def _one_lane(context: Context, vecs: list[Vec], index: int, dtype: DType) -> Text:
    for vec in vecs:
        if index < vec.lanes:
            return lane(context, vec, index, dtype)
        index -= vec.lanes
    raise AssertionError("a shuffle index within its vectors was expected")


def lane(context: Context, vec: Vec, index: int, dtype: DType) -> Text:
    """One lane as a scalar."""
    if vec.splat is not None:
        return vec.splat
    vec = context.name_vector(vec)
    text = Text(f"{vec.parts[index // vec.grain].at(POSTFIX)}[{index % vec.grain}]", POSTFIX)
    return Text(f"{text.code} != 0", EQUALITY) if dtype.is_bool else text
