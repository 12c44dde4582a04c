"""How values look in C: scalar types, vector types, and texts with their precedence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ...dtypes import Code, DType

ATOM, POSTFIX, UNARY, TIMES, PLUS, SHIFT, RELATION, EQUALITY, BIT_AND, BIT_XOR, BIT_OR, AND, OR, TERNARY = (
    20,
    19,
    18,
    15,
    14,
    12,
    11,
    10,
    9,
    8,
    7,
    6,
    5,
    4,
)


class Text(NamedTuple):
    """A C expression with the precedence of its outermost operator. `is_int`: its C type is plain int."""

    code: str
    precedence: int = ATOM
    is_literal: bool = False
    is_int: bool = False

    def at(self, least: int) -> str:
        """The code, in parentheses unless it binds at least as tightly as `least`."""
        return self.code if self.precedence >= least else f"({self.code})"


@dataclass(frozen=True, slots=True)
class Vec:
    """A vector value: `lanes` lanes cut into pieces of `grain` lanes, one text each; the last may be shorter.

    Every piece is a GNU vector whose lane count is a power of two. Where `lanes` is no multiple of the
    grain, the last piece has lanes that mean nothing. `element` is the short name of the element type
    ("u16"); a bool vector `is_mask`: signed elements, all bits set where true. A `splat` has one text
    for all lanes and no parts.
    """

    element: str
    lanes: int
    grain: int
    parts: tuple[Text, ...]
    is_mask: bool = False
    splat: Text | None = None


Value = Text | Vec

C_TYPES = {
    "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
    "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t",
    "f16": "_Float16", "f32": "float", "f64": "double", "bf16": "uint16_t", "bool": "_Bool",
}  # fmt: skip


@cache
def element_name(dtype: DType) -> str:
    """The short name of the element type: i8 … u64, f16, f32, f64, bf16, bool."""
    if dtype.is_bool:
        return "bool"
    return {Code.INT: "i", Code.UINT: "u", Code.FLOAT: "f", Code.BFLOAT: "bf", Code.HANDLE: "u"}[dtype.code] + str(
        dtype.bits
    )


@cache
def c_type(dtype: DType) -> str:
    """The C type of one lane in a local variable."""
    return C_TYPES[element_name(dtype)]


@cache
def memory_type(dtype: DType) -> str:
    """The C type of one lane in memory; booleans are bytes."""
    return "uint8_t" if dtype.is_bool else c_type(dtype)


@cache
def bits_of(element: str) -> int:
    """The width of an element type by short name."""
    return 8 if element == "bool" else int(element.lstrip("iufb"))


@cache
def power_of_two_above(lanes: int) -> int:
    """The least power of two that is at least `lanes`, and at least 2: the lanes of a C vector."""
    return max(2, 1 << (lanes - 1).bit_length())


@cache
def storages(lanes: int, grain: int) -> tuple[int, ...]:
    """The lane count of each piece of a vector of `lanes` lanes cut at `grain`."""
    whole, rest = divmod(lanes, grain)
    return (grain,) * whole + ((power_of_two_above(rest),) if rest else ())


def vector_type(element: str, lanes: int) -> str:
    """The name of the C type of a piece; bfloat16 is held as its bits."""
    return f"{'u16' if element == 'bf16' else element}x{lanes}"


def literal(value: int | float, dtype: DType) -> Text:
    """A constant in C."""
    if dtype.is_bool:
        return Text(str(int(value)), is_literal=True)
    if dtype.is_float:
        return _float_literal(float(value), dtype)
    number = int(value)
    suffix = {32: "u", 64: "ull"}.get(dtype.bits, "") if dtype.is_uint else "ll" if dtype.bits == 64 else ""
    if number == dtype.min and dtype.is_int and dtype.bits >= 32:
        return Text(f"({number + 1}{suffix} - 1)", ATOM, True)
    return Text(f"{number}{suffix}", ATOM if number >= 0 else UNARY, True)


def index_literal(value: int) -> Text:
    """A constant in 64-bit index arithmetic: a plain int, which C widens where it meets an int64_t."""
    if value == -(1 << 31):
        return Text("(-2147483647 - 1)", ATOM, True, True)
    return Text(str(value), ATOM if value >= 0 else UNARY, True, True)


def _float_literal(value: float, dtype: DType) -> Text:
    suffix = "" if dtype.bits == 64 else "f"
    if value != value:
        text = f'__builtin_nan{suffix}("")'
    elif value in (float("inf"), float("-inf")):
        text = ("-" if value < 0 else "") + f"__builtin_inf{suffix}()"
    else:
        text = _shortest(value, dtype) + suffix
    return Text(text, UNARY if text[0] == "-" else ATOM, True)


def _shortest(value: float, dtype: DType) -> str:
    text = repr(value)
    if dtype.bits < 64:
        text = next(t for digits in range(1, 18) if float(t := f"{value:.{digits}g}") == value or digits >= 9)
    return text if any(c in text for c in ".en") else text + ".0"
