"""Vector loads and stores: dense ones by vload and vstore, all others lane by lane.

Nothing outside the lanes named by an access is touched.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dtypes import DType
from ...ir.expr import Broadcast, Expr, Load, Ramp, const_value
from ...ir.stmt import Store
from ..c.addresses import address_of, base_of, memory_element, pieces_of, row_indices, sliced
from ..c.context import Context
from ..c.types import PLUS, POSTFIX, Text, Vec
from .vectors import GRAIN, convert, lane, made, named, of_lanes, ones, parts_of, truths


def load_vector(context: Context, node: Load) -> Vec:
    """The C of a load of several lanes."""
    index = node.index
    if isinstance(index, Ramp) and index.base.dtype.lanes == 1 and const_value(index.stride) == 1:
        if node.predicate is None:
            return _truths(context, _dense(context, node, index), node.dtype)
    elif isinstance(index, Ramp) and index.base.dtype.lanes > 1:
        return _rows(context, node, index)
    places = list(_places(context, node.buffer, index))
    texts = [f"{place}" for place in places]
    if node.predicate is not None:
        texts = [f"{c} ? {t} : 0" for c, t in zip(_conditions(context, node.predicate, len(texts)), texts, strict=True)]
    return _truths(context, of_lanes(context, memory_element(node.dtype), texts), node.dtype)


def _dense(context: Context, node: Load, ramp: Ramp) -> Vec:
    element, lanes = memory_element(node.dtype), node.dtype.lanes
    if node.buffer in context.registers:
        held = [_variable(context, node.buffer, ramp, start) for start, _, _ in pieces_of(lanes, GRAIN)]
        return made(context, element, lanes, [Text(f"({name})") for name in held])  # no name for what it holds now
    base = base_of(context, ramp.base)
    parts = []
    for start, count, size in pieces_of(lanes, GRAIN):
        if count == size:
            parts.append(Text(f"vload{size}(0, {address_of(context, node.buffer, base, start)})", POSTFIX))
        else:
            elements = [f"({address_of(context, node.buffer, base, start + k)})[0]" for k in range(count)]
            filled = ", ".join([*elements, *["0"] * (size - count)])
            parts.append(Text(f"({context.vector_c_type(element, size)})({filled})", POSTFIX))
    return made(context, element, lanes, parts)


def _rows(context: Context, node: Load, ramp: Ramp) -> Vec:
    """A ramp of vectors: one load for each."""
    texts: list[str] = []
    for k, index in enumerate(row_indices(ramp)):
        lanes = index.dtype.lanes
        load = Load(node.buffer, index, node.dtype.with_lanes(lanes), sliced(node.predicate, k, lanes))
        vec = named(context, load)
        texts += [lane(vec, i) for i in range(lanes)]
        element, is_mask = vec.element, vec.is_mask
    return of_lanes(context, element, texts, is_mask=is_mask)


def _truths(context: Context, vec: Vec, dtype: DType) -> Vec:
    """Bytes become truths where the buffer holds bools."""
    if not dtype.is_bool:
        return vec
    return truths(context, vec)


def _places(context: Context, buffer: str, index: Expr) -> Iterator[str]:
    """Each lane's element, as C."""
    if isinstance(index, Ramp) and index.base.dtype.lanes == 1:
        base, stride = base_of(context, index.base), base_of(context, index.stride)
        for k in range(index.lanes):
            yield f"{context.pointer(buffer)}[{base.at(PLUS)} + {k} * ({stride.code})]"
        return
    if isinstance(index, Broadcast) and index.value.dtype.lanes == 1:
        base = base_of(context, index.value)
        for _ in range(index.lanes):
            yield f"{context.pointer(buffer)}[{base.code}]"
        return
    vec = named(context, index)
    for k in range(index.dtype.lanes):
        yield f"{context.pointer(buffer)}[{lane(vec, k)}]"


def _conditions(context: Context, predicate: Expr, lanes: int) -> list[str]:
    if predicate.dtype.lanes == 1:
        return [f"({context.scalar(predicate).code})"] * lanes
    vec = named(context, predicate)
    return [lane(vec, k) for k in range(lanes)]


def print_store(context: Context, store: Store) -> None:
    """Write the lines of a store of several lanes."""
    index, dtype = store.index, store.value.dtype
    if isinstance(index, Ramp) and index.base.dtype.lanes > 1:
        context.keep(store.value)
        for k, row in enumerate(row_indices(index)):
            lanes = row.dtype.lanes
            value = sliced(store.value, k, lanes)
            assert value is not None, "a row of a value"
            print_store(context, Store(store.buffer, row, value, sliced(store.predicate, k, lanes)))
        return
    stored = _stored(context, store.value)
    if isinstance(index, Ramp) and const_value(index.stride) == 1 and store.predicate is None:
        _dense_store(context, store, index, stored)
        return
    places = list(_places(context, store.buffer, index))
    conditions = [""] * dtype.lanes
    if store.predicate is not None:
        conditions = [f"if ({c}) " for c in _conditions(context, store.predicate, dtype.lanes)]
    for k, (condition, place) in enumerate(zip(conditions, places, strict=True)):
        context.line(f"{condition}{place} = {lane(stored, k)};")


def _dense_store(context: Context, store: Store, ramp: Ramp, value: Vec) -> None:
    if store.buffer in context.registers:
        for (start, _, _), part in zip(pieces_of(value.lanes, GRAIN), value.parts, strict=True):
            context.line(f"{_variable(context, store.buffer, ramp, start)} = {part.code};")
        return
    base = base_of(context, ramp.base)
    for (start, count, size), part in zip(pieces_of(value.lanes, GRAIN), value.parts, strict=True):
        at = address_of(context, store.buffer, base, start)
        if count == size:
            context.line(f"vstore{size}({part.code}, 0, {at});")
        else:
            for k in range(count):
                at = address_of(context, store.buffer, base, start + k)
                context.line(f"({at})[0] = {lane(value, start + k)};")


def _variable(context: Context, buffer: str, ramp: Ramp, offset: int) -> str:
    """The C variable that holds a piece of the memory."""
    return context.registers[buffer][int(const_value(ramp.base) or 0) + offset].name


def _stored(context: Context, node: Expr) -> Vec:
    """The value as it lies in memory, in pieces that have names: all lanes are read before the first is written."""
    vec = context.vector(node)
    if vec.is_mask:
        vec = convert(context, ones(context, vec), "u8")
    elif vec.splat is not None:
        vec = made(context, vec.element, vec.lanes, parts_of(context, vec))
    return context.name_vector(vec)
