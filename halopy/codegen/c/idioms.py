"""Small-integer arithmetic on vectors that machines do in one instruction and plain C says in several.

clang finds an instruction in its elementwise builtins or in widened arithmetic (from a loop over 64 bytes it makes 400
instructions), gcc in a loop over lanes that stands alone; in a long function, and of saturating arithmetic, it knows
builtins only.
"""

from __future__ import annotations

from ...ir.expr import Call, Expr, const_value
from .bits import shifted
from .types import C_TYPES
from .x86 import call_of, macro_of

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
    """The definition of a helper named in the table: for clang, for gcc on x86, for the rest."""
    vector = f"{element}x{lanes}"
    head = f"INLINE {vector} {name}({vector} a{'' if helper == 'abs' else f', {vector} b'}) {{"
    lines = [head, *_for_clang(helper, element, lanes)]
    macro = macro_of(helper, element, lanes)
    if macro is not None:
        lines += [f"#elif defined({macro}) && !defined(__clang__)", f"    {call_of(helper, element, lanes)}"]
    return "\n".join([*lines, "#else", *_plain(helper, element, lanes), "#endif", "}"])


def _for_clang(helper: str, element: str, lanes: int) -> list[str]:
    if helper in ("average", "mul_high"):
        a, b = (f"__builtin_convertvector({x}, {_wide(element)}x{lanes})" for x in "ab")
        widened = f"__builtin_convertvector({_form(helper, element).format(a, b)}, {element}x{lanes})"
        return ["#ifdef __clang__", f"    return {widened};"]
    call = f"__builtin_elementwise_{helper}(a{'' if helper == 'abs' else ', b'})"
    return [f"#if __has_builtin(__builtin_elementwise_{helper})", f"    return {call};"]


def _wide(element: str) -> str:
    return f"{element[0]}{2 * int(element[1:])}"


def _form(helper: str, element: str) -> str:
    return "({0} + {1} + 1) >> 1" if helper == "average" else f"({{0}} * {{1}}) >> {element[1:]}"


def _plain(helper: str, element: str, lanes: int) -> list[str]:
    if helper in ("add_sat", "sub_sat"):
        return _saturating(helper, element, lanes)
    if helper == "abs":
        one = "a[k] < 0 ? -a[k] : a[k]"
    else:
        one = _form(helper, element).format(f"({C_TYPES[_wide(element)]})a[k]", "b[k]")
    return [f"    for (int k = 0; k < {lanes}; k++) a[k] = {one};", "    return a;"]


def _saturating(helper: str, element: str, lanes: int) -> list[str]:
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
