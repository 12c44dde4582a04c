"""Loads of lanes from anywhere, or a stride apart, without a loop over them.

What limits them is to get the lanes of the index out of their register: two at a time is faster than each alone, and
on some machines faster than the instruction that gathers.
"""

from __future__ import annotations

from .types import C_TYPES, bits_of, vector_type


def gather_variant(name: str, operation: str, element: str, lanes: int, generic: str) -> str:
    """The helper's text, which for all lanes at once needs no loop."""
    if operation == "load_stride" and 4 <= lanes <= 16 and bits_of(element) > 8:
        return _strided(name, element, lanes, generic)
    if operation != "gather" or not 4 <= lanes <= 16:
        return generic
    first = name.replace("gather", "gather_first", 1)
    pairs = f"typedef int64_t pairs __attribute__((vector_size({lanes * 4}))); const pairs two = (pairs)at;"
    halves = ", ".join(f"p[(int32_t)two[{n}]], p[two[{n}] >> 32]" for n in range(lanes // 2))
    single = ", ".join(f"p[at[{n}]]" for n in range(lanes))
    vector = vector_type(element, lanes)
    return f"""\
{generic.replace(name, first, 1)}
INLINE {vector} {name}(const {C_TYPES[element]} *p, i32x{lanes} at, int n) {{
    if (n < {lanes}) return {first}(p, at, n);
#ifdef __x86_64__
    {pairs}
    return ({vector}){{{halves}}};
#else
    return ({vector}){{{single}}};
#endif
}}"""


def _strided(name: str, element: str, lanes: int, generic: str) -> str:
    """Lanes that are put into a register one after the other: what a loop stored could not be loaded at once."""
    first, vector = name.replace("load", "load_first", 1), vector_type(element, lanes)
    all_lanes = ", ".join(f"p[{n} * stride]" for n in range(lanes))
    return f"""\
{generic.replace(name, first, 1)}
INLINE {vector} {name}(const {C_TYPES[element]} *p, int64_t stride, int n) {{
    if (n < {lanes}) return {first}(p, stride, n);
    return ({vector}){{{all_lanes}}};
}}"""
