"""Small-integer arithmetic on vectors that machines do in one instruction and plain C says in several.

gcc finds an instruction in a loop over lanes, clang in its elementwise builtins or in widened arithmetic
(from a loop over 64 bytes it makes 400 instructions); saturating arithmetic gcc 12 knows by builtin only.
"""

from __future__ import annotations

from ...ir.expr import Call, Expr, const_value
from .bits import shifted

# Helper by intrinsic, and the operand types for which the helper is better than the general rule.
_HELPERS: dict[str, tuple[str, frozenset[str]]] = {
    "abs": ("abs", frozenset({"i8", "i16", "i32"})),
    "rounding_halving_add": ("average", frozenset({"u8", "u16"})),
    "saturating_add": ("add_sat", frozenset({"i8", "u8", "i16", "u16"})),
    "saturating_sub": ("sub_sat", frozenset({"i8", "u8", "i16", "u16"})),
    "c_mul_high": ("mul_high", frozenset({"i16", "u16"})),
}


def idiom(call: Call, element: str) -> str | None:
    """The helper that computes the call on vectors of this element type, if one does."""
    helper, elements = _HELPERS.get(call.name, ("", frozenset[str]()))
    return helper if element in elements else None


def high_product(call: Call) -> Expr | None:
    """mul_shift_right by the width or more, for 16 bits: the high halves of the products, shifted by the rest."""
    dtype, amount = call.dtype, const_value(call.args[2])
    if dtype.bits != 16 or amount is None or not 16 <= amount < 32 or any(a.dtype is not dtype for a in call.args[:2]):
        return None
    return shifted("right", Call("c_mul_high", call.args[:2], dtype), int(amount) - 16)


def idiom_text(name: str, helper: str, element: str, lanes: int) -> str:
    """The definition of a helper named in the table."""
    vector = f"{element}x{lanes}"
    if helper == "abs":
        loop = f"for (int k = 0; k < {lanes}; k++) a[k] = a[k] < 0 ? -a[k] : a[k];\n    return a;"
        return _function(f"{vector} {name}({vector} a)", "__builtin_elementwise_abs(a)", loop)
    head = f"{vector} {name}({vector} a, {vector} b)"
    if helper in ("average", "mul_high"):
        return _widened(head, helper, element, lanes)
    return _saturating(head, helper, element, lanes)


def _function(head: str, clang: str, gcc: str) -> str:
    return f"INLINE {head} {{\n#ifdef __clang__\n    return {clang};\n#else\n    {gcc}\n#endif\n}}"


def _widened(head: str, helper: str, element: str, lanes: int) -> str:
    bits = int(element[1:])
    wide = f"{element[0]}{2 * bits}x{lanes}"
    scalar = f"{'u' if element[0] == 'u' else ''}int{2 * bits}_t"
    form = "({0} + {1} + 1) >> 1" if helper == "average" else f"({{0}} * {{1}}) >> {bits}"
    one = form.format(f"({scalar})a[k]", "b[k]")
    both = form.format(f"__builtin_convertvector(a, {wide})", f"__builtin_convertvector(b, {wide})")
    loop = f"for (int k = 0; k < {lanes}; k++) a[k] = {one};\n    return a;"
    return _function(head, f"__builtin_convertvector({both}, {element}x{lanes})", loop)


_SIZES = {16: ("__SSE2__", "128"), 32: ("__AVX2__", "256"), 64: ("__AVX512BW__", "512_mask")}


def _saturating(head: str, helper: str, element: str, lanes: int) -> str:
    size = lanes * int(element[1:]) // 8
    lines = [
        f"INLINE {head} {{",
        f"#if __has_builtin(__builtin_elementwise_{helper})",
        f"    return __builtin_elementwise_{helper}(a, b);",
    ]
    if size in _SIZES:
        macro, suffix = _SIZES[size]
        lines += [f"#elif defined({macro}) && !defined(__clang__)", *_builtin(helper, element, lanes, suffix)]
    return "\n".join([*lines, "#else", *_plain(helper, element, lanes), "#endif", "}"])


def _builtin(helper: str, element: str, lanes: int, suffix: str) -> list[str]:
    kind = ("us" if element[0] == "u" else "s") + ("b" if element[1:] == "8" else "w")
    unit = "char" if element[1:] == "8" else "short"
    rest = f", (lanes)a, (uint{lanes}_t)-1" if suffix.endswith("mask") else ""
    return [
        f"    typedef {unit} lanes __attribute__((vector_size({lanes * int(element[1:]) // 8})));",
        f"    return ({element}x{lanes})__builtin_ia32_p{helper[:3]}{kind}{suffix}((lanes)a, (lanes)b{rest});",
    ]


def _plain(helper: str, element: str, lanes: int) -> list[str]:
    vector, bits, is_add = f"{element}x{lanes}", int(element[1:]), helper == "add_sat"
    if element[0] == "u":
        if is_add:
            return [f"    return (a + b) | ({vector})((a + b) < a);"]
        return [f"    return (a - b) & ({vector})(a > b);"]
    return [
        f"    const {vector} r = a {'+' if is_add else '-'} b;",
        f"    const {vector} over = ((a ^ {'r) & (b ^ r)' if is_add else 'b) & (a ^ r)'}) < 0;",
        f"    return (over & ((a >> {bits - 1}) ^ {(1 << (bits - 1)) - 1})) | (~over & r);",
    ]
