"""Bool vectors: masks with all bits of a lane set where true, as wide as what they were compared from."""

from __future__ import annotations

from .context import Context
from .conversions import convert, plain_step, route
from .pieces import canonical, grain_of, spread
from .types import C_TYPES, EQUALITY, PLUS, UNARY, Text, Vec, bits_of, storages


def truth_splat(value: Text, lanes: int) -> Vec:
    """A bool vector with the truth value (0 or 1) in all lanes."""
    return Vec("bool", lanes, 2, (), True, value)


def number_of_mask(context: Context, mask: Vec, element: str) -> Vec:
    """0 and 1 for false and true, as integers."""
    wide = mask_of_width(context, mask, bits_of(element))
    parts = []
    for part, size in zip(wide.parts, storages(wide.lanes, wide.grain), strict=True):
        c_type = context.vector_c_type(element, size)
        one = Text(f"{part.at(UNARY)} & 1", 9)
        parts.append(one if element == wide.element else Text(f"({c_type})({one.code})", UNARY))
    return Vec(element, mask.lanes, wide.grain, tuple(parts))


def mask_of_width(context: Context, mask: Vec, bits: int) -> Vec:
    """The same truths with lanes of another width, in pieces that fill a register."""
    element = f"i{bits}"
    if mask.splat is not None:
        return mask_splat(context, mask, element)
    numbers = Vec(mask.element, mask.lanes, mask.grain, mask.parts)
    for step in route(mask.element, element):
        numbers = plain_step(context, numbers, step)
    numbers = canonical(context, numbers)
    return Vec(element, mask.lanes, numbers.grain, numbers.parts, True)


def mask_splat(context: Context, mask: Vec, element: str) -> Vec:
    """The parts of a bool splat: -1 or 0 everywhere."""
    assert mask.splat is not None
    c_type = C_TYPES[element]
    if mask.splat.is_literal:
        value = Text("-1" if mask.splat.code == "1" else "0", UNARY, True)
    else:
        value = context.local(c_type, Text(f"({c_type})-({mask.splat.code})", UNARY), "all")
    return spread(context, Vec(element, mask.lanes, 2, (), True, value), grain_of(context, element, mask.lanes))


def mask_of_numbers(context: Context, vec: Vec) -> Vec:
    """Where the numbers are not 0."""
    if vec.element in ("f16", "bf16"):
        vec = convert(context, vec, "f32")
    vec = canonical(context, vec)
    parts = tuple(Text(f"{part.at(PLUS)} != 0", EQUALITY) for part in vec.parts)
    for size in storages(vec.lanes, vec.grain):
        context.vector_c_type(f"i{bits_of(vec.element)}", size)
    return Vec(f"i{bits_of(vec.element)}", vec.lanes, vec.grain, parts, True)
