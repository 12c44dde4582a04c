"""Symbols of C++ functions, by the Itanium rules that gcc and clang follow.

int a::f(struct halide_buffer_t *, uint8_t, struct halide_buffer_t *)     ->     _ZN1a1fEP15halide_buffer_thS1_
"""

from __future__ import annotations

from collections.abc import Sequence

from ...dtypes import Code, DType

BUFFER, CONTEXT, ARGV = "halide_buffer_t*", "void const*", "void**"

_BUILTIN = {
    (Code.INT, 8): "a", (Code.INT, 16): "s", (Code.INT, 32): "i", (Code.INT, 64): "l",
    (Code.UINT, 1): "b", (Code.UINT, 8): "h", (Code.UINT, 16): "t", (Code.UINT, 32): "j", (Code.UINT, 64): "m",
    (Code.FLOAT, 16): "DF16_", (Code.FLOAT, 32): "f", (Code.FLOAT, 64): "d", (Code.BFLOAT, 16): "t",
}  # fmt: skip
_LAYERS = {
    BUFFER: ("15halide_buffer_t", "P"),
    CONTEXT: ("v", "K", "P"),
    ARGV: ("v", "P", "P"),
    "void*": ("v", "P"),
}


def mangled(namespaces: Sequence[str], name: str, arguments: Sequence[DType | str], *, wide_long: bool = True) -> str:
    """The symbol. Arguments are element types, or one of the pointers above.

    64-bit integers are `long` where that is wide enough, on Linux, and `long long` elsewhere.
    """
    seen: list[str] = []
    prefix = ""
    for space in namespaces:
        prefix += _counted(space)
        seen.append(prefix)
    full = f"N{prefix}{_counted(name)}E" if namespaces else _counted(name)
    types = "".join(_type(a, seen, wide_long) for a in arguments)
    return f"_Z{full}{types or 'v'}"


def _counted(name: str) -> str:
    return f"{len(name)}{name}"


def _type(argument: DType | str, seen: list[str], wide_long: bool) -> str:
    if isinstance(argument, DType) and argument.code is not Code.HANDLE:
        letter = _BUILTIN[argument.code, argument.bits]
        return letter if wide_long else {"l": "x", "m": "y"}.get(letter, letter)
    return _layered(_LAYERS[argument if isinstance(argument, str) else "void*"], seen)


def _layered(layers: Sequence[str], seen: list[str]) -> str:
    """A type built around its first layer; what was seen before is named by its number."""
    whole = shown = layers[0]
    if len(whole) > 1:
        shown = _remembered(whole, shown, seen)
    for layer in layers[1:]:
        whole = layer + whole
        shown = _remembered(whole, layer + shown, seen)
    return shown


def _remembered(whole: str, shown: str, seen: list[str]) -> str:
    if whole in seen:
        return _back_reference(seen.index(whole))
    seen.append(whole)
    return shown


def _back_reference(position: int) -> str:
    if position == 0:
        return "S_"
    digits, number = "", position - 1
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
        if not number:
            return f"S{digits}_"
