"""Lookups in a small table of bytes by instructions that hold it in registers, instead of lane by lane.

    v[k] = table[at[k]] for 64 lanes  ->  of each 128 bytes of the table: the lanes that lie there, by one permutation

A permutation of AVX-512 VBMI picks 64 bytes out of 128. A table of 1024 takes eight of them, each under a mask: a fifth
of the time that 64 loads take.
"""

from __future__ import annotations

from ...dtypes import UInt
from ...ir.expr import Cast, Expr, Load
from .bits import shifted
from .context import Context
from .pieces import regrain
from .types import C_TYPES, POSTFIX, Text, Vec, element_name, storages, vector_type

_BLOCK, _HALF = 128, 64  # bytes that one permutation picks from, and that a register holds
_MOST = 8  # blocks
_LEAST = 16  # lanes


def lookup(context: Context, node: Load) -> Vec | None:
    """The C of a load from scratch memory of a known size at indices of a known range, where that is small."""
    element, lanes, size = element_name(node.dtype), node.dtype.lanes, context.sizes.get(node.buffer)
    if element not in ("i8", "u8") or node.predicate is not None or lanes < _LEAST or context.vector_bytes < _HALF:
        return None
    low, high = context.ranges.of(node.index)
    if size is None or low is None or high is None or low < 0 or high >= min(size, _BLOCK * _MOST):
        return None
    index, byte = unwidened(node.index), UInt(8, lanes)
    context.keep(index)
    at, block = Cast(byte, index), Cast(byte, shifted("right", index, _BLOCK.bit_length() - 1))
    columns = [regrain(context, context.vector(e), _HALF).parts for e in (at, block)]
    parts = []
    for width, *pair in zip(storages(lanes, _HALF), *columns, strict=True):
        name = _helper(context, element, width, range(int(low) // _BLOCK, int(high) // _BLOCK + 1), size)
        parts.append(Text(f"{name}({context.pointer(node.buffer)}, {', '.join(p.code for p in pair)})", POSTFIX))
    return Vec(element, lanes, min(_HALF, storages(lanes, _HALF)[0]), tuple(parts))


def unwidened(index: Expr) -> Expr:
    """The index in the type in which it was computed."""
    while isinstance(index, Cast) and index.a.dtype.is_integer and not index.a.dtype.is_bool:
        if not (index.dtype.can_hold(index.a.dtype.min) and index.dtype.can_hold(index.a.dtype.max)):
            break
        index = index.a
    return index


def _helper(context: Context, element: str, lanes: int, blocks: range, size: int) -> str:
    """The name of the function that looks up so many lanes in these blocks of a table of this size, defined."""
    name = f"lookup_{blocks.start}_{blocks.stop}_of_{size}_{element}x{lanes}"
    for kind in ("u8", element):
        context.vector_c_type(kind, lanes)
    tables = [[_table(context, element, start, size) for start in (b * _BLOCK, b * _BLOCK + _HALF)] for b in blocks]
    return context.prelude.named(name, _text(name, element, lanes, blocks, tables))


def _table(context: Context, element: str, start: int, size: int) -> str:
    """64 bytes of the table, as far as it goes."""
    if start >= size:
        return "{0}"
    whole = start + _HALF <= size
    load = context.prelude.helper("load" if whole else "load_first", element, _HALF)
    return f"{load}(table + {start}{'' if whole else f', {size - start}'})"


def _text(name: str, element: str, lanes: int, blocks: range, tables: list[list[str]]) -> str:
    vector, register = vector_type(element, lanes), "typedef char lanes __attribute__((vector_size(64)));"
    head = f"INLINE {vector} {name}(const {C_TYPES[element]} *table, u8x{lanes} at, u8x{lanes} block) {{"
    grown = ", ".join(str(k) if k < lanes else "-1" for k in range(_HALF))
    cut = ", ".join(map(str, range(lanes)))
    lines = [
        "#if defined(__AVX512VBMI__) && !defined(__clang__)",
        f"    {register}",
        f"    lanes found = (lanes)__builtin_shufflevector(at, at, {grown});",
        f"    const lanes where = (lanes)__builtin_shufflevector(block, block, {grown});",
    ]
    for number, (one, other) in zip(blocks, tables, strict=True):
        mask = f"__builtin_ia32_pcmpeqb512_mask(where, (lanes){{0}} + {number}, -1)" if len(blocks) > 1 else "-1"
        picked = f"__builtin_ia32_vpermi2varqi512_mask((lanes){one}, found, (lanes){other}, {mask})"
        lines.append(f"    found = (lanes){picked};")
    lines += [
        f"    return ({vector})__builtin_shufflevector(found, found, {cut});",
        "#else",
        f"    {vector} found;",
        f"    for (int k = 0; k < {lanes}; k++) found[k] = table[block[k] * {_BLOCK} + at[k] % {_BLOCK}];",
        "    return found;",
        "#endif",
    ]
    return "\n".join([head, *lines, "}"])
