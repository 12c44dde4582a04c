"""The names a `Call` may have, with arity and meaning. Everything is elementwise over lanes.

Result types are the caller's business (`Call.dtype`); the table says what each computes.
"""

from __future__ import annotations

ARITY: dict[str, int] = {
    # integers
    "abs": 1,  # |a|; signed integers give the unsigned type of the same width, floats stay
    "absd": 2,  # |a - b| without overflow, as the unsigned type of the same width (floats stay)
    "bitwise_and": 2,
    "bitwise_or": 2,
    "bitwise_xor": 2,
    "bitwise_not": 1,
    "shift_left": 2,  # b < 0 shifts right; |b| >= bits gives 0
    "shift_right": 2,  # arithmetic for signed a; b < 0 shifts left; |b| >= bits gives 0 or the sign
    "popcount": 1,
    "count_leading_zeros": 1,  # of zero: the number of bits
    "count_trailing_zeros": 1,  # of zero: the number of bits
    "saturating_cast": 1,  # to Call.dtype, clamped to its range; NaN gives 0
    "saturating_add": 2,
    "saturating_sub": 2,
    "widening_add": 2,
    "widening_sub": 2,
    "widening_mul": 2,
    "sum_of_products": 4,  # wide(a)*wide(b) + wide(c)*wide(d), wrapping
    "halving_add": 2,  # (a + b) >> 1 without overflow
    "halving_sub": 2,
    "rounding_halving_add": 2,  # (a + b + 1) >> 1 without overflow
    "rounding_shift_left": 2,
    "rounding_shift_right": 2,
    "mul_shift_right": 3,  # (wide(a) * b) >> c, saturating
    "rounding_mul_shift_right": 3,
    "reinterpret": 1,  # the same bits as Call.dtype
    "div_round_to_zero": 2,  # C's / and 0 where b is 0
    "mod_round_to_zero": 2,  # C's % and 0 where b is 0
    # floats
    "sqrt": 1, "exp": 1, "log": 1, "sin": 1, "cos": 1, "tan": 1, "asin": 1, "acos": 1, "atan": 1,
    "sinh": 1, "cosh": 1, "tanh": 1, "asinh": 1, "acosh": 1, "atanh": 1, "erf": 1,
    "floor": 1, "ceil": 1, "round": 1, "trunc": 1,  # round: to nearest, ties to even
    "pow": 2, "atan2": 2, "hypot": 2, "fmod": 2,
    "fast_exp": 1, "fast_log": 1, "fast_pow": 2, "fast_inverse": 1, "fast_inverse_sqrt": 1,
    "is_nan": 1, "is_inf": 1, "is_finite": 1,
    "fma": 3,
    "multiply_add": 3,  # a*b + c, rounded once where the machine does that as fast, else twice
    "strict_float": 1,  # the operation inside is neither contracted nor reassociated
    # marks
    "likely": 1,  # true in the steady state: partition loops to make it so
    "likely_if_innermost": 1,
    "promise_clamped": 3,  # a, known to lie in [b, c]
    "unsafe_promise_clamped": 3,
    "if_then_else": 3,  # a select that evaluates only the chosen side
    "return_second": 2,
    "undef": 0,
}  # fmt: skip
