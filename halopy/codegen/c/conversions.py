"""Conversions of vectors between number types.

Integers wrap. A float becomes an integer by truncation, clamped to the integer's range, NaN to 0, in
vectors too: C leaves what is out of range undefined, and compilers use that.
gcc 12 converts a vector well only where the width stays, doubles or halves (u8 to f32 in one step: 53
instructions, in three: 3), so vectors go step by step.
"""

from __future__ import annotations

import math
from functools import cache

from .avx512 import joined, joined_name, resized, resized_name
from .context import Context
from .half_floats import half_variant
from .number_formats import BF16_OF_F32, F32_OF_BF16, range_of
from .packs import pack_text, packs
from .pieces import canonical, grain_of, regrain
from .types import C_TYPES, POSTFIX, UNARY, Text, Vec, bits_of, storages


def convert(context: Context, vec: Vec, new: str, *, fits: bool = False) -> Vec:
    """A vector of numbers with other elements, by the steps that compilers do well. `fits`: all values do, for sure."""
    of_float = vec.element[0] == "f" and new[0] != "f"
    for step in _by_quarters(context, vec, route(vec.element, new)):
        if step == new and (fits or of_float) and _fills_packs(context, vec, new):
            return _packed(context, vec, new)
        vec = _step(context, vec, step, new, fits)
    return vec


def saturate_by_packs(context: Context, vec: Vec, new: str) -> Vec | None:
    """Floats that 32 bits have, truncated and clamped to the range of a narrower type: packing does both."""
    if new[0] not in "iu" or vec.element != "f32" or vec.splat is not None or bits_of(new) > 16:
        return None
    whole = plain_step(context, vec, "i32")
    return _packed(context, whole, new) if _fills_packs(context, whole, new) else None


def _fills_packs(context: Context, vec: Vec, new: str) -> bool:
    """Whether full registers of integers that are known to fit make full ones of fewer bits."""
    if vec.element[0] not in "iu" or new[0] not in "iu" or context.vector_bytes < 64 or not packs(vec.element, new):
        return False
    return vec.lanes % grain_of(context, new, vec.lanes) == 0 and vec.lanes * bits_of(new) % (8 * 64) == 0


def _packed(context: Context, vec: Vec, new: str) -> Vec:
    vec = context.name_vector(canonical(context, vec))
    count, grain = packs(vec.element, new), grain_of(context, new, vec.lanes)
    context.vector_c_type(new, grain)
    texts = pack_text(vec.element, new)
    name = context.prelude.named(*texts)
    groups = (vec.parts[k : k + count] for k in range(0, len(vec.parts), count))
    parts = tuple(Text(f"{name}({', '.join(part.code for part in group)})", POSTFIX) for group in groups)
    return Vec(new, vec.lanes, grain, parts)


def _by_quarters(context: Context, vec: Vec, steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps without those from 8 to 16 and on to 32 bits, or back, for which there is one instruction."""
    if context.vector_bytes < 64 or vec.lanes % 16:
        return steps
    kinds = (vec.element, *steps)
    between = [
        k
        for k in range(1, len(kinds) - 1)
        if bits_of(kinds[k]) == 16 and {bits_of(kinds[k - 1]), bits_of(kinds[k + 1])} == {8, 32}
        and "f" not in kinds[k - 1] + kinds[k] + kinds[k + 1]
    ]  # fmt: skip
    return tuple(step for k, step in enumerate(kinds) if k and k not in between)


@cache
def route(old: str, new: str) -> tuple[str, ...]:
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
        return ("f32", *route("f32", new))
    if new == "f16" and old == "f64":
        return ("f16",)
    return (*route(old, "f32"), new) if old != "f64" else ("f32", new)


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


def _step(context: Context, vec: Vec, step: str, final: str, fits: bool) -> Vec:
    old = vec.element
    if old == "bf16" or step == "bf16" or (step == "f16" or old == "f16"):
        return _narrow_float_step(context, vec, step)
    if old[0] == "f" and step[0] != "f" and not fits:
        return _float_to_integer(context, vec, step, final)
    return plain_step(context, vec, step)


def plain_step(context: Context, vec: Vec, new: str) -> Vec:
    """One conversion instruction per piece, with pieces that fit both before and after."""
    if bits_of(vec.element) == bits_of(new) and vec.element[0] != "f" and new[0] != "f":
        return _each(context, canonical(context, vec), new, "({type}){part}")
    narrowed = _joined(context, vec, new)
    if narrowed is not None:
        return narrowed
    grain = min(grain_of(context, new, vec.lanes), vec.grain)
    form = "__builtin_convertvector({code}, {type})"
    text = resized(vec.element, new, grain)
    if text is not None and vec.lanes % grain == 0:
        for element in (vec.element, new):
            context.prelude.vector(element, grain)
        form = context.prelude.named(resized_name(vec.element, new, grain), text) + "({code})"
    return canonical(context, _each(context, regrain(context, vec, grain), new, form))


def _joined(context: Context, vec: Vec, new: str) -> Vec | None:
    """Integers of half the width, out of two registers into one; None where there are no two, or no instruction."""
    grain = vec.grain
    if len(vec.parts) < 2 or len(vec.parts) % 2 or vec.lanes % grain or context.vector_bytes < 64:
        return None
    text = joined(vec.element, new, grain)
    if text is None:
        return None
    for element, lanes in ((vec.element, grain), (new, grain), (new, 2 * grain)):
        context.vector_c_type(element, lanes)
    name = context.prelude.named(joined_name(vec.element, new, grain), text)
    pairs = zip(vec.parts[::2], vec.parts[1::2], strict=True)
    return Vec(new, vec.lanes, 2 * grain, tuple(Text(f"{name}({a.code}, {b.code})", POSTFIX) for a, b in pairs))


def _each(context: Context, vec: Vec, new: str, form: str) -> Vec:
    parts = []
    for part, size in zip(vec.parts, storages(vec.lanes, vec.grain), strict=True):
        c_type = context.vector_c_type(new, size)
        code = form.format(type=c_type, code=part.code, part=part.at(UNARY))
        parts.append(Text(code, UNARY if form[0] == "(" else POSTFIX))
    return Vec(new, vec.lanes, vec.grain, tuple(parts))


def _narrow_float_step(context: Context, vec: Vec, new: str) -> Vec:
    """float16 and bfloat16: lane by lane, by functions, where there is no instruction."""
    grain = min(grain_of(context, new, vec.lanes), vec.grain)
    vec = regrain(context, vec, grain)
    parts = []
    for part, size in zip(vec.parts, storages(vec.lanes, vec.grain), strict=True):
        old_type, new_type = context.vector_c_type(vec.element, size), context.vector_c_type(new, size)
        name = f"{new}x{size}_of_{vec.element}x{size}"
        one = _one_lane(context, vec.element, new)
        loop = f"    {new_type} r;\n    for (int k = 0; k < {size}; k++) r[k] = {one};\n    return r;"
        body = half_variant(vec.element, new, size, loop)
        context.prelude.named(name, f"INLINE {new_type} {name}({old_type} a) {{\n{body}\n}}")
        parts.append(Text(f"{name}({part.code})", POSTFIX))
    return canonical(context, Vec(new, vec.lanes, vec.grain, tuple(parts)))


def _one_lane(context: Context, old: str, new: str) -> str:
    if "bf16" in (old, new):
        name = "f32_of_bf16" if old == "bf16" else "bf16_of_f32"
        return context.prelude.named(name, F32_OF_BF16 if old == "bf16" else BF16_OF_F32) + "(a[k])"
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
        for extremum in ("max", "min"):
            context.prelude.helper(extremum, vec.element, size)
        name = f"{final}_range_{step}_from_{vec.element}x{size}"
        context.prelude.named(name, _saturating_vector_text(name, vec.element, step, final, size))
        parts.append(Text(f"{name}({part.code})", POSTFIX))
    return canonical(context, Vec(step, vec.lanes, vec.grain, tuple(parts)))


def _saturating_vector_text(name: str, old: str, step: str, final: str, size: int) -> str:
    low, high = range_of(final)
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
    vector = f"{old}x{size}"
    lines += [
        f"    a = max_{vector}(a, ({vector}){{0}} + {float(low)!r}{suffix});",
        f"    a = min_{vector}(a, ({vector}){{0}} + {top!r}{suffix});",
        f"    const {step}x{size} r = __builtin_convertvector(a, {step}x{size});",
    ]
    if not inexact:
        return "\n".join([*lines, "    return r;", "}"])
    # MAX is all ones for unsigned types, all ones but the first for signed.
    ones = "above" if low == 0 else f"(above & {'0x7fffffff' if bits == 32 else '0x7fffffffffffffffll'})"
    return "\n".join([*lines, f"    return ({step}x{size})({ones} | (~above & (i{bits}x{size})r));", "}"])
