"""What each operator gives on plain numbers, bit for bit as compiled code does.

Integers are Python ints within their type, bools 0 or 1, floats Python floats that their type has.
The tables say what is computed in exact arithmetic; `_fit` then wraps or rounds once.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import product

from ..dtypes import Code, DType
from .expr import EQ, GE, GT, LE, LT, NE, Add, And, Div, Max, Min, Mod, Mul, Or, Sub, round_to
from .intrinsics import ARITY
from .node import NodeMeta

Number = int | float


def fold_binary(operator: NodeMeta, a: Number, b: Number, dtype: DType) -> Number:
    """`operator` on two values of `dtype`; comparisons and logic give 0 or 1."""
    if dtype.is_float:
        if operator is Mod:
            return _float_mod(a, b, dtype)
        rounded = _FLOAT.get(operator)
        if rounded is not None:
            return round_to(rounded(a, b), dtype)
    else:
        exact = _INTEGER.get(operator)
        if exact is not None:
            return dtype.wrap(exact(int(a), int(b)))
    return _EITHER[operator](a, b)


def fold_cast(value: Number, source: DType, target: DType) -> Number:
    """`value` of type `source` as `target`, as `expr.Cast` documents."""
    if target.is_bool:
        return int(value != 0)
    if target.is_integer:
        return target.wrap(int(value)) if source.is_integer else _saturate(value, target)
    if source.is_integer:
        return round_exact(int(value), target) if target.is_float else value
    return round_to(float(value), target)


def fold_call(name: str, args: Sequence[Number], dtypes: Sequence[DType], result: DType) -> Number | None:
    """The call `name` on values of `dtypes`, giving `result`; None where no one answer is right (undef, fast_*)."""
    rule = _CALLS.get(name)
    if rule is not None:
        value = rule(args, dtypes, result)
        return round_to(float(value), result) if result.is_float else value
    function = _MATHEMATICS.get(name)
    if function is None:
        return None
    return round_to(_guarded(function, [float(a) for a in args]), result)


def is_exact(name: str) -> bool:
    """Whether every machine gives the same bits for the call, so that it may be folded."""
    return name in _CALLS


def round_exact(value: int | Fraction, dtype: DType) -> float:
    """The nearest value that the float type has, rounded once however wide `value` is."""
    nearest = float(value)
    if dtype.bits < 64 and not math.isinf(nearest) and nearest != value:
        # Rounding to odd first: the second rounding then cannot meet a tie that is none.
        other = math.nextafter(nearest, math.inf if nearest < value else -math.inf)
        nearest = nearest if struct.pack("<d", nearest)[0] & 1 else other
    return round_to(nearest, dtype)


def shift(a: int, by: int, dtype: DType) -> int:
    """`a << by`, or `a >> -by`; shifting by the width or more leaves 0, or the sign."""
    if by >= 0:
        return dtype.wrap(a << by) if by < dtype.bits else 0
    return a >> min(-by, dtype.bits)


def _fit(value: int, dtype: DType) -> int:
    return max(dtype.min, min(dtype.max, value))


def _saturate(value: Number, target: DType) -> int:
    if value != value:
        return 0
    if math.isinf(value):
        return target.max if value > 0 else target.min
    return _fit(int(value), target)


def _euclidean_div(a: int, b: int) -> int:
    if b == 0:
        return 0
    return a // b if b > 0 else -(a // -b)


def _euclidean_mod(a: int, b: int) -> int:
    return a % abs(b) if b else 0


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _truncated_div(a: int, b: int) -> int:
    if b == 0:
        return 0
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _truncated_mod(a: int, b: int) -> int:
    return a - b * _truncated_div(a, b) if b else 0


def _float_mod(a: float, b: float, dtype: DType) -> float:
    """a - b*floor(a/b), rounded at each step."""
    whole = _floor(round_to(_divide(a, b), dtype))
    return round_to(a - round_to(b * whole, dtype), dtype)


def _floor(a: float) -> float:
    if not math.isfinite(a):
        return a
    return math.copysign(float(math.floor(a)), a)


_INTEGER: dict[NodeMeta, Callable[[int, int], int]] = {
    Add: lambda a, b: a + b,
    Sub: lambda a, b: a - b,
    Mul: lambda a, b: a * b,
    Div: _euclidean_div,
    Mod: _euclidean_mod,
}
_FLOAT: dict[NodeMeta, Callable[[float, float], float]] = {
    Add: lambda a, b: a + b,
    Sub: lambda a, b: a - b,
    Mul: lambda a, b: a * b,
    Div: _divide,
}
_EITHER: dict[NodeMeta, Callable[[Number, Number], Number]] = {
    Min: lambda a, b: a if a < b else b,
    Max: lambda a, b: a if a > b else b,
    EQ: lambda a, b: int(a == b),
    NE: lambda a, b: int(a != b),
    LT: lambda a, b: int(a < b),
    LE: lambda a, b: int(a <= b),
    GT: lambda a, b: int(a > b),
    GE: lambda a, b: int(a >= b),
    And: lambda a, b: int(bool(a and b)),
    Or: lambda a, b: int(bool(a or b)),
}

_Rule = Callable[[Sequence[Number], Sequence[DType], DType], Number]


def _wrapping(exact: Callable[..., int]) -> _Rule:
    """An integer operator computed exactly, then wrapped to the result type."""
    return lambda v, _t, result: result.wrap(exact(*(int(a) for a in v)))


def _saturating(exact: Callable[..., int]) -> _Rule:
    """An integer operator computed exactly, then clamped to the result type."""
    return lambda v, _t, result: _fit(exact(*(int(a) for a in v)), result)


def _arithmetic(saturating: bool, operator: Callable[..., Number]) -> _Rule:
    """Integers exactly, then wrapped or clamped; floats plainly."""

    def rule(v: Sequence[Number], _t: Sequence[DType], result: DType) -> Number:
        value = operator(*v)
        if result.is_float:
            return value
        return _fit(int(value), result) if saturating else result.wrap(int(value))

    return rule


def _reinterpret(v: Sequence[Number], t: Sequence[DType], result: DType) -> Number:
    source = t[0].element
    bits = _float_bits(float(v[0]), source) if source.is_float else int(v[0]) & ((1 << source.bits) - 1)
    if result.is_float:
        return _float_of_bits(bits, result.element)
    return result.wrap(bits)


_FORMATS = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}


def _float_bits(value: float, dtype: DType) -> int:
    if dtype.code == Code.BFLOAT:
        return int(struct.unpack("<I", struct.pack("<f", value))[0] >> 16)
    as_float, as_int = _FORMATS[dtype.bits]
    return int(struct.unpack(as_int, struct.pack(as_float, value))[0])


def _float_of_bits(bits: int, dtype: DType) -> float:
    if dtype.code == Code.BFLOAT:
        return float(struct.unpack("<f", struct.pack("<I", bits << 16))[0])
    as_float, as_int = _FORMATS[dtype.bits]
    return float(struct.unpack(as_float, struct.pack(as_int, bits))[0])


def _saturating_cast(v: Sequence[Number], t: Sequence[DType], result: DType) -> Number:
    if result.is_bool:
        return int(v[0] > 0)
    if result.is_integer:
        return _saturate(v[0], result)
    value = fold_cast(v[0], t[0], result)
    if t[0].is_integer:
        return value
    return math.copysign(_largest(result), value) if math.isinf(value) else value


def _largest(dtype: DType) -> float:
    if dtype.code == Code.BFLOAT:
        return _float_of_bits(0x7F7F, dtype.element)
    return {16: 65504.0, 32: float(2**128 - 2**104), 64: math.ldexp(2 - 2**-52, 1023)}[dtype.bits]


def _rounding_shift_left(v: Sequence[Number], _t: Sequence[DType], result: DType) -> Number:
    a, by = int(v[0]), int(v[1])
    return result.wrap(shift(a, by, result) + (shift(a, by + 1, result) & 1 if by < 0 else 0))


def _rounding_shift_right(v: Sequence[Number], t: Sequence[DType], result: DType) -> Number:
    return _rounding_shift_left((v[0], -v[1]), t, result)


def _mul_shift_right(v: Sequence[Number], _t: Sequence[DType], result: DType) -> Number:
    return _fit((int(v[0]) * int(v[1])) >> min(int(v[2]), 2 * result.bits), result)


def _rounding_mul_shift_right(v: Sequence[Number], _t: Sequence[DType], result: DType) -> Number:
    by = min(int(v[2]), 2 * result.bits + 1)
    return _fit((int(v[0]) * int(v[1]) + ((1 << by) >> 1)) >> by, result)


def _fma(v: Sequence[Number], _t: Sequence[DType], result: DType) -> Number:
    a, b, c = (float(x) for x in v)
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return a * b + c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        return round_exact(exact, result) if exact else a * b + c
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def ends_of_multiply_add(
    ranges: Iterable[tuple[Number | None, Number | None]], dtype: DType
) -> tuple[Number, Number] | None:
    """The least and greatest a*b + c, rounded once or twice, of numbers in these ranges; None if one has no end."""
    found: list[Number] = []
    for a, b, c in product(*ranges):
        if a is None or b is None or c is None:
            return None
        found += [_fma((a, b, c), (), dtype), round_to(a * b, dtype) + c]
    return min(found), max(found)


def _bits_of(v: Sequence[Number], t: Sequence[DType]) -> str:
    return format(int(v[0]) & ((1 << t[0].bits) - 1), f"0{t[0].bits}b")


def _first(v: Sequence[Number], _t: Sequence[DType], _r: DType) -> Number:
    return v[0]


def _round_half_even(a: float) -> float:
    return math.copysign(float(round(a)), a) if math.isfinite(a) else a


def _ceil(a: float) -> float:
    return math.copysign(float(math.ceil(a)), a) if math.isfinite(a) else a


def _trunc(a: float) -> float:
    return math.copysign(float(math.trunc(a)), a) if math.isfinite(a) else a


def _sqrt(a: float) -> float:
    return math.sqrt(a) if a >= 0 else math.nan


def _fmod(a: float, b: float) -> float:
    if b == 0 or math.isinf(a) or a != a or b != b:
        return math.nan
    return math.fmod(a, b)


def _plain(function: Callable[..., Number]) -> _Rule:
    return lambda v, _t, _r: function(*v)


_CALLS: dict[str, _Rule] = {
    "abs": _arithmetic(False, abs),
    "absd": _arithmetic(False, lambda a, b: abs(a - b)),
    "bitwise_and": _wrapping(lambda a, b: a & b),
    "bitwise_or": _wrapping(lambda a, b: a | b),
    "bitwise_xor": _wrapping(lambda a, b: a ^ b),
    "bitwise_not": _wrapping(lambda a: ~a),
    "shift_left": lambda v, _t, r: shift(int(v[0]), int(v[1]), r),
    "shift_right": lambda v, _t, r: shift(int(v[0]), -int(v[1]), r),
    "popcount": lambda v, t, _r: _bits_of(v, t).count("1"),
    "count_leading_zeros": lambda v, t, _r: (_bits_of(v, t) + "1").index("1"),
    "count_trailing_zeros": lambda v, t, _r: (_bits_of(v, t)[::-1] + "1").index("1"),
    "saturating_cast": _saturating_cast,
    "saturating_add": _arithmetic(True, lambda a, b: a + b),
    "saturating_sub": _arithmetic(True, lambda a, b: a - b),
    "widening_add": _arithmetic(False, lambda a, b: a + b),
    "widening_sub": _arithmetic(False, lambda a, b: a - b),
    "widening_mul": _arithmetic(False, lambda a, b: a * b),
    "sum_of_products": _wrapping(lambda a, b, c, d: a * b + c * d),
    "halving_add": _wrapping(lambda a, b: (a + b) >> 1),
    "halving_sub": _wrapping(lambda a, b: (a - b) >> 1),
    "rounding_halving_add": _wrapping(lambda a, b: (a + b + 1) >> 1),
    "rounding_shift_left": _rounding_shift_left,
    "rounding_shift_right": _rounding_shift_right,
    "mul_shift_right": _mul_shift_right,
    "rounding_mul_shift_right": _rounding_mul_shift_right,
    "reinterpret": _reinterpret,
    "div_round_to_zero": lambda v, _t, r: r.wrap(_truncated_div(int(v[0]), int(v[1]))),
    "mod_round_to_zero": lambda v, _t, r: r.wrap(_truncated_mod(int(v[0]), int(v[1]))),
    "sqrt": _plain(_sqrt),
    "floor": _plain(_floor),
    "ceil": _plain(_ceil),
    "round": _plain(_round_half_even),
    "trunc": _plain(_trunc),
    "fmod": _plain(_fmod),
    "is_nan": _plain(lambda a: int(math.isnan(a))),
    "is_inf": _plain(lambda a: int(math.isinf(a))),
    "is_finite": _plain(lambda a: int(math.isfinite(a))),
    "fma": _fma,
    "strict_float": _first,
    "likely": _first,
    "likely_if_innermost": _first,
    "promise_clamped": _first,
    "unsafe_promise_clamped": _first,
    "if_then_else": lambda v, _t, _r: v[1] if v[0] else v[2],
    "return_second": lambda v, _t, _r: v[1],
}  # fmt: skip

_MATHEMATICS: dict[str, Callable[..., float]] = {
    "exp": math.exp, "log": math.log, "pow": math.pow, "hypot": math.hypot, "erf": math.erf,
    "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": math.asin, "acos": math.acos, "atan": math.atan, "atan2": math.atan2,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "asinh": math.asinh, "acosh": math.acosh, "atanh": math.atanh,
}  # fmt: skip


def _guarded(function: Callable[..., float], args: list[float]) -> float:
    """C's answer where Python raises instead."""
    try:
        return function(*args)
    except OverflowError:
        negative = function is math.pow and args[0] < 0 and args[1] % 2 == 1
        negative = negative or (function is math.sinh and args[0] < 0)
        return -math.inf if negative else math.inf
    except ValueError:
        if function is math.log and args[0] == 0:
            return -math.inf
        if function is math.atanh and abs(args[0]) == 1:
            return math.copysign(math.inf, args[0])
        if function is math.pow and args[0] == 0:
            return math.copysign(math.inf, args[0]) if args[1] % 2 == 1 else math.inf
        return math.nan


assert set(_CALLS) | set(_MATHEMATICS) <= set(ARITY), "a folded call that no intrinsic names"
