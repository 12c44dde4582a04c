"""Integer arithmetic beyond the operators: bits, and forms that widen, saturate, halve or round."""

from __future__ import annotations

from collections.abc import Sequence

from ...dtypes import Code, DType
from ...errors import TypeMismatch
from ...ir import expr as nodes
from ...source import caller
from . import operators
from .conversion import as_integer, cast, typed
from .expr import Expr, ToExpr, to_expr, to_node
from .types import Type, to_dtype

__all__ = [
    "concat_bits", "count_leading_zeros", "count_trailing_zeros", "div_round_to_zero", "extract_bits", "halving_add",
    "halving_sub", "mod_round_to_zero", "mul_shift_right", "popcount", "rounding_halving_add",
    "rounding_mul_shift_right", "rounding_shift_left", "rounding_shift_right", "saturating_add", "saturating_sub",
    "widen_right_add", "widen_right_mul", "widen_right_sub", "widening_add", "widening_mul", "widening_shift_left",
    "widening_shift_right", "widening_sub",
]  # fmt: skip


def popcount(x: ToExpr) -> Expr:
    """How many bits are set."""
    return _of_bits("popcount", x)


def count_leading_zeros(x: ToExpr) -> Expr:
    """How many zero bits stand before the highest one; all, for zero."""
    return _of_bits("count_leading_zeros", x)


def count_trailing_zeros(x: ToExpr) -> Expr:
    """How many zero bits stand after the lowest one; all, for zero."""
    return _of_bits("count_trailing_zeros", x)


def _of_bits(name: str, x: ToExpr) -> Expr:
    e = to_node(x)
    _require_integer(name, e)
    if e.dtype.is_bool:  # one bit: the count is the bit itself, or its opposite
        return Expr(e if name == "popcount" else nodes.Not(e))
    return Expr(nodes.Call(name, (e,), e.dtype))


def div_round_to_zero(a: ToExpr, b: ToExpr) -> Expr:
    """C's division; 0 where b is 0."""
    return _towards_zero("div_round_to_zero", nodes.Div, a, b)


def mod_round_to_zero(a: ToExpr, b: ToExpr) -> Expr:
    """C's remainder, with the sign of a; 0 where b is 0."""
    return _towards_zero("mod_round_to_zero", nodes.Mod, a, b)


def _towards_zero(name: str, unsigned: type[nodes.Binary], a: ToExpr, b: ToExpr) -> Expr:
    x, y = _matched(name, a, b)
    return Expr(unsigned(x, y) if x.dtype.is_uint else nodes.Call(name, (x, y), x.dtype))


def saturating_add(a: ToExpr, b: ToExpr) -> Expr:
    """a + b, clamped to the type's range."""
    return _same_width("saturating_add", a, b)


def saturating_sub(a: ToExpr, b: ToExpr) -> Expr:
    """a - b, clamped to the type's range."""
    return _same_width("saturating_sub", a, b)


def halving_add(a: ToExpr, b: ToExpr) -> Expr:
    """(a + b) / 2 rounded down, without overflow."""
    return _same_width("halving_add", a, b)


def rounding_halving_add(a: ToExpr, b: ToExpr) -> Expr:
    """(a + b) / 2 rounded up, without overflow."""
    return _same_width("rounding_halving_add", a, b)


def halving_sub(a: ToExpr, b: ToExpr) -> Expr:
    """(a - b) / 2 rounded down, without overflow."""
    return _same_width("halving_sub", a, b)


def _same_width(name: str, a: ToExpr, b: ToExpr) -> Expr:
    x, y = _matched(name, a, b)
    return Expr(nodes.Call(name, (x, y), x.dtype))


def widening_add(a: ToExpr, b: ToExpr) -> Expr:
    """a + b in twice the bits."""
    x, y = operators.match_types(to_node(a), to_node(b))
    return _widening("widening_add", nodes.Add, x, y, _wide("widening_add", x))


def widening_sub(a: ToExpr, b: ToExpr) -> Expr:
    """a - b in twice the bits, signed."""
    x, y = operators.match_types(to_node(a), to_node(b))
    wide = _wide("widening_sub", x)
    return _widening("widening_sub", nodes.Sub, x, y, wide.with_code(Code.INT) if wide.is_uint else wide)


def widening_mul(a: ToExpr, b: ToExpr) -> Expr:
    """a * b in twice the bits of the wider; signed if either is."""
    x, y = operators.match_bits(to_node(a), to_node(b))
    wide = _wide("widening_mul", x)
    return _widening("widening_mul", nodes.Mul, x, y, wide.with_code(Code.INT) if y.dtype.is_int else wide)


def _widening(name: str, node: type[nodes.Binary], x: nodes.Expr, y: nodes.Expr, wide: DType) -> Expr:
    if wide.is_float:
        return Expr(node(cast(wide, x), cast(wide, y)))
    _require_integer(name, y)
    return Expr(nodes.Call(name, (x, y), wide))


def widen_right_add(a: ToExpr, b: ToExpr) -> Expr:
    """a + b, where a is twice as wide as b."""
    return _widen_right("widen_right_add", nodes.Add, a, b)


def widen_right_sub(a: ToExpr, b: ToExpr) -> Expr:
    """a - b, where a is twice as wide as b."""
    return _widen_right("widen_right_sub", nodes.Sub, a, b)


def widen_right_mul(a: ToExpr, b: ToExpr) -> Expr:
    """a * b, where a is twice as wide as b."""
    return _widen_right("widen_right_mul", nodes.Mul, a, b)


def _widen_right(name: str, node: type[nodes.Binary], a: ToExpr, b: ToExpr) -> Expr:
    x, y = operators.match_lanes(to_node(a), to_node(b))
    _require_integer(name, y)
    wide = _wide(name, y)
    if x.dtype is not wide:
        raise TypeMismatch(f"hl.{name} of {typed(x)} and {typed(y)}", location=caller(), accepted=f"{wide} first")
    return Expr(node(x, cast(wide, y)))


def widening_shift_left(a: ToExpr, b: ToExpr) -> Expr:
    """a << b in twice the bits."""
    return _widening_shift("widening_shift_left", a, b)


def widening_shift_right(a: ToExpr, b: ToExpr) -> Expr:
    """a >> b in twice the bits; a negative b shifts left."""
    return _widening_shift("widening_shift_right", a, b)


def _widening_shift(name: str, a: ToExpr, b: ToExpr) -> Expr:
    x = to_node(a)
    _require_integer(name, x)
    amount = as_integer(b)
    if amount is not None:
        operators.literal_of(x.dtype.with_code(Code.UINT), -amount if amount < 0 else amount)
        return Expr(operators.shift(name.removeprefix("widening_"), cast(_wide(name, x), x), amount))
    x, y = operators.match_bits(x, to_node(b))
    _require_integer(name, y)
    wide = _wide(name, x)
    return Expr(operators.shift(name.removeprefix("widening_"), cast(wide, x), cast(wide.with_code(y.dtype.code), y)))


def rounding_shift_left(a: ToExpr, b: ToExpr) -> Expr:
    """a << b; where b is negative, a right shift to the nearest, halves up."""
    return _rounding_shift("rounding_shift_left", a, b)


def rounding_shift_right(a: ToExpr, b: ToExpr) -> Expr:
    """a >> b to the nearest, halves up; a negative b shifts left."""
    return _rounding_shift("rounding_shift_right", a, b)


def _rounding_shift(name: str, a: ToExpr, b: ToExpr) -> Expr:
    amount = as_integer(b)
    return Expr(operators.shift(name, to_node(a), to_node(b) if amount is None else amount))


def mul_shift_right(a: ToExpr, b: ToExpr, shift: ToExpr) -> Expr:
    """a * b >> shift, computed in twice the bits and clamped to the type's range; shift is unsigned."""
    return _mul_shift("mul_shift_right", a, b, shift)


def rounding_mul_shift_right(a: ToExpr, b: ToExpr, shift: ToExpr) -> Expr:
    """Like `mul_shift_right`, to the nearest, halves up."""
    return _mul_shift("rounding_mul_shift_right", a, b, shift)


def _mul_shift(name: str, a: ToExpr, b: ToExpr, shift: ToExpr) -> Expr:
    x, y = to_node(a), to_node(b)
    literal = as_integer(shift)
    by = to_node(shift) if literal is None else operators.literal_of(x.dtype.with_code(Code.UINT), literal)
    if not by.dtype.is_uint:
        raise TypeMismatch(f"hl.{name} by {typed(by)}", location=caller(), accepted="an unsigned amount")
    x, y = operators.match_types(x, y)
    _require_integer(name, x)
    x, by = operators.match_bits(x, by)
    x, y = operators.match_types(x, y)
    return Expr(nodes.Call(name, (x, y, by), x.dtype))


def extract_bits(type: Type, value: ToExpr, lsb: ToExpr) -> Expr:
    """The bits from `lsb` on, as many as the type has, read as that type."""
    dtype, e = to_dtype(type), to_node(value)
    unsigned = cast(e.dtype.with_code(Code.UINT), e)
    narrow = cast(dtype.with_code(Code.UINT), (Expr(unsigned) >> to_expr(lsb)).node)
    return Expr(narrow if dtype.is_uint else nodes.Call("reinterpret", (narrow,), dtype))


def concat_bits(values: Sequence[ToExpr]) -> Expr:
    """The bits of 2, 4, ... integers of one type in one integer, the first one lowest."""
    parts = [to_node(value) for value in values]
    count, dtypes = len(parts), {part.dtype for part in parts}
    if not parts or count & (count - 1) or len(dtypes) != 1 or count * parts[0].dtype.bits > 64:
        raise TypeMismatch(
            f"hl.concat_bits of {', '.join(map(typed, parts)) or 'nothing'}",
            location=caller(),
            accepted="1, 2, 4, ... integers of one type, at most 64 bits in all",
        )
    narrow = parts[0].dtype
    wide = narrow.with_bits(count * narrow.bits).with_code(Code.UINT)
    whole = cast(wide, cast(narrow.with_code(Code.UINT), parts[0]))
    for position, part in enumerate(parts[1:], 1):
        widened = cast(wide, cast(narrow.with_code(Code.UINT), part))
        whole = operators.bitwise("|", whole, operators.shift("shift_left", widened, position * narrow.bits))
    return Expr(cast(wide.with_code(narrow.code), whole))


def _matched(name: str, a: ToExpr, b: ToExpr) -> tuple[nodes.Expr, nodes.Expr]:
    x, y = operators.match_types(to_node(a), to_node(b))
    _require_integer(name, x)
    return x, y


def _wide(name: str, e: nodes.Expr) -> DType:
    if e.dtype.bits > 32 or e.dtype.is_bool or e.dtype.code == Code.BFLOAT:
        raise TypeMismatch(f"hl.{name} of {typed(e)}", location=caller(), accepted="8, 16 or 32 bits, not bfloat16")
    return e.dtype.with_bits(2 * e.dtype.bits)


def _require_integer(name: str, e: nodes.Expr) -> None:
    operators.require_integer(e, f"operand of hl.{name}")
