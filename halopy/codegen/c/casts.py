"""Casts of scalars and vectors from one type to another."""

from __future__ import annotations

from ...dtypes import FLOAT32, DType
from ...ir.expr import Cast
from .context import Context
from .conversions import convert
from .masks import mask_of_numbers, number_of_mask, truth_splat
from .number_formats import BF16_OF_F32, F32_OF_BF16, range_of
from .types import C_TYPES, EQUALITY, PLUS, POSTFIX, UNARY, Text, Vec, bits_of, c_type, element_name


def float_fits(context: Context, node: Cast) -> bool:
    """Whether an integer type has all numbers that the float can be; one between two ends is no NaN."""
    if not (node.a.dtype.is_float and node.dtype.is_integer):
        return False
    low, high = context.ranges.of(node.a)
    return low is not None and high is not None and node.dtype.min <= low and high <= node.dtype.max


def scalar_cast(context: Context, a: Text, source: DType, target: DType, *, fits: bool = False) -> Text:
    """One number as another type. `fits`: the target has the value, for sure."""
    if source is target:
        return a
    if target.is_bool:
        return _scalar_to_bool(context, a, source)
    old, new = element_name(source), element_name(target)
    if old == "bf16":
        return scalar_cast(context, _bits_call(context, "f32_of_bf16", F32_OF_BF16, a), FLOAT32, target)
    if new == "bf16":
        wide = scalar_cast(context, a, source, FLOAT32)
        return _bits_call(context, "bf16_of_f32", BF16_OF_F32, wide)
    if source.is_float and target.is_integer and not fits:
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
    head = f"INLINE {C_TYPES[new]} {name}({C_TYPES[old]} a)"
    text = f"{head} {{ {C_TYPES[new]} r; __builtin_memcpy(&r, &a, sizeof r); return r; }}"
    return _bits_call(context, name, text, a)


def _scalar_to_bool(context: Context, a: Text, source: DType) -> Text:
    if source.is_float and source.bits == 16:
        a, source = scalar_cast(context, a, source, FLOAT32), FLOAT32
    zero = "0.0f" if source.is_float and source.bits == 32 else "0.0" if source.is_float else "0"
    return Text(f"{a.at(PLUS)} != {zero}", EQUALITY)


def _bits_call(context: Context, name: str, text: str, a: Text) -> Text:
    return Text(f"{context.prelude.named(name, text)}({a.code})", POSTFIX)


def _saturating(context: Context, old: str, new: str) -> str:
    """The helper that clamps a float to an integer type; NaN gives 0."""
    low, high = range_of(new)
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


def vector_cast(context: Context, vec: Vec, source: DType, target: DType, *, fits: bool = False) -> Vec:
    """A vector of numbers or truths as another type. `fits`: the target has all the values, for sure."""
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
        return mask_of_numbers(context, vec)
    return convert(context, vec, new, fits=fits)
