"""What each operator and intrinsic computes on plain Python numbers, for the interpreter."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from halopy.dtypes import DType
from halopy.ir import expr as e
from halopy.ir.expr import round_to

Number = int | float


def fit(value: Number, dtype: DType) -> Number:
    """The value as an element type holds it: wrapped, or rounded."""
    if dtype.is_float:
        return round_to(float(value), dtype)
    return int(bool(value)) if dtype.is_bool else dtype.wrap(int(value))


def convert(value: Number, to: DType) -> Number:
    """`Cast`: integers wrap, floats truncate and saturate, NaN gives 0."""
    if to.is_integer and not to.is_bool and isinstance(value, float):
        return saturate(math.trunc(value) if math.isfinite(value) else value, to)
    return fit(value, to)


def saturate(value: Number, to: DType) -> Number:
    if to.is_float:
        return fit(value, to)
    if math.isnan(value):
        return 0
    return int(min(max(value, to.min), to.max))


def _quotient(a: Number, b: Number) -> Number:
    if isinstance(a, float) or isinstance(b, float):
        if b == 0:
            return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
        return a / b
    return 0 if b == 0 else (a // b if b > 0 else -(a // -b))


def _remainder(a: Number, b: Number) -> Number:
    if isinstance(a, float) or isinstance(b, float):
        return a - b * math.floor(a / b) if b else math.nan
    return 0 if b == 0 else a % abs(b)


BINARY: dict[type[e.Expr], Callable[[Number, Number], Number]] = {
    e.Add: lambda a, b: a + b,
    e.Sub: lambda a, b: a - b,
    e.Mul: lambda a, b: a * b,
    e.Div: _quotient,
    e.Mod: _remainder,
    e.Min: lambda a, b: a if a < b else b,  # this order decides NaN
    e.Max: lambda a, b: a if a > b else b,  # this order decides NaN
    e.EQ: lambda a, b: a == b,
    e.NE: lambda a, b: a != b,
    e.LT: lambda a, b: a < b,
    e.LE: lambda a, b: a <= b,
    e.GT: lambda a, b: a > b,
    e.GE: lambda a, b: a >= b,
    e.And: lambda a, b: int(a) & int(b),
    e.Or: lambda a, b: int(a) | int(b),
}

REDUCE: dict[str, Callable[[Number, Number], Number]] = {
    "add": BINARY[e.Add],
    "mul": BINARY[e.Mul],
    "min": BINARY[e.Min],
    "max": BINARY[e.Max],
    "and": BINARY[e.And],
    "or": BINARY[e.Or],
}


def _shift(a: int, by: int) -> int:
    return a << min(by, 200) if by >= 0 else a >> min(-by, 200)


def _half(shift: int) -> int:
    return (1 << (shift - 1)) if shift > 0 else 0


def _reinterpret(value: Number, source: DType, to: DType) -> Number:
    def packing(t: DType) -> str:
        return "<" + (
            {16: "e", 32: "f", 64: "d"}[t.bits] if t.is_float else {8: "b", 16: "h", 32: "i", 64: "q"}[t.bits]
        )

    raw = struct.pack(packing(source), value if source.is_float else source.with_code(to.code.INT).wrap(int(value)))
    return fit(struct.unpack(packing(to), raw)[0], to)


# Each takes the arguments as numbers, and the first argument's element type; the result is fitted to the Call's.
INTEGER: dict[str, Callable[..., Number]] = {
    "abs": lambda t, a: abs(a),
    "absd": lambda t, a, b: abs(a - b),
    "bitwise_and": lambda t, a, b: a & b,
    "bitwise_or": lambda t, a, b: a | b,
    "bitwise_xor": lambda t, a, b: a ^ b,
    "bitwise_not": lambda t, a: ~a,
    "shift_left": lambda t, a, b: _shift(a, b),
    "shift_right": lambda t, a, b: _shift(a, -b),
    "popcount": lambda t, a: (a & ((1 << t.bits) - 1)).bit_count(),
    "count_leading_zeros": lambda t, a: t.bits - (a & ((1 << t.bits) - 1)).bit_length(),
    "count_trailing_zeros": lambda t, a: ((a & -a).bit_length() - 1) if a else t.bits,
    "widening_add": lambda t, a, b: a + b,
    "widening_sub": lambda t, a, b: a - b,
    "widening_mul": lambda t, a, b: a * b,
    "halving_add": lambda t, a, b: (a + b) >> 1,
    "halving_sub": lambda t, a, b: (a - b) >> 1,
    "sum_of_products": lambda t, a, b, c, d: a * b + c * d,
    "rounding_halving_add": lambda t, a, b: (a + b + 1) >> 1,
    "rounding_shift_left": lambda t, a, b: _shift(a + _half(-b), b),
    "rounding_shift_right": lambda t, a, b: _shift(a + _half(b), -b),
    "div_round_to_zero": lambda t, a, b: 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "mod_round_to_zero": lambda t, a, b: 0 if b == 0 else abs(a) % abs(b) * (-1 if a < 0 else 1),
    "likely": lambda t, a: a,
    "likely_if_innermost": lambda t, a: a,
    "strict_float": lambda t, a: a,
    "promise_clamped": lambda t, a, b, c: a,
    "unsafe_promise_clamped": lambda t, a, b, c: a,
    "if_then_else": lambda t, a, b, c: b if a else c,
    "return_second": lambda t, a, b: b,
    "undef": lambda t: 0,
}

SATURATING: dict[str, Callable[..., Number]] = {
    "saturating_cast": lambda a: math.trunc(a) if isinstance(a, float) and math.isfinite(a) else a,
    "saturating_add": lambda a, b: a + b,
    "saturating_sub": lambda a, b: a - b,
    "mul_shift_right": lambda a, b, c: _shift(a * b, -c),
    "rounding_mul_shift_right": lambda a, b, c: _shift(a * b + _half(c), -c),
}

FLOAT: dict[str, Callable[..., Number]] = {
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "floor": lambda a: float(math.floor(a)) if math.isfinite(a) else a,
    "ceil": lambda a: float(math.ceil(a)) if math.isfinite(a) else a,
    "trunc": lambda a: float(math.trunc(a)) if math.isfinite(a) else a,
    "round": lambda a: float(round(a)) if math.isfinite(a) else a,
    "exp": math.exp,
    "log": lambda a: math.log(a) if a > 0 else (-math.inf if a == 0 else math.nan),
    "sin": math.sin,
    "cos": math.cos,
    "pow": math.pow,
    "fma": lambda a, b, c: a * b + c,
    "multiply_add": lambda a, b, c: a * b + c,
    "is_nan": math.isnan,
    "is_inf": math.isinf,
    "is_finite": math.isfinite,
}


def call(name: str, args: list[Number], source: DType, result: DType) -> Number:
    """One lane of an intrinsic. `source` is the first argument's element type."""
    if name == "reinterpret":
        return _reinterpret(args[0], source, result)
    if name in SATURATING:
        return saturate(SATURATING[name](*args), result) if not result.is_float else fit(args[0], result)
    if name in FLOAT:
        return fit(FLOAT[name](*args), result)
    return fit(INTEGER[name](source, *args), result)
