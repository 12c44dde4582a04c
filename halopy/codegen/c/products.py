"""Sums of two products of 16-bit integers: factors side by side, multiplied and added by one instruction.

a*b + c*d of 32 lanes    ->    vpermt2w (a0, c0, a1, c1, …) in two registers; vpmaddwd each with (b0, d0, b1, d1, …)
"""

from __future__ import annotations

from ...ir.expr import Call, Expr, Shuffle
from .context import Context
from .pieces import canonical
from .types import POSTFIX, UNARY, Text, Vec, vector_type

_MACROS = {8: "__SSE2__", 16: "__AVX2__", 32: "__AVX512BW__"}


def sum_of_products(context: Context, call: Call) -> Vec | None:
    """The C of the call; None where its lanes do not fill registers."""
    lanes = call.dtype.lanes
    a, b, c, d = call.args
    factors = _side_by_side(context, a, c)
    if factors.lanes % factors.grain or factors.grain not in _MACROS:
        return None
    others = _pair_in_all_lanes(context, b, d, factors.grain) or _side_by_side(context, b, d)
    half = factors.grain // 2
    parts = []
    for k, part in enumerate(factors.parts):
        name = context.prelude.named(f"sum_products_i16x{factors.grain}", _text(context, factors.grain))
        parts.append(Text(f"{name}({part.code}, {others.parts[k % len(others.parts)].code})", POSTFIX))
    return Vec("i32", lanes, half, tuple(parts))


def _side_by_side(context: Context, a: Expr, c: Expr) -> Vec:
    lanes = a.dtype.lanes
    both = Shuffle((a, c), tuple(place for k in range(lanes) for place in (k, lanes + k)))
    context.keep(both)
    return canonical(context, context.vector(both))


def _pair_in_all_lanes(context: Context, b: Expr, d: Expr, lanes: int) -> Vec | None:
    """Two numbers that are the same for all lanes, as one of 32 bits in all of them."""
    one, two = context.vector(b).splat, context.vector(d).splat
    if one is None or two is None:
        return None
    first, second = (f"(uint32_t)(uint16_t){text.at(UNARY)}" for text in (one, two))
    pair = context.local("int32_t", Text(f"(int32_t)({first} | {second} << 16)"), "pair")
    whole, halves = context.vector_c_type("i32", lanes // 2), context.vector_c_type("i16", lanes)
    spread = context.local(halves, Text(f"({halves})({pair.code} - ({whole}){{0}})", UNARY), "pairs")
    return Vec("i16", lanes, lanes, (spread,))


def _text(context: Context, lanes: int) -> str:
    source, result = context.vector_c_type("i16", lanes), context.vector_c_type("i32", lanes // 2)
    size, mask = 16 * lanes, f", (sums){{0}}, (uint{max(8, lanes // 2)}_t)-1" if lanes == 32 else ""
    call = f"__builtin_ia32_pmaddwd{size}{'_mask' if lanes == 32 else ''}((factors)a, (factors)b{mask})"
    loop = "(int32_t)a[2 * k] * b[2 * k] + (int32_t)a[2 * k + 1] * b[2 * k + 1]"
    return "\n".join([
        f"INLINE {vector_type('i32', lanes // 2)} sum_products_i16x{lanes}({source} a, {source} b) {{",
        "#ifdef __clang__",
        f"    {result} odd = {_half('a', lanes, 1)} * {_half('b', lanes, 1)};",
        f"    return {_half('a', lanes, 0)} * {_half('b', lanes, 0)} + odd;",
        f"#elif defined({_MACROS[lanes]})",
        f"    typedef short factors __attribute__((vector_size({2 * lanes})));",
        *([f"    typedef int sums __attribute__((vector_size({2 * lanes})));"] if lanes == 32 else []),
        f"    return ({result}){call};",
        "#else",
        f"    {result} r;",
        f"    for (int k = 0; k < {lanes // 2}; k++) r[k] = {loop};",
        "    return r;",
        "#endif",
        "}",
    ])  # fmt: skip


def _half(name: str, lanes: int, first: int) -> str:
    picked = f"__builtin_shufflevector({name}, {name}, {', '.join(map(str, range(first, lanes, 2)))})"
    return f"__builtin_convertvector({picked}, {vector_type('i32', lanes // 2)})"
