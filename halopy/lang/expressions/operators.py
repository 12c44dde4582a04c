"""What each operator builds, and the type of its result: Halide's matching rules.

Operands are ir expressions, or a Python int where the user wrote a literal: a literal takes the type
of the other operand and must fit it. At least one operand is an expression.

    u8 + 3      uint8         u8 + u16    uint16        u8 + f32    float32
    u8 + 300    TypeMismatch  u8 + i8     int8          f32 + f64   float64
    u8 << i32   uint32        u8 & i8     TypeMismatch  bool & bool logical and
"""

from __future__ import annotations

from ...dtypes import FLOAT16, FLOAT32, FLOAT64, Code, DType, promote
from ...errors import TypeMismatch
from ...ir.expr import And, Binary, Broadcast, Call, Const, Div, Expr, Mul, Not, Or, Sub, const
from ...source import caller
from .conversion import cast, has_value, integer_literal, show, typed

Operand = Expr | int
_BITWISE: dict[str, tuple[str, type[Binary] | None]] = {
    "&": ("bitwise_and", And),
    "|": ("bitwise_or", Or),
    "^": ("bitwise_xor", None),
}


def binary(node: type[Binary], a: Operand, b: Operand) -> Expr:
    """Arithmetic or comparison in the operands' common type."""
    a, b = _literals_to_type(a, b)
    return node(*match_types(a, b))


def match_types(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """Both operands, converted to their common type."""
    if a.dtype is b.dtype:
        return a, b
    if Code.HANDLE in (a.dtype.code, b.dtype.code):
        raise TypeMismatch(f"no arithmetic on handles: {typed(a)} and {typed(b)}", location=caller())
    a, b = match_lanes(a, b)
    common = promote(a.dtype, b.dtype)
    return cast(common, a), cast(common, b)


def match_lanes(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """A scalar beside a vector is repeated for each lane."""
    if a.dtype.lanes == b.dtype.lanes:
        return a, b
    if a.dtype.lanes == 1:
        return Broadcast(a, b.dtype.lanes), b
    if b.dtype.lanes == 1:
        return a, Broadcast(b, a.dtype.lanes)
    raise TypeMismatch(f"vectors of different lengths: {typed(a)} and {typed(b)}", location=caller())


def match_bits(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """The narrower operand widened, each keeping its signedness."""
    a, b = match_lanes(a, b)
    bits = max(a.dtype.bits, b.dtype.bits)
    return cast(a.dtype.with_bits(bits), a), cast(b.dtype.with_bits(bits), b)


def literal_of(dtype: DType, value: int) -> Expr:
    """The integer as a literal of the type. Raises TypeMismatch where that would change it."""
    if has_value(dtype.element, value):
        return const(value, dtype)
    if dtype.is_integer:
        reason = f"as {dtype} it would become {dtype.element.wrap(value)}"
        accepted = f"integers in [{dtype.min}, {dtype.max}], or an explicit cast of the other operand"
    else:
        name = {Code.FLOAT: "Float", Code.BFLOAT: "BFloat"}.get(dtype.code, "Handle")
        reason, accepted = (
            f"{dtype} has no such value",
            f"hl.cast(hl.{name}({dtype.bits}), {value}), if rounding is meant",
        )
    raise TypeMismatch(
        f"the integer {value} does not fit {dtype}, the type of the other operand",
        location=caller(),
        reason=[reason],
        accepted=accepted,
    )


def _literals_to_type(a: Operand, b: Operand) -> tuple[Expr, Expr]:
    if isinstance(a, int):
        assert isinstance(b, Expr), "one operand is an expression"
        return literal_of(b.dtype, a), b
    return a, literal_of(a.dtype, b) if isinstance(b, int) else b


def bitwise(symbol: str, a: Operand, b: Operand) -> Expr:
    """`& | ^` on two integers of one signedness; on booleans the logical operation."""
    a, b = _literals_to_type(a, b)
    for operand in (a, b):
        require_integer(operand, f"operand of {symbol}")
    if a.dtype.code != b.dtype.code:
        raise TypeMismatch(
            f"{symbol} of a signed and an unsigned operand: {typed(a)} and {typed(b)}",
            location=caller(),
            accepted="both signed or both unsigned; convert one with hl.cast",
        )
    a, b = match_bits(a, b)
    name, logical = _BITWISE[symbol]
    if a.dtype.is_bool and logical is not None:
        return logical(a, b)
    return Call(name, (a, b), a.dtype)


def shift(name: str, a: Operand, b: Operand) -> Expr:
    """`shift_left` or `shift_right` and their kin: a keeps its signedness; the wider of the two widths wins."""
    if isinstance(a, int):
        a = integer_literal(a)
    require_integer(a, "operand of a shift")
    if isinstance(b, int):
        unsigned = a.dtype.with_code(Code.UINT)
        if b < 0:
            name, b = name.replace(*(("left", "right") if "left" in name else ("right", "left"))), -b
        b = literal_of(unsigned, b)
    require_integer(b, "amount of a shift")
    a, b = match_bits(a, b)
    return Call(name, (a, b), a.dtype)


def negate(a: Expr) -> Expr:
    return Sub(const(0, a.dtype), a)


def invert(a: Expr) -> Expr:
    """All bits flipped; of a boolean its negation."""
    require_integer(a, "operand of ~")
    return Not(a) if a.dtype.is_bool else Call("bitwise_not", (a,), a.dtype)


def logical_not(a: Expr) -> Expr:
    if not a.dtype.is_bool:
        raise TypeMismatch(
            f"logical not of {typed(a)}", location=caller(), accepted="a boolean; ~ flips the bits of an integer"
        )
    return Not(a)


def floor_divide(a: Operand, b: Operand) -> Expr:
    quotient = binary(Div, a, b)
    return float_call("floor", quotient) if quotient.dtype.is_float else quotient


def power(base: Expr, exponent: Expr) -> Expr:
    """A literal integer exponent multiplies; anything else is C's pow in base's float type (float32 for others)."""
    if isinstance(exponent, Const) and exponent.dtype.is_int:
        return _integer_power(base, int(exponent.value))
    dtype = float_type(base.dtype)
    return Call("pow", (cast(dtype, base), cast(dtype, exponent)), dtype)


def _integer_power(base: Expr, exponent: int) -> Expr:
    if exponent < 0:
        return Div(const(1, base.dtype), _integer_power(base, -exponent))
    if exponent <= 1:
        return base if exponent else const(1, base.dtype)
    half = _integer_power(base, exponent >> 1)
    return Mul(Mul(half, half), base) if exponent & 1 else Mul(half, half)


def float_type(dtype: DType) -> DType:
    """The type in which mathematical functions compute: float16 and float64 stay, all else is float32."""
    stays = dtype.element in (FLOAT16, FLOAT64)
    return dtype if stays else FLOAT32.with_lanes(dtype.lanes)


def float_call(name: str, a: Expr) -> Expr:
    """A mathematical function of one argument."""
    dtype = float_type(a.dtype)
    return Call(name, (cast(dtype, a),), dtype)


def require_integer(e: Expr, what: str) -> None:
    if not e.dtype.is_integer:
        raise TypeMismatch(
            f"{what} is `{show(e)}` of type {e.dtype}", location=caller(), accepted="integers and booleans"
        )
