"""Stores. Nothing outside the lanes named by an access is touched."""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.expr import Expr, Load, Ramp, const_value
from ...ir.node import mask
from ...ir.stmt import Store
from .addresses import (
    address_of,
    base_of,
    mask_arguments,
    moved_as,
    pieces_of,
    row_indices,
    scattered_address,
    sliced,
    strided_address,
)
from .context import Context
from .masks import number_of_mask
from .past_the_cache import PAST, store_past
from .pieces import canonical, grain_of, regrain
from .scopes import Mode
from .types import Vec, bits_of

_LOADS = mask(Load)


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
    if store.buffer in context.registers:
        context.line(f"{_variable(context, store.buffer, store.index, 0)} = {value.code};")
        return
    index = context.scalar(store.index, Mode.INDEX)
    context.line(f"{context.pointer(store.buffer)}[{index.code}] = {value.code};")
    if store.predicate is not None:
        context.close()


def _row_stores(context: Context, store: Store, ramp: Ramp) -> None:
    context.keep(store.value)
    for k, index in enumerate(row_indices(ramp)):
        lanes = index.dtype.lanes
        value = sliced(store.value, k, lanes)
        assert value is not None
        print_store(context, Store(store.buffer, index, value, sliced(store.predicate, k, lanes)))


def _vector_store(context: Context, store: Store) -> None:
    index, value = store.index, _stored(context, store.value)
    if not isinstance(index, Ramp):
        _scatter(context, store, value)
    elif const_value(index.stride) == 1:
        _dense_store(context, store, index, value)
    else:
        _strided_store(context, store, index, value)


def _dense_store(context: Context, store: Store, ramp: Ramp, value: Vec) -> None:
    if store.buffer in context.registers:
        for piece in _stored_pieces(context, store, value, value.grain):
            context.line(f"{_variable(context, store.buffer, ramp.base, piece.start)} = {piece.value};")
        return
    element, base = moved_as(value.element), base_of(context, ramp.base)
    for piece in _stored_pieces(context, store, value, value.grain):
        at = address_of(context, store.buffer, base, piece.start)
        if piece.where:
            helper = context.prelude.helper("store_where", element, piece.size)
            context.line(f"{helper}({at}, {piece.value}, {piece.where}{piece.count});")
        elif piece.count == piece.size and store in context.past_the_cache:
            helper = f"store_past_{element}x{piece.size}"
            context.prelude.macro("PAST", PAST)
            context.prelude.vector(element, piece.size)
            context.prelude.named(helper, store_past(helper, element, piece.size))
            context.line(f"{helper}({at}, {piece.value}, {context.is_large[store.buffer]});")
            context.stored_past = True
        elif piece.count == piece.size:
            context.line(f"{context.prelude.helper('store', element, piece.size)}({at}, {piece.value});")
        else:
            helper = context.prelude.helper("store_first", element, piece.size)
            context.line(f"{helper}({at}, {piece.value}, {piece.count});")


def _variable(context: Context, buffer: str, first: Expr, offset: int) -> str:
    return context.registers[buffer][int(const_value(first) or 0) + offset].name


def _strided_store(context: Context, store: Store, ramp: Ramp, value: Vec) -> None:
    element, base, stride = moved_as(value.element), base_of(context, ramp.base), base_of(context, ramp.stride)
    for piece in _stored_pieces(context, store, value, value.grain):
        helper = context.prelude.helper("store_stride" + piece.suffix, element, piece.size)
        at = strided_address(context, store.buffer, base, stride, piece.start)
        context.line(f"{helper}({at}, {stride.code}, {piece.value}, {piece.where}{piece.count});")


def _scatter(context: Context, store: Store, value: Vec) -> None:
    element = moved_as(value.element)
    grain = min(value.grain, grain_of(context, "i32", value.lanes))
    start, offsets = scattered_address(context, store.buffer, store.index, grain)
    value = context.name_vector(regrain(context, value, grain))
    for piece, at in zip(_stored_pieces(context, store, value, grain), offsets, strict=True):
        helper = context.prelude.helper("scatter" + piece.suffix, element, piece.size)
        context.line(f"{helper}({start}, {at.code}, {piece.value}, {piece.where}{piece.count});")


@dataclass(frozen=True, slots=True)
class _Piece:
    """One register of a stored vector: its first lane, lanes in use, lanes, value, and mask argument."""

    start: int
    count: int
    size: int
    value: str
    where: str

    @property
    def suffix(self) -> str:
        return "_where" if self.where else ""


def _stored_pieces(context: Context, store: Store, value: Vec, grain: int) -> list[_Piece]:
    masks = mask_arguments(context, store.predicate, value.lanes, bits_of(value.element), grain)
    places = pieces_of(value.lanes, grain)
    return [_Piece(*place, part.code, where) for place, part, where in zip(places, value.parts, masks, strict=True)]


def _stored(context: Context, node: Expr) -> Vec:
    """The value as it lies in memory: with parts, bools as bytes."""
    vec = context.vector(node)
    if node.dtype.is_bool:
        vec = number_of_mask(context, vec, "u8")
    if vec.splat is not None:
        return context.name_vector(canonical(context, vec))
    # All lanes are read before the first is written.
    return context.name_vector(vec) if len(vec.parts) > 1 and node.kinds & _LOADS else vec
