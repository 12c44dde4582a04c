"""Conversions between number types, scalar and vector.

Integers wrap. A float becomes an integer by truncation, clamped to the integer's range, NaN to 0, in
vectors too: C leaves what is out of range undefined, and compilers use that.
gcc 12 converts a vector well only where the width stays, doubles or halves (u8 to f32 in one step: 53
instructions, in three: 3), so vectors go step by step.
"""

from __future__ import annotations

import math
from functools import cache

from ...dtypes import FLOAT32, DType
from .context import Context
from .pieces import canonical, grain_of, regrain, spread
from .types import C_TYPES, EQUALITY, PLUS, POSTFIX, UNARY, Text, Vec, bits_of, c_type, element_name, storages


def scalar_cast(context: Context, a: Text, source: DType, target: DType) -> Text:
    """One number as another type."""
    if source is target:
        return a
    if target.is_bool:
        return _scalar_to_bool(context, a, source)
    old, new = element_name(source), element_name(target)
    if old == "bf16":
        return scalar_cast(context, _bits_call(context, "f32_of_bf16", _F32_OF_BF16, a), FLOAT32, target)
    if new == "bf16":
        wide = scalar_cast(context, a, source, FLOAT32)
        return _bits_call(context, "bf16_of_f32", _BF16_OF_F32, wide)
    if source.is_float and target.is_integer:
        if old == "f16":
            a, old = Text(f"(float){a.at(UNARY)}", UNARY), "f32"
        return Text(f"{_saturating(context, old, new)}({a.code})", POSTFIX)
    return Text(f"({C_TYPES[new]}){a.at(UNARY)}", UNARY)


def scalar_reinterpret(context: Context, a: Text, source: DType, target: DType) -> Text:
    """The same bits as another type of that width."""
    if source.is_integer and target.is_integer:
        return Text(f"({c_type(target)}){a.at(UNARY)}", UNARY)
    old, new = element_name(source), element_name(target)
    if old == new or {old, new} == {"bf16", "u16"}:
        return a
    name = f"{new}_from_{old}_bits"
    types = (C_TYPES[new], name, C_TYPES[old], C_TYPES[new])
    return _bits_call(
        context, name, "INLINE %s %s(%s a) { %s r; __builtin_memcpy(&r, &a, sizeof r); return r; }" % types, a
    )


def _scalar_to_bool(context: Context, a: Text, source: DType) -> Text:
    if source.is_float and source.bits == 16:
        a, source = scalar_cast(context, a, source, FLOAT32), FLOAT32
    zero = "0.0f" if source.is_float and source.bits == 32 else "0.0" if source.is_float else "0"
    return Text(f"{a.at(PLUS)} != {zero}", EQUALITY)


def _bits_call(context: Context, name: str, text: str, a: Text) -> Text:
    return Text(f"{context.prelude.named(name, text)}({a.code})", POSTFIX)


_F32_OF_BF16 = """\
INLINE float f32_of_bf16(uint16_t a) {
    uint32_t bits = (uint32_t)a << 16;
    float r;
    __builtin_memcpy(&r, &bits, 4);
    return r;
}"""
_BF16_OF_F32 = """\
INLINE uint16_t bf16_of_f32(float a) {
    uint32_t bits;
    __builtin_memcpy(&bits, &a, 4);
    if (a != a) return (uint16_t)(bits >> 16 | 64);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}"""


def _saturating(context: Context, old: str, new: str) -> str:
    """The helper that clamps a float to an integer type; NaN gives 0."""
    low, high = _range(new)
    name, c_new, c_old = f"{new}_from_{old}", C_TYPES[new], C_TYPES[old]
    suffix = "f" if old == "f32" else ""
    limit, least = f"{float(high + 1)!r}{suffix}", f"{float(low)!r}{suffix}"
    top = {"i64": "9223372036854775807ll", "u64": "18446744073709551615ull", "u32": "4294967295u"}.get(new, str(high))
    bottom = {"i64": "(-9223372036854775807ll - 1)", "i32": "(-2147483647 - 1)"}.get(new, str(low))
    return context.prelude.named(
        name,
        f"INLINE {c_new} {name}({c_old} a) {{\n"
        f"    return a >= {limit} ? {top} : a > {least} ? ({c_new})a : a <= {least} ? {bottom} : 0;\n"
        "}",
    )


@cache
def _range(element: str) -> tuple[int, int]:
    bits = bits_of(element)
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if element[0] == "i" else (0, (1 << bits) - 1)


# Vectors.


def vector_cast(context: Context, vec: Vec, source: DType, target: DType) -> Vec:
    """A vector of numbers or truths as another type."""
    old, new = element_name(source), element_name(target)
    if old == new:
        return vec
    if vec.splat is not None:
        value = scalar_cast(context, vec.splat, source.element, target.element)
        if not value.is_literal:
            value = context.local(C_TYPES[new], value)
        return truth_splat(value, vec.lanes) if new == "bool" else Vec(new, vec.lanes, vec.grain, (), splat=value)
    if old == "bool":
        return convert(context, number_of_mask(context, vec, f"i{max(8, bits_of(new))}"), new)
    if new == "bool":
        return _to_mask(context, vec)
    return convert(context, vec, new)


def truth_splat(value: Text, lanes: int) -> Vec:
    """A bool vector with the truth value (0 or 1) in all lanes."""
    return Vec("bool", lanes, 2, (), True, value)


def convert(context: Context, vec: Vec, new: str) -> Vec:
    """A vector of numbers with other elements, by the steps that compilers do well."""
    old = vec.element
    for step in _route(old, new):
        vec = _step(context, vec, step, new)
    return vec


@cache
def _route(old: str, new: str) -> tuple[str, ...]:
    """Element types on the way from `old` to `new`, `new` included."""
    if old == new:
        return ()
    if "bf16" in (old, new) or "f16" in (old, new):
        return _narrow_float_route(old, new)
    if old[0] == "f" and new[0] == "f":
        return (new,)
    if old[0] == "f":
        return _route_to_integer(old, new)
    if new[0] == "f":
        return _route_to_float(old, new)
    return _integer_route(old, new)


def _narrow_float_route(old: str, new: str) -> tuple[str, ...]:
    if old in ("bf16", "f16"):
        return ("f32", *_route("f32", new))
    if new == "f16" and old == "f64":
        return ("f16",)
    return (*_route(old, "f32"), new) if old != "f64" else ("f32", new)


def _integer_route(old: str, new: str) -> tuple[str, ...]:
    """Through all widths between; on the way the signedness is that of the source."""
    steps, bits = [], bits_of(old)
    while bits != bits_of(new):
        bits = bits * 2 if bits < bits_of(new) else bits // 2
        steps.append(f"{old[0]}{bits}")
    steps[len(steps) - 1 :] = [new] if steps else []
    return tuple(steps) or (new,)


def _route_to_float(old: str, new: str) -> tuple[str, ...]:
    if bits_of(old) < 32:
        return (*_integer_route(old, "i32"), new)
    if old in ("i64", "u64") and new == "f32":
        return ("f32",)
    return (new,)


def _route_to_integer(old: str, new: str) -> tuple[str, ...]:
    """Clamped to the new range, then to the least integer that has it, then narrowed."""
    wide = bits_of(new) == 64
    if wide:
        return ("f64", new) if old == "f32" else (new,)
    if bits_of(new) == 32:
        return (new,)
    return ("i32", *_integer_route("i32", new))


def _step(context: Context, vec: Vec, step: str, final: str) -> Vec:
    old = vec.element
    if old == "bf16" or step == "bf16" or (step == "f16" or old == "f16"):
        return _narrow_float_step(context, vec, step)
    if old[0] == "f" and step[0] != "f":
        return _float_to_integer(context, vec, step, final)
    return plain_step(context, vec, step)


def plain_step(context: Context, vec: Vec, new: str) -> Vec:
    """One conversion instruction per piece, with pieces that fit both before and after."""
    if bits_of(vec.element) == bits_of(new) and vec.element[0] != "f" and new[0] != "f":
        return _each(context, canonical(context, vec), new, "({type}){part}")
    grain = min(grain_of(context, new, vec.lanes), vec.grain)
    return canonical(
        context, _each(context, regrain(context, vec, grain), new, "__builtin_convertvector({code}, {type})")
    )


def _each(context: Context, vec: Vec, new: str, form: str) -> Vec:
    parts = []
    for part, size in zip(vec.parts, storages(vec.lanes, vec.grain), strict=True):
        c_type = context.vector_c_type(new, size)
        code = form.format(type=c_type, code=part.code, part=part.at(UNARY))
        parts.append(Text(code, UNARY if form[0] == "(" else POSTFIX))
    return Vec(new, vec.lanes, vec.grain, tuple(parts))


def _narrow_float_step(context: Context, vec: Vec, new: str) -> Vec:
    """float16 and bfloat16: lane by lane, by functions."""
    grain = min(grain_of(context, new, vec.lanes), vec.grain)
    vec = regrain(context, vec, grain)
    parts = []
    for part, size in zip(vec.parts, storages(vec.lanes, vec.grain), strict=True):
        old_type, new_type = context.vector_c_type(vec.element, size), context.vector_c_type(new, size)
        name = f"{new}x{size}_of_{vec.element}x{size}"
        one = _one_lane(context, vec.element, new)
        context.prelude.named(
            name,
            f"INLINE {new_type} {name}({old_type} a) {{\n    {new_type} r;\n"
            f"    for (int k = 0; k < {size}; k++) r[k] = {one};\n    return r;\n}}",
        )
        parts.append(Text(f"{name}({part.code})", POSTFIX))
    return canonical(context, Vec(new, vec.lanes, vec.grain, tuple(parts)))


def _one_lane(context: Context, old: str, new: str) -> str:
    if "bf16" in (old, new):
        name = "f32_of_bf16" if old == "bf16" else "bf16_of_f32"
        return context.prelude.named(name, _F32_OF_BF16 if old == "bf16" else _BF16_OF_F32) + "(a[k])"
    return f"({C_TYPES[new]})a[k]"


def _float_to_integer(context: Context, vec: Vec, step: str, final: str) -> Vec:
    """Floats to `step`, the integer type they convert to, clamped to the range of `final` (at most as wide)."""
    grain = min(grain_of(context, step, vec.lanes), vec.grain)
    vec = regrain(context, vec, grain)
    parts = []
    for part, size in zip(vec.parts, storages(vec.lanes, vec.grain), strict=True):
        context.vector_c_type(vec.element, size)
        context.vector_c_type(f"i{bits_of(vec.element)}", size)
        context.vector_c_type(step, size)
        name = f"{final}_range_{step}_from_{vec.element}x{size}"
        context.prelude.named(name, _saturating_vector_text(name, vec.element, step, final, size))
        parts.append(Text(f"{name}({part.code})", POSTFIX))
    return canonical(context, Vec(step, vec.lanes, vec.grain, tuple(parts)))


def _saturating_vector_text(name: str, old: str, step: str, final: str, size: int) -> str:
    low, high = _range(final)
    suffix = "f" if old == "f32" else ""
    digits = 24 if old == "f32" else 53
    inexact = high.bit_length() > digits  # the greatest integer is no float: what is above must be told apart
    top = math.ldexp(1 - 2.0**-digits, high.bit_length()) if inexact else float(high)
    bits = bits_of(old)
    lines = [f"INLINE {step}x{size} {name}({old}x{size} a) {{"]
    if inexact:
        lines.append(f"    const i{bits}x{size} above = a >= {float(high + 1)!r}{suffix};")
    if low < 0:
        lines.append(f"    a = ({old}x{size})((i{bits}x{size})a & (a == a));")
    lines += [
        f"    for (int k = 0; k < {size}; k++) a[k] = a[k] > {float(low)!r}{suffix} ? a[k] : {float(low)!r}{suffix};",
        f"    for (int k = 0; k < {size}; k++) a[k] = a[k] < {top!r}{suffix} ? a[k] : {top!r}{suffix};",
        f"    const {step}x{size} r = __builtin_convertvector(a, {step}x{size});",
    ]
    if not inexact:
        return "\n".join([*lines, "    return r;", "}"])
    # MAX is all ones for unsigned types, all ones but the first for signed.
    ones = "above" if low == 0 else f"(above & {'0x7fffffff' if bits == 32 else '0x7fffffffffffffffll'})"
    return "\n".join([*lines, f"    return ({step}x{size})({ones} | (~above & (i{bits}x{size})r));", "}"])


# Bool vectors: masks, as wide as what they were compared from.


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
    for step in _route(mask.element, element):
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


def _to_mask(context: Context, vec: Vec) -> Vec:
    """Where the numbers are not 0."""
    if vec.element in ("f16", "bf16"):
        vec = convert(context, vec, "f32")
    vec = canonical(context, vec)
    parts = tuple(Text(f"{part.at(PLUS)} != 0", EQUALITY) for part in vec.parts)
    for size in storages(vec.lanes, vec.grain):
        context.vector_c_type(f"i{bits_of(vec.element)}", size)
    return Vec(f"i{bits_of(vec.element)}", vec.lanes, vec.grain, parts, True)
