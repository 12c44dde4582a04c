"""Loads and stores. Nothing outside the lanes named by an access is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...dtypes import DType
from ...ir.expr import Add, Broadcast, Expr, Load, Mul, Ramp, Shuffle, const, const_value
from ...ir.node import mask
from ...ir.stmt import Store
from .context import Context
from .convert import mask_of_width, number_of_mask
from .pieces import canonical, grain_of, pick, regrain
from .scopes import Mode
from .types import EQUALITY, PLUS, POSTFIX, TERNARY, UNARY, Text, Value, Vec, bits_of, element_name, storages

# Strides whose elements are picked from dense loads, where they fill registers.
_SHUFFLED_STRIDES = (2, 3, 4, -1)
_LOADS = mask(Load)


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
    return _gather(context, node)


def _narrowed(node: Load, index: Expr) -> Load:
    return Load(node.buffer, index, node.dtype.with_lanes(index.dtype.lanes))


def _scalar_load(context: Context, node: Load) -> Text:
    text = Text(f"{context.pointer(node.buffer)}[{context.scalar(node.index, Mode.INDEX).code}]", POSTFIX)
    if node.dtype.is_bool:
        text = Text(f"{text.code} != 0", EQUALITY)
    if node.predicate is None:
        return text
    condition = context.scalar(node.predicate)
    return Text(f"{condition.at(EQUALITY)} ? {text.at(EQUALITY)} : 0", TERNARY)


def _memory_element(dtype: DType) -> str:
    return "u8" if dtype.is_bool else element_name(dtype)


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


def _address(context: Context, buffer: str, base: Text, offset: int) -> str:
    """Pointer to an element of a buffer."""
    start = f"{context.pointer(buffer)} + {base.at(PLUS)}" if base.code != "0" else context.pointer(buffer)
    return start if not offset else f"{start} {'+' if offset > 0 else '-'} {abs(offset)}"


def _base(context: Context, node: Expr) -> Text:
    """An index that several accesses use."""
    context.keep(node, Mode.INDEX, "at")
    return context.scalar(node, Mode.INDEX)


def _dense_load(context: Context, node: Load, ramp: Ramp) -> Vec:
    element = _memory_element(node.dtype)
    lanes = node.dtype.lanes
    if node.predicate is not None:
        return _dense_load_where(context, node, ramp)
    vec = _dense(context, node.buffer, element, _base(context, ramp.base), 0, lanes)
    return _finished(context, vec, node.dtype)


def _dense(context: Context, buffer: str, element: str, base: Text, offset: int, lanes: int) -> Vec:
    """`lanes` adjacent elements from base + offset."""
    grain = grain_of(context, element, lanes)
    parts = []
    for start, count, size in _pieces(lanes, grain):
        address = _address(context, buffer, base, offset + start)
        if count == size:
            parts.append(Text(f"{context.prelude.helper('load', _plain(element), size)}({address})", POSTFIX))
        else:
            helper = context.prelude.helper("load_first", _plain(element), size)
            parts.append(Text(f"{helper}({address}, {count})", POSTFIX))
    return Vec(element, lanes, grain, tuple(parts))


def _plain(element: str) -> str:
    """bfloat16 is moved as its bits."""
    return "u16" if element == "bf16" else element


def _pieces(lanes: int, grain: int) -> Iterator[tuple[int, int, int]]:
    """(first lane, lanes in use, lanes of the register) of each piece."""
    start = 0
    for size in storages(lanes, grain):
        yield start, min(size, lanes - start), size
        start += size


def _dense_load_where(context: Context, node: Load, ramp: Ramp) -> Vec:
    element = _memory_element(node.dtype)
    lanes = node.dtype.lanes
    grain = grain_of(context, element, lanes)
    mask = _mask(context, node.predicate, lanes, bits_of(element), grain)
    base = _base(context, ramp.base)
    parts = []
    for (start, count, size), where in zip(_pieces(lanes, grain), mask.parts, strict=True):
        helper = context.prelude.helper("load_where", _plain(element), size)
        parts.append(Text(f"{helper}({_address(context, node.buffer, base, start)}, {where.code}, {count})", POSTFIX))
    return _finished(context, Vec(element, lanes, grain, tuple(parts)), node.dtype)


def _mask(context: Context, predicate: Expr | None, lanes: int, bits: int, grain: int) -> Vec:
    """The predicate as masks of a width, cut at a grain."""
    assert predicate is not None
    node = predicate if predicate.dtype.lanes == lanes else Broadcast(predicate, lanes)
    return context.name_vector(regrain(context, mask_of_width(context, context.vector(node), bits), grain), "where")


def _shuffled_load(context: Context, node: Load, ramp: Ramp, stride: int) -> Vec:
    """Lanes picked from dense loads that start at the first and end at the last element touched."""
    element = _memory_element(node.dtype)
    lanes = node.dtype.lanes
    span = (lanes - 1) * abs(stride) + 1
    first = min(0, (lanes - 1) * stride)
    grain = grain_of(context, element, span)
    if span < grain:
        grain //= 2  # the last register starts earlier, so as to end with the last element
    starts = [*range(0, span - grain, grain), span - grain]
    base = _base(context, ramp.base)
    loads = [_dense(context, node.buffer, element, base, first + start, grain) for start in starts]
    places = []
    for k in range(lanes):
        position = k * stride - first
        load = min(position // grain, len(starts) - 1)
        places.append(load * grain + position - starts[load])
    return _finished(context, pick(context, loads, places), node.dtype)


def _strided_load(context: Context, node: Load, ramp: Ramp) -> Vec:
    element = _memory_element(node.dtype)
    lanes = node.dtype.lanes
    grain = grain_of(context, element, lanes)
    base, stride = _base(context, ramp.base), _base(context, ramp.stride)
    masks = _masks(context, node.predicate, lanes, bits_of(element), grain)
    parts = []
    for (start, count, size), where in zip(_pieces(lanes, grain), masks, strict=True):
        helper = context.prelude.helper("load_stride" + ("_where" if where else ""), _plain(element), size)
        address = _strided_address(context, node.buffer, base, stride, start)
        parts.append(Text(f"{helper}({address}, {stride.code}, {where}{count})", POSTFIX))
    return _finished(context, Vec(element, lanes, grain, tuple(parts)), node.dtype)


def _strided_address(context: Context, buffer: str, base: Text, stride: Text, start: int) -> str:
    address = _address(context, buffer, base, 0)
    return f"{address} + {start} * {stride.at(UNARY)}" if start else address


def _masks(context: Context, predicate: Expr | None, lanes: int, bits: int, grain: int) -> list[str]:
    """One argument text per piece: the mask and a comma, or nothing without predicate."""
    if predicate is None:
        return [""] * len(storages(lanes, grain))
    return [f"{part.code}, " for part in _mask(context, predicate, lanes, bits, grain).parts]


def _rows(context: Context, node: Load, ramp: Ramp) -> Vec:
    """A ramp of vectors: one load for each."""
    loads = tuple(
        Load(node.buffer, index, node.dtype.with_lanes(index.dtype.lanes), _slice(node.predicate, k, index.dtype.lanes))
        for k, index in enumerate(_row_indices(ramp))
    )
    vecs = [context.vector(load) for load in loads]
    return pick(context, vecs, range(node.dtype.lanes)) if len(vecs) > 1 else vecs[0]


def _slice(vector: Expr | None, k: int, lanes: int) -> Expr | None:
    if vector is None or vector.dtype.lanes == 1:
        return vector
    return Shuffle((vector,), tuple(range(k * lanes, (k + 1) * lanes)))


def _row_indices(ramp: Ramp) -> Iterator[Expr]:
    base = ramp.base
    for k in range(ramp.lanes):
        if k == 0:
            yield base
        elif isinstance(base, Ramp) and base.base.dtype.lanes == 1 and const_value(ramp.stride) is not None:
            step = const(int(const_value(ramp.stride) or 0) * k)
            yield Ramp(Add(base.base, step), base.stride, base.lanes)
        elif (
            isinstance(base, Ramp)
            and base.base.dtype.lanes == 1
            and isinstance(ramp.stride, Broadcast)
            and ramp.stride.value.dtype.lanes == 1
        ):
            yield Ramp(Add(base.base, Mul(ramp.stride.value, const(k))), base.stride, base.lanes)
        else:
            stride = (
                ramp.stride if ramp.stride.dtype.lanes == base.dtype.lanes else Broadcast(ramp.stride, base.dtype.lanes)
            )
            yield Add(base, Mul(stride, const(k, stride.dtype)))


# Any index.


def _gather(context: Context, node: Load) -> Vec:
    element = _memory_element(node.dtype)
    lanes = node.dtype.lanes
    grain = min(grain_of(context, element, lanes), grain_of(context, "i32", lanes))
    at = context.name_vector(regrain(context, context.vector(node.index), grain), "at")
    masks = _masks(context, node.predicate, lanes, bits_of(element), grain)
    parts = []
    for (_, count, size), index, where in zip(_pieces(lanes, grain), at.parts, masks, strict=True):
        helper = context.prelude.helper("gather" + ("_where" if where else ""), _plain(element), size)
        parts.append(Text(f"{helper}({context.pointer(node.buffer)}, {index.code}, {where}{count})", POSTFIX))
    return _finished(context, canonical(context, Vec(element, lanes, grain, tuple(parts))), node.dtype)


# Stores.


def print_store(context: Context, store: Store) -> None:
    """Write the lines of a store."""
    if store.value.dtype.lanes == 1:
        _scalar_store(context, store)
        return
    index = store.index
    if isinstance(index, Ramp) and index.base.dtype.lanes > 1:
        _row_stores(context, store, index)
    else:
        _vector_store(context, store)


def _scalar_store(context: Context, store: Store) -> None:
    if store.predicate is not None:
        context.open(f"if ({context.scalar(store.predicate).code})")
    value = context.scalar(store.value)
    index = context.scalar(store.index, Mode.INDEX)
    context.line(f"{context.pointer(store.buffer)}[{index.code}] = {value.code};")
    if store.predicate is not None:
        context.close()


def _row_stores(context: Context, store: Store, ramp: Ramp) -> None:
    context.keep(store.value)
    for k, index in enumerate(_row_indices(ramp)):
        lanes = index.dtype.lanes
        value = _slice(store.value, k, lanes)
        assert value is not None
        print_store(context, Store(store.buffer, index, value, _slice(store.predicate, k, lanes)))


def _vector_store(context: Context, store: Store) -> None:
    dtype, index = store.value.dtype, store.index
    value = _stored(context, store.value)
    if isinstance(index, Ramp):
        grain = value.grain
        base = _base(context, index.base)
        stride = _base(context, index.stride) if const_value(index.stride) != 1 else None
        at: list[Text] = []
    else:
        grain = min(value.grain, grain_of(context, "i32", dtype.lanes))
        at = list(context.name_vector(regrain(context, context.vector(index), grain), "at").parts)
        value = context.name_vector(regrain(context, value, grain))
        base, stride = Text("0"), None
    masks = _masks(context, store.predicate, dtype.lanes, bits_of(value.element), grain)
    for k, (start, count, size) in enumerate(_pieces(dtype.lanes, grain)):
        _store_piece(context, store.buffer, value, _Piece(k, start, count, size, masks[k]), base, stride, at)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Which register of a stored vector: its number, first lane, lanes in use, lanes, and mask argument."""

    number: int
    start: int
    count: int
    size: int
    where: str


def _store_piece(
    context: Context, buffer: str, value: Vec, piece: _Piece, base: Text, stride: Text | None, at: list[Text]
) -> None:
    text, where, count = value.parts[piece.number].code, piece.where, piece.count
    suffix = "_where" if where else ""
    element = _plain(value.element)
    if at:
        helper = context.prelude.helper("scatter" + suffix, element, piece.size)
        context.line(f"{helper}({context.pointer(buffer)}, {at[piece.number].code}, {text}, {where}{count});")
    elif stride is not None:
        helper = context.prelude.helper("store_stride" + suffix, element, piece.size)
        address = _strided_address(context, buffer, base, stride, piece.start)
        context.line(f"{helper}({address}, {stride.code}, {text}, {where}{count});")
    else:
        address = _address(context, buffer, base, piece.start)
        if not where and count == piece.size:
            context.line(f"{context.prelude.helper('store', element, piece.size)}({address}, {text});")
        else:
            helper = context.prelude.helper("store_where" if where else "store_first", element, piece.size)
            context.line(f"{helper}({address}, {text}, {where}{count});")


def _stored(context: Context, node: Expr) -> Vec:
    """The value as it lies in memory: with parts, bools as bytes."""
    vec = context.vector(node)
    if node.dtype.is_bool:
        return number_of_mask(context, vec, "u8")
    if vec.splat is not None:
        return context.name_vector(canonical(context, vec))
    # All lanes are read before the first is written.
    return context.name_vector(vec) if len(vec.parts) > 1 and node.kinds & _LOADS else vec
