"""The C operator and precedence of each node and intrinsic that has one; which functions are libm's."""

from __future__ import annotations

from ...ir.expr import EQ, GE, GT, LE, LT, NE, Add, Div, Expr, Mul, Sub
from .types import BIT_AND, BIT_OR, BIT_XOR, EQUALITY, PLUS, RELATION, SHIFT, TIMES

ARITHMETIC: dict[type[Expr], tuple[str, int]] = {
    Add: ("+", PLUS),
    Sub: ("-", PLUS),
    Mul: ("*", TIMES),
    Div: ("/", TIMES),
}
COMPARE: dict[type[Expr], tuple[str, int]] = {
    EQ: ("==", EQUALITY),
    NE: ("!=", EQUALITY),
    LT: ("<", RELATION),
    LE: ("<=", RELATION),
    GT: (">", RELATION),
    GE: (">=", RELATION),
}
BITWISE = {"bitwise_and": ("&", BIT_AND), "bitwise_or": ("|", BIT_OR), "bitwise_xor": ("^", BIT_XOR)}
SHIFTS = {"c_shift_left": ("<<", SHIFT), "c_shift_right": (">>", SHIFT)}

# Helpers for intrinsics that look at one number's bits.
COUNTS = {"popcount": "popcount", "count_leading_zeros": "clz", "count_trailing_zeros": "ctz"}

# Intrinsics that are instructions, by the name of the compiler's builtin. `round` is to nearest, ties to even.
ROUNDINGS = {"floor": "floor", "ceil": "ceil", "round": "nearbyint", "trunc": "trunc", "sqrt": "sqrt"}

# Intrinsics that are functions of libm, by number of arguments.
LIBRARY_CALLS = {
    **dict.fromkeys(("exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "erf"), 1),
    **dict.fromkeys(("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"), 1),
    **dict.fromkeys(("pow", "atan2", "hypot", "fmod"), 2),
}
