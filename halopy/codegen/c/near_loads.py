"""Loads of lanes that lie near each other, as under a clamped coordinate: dense loads and a permutation.

    v[k] = row[min(max(x + k, 0), width - 1)]    ->    one load from the first lane's place to the last one's, permuted

From one lane to the next such an index stays or grows by a step or two, so all lanes lie between the first and the
last; and nothing outside of these is touched.
"""

from __future__ import annotations

from ...ir.expr import Add, Broadcast, Expr, Load, Max, Min, Mul, Ramp, Sub, const_value
from .addresses import memory_element, moved_as, scattered_address
from .context import Context
from .pieces import canonical, grain_of
from .types import C_TYPES, POSTFIX, Text, Vec, bits_of, vector_type

_MOST_STEPS = 2  # that two registers hold
_NARROWED = {8: "pmovdb", 16: "pmovdw"}


def near_load(context: Context, node: Load) -> Vec | None:
    """The C of a load whose lanes are near each other; None for any other."""
    element, lanes = memory_element(node.dtype), node.dtype.lanes
    moved, grain = moved_as(element), min(grain_of(context, element, lanes), grain_of(context, "i32", lanes))
    steps = growth(node.index) if node.predicate is None else None
    if not steps or steps > _MOST_STEPS or lanes % grain or not _fits(moved, grain):
        return None
    start, at = scattered_address(context, node.buffer, node.index, grain)
    name = _helper(context, moved, grain, steps)
    parts = tuple(Text(f"{name}({start}, {index.code})", POSTFIX) for index in at)
    return canonical(context, Vec(element, lanes, grain, parts))


def growth(index: Expr) -> int | None:
    """At most how much an index grows from each lane to the next, where it never falls; None where it may."""
    if isinstance(index, Broadcast):
        return 0 if index.value.dtype.lanes == 1 else None
    if isinstance(index, Ramp):
        stride = const_value(index.stride) if index.base.dtype.lanes == 1 else None
        return None if stride is None or stride < 0 else int(stride)
    if isinstance(index, Mul):
        factor, steps = const_value(index.b), growth(index.a)
        return None if factor is None or steps is None or factor < 0 else steps * int(factor)
    if not isinstance(index, Add | Sub | Min | Max):
        return None
    a, b = growth(index.a), growth(index.b)
    if a is None or b is None or (isinstance(index, Sub) and b):
        return None
    return a + b if isinstance(index, Add) else max(a, b)


def _fits(element: str, lanes: int) -> bool:
    """Whether that many fill what a permutation takes, beside as many indices in a register."""
    return element != "f16" and lanes * bits_of(element) in (128, 256, 512) and lanes * 32 in (256, 512)


def _helper(context: Context, element: str, lanes: int, steps: int) -> str:
    """The name of the function for that many lanes, defined."""
    name = f"load_near{steps}_{element}x{lanes}"
    prelude, bits = context.prelude, bits_of(element)
    for kind in (element, "i32", f"i{bits}"):
        prelude.vector(kind, lanes)
    row, gather = prelude.helper("load_first", element, lanes), prelude.helper("gather", element, lanes)
    last = lanes - 1
    lines = [
        f"INLINE {vector_type(element, lanes)} {name}(const {C_TYPES[element]} *p, i32x{lanes} at) {{",
        "#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && !defined(__clang__)",
        f"    const int first = at[0], apart = at[{last}] - first;",
        "    at -= first;",
    ]
    if steps == 1:
        lines.append(f"    return __builtin_shuffle({row}(p + first, apart + 1), {_indices(lanes, bits)});")
    else:
        lines += [
            f"    const int more = apart > {last} ? apart - {last} : 0;",
            f"    at += (at > {last}) & ({lanes} - more);",
            f"    const {vector_type(element, lanes)} low = {row}(p + first, apart + 1 - more);",
            f"    const {vector_type(element, lanes)} high = {row}(p + first + more, apart + 1 - more);",
            f"    return __builtin_shuffle(low, high, {_indices(lanes, bits)});",
        ]
    return prelude.named(name, "\n".join([*lines, "#else", f"    return {gather}(p, at, {lanes});", "#endif", "}"]))


def _indices(lanes: int, bits: int) -> str:
    """The indices in lanes as wide as the elements. (gcc 12 narrows lane by lane.)"""
    if bits == 32:
        return "at"
    target = vector_type(f"i{bits}", lanes)
    if bits == 64 or lanes * 32 != 512:
        return f"__builtin_convertvector(at, {target})"
    c_type = "char" if bits == 8 else "short"
    narrow = f"{c_type} __attribute__((vector_size({lanes * bits // 8})))"
    return f"({target})__builtin_ia32_{_NARROWED[bits]}512_mask(at, ({narrow}){{0}}, -1)"
