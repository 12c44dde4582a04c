"""exp, log and pow of float32, by operators that vectors have: the same bits in vectors, scalars and on devices.

    exp(x) = 2^n * e^r       n the integer nearest to x / ln 2, r = x - n ln 2
    log(x) = e ln 2 + log(1 + f)       x = 2^e (1 + f), with 1 + f between sqrt(1/2) and sqrt(2)
    pow(x, y) = exp(y log |x|)         where the logarithm and its product are sums of two floats

ln 2 is taken in two parts, so that its product with an integer is exact; what is left is a polynomial (fitted so that
the largest relative error is least). exp and log are within one unit in the last place, from subnormal numbers to the
largest; pow is within three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from ...dtypes import DType, Int
from ...ir.expr import EQ, GT, LT, NE, Add, Call, Cast, Expr, Max, Min, Mul, Select, Sub, const
from .bits import bitwise, plain_shift, reinterpret

_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_INVERSE_LN2 = 1.4426950408889634
_ROUNDS = 12582912.0  # 1.5 * 2^23: a sum with it has no room for a fraction
_ROUNDS_BITS = 0x4B400000
_EXP = (0.5, 0.16666666, 0.04166629, 0.0083334977, 0.0013944784, 0.00019790219)  # (e^r - 1 - r) / r^2
_LOG = (0.33333310, -0.24999987, 0.20002231, -0.16669261, 0.14218566, -0.12384091, 0.11873455, -0.11791632, 0.069164753)
_ROOT_OF_HALF = 0x3F3504F3
_MANTISSA, _MANTISSA_BITS, _BIAS = 0x7FFFFF, 23, 127
_LEAST_NORMAL = 1.1754943508222875e-38
_EXP_RANGE = (-104.0, 89.0)  # beyond, the result is 0 or infinite
_FAR = 104.0**2
_EVEN = 16777216.0  # floats from here on are even numbers


def transcendental(call: Call) -> Expr | None:
    """The function by simpler nodes; None where a library has it."""
    rule = _RULES.get(call.name)
    if rule is None or not call.dtype.is_float or call.dtype.bits != 32 or str(call.dtype.element) != "float32":
        return None
    return rule(*call.args)


def _exp(x: Expr) -> Expr:
    return Select(NE(x, x), x, _power_of_e(x))


def _power_of_e(x: Expr, rest: Expr | None = None) -> Expr:
    """e^(x + rest), for a small rest."""
    dtype, whole = x.dtype, Int(32, x.dtype.lanes)
    low, high = (const(end, dtype) for end in _EXP_RANGE)
    near = Max(Min(x, high), low)
    rounded = _fma(near, const(_INVERSE_LN2, dtype), const(_ROUNDS, dtype))
    n = Sub(rounded, const(_ROUNDS, dtype))
    r = _fma(n, const(-_LN2_LOW, dtype), _fma(n, const(-_LN2_HIGH, dtype), near))
    r = r if rest is None else Add(r, rest)
    power = Add(_fma(Mul(_polynomial(_EXP, r), r), r, r), const(1.0, dtype))
    exponent = Sub(reinterpret(rounded, whole), const(_ROUNDS_BITS, whole))
    half = plain_shift("right", exponent, const(1, whole))
    return Mul(Mul(power, _two_to(half, dtype)), _two_to(Sub(exponent, half), dtype))  # in halves: each is normal


def _log(x: Expr) -> Expr:
    dtype = x.dtype
    e, f = _taken_apart(x)
    square = Mul(f, f)
    rest = _fma(Mul(_polynomial(_LOG, f), square), f, Mul(e, const(_LN2_LOW, dtype)))
    rest = _fma(const(-0.5, dtype), square, rest)
    value = _fma(e, const(_LN2_HIGH, dtype), Add(f, rest))
    infinite, zero = const(float("inf"), dtype), const(0.0, dtype)
    undefined = Select(EQ(x, zero), const(float("-inf"), dtype), const(float("nan"), dtype))
    return Select(GT(x, zero), Select(LT(x, infinite), value, x), undefined)


def _taken_apart(x: Expr) -> tuple[Expr, Expr]:
    """e and f of a positive number, both as floats."""
    dtype, whole = x.dtype, Int(32, x.dtype.lanes)
    is_small = LT(x, const(_LEAST_NORMAL, dtype))
    normal = Select(is_small, Mul(x, const(float(1 << _MANTISSA_BITS), dtype)), x)
    apart = Sub(reinterpret(normal, whole), const(_ROOT_OF_HALF, whole))
    exponent = plain_shift("right", apart, const(_MANTISSA_BITS, whole))
    one_and = Add(bitwise("and", apart, const(_MANTISSA, whole)), const(_ROOT_OF_HALF, whole))
    f = Sub(reinterpret(one_and, dtype), const(1.0, dtype))
    return Cast(dtype, Select(is_small, Sub(exponent, const(_MANTISSA_BITS, whole)), exponent)), f


def _pow(x: Expr, y: Expr) -> Expr:
    dtype, whole = x.dtype, Int(32, x.dtype.lanes)
    zero, one, infinite = (const(value, dtype) for value in (0.0, 1.0, float("inf")))
    size = reinterpret(bitwise("and", reinterpret(x, whole), const(0x7FFFFFFF, whole)), dtype)
    high, low = _log_in_two(size)
    product = Mul(y, high)
    rest = _fma(y, low, _fma(y, high, Sub(zero, product)))
    power = _power_of_e(product, Select(LT(Mul(product, product), const(_FAR, dtype)), rest, zero))
    power = Select(EQ(size, one), one, power)
    power = Select(EQ(size, zero), Select(GT(y, zero), zero, infinite), power)
    power = Select(EQ(size, infinite), Select(GT(y, zero), infinite, zero), power)
    near = Max(Min(y, const(_EVEN, dtype)), const(-_EVEN, dtype))
    truncated = Cast(whole, near)
    is_whole = EQ(Cast(dtype, truncated), near)
    odd = plain_shift("left", Select(is_whole, truncated, const(0, whole)), const(31, whole))
    sign = bitwise("and", reinterpret(x, whole), odd)
    signed = reinterpret(bitwise("or", reinterpret(power, whole), sign), dtype)
    root = Select(LT(x, zero), Select(LT(size, infinite), const(float("nan"), dtype), signed), signed)
    known = Select(NE(y, y), y, Select(NE(x, x), x, Select(is_whole, signed, root)))
    return Select(EQ(y, zero), one, Select(EQ(x, one), one, known))


def _log_in_two(x: Expr) -> tuple[Expr, Expr]:
    """The logarithm of a positive number as a float and what that lacks."""
    dtype = x.dtype
    e, f = _taken_apart(x)
    square = Mul(f, f)
    half = Mul(const(0.5, dtype), square)
    less = Sub(f, half)
    lost = Sub(Sub(f, less), half)
    of_square = _fma(f, f, Sub(const(0.0, dtype), square))
    rest = _fma(Mul(_polynomial(_LOG, f), square), f, _fma(const(-0.5, dtype), of_square, lost))
    whole = Mul(e, const(_LN2_HIGH, dtype))
    total = Add(whole, less)
    low = Add(_fma(e, const(_LN2_LOW, dtype), rest), Add(Sub(whole, total), less))
    high = Add(total, low)
    return high, Add(Sub(total, high), low)


def _two_to(n: Expr, dtype: DType) -> Expr:
    biased = Add(n, const(_BIAS, n.dtype))
    return reinterpret(plain_shift("left", biased, const(_MANTISSA_BITS, n.dtype)), dtype)


def _polynomial(coefficients: Sequence[float], x: Expr) -> Expr:
    """Coefficients of x^0, x^1, ...; by Horner's rule."""
    *rest, last = coefficients
    start: Expr = const(last, x.dtype)
    return reduce(lambda sum_, c: _fma(sum_, x, const(c, x.dtype)), reversed(rest), start)


def _fma(a: Expr, b: Expr, c: Expr) -> Expr:
    return Call("multiply_add", (a, b, c), a.dtype)


_RULES: dict[str, Callable[..., Expr]] = {"exp": _exp, "log": _log, "pow": _pow}
