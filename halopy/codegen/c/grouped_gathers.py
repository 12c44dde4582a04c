"""Several elements from each of many places: a load for each place, then shuffles.

rows.r0[k], rows.r1[k], … = p[at[k]], p[at[k] + 1], …
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .prelude import Prelude
from .types import C_TYPES, vector_type

_HALVES = """\
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_OF(two) ((int32_t)(two))
#define SECOND_OF(two) ((two) >> 32)
#else
#define FIRST_OF(two) ((two) >> 32)
#define SECOND_OF(two) ((int32_t)(two))
#endif"""


def grouped_gather(prelude: Prelude, element: str, lanes: int, count: int) -> tuple[str, str] | None:
    """A function that gathers `count` elements from each index on, and the type of what it returns: `count` vectors."""
    if element not in ("f32", "i32", "u32") or lanes not in (8, 16) or count not in (2, 4):
        return None
    vector, rows = prelude.vector(element, lanes), f"rows{count}_{element}x{lanes}"
    for size in (4, 8, lanes):
        prelude.vector(element, size)
    prelude.vector("i32", lanes)
    prelude.macro("FIRST_OF", _HALVES)
    name, c_type = f"gather{count}_{element}x{lanes}", C_TYPES[element]
    body = _pairs(element, lanes) if count == 2 else _quads(element, lanes)
    lines = [
        f"typedef struct {{ {vector} {', '.join(f'r{n}' for n in range(count))}; }} {rows};",
        f"INLINE {rows} {name}(const {c_type} *p, i32x{lanes} at) {{",
        f"    typedef int64_t indices __attribute__((vector_size({lanes * 4})));",
        "    const indices two = (indices)at;",
        *(f"    {line}" for line in body),
        "}",
    ]
    return prelude.named(name, "\n".join(lines)), rows


def _place(lane: int) -> str:
    """Where the elements of a lane are, by a register of indices that are taken out two at a time."""
    return f"(p + {'SECOND_OF' if lane % 2 else 'FIRST_OF'}(two[{lane // 2}]))"


def _pairs(element: str, lanes: int) -> list[str]:
    """Two elements are one load; then the first ones are picked, and the second ones."""
    vector = vector_type(element, lanes)
    loads = [f"*(const pair *){_place(lane)}" for lane in range(lanes)]
    picked = [
        f"__builtin_shufflevector(({vector})low, ({vector})high, {_listed(range(k, 2 * lanes, 2))})" for k in range(2)
    ]
    return [
        "typedef double pair __attribute__((aligned(4), may_alias));",
        f"typedef double half __attribute__((vector_size({lanes * 4})));",
        f"const half low = {{{', '.join(loads[: lanes // 2])}}};",
        f"const half high = {{{', '.join(loads[lanes // 2 :])}}};",
        f"return (rows2_{element}x{lanes}){{{', '.join(picked)}}};",
    ]


def _quads(element: str, lanes: int) -> list[str]:
    """Four elements are one load. `cn` has lane n of each quarter of the register; quarters are transposed in place."""
    four, vector = vector_type(element, 4), vector_type(element, lanes)
    lines = [f"typedef {four} group __attribute__((aligned(4), may_alias));"]
    lines += [f"const {four} g{lane} = *(const group *){_place(lane)};" for lane in range(lanes)]
    for n in range(4):
        parts = [f"g{lane}" for lane in range(n, lanes, 4)]
        while len(parts) > 1:
            size = lanes // len(parts)
            parts = [
                f"__builtin_shufflevector({a}, {b}, {_listed(range(2 * size))})"
                for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
        lines.append(f"const {vector} c{n} = {parts[0]};")
    for name, a, b, first in (("l", "c0", "c1", 0), ("m", "c2", "c3", 0), ("u", "c0", "c1", 2), ("v", "c2", "c3", 2)):
        lines.append(
            f"const {vector} {name} = {_mixed(a, b, lanes, (first, lanes + first, first + 1, lanes + first + 1))};"
        )
    rows = [_mixed(a, b, lanes, (k, k + 1, lanes + k, lanes + k + 1)) for a, b in ("lm", "uv") for k in (0, 2)]
    return [*lines, f"return (rows4_{element}x{lanes}){{{', '.join(rows)}}};"]


def _mixed(a: str, b: str, lanes: int, quarter: Sequence[int]) -> str:
    """Lanes picked from two vectors, the same ones in each quarter."""
    places = _listed(place + start for start in range(0, lanes, 4) for place in quarter)
    return f"__builtin_shufflevector({a}, {b}, {places})"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
