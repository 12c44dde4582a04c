"""Lookups in a small table of 32-bit values by instructions that hold it in registers.

    for x                                  const struct table_i32 t = table_i32(table, 256);
        v[k] = table[at[k]]       ->       for x
                                               v = found_in_i32(&t, at).v[...]

Before the loop, the table is laid out anew: all first bytes, all second ones and so on, each 256 in four registers. A
permutation of AVX-512 VBMI picks 64 of 128 bytes, so eight of them find 64 values, which unpacking puts together: a
tenth of the time of 64 loads. It is done once for all loops inside that do not store to the table.
"""

from __future__ import annotations

from ...dtypes import UInt
from ...ir.expr import Broadcast, Cast, Load, Ramp
from ...ir.node import find, mask
from ...ir.stmt import For, Store
from .context import Context
from .lookups import unwidened
from .pieces import regrain
from .types import C_TYPES, POSTFIX, Text, Vec, element_name, storages, vector_type

_ENTRIES, _AT_ONCE, _GRAIN = 256, 64, 16
_ELEMENTS = ("i32", "u32", "f32")
_LOADS = mask(Load)


def open_tables(context: Context, loop: For) -> list[str]:
    """Lay out the tables that the loop looks up in, before it. The answer are their buffers, for `close_tables`."""
    if context.vector_bytes < 64 or not loop.body.kinds & _LOADS:
        return []
    small = {b for b, size in context.sizes.items() if size <= _ENTRIES and b not in context.tables}
    loads = (
        [load for load in find(loop.body, Load) if load.buffer in small and _is_lookup(context, load)] if small else []
    )
    stored = {store.buffer for store in find(loop.body, Store)} if loads else set()
    found = {load.buffer: element_name(load.dtype) for load in loads if load.buffer not in stored}
    for buffer, element in found.items():
        name = context.declared(f"{buffer}_table", f"struct table_{element}")
        _define(context, element)
        call = f"table_{element}({context.pointer(buffer)}, {context.sizes[buffer]})"
        context.line(f"const struct table_{element} {name} = {call};")
        context.tables[buffer] = name
    return list(found)


def close_tables(context: Context, buffers: list[str]) -> None:
    for buffer in buffers:
        del context.tables[buffer]


def look_up(context: Context, node: Load) -> Vec | None:
    """The C of a load from a table that is laid out."""
    name = context.tables.get(node.buffer)
    if name is None or not _is_lookup(context, node):
        return None
    element, lanes = element_name(node.dtype), node.dtype.lanes
    index = Cast(UInt(8, lanes), unwidened(node.index))
    context.keep(index)
    context.vector_c_type("u8", _AT_ONCE)
    at = regrain(context, context.vector(index), _AT_ONCE)
    parts: list[Text] = []
    for size, text in zip(storages(lanes, _AT_ONCE), at.parts, strict=True):
        whole = (
            f"__builtin_shufflevector({text.code}, {text.code}, {', '.join(str(k % size) for k in range(_AT_ONCE))})"
        )
        found = context.names.fresh("found")
        call = f"found_in_{element}(&{name}, {text.code if size == _AT_ONCE else whole})"
        context.line(f"const struct found_{element} {found} = {call};")
        parts += [Text(f"{found}.v[{k}]", POSTFIX) for k in range(size // _GRAIN)]
    return Vec(element, lanes, _GRAIN, tuple(parts[: lanes // _GRAIN]))


def _is_lookup(context: Context, node: Load) -> bool:
    if element_name(node.dtype) not in _ELEMENTS or node.dtype.lanes % _GRAIN or node.predicate is not None:
        return False
    if isinstance(node.index, Ramp | Broadcast):
        return False
    low, high = context.ranges.of(node.index)
    return low is not None and high is not None and low >= 0 and high < context.sizes.get(node.buffer, 0)


def _define(context: Context, element: str) -> None:
    for kind, lanes in ((element, _GRAIN), ("u8", _AT_ONCE)):
        context.vector_c_type(kind, lanes)
    context.prelude.named(f"found_in_{element}", _text(element))


def _text(element: str) -> str:
    c_type, vector = C_TYPES[element], vector_type(element, _GRAIN)
    types = [
        f"    typedef {c} {name} __attribute__((vector_size(64)));"
        for c, name in (("char", "bytes"), ("short", "words"), ("int", "dwords"), ("long long", "qwords"))
    ]
    return "\n".join(
        [
            f"struct found_{element} {{ {vector} v[4]; }};",
            "#if defined(__AVX512VBMI__) && !defined(__clang__)",
            f"struct table_{element} {{ u8x64 bytes[4][4]; }};",
            f"INLINE struct table_{element} table_{element}(const {c_type} *from, int count) {{",
            f"    struct table_{element} t = {{0}};",
            "    uint8_t (*to)[256] = (void *)t.bytes;",
            "    uint32_t value;",
            "    for (int k = 0; k < count; k++) {",
            "        __builtin_memcpy(&value, from + k, 4);",
            "        for (int b = 0; b < 4; b++) to[b][k] = (uint8_t)(value >> 8 * b);",
            "    }",
            "    return t;",
            "}",
            f"INLINE struct found_{element} found_in_{element}(const struct table_{element} *t, u8x64 at) {{",
            *types[:3],
            "    const dwords order = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};",
            "    const bytes in_order = (bytes)__builtin_ia32_permvarsi512_mask((dwords)at, order, order, -1);",
            "    const uint64_t above = __builtin_ia32_cvtb2mask512(in_order);",
            "    bytes b[4];",
            "    for (int k = 0; k < 4; k++) {",
            "        const u8x64 *const p = t->bytes[k];",
            "        const bytes low = __builtin_ia32_vpermi2varqi512_mask((bytes)p[0], in_order, (bytes)p[1], -1);",
            "        const bytes high = __builtin_ia32_vpermi2varqi512_mask((bytes)p[2], in_order, (bytes)p[3], -1);",
            "        b[k] = __builtin_ia32_blendmb_512_mask(low, high, above);",
            "    }",
            "    const words low_0 = (words)__builtin_ia32_punpcklbw512_mask(b[0], b[1], b[0], -1);",
            "    const words low_8 = (words)__builtin_ia32_punpckhbw512_mask(b[0], b[1], b[0], -1);",
            "    const words high_0 = (words)__builtin_ia32_punpcklbw512_mask(b[2], b[3], b[2], -1);",
            "    const words high_8 = (words)__builtin_ia32_punpckhbw512_mask(b[2], b[3], b[2], -1);",
            f"    const struct found_{element} found = {{{{",
            f"        ({vector})__builtin_ia32_punpcklwd512_mask(low_0, high_0, low_0, -1),",
            f"        ({vector})__builtin_ia32_punpckhwd512_mask(low_0, high_0, low_0, -1),",
            f"        ({vector})__builtin_ia32_punpcklwd512_mask(low_8, high_8, low_8, -1),",
            f"        ({vector})__builtin_ia32_punpckhwd512_mask(low_8, high_8, low_8, -1),",
            "    }};",
            "    return found;",
            "}",
            "#else",
            f"struct table_{element} {{ const {c_type} *values; }};",
            f"INLINE struct table_{element} table_{element}(const {c_type} *from, int count) {{",
            "    (void)count;",
            f"    const struct table_{element} t = {{from}};",
            "    return t;",
            "}",
            f"INLINE struct found_{element} found_in_{element}(const struct table_{element} *t, u8x64 at) {{",
            f"    struct found_{element} found;",
            "    for (int k = 0; k < 64; k++) found.v[k / 16][k % 16] = t->values[at[k]];",
            "    return found;",
            "}",
            "#endif",
        ]
    )
