"""Signed integers narrowed to what fits, two registers into one.

    min(max(a, 0), 255) as bytes, of 64 numbers of 16 bits:     vpackuswb a, b;  vpermq (the quarters in order)

Clamping and narrowing each register takes seven instructions instead.
"""

from __future__ import annotations

from ...dtypes import DType
from ...ir.ranges import Range
from .context import Context
from .number_formats import range_of
from .pieces import canonical
from .types import POSTFIX, UNARY, Text, Vec, bits_of, element_name, vector_type

_NAMES = {("i16", "u8"): "packuswb", ("i16", "i8"): "packsswb", ("i32", "i16"): "packssdw", ("i32", "u16"): "packusdw"}
_C = {8: "char", 16: "short", 32: "int"}


def saturated(context: Context, vec: Vec, values: Range, target: DType) -> Vec | None:
    """A vector of integers with values in this range as a narrower type, clamped; None where plain C does as well."""
    new, bits = element_name(target), bits_of(vec.element)
    high = values[1]
    if vec.element[0] == "u" and high is not None and high < 1 << (bits - 1):
        vec = _signed(context, vec)
    steps = [new] if bits == 2 * target.bits else ["i16", new] if bits == 4 * target.bits == 32 else []
    if not steps or vec.element[0] != "i" or vec.splat is not None:
        return None
    for step in steps:
        vec = canonical(context, vec)
        size = vec.grain * bits_of(vec.element)
        if (vec.element, step) not in _NAMES or size not in (128, 256, 512) or vec.lanes % vec.grain:
            return None
        vec = _packed(context, vec, step)
    return vec


def _signed(context: Context, vec: Vec) -> Vec:
    element = f"i{bits_of(vec.element)}"
    vec = canonical(context, vec)
    c_type = context.vector_c_type(element, vec.grain)
    if vec.lanes % vec.grain:
        return vec
    return Vec(element, vec.lanes, vec.grain, tuple(Text(f"({c_type}){p.at(UNARY)}", UNARY) for p in vec.parts))


def _packed(context: Context, vec: Vec, new: str) -> Vec:
    vec, grain = context.name_vector(vec), vec.grain
    parts = []
    for k in range(0, len(vec.parts), 2):
        pair = vec.parts[k : k + 2]
        lanes = grain * len(pair)
        context.vector_c_type(new, lanes)
        name = f"saturate_{vec.element}_to_{new}x{lanes}" + ("_of_one" if len(pair) == 1 else "")
        context.vector_c_type(new, 2 * grain)
        context.prelude.named(name, _text(name, vec.element, new, grain, len(pair)))
        parts.append(Text(f"{name}({', '.join(p.code for p in pair)})", POSTFIX))
    return canonical(context, Vec(new, vec.lanes, min(2 * grain, vec.lanes), tuple(parts)))


def _text(name: str, old: str, new: str, grain: int, sources: int) -> str:
    """Packs of 256 and 512 bits work on 128 bits at a time, so quarters of the sources take turns in what they make."""
    lanes = grain * sources
    source, result = vector_type(old, grain), vector_type(new, lanes)
    head = f"INLINE {result} {name}({', '.join(f'{source} {x}' for x in 'ab'[:sources])}) {{"
    other = "b" if sources == 2 else "a"
    return "\n".join([head, *_packs(old, new, grain, other, lanes), *_plain(old, new, grain, sources), "}"])


def _packs(old: str, new: str, grain: int, other: str, lanes: int) -> list[str]:
    bits = bits_of(old)
    size = grain * bits
    name = _NAMES[old, new]
    macro = {512: "__AVX512BW__", 256: "__AVX2__", 128: "__SSE4_1__" if name == "packusdw" else "__SSE2__"}[size]
    rest = f", (packed){{0}}, (uint{2 * grain}_t)-1" if size == 512 else ""
    order = [k for start in (0, 1) for k in range(start, size // 64, 2)] if size > 128 else [0, 1]
    return [
        f"#if defined({macro}) && !defined(__clang__)",
        f"    typedef {_C[bits]} lanes __attribute__((vector_size({size // 8})));",
        *([f"    typedef {_C[bits // 2]} packed __attribute__((vector_size({size // 8})));"] if rest else []),
        f"    typedef long long quarters __attribute__((vector_size({size // 8})));",
        f"    const quarters q = (quarters)__builtin_ia32_{name}{size}{'_mask' if size == 512 else ''}"
        f"((lanes)a, (lanes){other}{rest});",
        f"    const {vector_type(new, 2 * grain)} whole = ({vector_type(new, 2 * grain)})"
        f"__builtin_shufflevector(q, q, {', '.join(map(str, order))});",
        f"    return {_first('whole', lanes, 2 * grain)};",
        "#else",
    ]


def _first(name: str, lanes: int, of: int) -> str:
    return name if lanes == of else f"__builtin_shufflevector({name}, {name}, {', '.join(map(str, range(lanes)))})"


def _plain(old: str, new: str, grain: int, sources: int) -> list[str]:
    low, high = range_of(new)
    source, result = vector_type(old, grain), vector_type(new, grain)
    lines = []
    for x in "ab"[:sources]:
        lines += [
            f"    {x} = ({x} & ({source})({x} > {low})) | (({source})({x} <= {low}) & {low});",
            f"    {x} = ({x} & ({source})({x} < {high})) | (({source})({x} >= {high}) & {high});",
        ]
    parts = [f"__builtin_convertvector({x}, {result})" for x in "ab"[:sources]]
    joined = f"__builtin_shufflevector({', '.join(parts)}, {', '.join(map(str, range(grain * 2)))})"
    return [*lines, f"    return {joined if sources == 2 else parts[0]};", "#endif"]
