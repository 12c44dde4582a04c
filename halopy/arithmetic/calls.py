"""What each intrinsic of `ir.intrinsics` computes, on whole arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..dtypes import Code, DType
from ..errors import InternalError
from ..ir.expr import Call
from .fused import fused_multiply_add, multiply_add
from .values import Array, as_values, carrier, convert, from_storage, to_storage


def apply_call(node: Call, operands: Sequence[Array]) -> Array:
    """The value of an intrinsic from the values of its arguments."""
    if node.name in _ROUNDED:
        exact = _ROUNDED[node.name](*(o.astype(np.float64) for o in operands))
        return as_values(exact, node.dtype)
    if node.name in _ELEMENTWISE:
        return np.asarray(_ELEMENTWISE[node.name](*operands))
    if node.name not in _TYPED:
        raise InternalError(f"the reference evaluator does not know the intrinsic {node.name}")
    return np.asarray(_TYPED[node.name](node, *operands))


def shift_left(a: Array, b: Array, dtype: DType) -> Array:
    """a * 2**b for b >= 0, else a >> -b; beyond the width nothing is left."""
    count = _count(b)
    return np.asarray(np.where(count >= 0, _left(a, count, dtype), _right(a, -count, dtype)))


def shift_right(a: Array, b: Array, dtype: DType) -> Array:
    """floor(a / 2**b) for b >= 0, else a << -b."""
    count = _count(b)
    return np.asarray(np.where(count >= 0, _right(a, count, dtype), _left(a, -count, dtype)))


def _count(b: Array) -> Array:
    """Shift counts, clamped to where more makes no difference, so that they negate."""
    if b.dtype.kind == "u":
        return np.asarray(np.minimum(b, b.dtype.type(127)), np.int64)
    return np.asarray(np.clip(b, -127, 127), np.int64)


def _left(a: Array, count: Array, dtype: DType) -> Array:
    kept: Array = np.clip(count, 0, dtype.bits - 1).astype(carrier(dtype))
    return np.asarray(np.where(count >= dtype.bits, a.dtype.type(0), np.left_shift(a, kept)))


def _right(a: Array, count: Array, dtype: DType) -> Array:
    kept: Array = np.clip(count, 0, dtype.bits - 1).astype(carrier(dtype))
    shifted = np.right_shift(a, kept)
    return np.asarray(shifted if dtype.is_int else np.where(count >= dtype.bits, a.dtype.type(0), shifted))


def _rounding_shift_left(node: Call, a: Array, b: Array) -> Array:
    one = a.dtype.type(1)
    dropped = shift_left(a, np.add(_count(b), 1), node.dtype) & one
    return np.asarray(shift_left(a, b, node.dtype) + np.where(b < 0, dropped, a.dtype.type(0)))


def _rounding_shift_right(node: Call, a: Array, b: Array) -> Array:
    one = a.dtype.type(1)
    dropped = shift_right(a, np.subtract(_count(b), 1), node.dtype) & one
    return np.asarray(shift_right(a, b, node.dtype) + np.where(b > 0, dropped, a.dtype.type(0)))


def _exact_integers(*arrays: Array) -> list[Array]:
    """The same integers without any width."""
    return [a.astype(object) for a in arrays]


def _saturated(exact: Array, dtype: DType) -> Array:
    low, high = np.array(dtype.min, object), np.array(dtype.max, object)
    clamped = np.minimum(np.asarray(np.maximum(np.asarray(exact, object), low), object), high)
    return as_values(np.asarray(clamped, object), dtype)  # of one number NumPy makes an int, and of that 64 bits


def _saturating(f: Callable[[Array, Array], Array]) -> _Rule:
    """f without overflow, clamped to the type's range; floats just compute."""

    def rule(node: Call, a: Array, b: Array) -> Array:
        if node.dtype.is_float:
            return as_values(f(a, b), node.dtype)
        return _saturated(f(*_exact_integers(a, b)), node.dtype)

    return rule


def _exact(f: Callable[..., Array]) -> _Rule:
    """f on integers without any width, then wrapped into the result's type."""

    def rule(node: Call, *operands: Array) -> Array:
        if node.dtype.is_float:
            return as_values(f(*operands), node.dtype)
        return _wrap(f(*_exact_integers(*operands)), node.dtype)

    return rule


def _wrap(exact: Array, dtype: DType) -> Array:
    wrapped = [dtype.wrap(int(v)) for v in np.ravel(exact)]
    return np.array(wrapped, dtype=carrier(dtype)).reshape(np.shape(exact))


def _widening(f: Callable[[Array, Array], Array]) -> _Rule:
    """f in the result's type, which is twice as wide and holds both operands."""

    def rule(node: Call, a: Array, b: Array) -> Array:
        wide = [convert(v, arg.dtype, node.dtype) for v, arg in zip((a, b), node.args, strict=True)]
        return as_values(f(*wide), node.dtype)

    return rule


def _mul_shift_right(node: Call, a: Array, b: Array, c: Array) -> Array:
    x, y, shift = _exact_integers(a, b, c)
    return _saturated((x * y) >> shift, node.dtype)


def _rounding_mul_shift_right(node: Call, a: Array, b: Array, c: Array) -> Array:
    x, y, shift = _exact_integers(a, b, c)
    half = np.where(c > 0, 1 << np.maximum(shift - 1, 0), 0)
    return _saturated((x * y + half) >> shift, node.dtype)


def _saturating_cast(node: Call, a: Array) -> Array:
    source, target = node.args[0].dtype, node.dtype
    if target.is_bool:
        return np.asarray(a > 0)
    if target.is_float:
        return _saturating_to_float(a, source, target)
    if source.is_float:
        return convert(a, source, target)
    return _saturated(a.astype(object), target)


def _saturating_to_float(a: Array, source: DType, target: DType) -> Array:
    """Integers round; infinities become the largest finite value."""
    if source.is_integer:
        return convert(a, source, target)
    top = largest_finite(target)
    wide = a.astype(np.float64)
    return as_values(np.where(wide < -top, -top, np.where(wide > top, top, wide)), target)


def largest_finite(dtype: DType) -> float:
    """The greatest finite value of a float type."""
    if dtype.code == Code.BFLOAT:
        return float.fromhex("0x1.FEp127")
    return float(np.finfo(carrier(dtype)).max)


def _abs(node: Call, a: Array) -> Array:
    return np.abs(a).astype(carrier(node.dtype))


def _absd(node: Call, a: Array, b: Array) -> Array:
    difference = np.where(a > b, a - b, b - a)
    return as_values(difference, node.dtype)


def _bits(a: Array) -> Array:
    return a.astype(np.uint8) if a.dtype == np.bool_ else a.view(f"u{a.dtype.itemsize}")


def _popcount(node: Call, a: Array) -> Array:
    unsigned = _bits(a)
    ones = sum(((unsigned >> unsigned.dtype.type(k)) & unsigned.dtype.type(1)) for k in range(8 * a.dtype.itemsize))
    return as_values(ones, node.dtype)


def _zeros_before_first_one(a: Array, bits: int, positions: Sequence[int]) -> Array:
    unsigned = _bits(a)
    count = np.full(a.shape, bits)
    for zeros, position in reversed(list(enumerate(positions))):
        is_one = (unsigned >> unsigned.dtype.type(position)) & unsigned.dtype.type(1)
        count = np.where(is_one != 0, zeros, count)
    return count


def _leading_zeros(node: Call, a: Array) -> Array:
    bits = node.args[0].dtype.bits
    return as_values(_zeros_before_first_one(a, bits, range(bits - 1, -1, -1)), node.dtype)


def _trailing_zeros(node: Call, a: Array) -> Array:
    bits = node.args[0].dtype.bits
    return as_values(_zeros_before_first_one(a, bits, range(bits)), node.dtype)


def _reinterpret(node: Call, a: Array) -> Array:
    raw = np.ascontiguousarray(to_storage(a, node.args[0].dtype))
    return from_storage(raw.view(node.dtype.to_numpy()).reshape(a.shape), node.dtype)


def _divided_towards_zero(a: Array, b: Array) -> tuple[Array, Array]:
    """C's quotient and remainder; both 0 where b is 0."""
    x, y = _exact_integers(a, b)
    safe = np.where(b == 0, 1, y)
    q = np.abs(x) // np.abs(safe)
    q = np.where((x < 0) ^ (safe < 0), -q, q)
    return np.where(b == 0, 0, q), np.where(b == 0, 0, x - q * safe)


def _erf(a: Array) -> Array:
    return np.array([math.erf(v) for v in np.ravel(a)], dtype=np.float64).reshape(np.shape(a))


def _select(condition: Array, a: Array, b: Array) -> Array:
    return np.where(condition, a, b)


def _power(a: Array, b: Array) -> Array:
    return np.asarray(np.power(a, b))


_Rule = Callable[..., Array]

# Computed in double precision, then rounded once.
_ROUNDED: Mapping[str, Callable[..., Array]] = {
    "memoize_tag": lambda value, *_: value,
    "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "erf": _erf, "sqrt": np.sqrt,
    "floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc,
    "pow": _power, "atan2": np.arctan2, "hypot": np.hypot, "fmod": np.fmod,
    "fast_exp": np.exp, "fast_log": np.log, "fast_pow": _power,
    "fast_inverse": lambda a: 1.0 / a, "fast_inverse_sqrt": lambda a: 1.0 / np.sqrt(a),
}  # fmt: skip

# What needs only the operands.
_ELEMENTWISE: Mapping[str, Callable[..., Array]] = {
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.invert,
    "is_nan": np.isnan,
    "is_inf": np.isinf,
    "is_finite": np.isfinite,
    "strict_float": lambda a: a,
    "likely": lambda a: a,
    "likely_if_innermost": lambda a: a,
    "promise_clamped": lambda a, _low, _high: a,
    "unsafe_promise_clamped": lambda a, _low, _high: a,
    "if_then_else": _select,
    "return_second": lambda _a, b: b,
}

# What depends on the types too.
_TYPED: Mapping[str, _Rule] = {
    "abs": _abs,
    "absd": _absd,
    "shift_left": lambda node, a, b: shift_left(a, b, node.dtype),
    "shift_right": lambda node, a, b: shift_right(a, b, node.dtype),
    "popcount": _popcount,
    "count_leading_zeros": _leading_zeros,
    "count_trailing_zeros": _trailing_zeros,
    "saturating_cast": _saturating_cast,
    "saturating_add": _saturating(lambda a, b: a + b),
    "saturating_sub": _saturating(lambda a, b: a - b),
    "widening_add": _widening(np.add),
    "widening_sub": _widening(np.subtract),
    "widening_mul": _widening(np.multiply),
    "sum_of_products": _exact(lambda a, b, c, d: a * b + c * d),
    "halving_add": _exact(lambda a, b: (a + b) >> 1),
    "halving_sub": _exact(lambda a, b: (a - b) >> 1),
    "rounding_halving_add": _exact(lambda a, b: (a + b + 1) >> 1),
    "rounding_shift_left": _rounding_shift_left,
    "rounding_shift_right": _rounding_shift_right,
    "mul_shift_right": _mul_shift_right,
    "rounding_mul_shift_right": _rounding_mul_shift_right,
    "reinterpret": _reinterpret,
    "div_round_to_zero": lambda node, a, b: _wrap(_divided_towards_zero(a, b)[0], node.dtype),
    "mod_round_to_zero": lambda node, a, b: _wrap(_divided_towards_zero(a, b)[1], node.dtype),
    "fma": lambda node, a, b, c: fused_multiply_add(a, b, c, node.dtype),
    "multiply_add": lambda node, a, b, c: multiply_add(a, b, c, node.dtype),
    "undef": lambda node: np.zeros((), carrier(node.dtype)),
}
