"""Operators that C has not, written with operators it has, for scalars and vectors alike.

Each rule gives an expression of simpler nodes with the same value, bit for bit. Where a rule uses an
argument several times, the caller has named it before.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ...dtypes import FLOAT32, Code, DType, UInt
from ...ir.expr import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Broadcast,
    Call,
    Cast,
    Div,
    Expr,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Select,
    Sub,
    const,
    const_value,
)
from .bits import bitwise, reinterpret, shifted, unsigned
from .shifts import any_shift, has_average, rounding_shift

Rule = Callable[[Call], Expr]


def narrow_float(dtype: DType) -> bool:
    """Whether arithmetic on the type is done in float32 and rounded after each operation."""
    return dtype.is_float and dtype.bits == 16


def in_float32(node: Expr, *operands: Expr) -> Expr:
    """The same operation on operands widened to float32, rounded back (exact for + - * / and sqrt)."""
    wide = [Cast(FLOAT32.with_lanes(a.dtype.lanes), a) for a in operands]
    if isinstance(node, Call):
        dtype = FLOAT32.with_lanes(node.dtype.lanes) if node.dtype.is_float else node.dtype
        result: Expr = Call(node.name, tuple(wide), dtype)
    else:
        result = type(node)(*wide)
    return Cast(node.dtype, result) if node.dtype.is_float else result


# Intrinsics.


def _abs(call: Call) -> Expr:
    (a,) = call.args
    if a.dtype.is_uint:
        return a
    if a.dtype.is_float:
        bits = UInt(a.dtype.bits, a.dtype.lanes)
        return reinterpret(bitwise("and", reinterpret(a, bits), const(bits.max >> 1, bits)), a.dtype)
    return reinterpret(Max(a, Sub(const(0, a.dtype), a)), unsigned(a.dtype))


def _absd(call: Call) -> Expr:
    a, b = call.args
    if a.dtype.is_float:
        return Call("abs", (Sub(a, b),), a.dtype)
    target = unsigned(a.dtype)
    return Sub(reinterpret(Max(a, b), target), reinterpret(Min(a, b), target))


def _saturating_cast(call: Call) -> Expr:
    (a,) = call.args
    source, target = a.dtype, call.dtype
    if target.is_bool and not source.is_bool:
        return GT(a, const(0, source))
    if source.is_bool or (source.is_float and not target.is_float):
        return Cast(target, a)
    if target.is_float:
        return _saturating_to_float(a, target)
    low, high = target.min, target.max
    if source.max > high:
        a = Min(a, const(high, source))
    if source.min < low:
        a = Max(a, const(low, source))
    return Cast(target, a)


_LARGEST = {
    (Code.FLOAT, 16): 65504.0,
    (Code.FLOAT, 32): float(2**128 - 2**104),
    (Code.FLOAT, 64): math.ldexp(2 - 2**-52, 1023),
    (Code.BFLOAT, 16): float(2**128 - 2**120),
}


def _saturating_to_float(a: Expr, target: DType) -> Expr:
    """The greatest finite number instead of infinity, where a float is cast."""
    value = Cast(target, a)
    if a.dtype.is_integer:
        return value
    largest = _LARGEST[target.code, target.bits]
    high, low = const(largest, target), const(-largest, target)
    return Select(GT(value, high), high, Select(LT(value, low), low, value))


def _saturating_add(call: Call) -> Expr:
    a, b = call.args
    dtype = call.dtype
    if dtype.is_float:
        return Add(a, b)
    if dtype.is_uint:
        return Add(Min(a, bitwise("not", b)), b)
    total = Add(a, b)
    return _where_overflow(a, bitwise("and", bitwise("xor", a, total), bitwise("xor", b, total)), total)


def _saturating_sub(call: Call) -> Expr:
    a, b = call.args
    dtype = call.dtype
    if dtype.is_float:
        return Sub(a, b)
    if dtype.is_uint:
        return Sub(Max(a, b), b)
    total = Sub(a, b)
    return _where_overflow(a, bitwise("and", bitwise("xor", a, b), bitwise("xor", a, total)), total)


def _where_overflow(a: Expr, flag: Expr, total: Expr) -> Expr:
    """The end of the range on a's side where the sign of `flag` says that `total` overflowed."""
    dtype = a.dtype
    limit = Select(LT(a, const(0, dtype)), const(dtype.min, dtype), const(dtype.max, dtype))
    return Select(LT(flag, const(0, dtype)), limit, total)


def _widening(operator: Callable[[Expr, Expr], Expr]) -> Rule:
    return lambda call: operator(Cast(call.dtype, call.args[0]), Cast(call.dtype, call.args[1]))


def _sum_of_products(call: Call) -> Expr:
    a, b, c, d = (Cast(call.dtype, factor) for factor in call.args)
    return Add(Mul(a, b), Mul(c, d))


def _halving_add(call: Call) -> Expr:
    a, b = call.args
    return Add(bitwise("and", a, b), shifted("right", bitwise("xor", a, b), 1))


def _rounding_halving_add(call: Call) -> Expr:
    """Of signed bytes as of unsigned ones, with the sign turned over."""
    a, b = call.args
    positive = unsigned(call.dtype)
    if call.dtype.is_int and call.dtype.bits == 8 and has_average(positive):
        sign = const(128, positive)
        turned = tuple(bitwise("xor", reinterpret(x, positive), sign) for x in (a, b))
        return reinterpret(bitwise("xor", Call("rounding_halving_add", turned, positive), sign), call.dtype)
    return Sub(bitwise("or", a, b), shifted("right", bitwise("xor", a, b), 1))


def _halving_sub(call: Call) -> Expr:
    """Of bytes and words (a - b + 256) >> 1, less 128."""
    a, b = call.args
    if has_average(call.dtype):
        middle = const(1 << (call.dtype.bits - 1), call.dtype)
        return Add(Call("rounding_halving_add", (a, bitwise("not", b)), call.dtype), middle)
    return Sub(shifted("right", bitwise("xor", a, b), 1), bitwise("and", bitwise("not", a), b))


def _mul_shift_right(call: Call) -> Expr:
    """The double-width product, shifted (and rounded), clamped."""
    a, b, by = call.args
    wide_type = call.dtype.with_bits(2 * call.dtype.bits)
    product = Mul(Cast(wide_type, a), Cast(wide_type, b))
    amount = const_value(by)
    if amount is not None:
        shift = const(amount, wide_type)
    else:
        shift = Cast(wide_type, by)
    name = "rounding_shift_right" if call.name.startswith("rounding") else "shift_right"
    return Call("saturating_cast", (Call(name, (product, shift), wide_type),), call.dtype)


def _is_nan(call: Call) -> Expr:
    return NE(call.args[0], call.args[0])


def _is_inf(call: Call) -> Expr:
    (a,) = call.args
    return EQ(Call("abs", (a,), a.dtype), const(float("inf"), a.dtype))


def _is_finite(call: Call) -> Expr:
    (a,) = call.args
    return LT(Call("abs", (a,), a.dtype), const(float("inf"), a.dtype))


def _fast_inverse(call: Call) -> Expr:
    return Div(const(1.0, call.dtype), call.args[0])


def _fast_inverse_sqrt(call: Call) -> Expr:
    return Div(const(1.0, call.dtype), Call("sqrt", call.args, call.dtype))


def _renamed(name: str) -> Rule:
    return lambda call: Call(name, call.args, call.dtype)


def _float_mod(a: Expr, b: Expr) -> Expr:
    return Sub(a, Mul(b, Call("floor", (Div(a, b),), a.dtype)))


def float_mod(node: Mod) -> Expr:
    """a - b * floor(a / b)."""
    return _float_mod(node.a, node.b)


def if_then_else(call: Call) -> Expr:
    """A vector choice evaluates both sides."""
    condition, a, b = call.args
    if condition.dtype.lanes != call.dtype.lanes:
        condition = Broadcast(condition, call.dtype.lanes)
    return Select(condition, a, b)


RULES: dict[str, Rule] = {
    "abs": _abs,
    "absd": _absd,
    "saturating_cast": _saturating_cast,
    "saturating_add": _saturating_add,
    "saturating_sub": _saturating_sub,
    "widening_add": _widening(Add),
    "widening_sub": _widening(Sub),
    "widening_mul": _widening(Mul),
    "sum_of_products": _sum_of_products,
    "halving_add": _halving_add,
    "halving_sub": _halving_sub,
    "rounding_halving_add": _rounding_halving_add,
    "shift_left": any_shift,
    "shift_right": any_shift,
    "rounding_shift_left": rounding_shift,
    "rounding_shift_right": rounding_shift,
    "mul_shift_right": _mul_shift_right,
    "rounding_mul_shift_right": _mul_shift_right,
    "is_nan": _is_nan,
    "is_inf": _is_inf,
    "is_finite": _is_finite,
    "fast_exp": _renamed("exp"),
    "fast_log": _renamed("log"),
    "fast_pow": _renamed("pow"),
    "fast_inverse": _fast_inverse,
    "fast_inverse_sqrt": _fast_inverse_sqrt,
    "strict_float": lambda call: call.args[0],
    "likely": lambda call: call.args[0],
    "likely_if_innermost": lambda call: call.args[0],
    "promise_clamped": lambda call: call.args[0],
    "unsafe_promise_clamped": lambda call: call.args[0],
    "return_second": lambda call: call.args[1],
    "undef": lambda call: const(0, call.dtype),
}

# Rules that use each argument once: naming it first would gain nothing.
_USES_ONCE = frozenset({
    "strict_float", "likely", "likely_if_innermost", "promise_clamped", "unsafe_promise_clamped", "return_second",
    "undef", "widening_add", "widening_sub", "widening_mul", "fast_exp", "fast_log", "fast_pow", "fast_inverse",
    "fast_inverse_sqrt", "mul_shift_right", "rounding_mul_shift_right",
    "sum_of_products",
})  # fmt: skip
REPEATS_ARGUMENTS = frozenset(RULES) - _USES_ONCE

# Arithmetic on one bit: numbers modulo 2.
ON_BOOLS: dict[type[Expr], Callable[[Expr, Expr], Expr]] = {
    Add: lambda a, b: Or(And(a, Not(b)), And(Not(a), b)),
    Sub: lambda a, b: Or(And(a, Not(b)), And(Not(a), b)),
    Mul: And,
    Min: And,
    Max: Or,
    Div: And,
    Mod: lambda a, b: And(And(a, Not(b)), b),
    EQ: lambda a, b: Not(Or(And(a, Not(b)), And(Not(a), b))),
    NE: lambda a, b: Or(And(a, Not(b)), And(Not(a), b)),
    LT: lambda a, b: And(Not(a), b),
    LE: lambda a, b: Or(Not(a), b),
    GT: lambda a, b: And(a, Not(b)),
    GE: lambda a, b: Or(a, Not(b)),
}
