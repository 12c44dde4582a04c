"""Where the lanes of a memory access are, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from ...dtypes import DType
from ...ir.expr import Add, Broadcast, Expr, Mul, Ramp, Shuffle, Sub, const, const_value
from .context import Context
from .masks import mask_of_width
from .pieces import regrain
from .scopes import Mode
from .types import PLUS, UNARY, Text, Vec, element_name, storages


def memory_element(dtype: DType) -> str:
    return "u8" if dtype.is_bool else element_name(dtype)


def address_of(context: Context, buffer: str, base: Text, offset: int) -> str:
    """Pointer to an element of a buffer."""
    start = f"{context.pointer(buffer)} + {base.at(PLUS)}" if base.code != "0" else context.pointer(buffer)
    return start if not offset else f"{start} {'+' if offset > 0 else '-'} {abs(offset)}"


def base_of(context: Context, node: Expr) -> Text:
    """An index that several accesses use."""
    context.keep(node, Mode.INDEX, "at")
    return context.scalar(node, Mode.INDEX)


def moved_as(element: str) -> str:
    """bfloat16 is moved as its bits."""
    return "u16" if element == "bf16" else element


def pieces_of(lanes: int, grain: int) -> Iterator[tuple[int, int, int]]:
    """(first lane, lanes in use, lanes of the register) of each piece."""
    start = 0
    for size in storages(lanes, grain):
        yield start, min(size, lanes - start), size
        start += size


def mask_parts(context: Context, predicate: Expr | None, lanes: int, bits: int, grain: int) -> Vec:
    """The predicate as masks of a width, cut at a grain."""
    assert predicate is not None
    node = predicate if predicate.dtype.lanes == lanes else Broadcast(predicate, lanes)
    return context.name_vector(regrain(context, mask_of_width(context, context.vector(node), bits), grain), "where")


def strided_address(context: Context, buffer: str, base: Text, stride: Text, start: int) -> str:
    first = address_of(context, buffer, base, 0)
    return f"{first} + {start} * {stride.at(UNARY)}" if start else first


def mask_arguments(context: Context, predicate: Expr | None, lanes: int, bits: int, grain: int) -> list[str]:
    """One argument text per piece: the mask and a comma, or nothing without predicate."""
    if predicate is None:
        return [""] * len(storages(lanes, grain))
    return [f"{part.code}, " for part in mask_parts(context, predicate, lanes, bits, grain).parts]


def sliced(vector: Expr | None, k: int, lanes: int) -> Expr | None:
    if vector is None or vector.dtype.lanes == 1:
        return vector
    return Shuffle((vector,), tuple(range(k * lanes, (k + 1) * lanes)))


def row_indices(ramp: Ramp) -> Iterator[Expr]:
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


def scattered_address(context: Context, buffer: str, index: Expr, grain: int) -> tuple[str, list[Text]]:
    """A pointer and int32 offsets from it, in pieces. What all lanes share is added to the pointer, in 64 bits."""
    shared, loose = _split_index(index)
    start = address_of(context, buffer, base_of(context, shared), 0) if shared is not None else context.pointer(buffer)
    offsets = context.name_vector(regrain(context, context.vector(loose), grain), "at")
    return start, list(offsets.parts)


def _split_index(index: Expr) -> tuple[Expr | None, Expr]:
    """The scalar that all lanes have in common, and the rest."""
    shared: Expr | None = None
    while isinstance(index, Add | Sub):
        common = _scalar_of(index.b)
        if common is not None:
            if isinstance(index, Sub):
                shared = Sub(const(0) if shared is None else shared, common)
            else:
                shared = common if shared is None else Add(shared, common)
            index = index.a
            continue
        common = _scalar_of(index.a) if isinstance(index, Add) else None
        if common is None:
            break
        shared, index = common if shared is None else Add(shared, common), index.b
    return shared, index


def _scalar_of(node: Expr) -> Expr | None:
    """The scalar that a broadcast repeats."""
    return node.value if isinstance(node, Broadcast) and node.value.dtype.lanes == 1 else None
