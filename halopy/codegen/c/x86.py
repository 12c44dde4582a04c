"""Integer instructions of x86 that gcc has builtins for: under which macro, and how they are called.

    u16x32 average:     #if defined(__AVX512BW__)       __builtin_ia32_pavgw512_mask(a, b, a, -1)

Builtins become their instruction wherever they stand, at every level of optimisation.
"""

from __future__ import annotations

from .types import bits_of, vector_type

_LETTER = {8: "b", 16: "w", 32: "d", 64: "q"}
_C = {8: "char", 16: "short", 32: "int", 64: "long long"}
_SSE2 = frozenset((("min", "u8"), ("max", "u8"), ("min", "i16"), ("max", "i16")))

# Operation -> the name of the instruction without its letters, and the element types for which it is there.
_NAMES = {
    "min": ("pmin", frozenset(("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"))),
    "max": ("pmax", frozenset(("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"))),
    "abs": ("pabs", frozenset(("i8", "i16", "i32", "i64"))),
    "average": ("pavg", frozenset(("u8", "u16"))),
    "mul_high": ("pmulh", frozenset(("i16", "u16"))),
    "add_sat": ("padd", frozenset(("i8", "u8", "i16", "u16"))),
    "sub_sat": ("psub", frozenset(("i8", "u8", "i16", "u16"))),
}


def macro_of(operation: str, element: str, lanes: int) -> str | None:
    """The macro of gcc that says that the machine has the instruction; None where no machine does."""
    bits, width = bits_of(element), lanes * bits_of(element)
    if width not in (128, 256, 512) or operation not in _NAMES or element not in _NAMES[operation][1]:
        return None
    if bits == 64:
        return "__AVX512F__" if width == 512 else "__AVX512VL__"
    if width == 512:
        return "__AVX512BW__" if bits < 32 else "__AVX512F__"
    if width == 256:
        return "__AVX2__"
    if operation == "abs":
        return "__SSSE3__"
    return "__SSE4_1__" if operation in ("min", "max") and (operation, element) not in _SSE2 else "__SSE2__"


def call_of(operation: str, element: str, lanes: int) -> str:
    """The statements that return what the instruction makes of `a`, and `b` where it takes two."""
    bits, width = bits_of(element), lanes * bits_of(element)
    masked = width == 512 or bits == 64
    arguments = "(lanes)a" if operation == "abs" else "(lanes)a, (lanes)b"
    if masked:
        arguments += f", (lanes)a, (uint{max(8, lanes)}_t)-1"
    typedef = f"typedef {_C[bits]} lanes __attribute__((vector_size({width // 8})));"
    builtin = f"__builtin_ia32_{_stem(operation, element)}{width}{'_mask' if masked else ''}"
    return f"{typedef}\n    return ({vector_type(element, lanes)}){builtin}({arguments});"


def _stem(operation: str, element: str) -> str:
    name, letter = _NAMES[operation][0], _LETTER[bits_of(element)]
    is_unsigned = element[0] == "u"
    if operation in ("min", "max"):
        return name + ("u" if is_unsigned else "s") + letter
    if operation == "mul_high":
        return name + ("u" if is_unsigned else "") + letter
    if operation in ("add_sat", "sub_sat"):
        return name + ("us" if is_unsigned else "s") + letter
    return name + letter
