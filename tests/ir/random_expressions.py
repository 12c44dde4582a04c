"""Random well-typed expressions and values, drawn through one function so that any source of chance will do."""

from __future__ import annotations

from collections.abc import Callable

from halopy.dtypes import BOOL, FLOAT32, INT8, INT16, INT32, UINT8, UINT16, UINT32, DType
from halopy.ir import expr as ir
from halopy.ir.expr import Expr, Var, const, round_to

Pick = Callable[[int], int]  # a number below the argument

INTEGERS = (INT32, INT32, INT32, UINT8, INT8, UINT16, INT16, UINT32)
_NAMES = "xyz"


def variable(pick: Pick, dtype: DType) -> Var:
    return Var(f"{_NAMES[pick(3)]}.{dtype}", dtype)


def random_values(pick: Pick) -> dict[str, int | float]:
    """A value for each variable: small ones for index types, any for narrow ones."""
    values: dict[str, int | float] = {}
    for dtype in (*INTEGERS, BOOL, FLOAT32):
        for name in _NAMES:
            values[f"{name}.{dtype}"] = random_value(pick, dtype)
    return values


def random_value(pick: Pick, dtype: DType) -> int | float:
    if dtype.is_float:
        return round_to((0.0, -0.0, 1.0, -1.5, 3.25, 1e30, float("inf"), float("nan"), 0.1, -7.0)[pick(10)], dtype)
    if dtype.bits > 16 and dtype.is_int:
        return pick(61) - 30
    if pick(4) == 0:
        return (dtype.min, dtype.max, 0, 1, dtype.max // 2)[pick(5)]
    return dtype.wrap(pick(1 << min(dtype.bits, 16)) - pick(40))


def random_literal(pick: Pick, dtype: DType) -> Expr:
    if dtype.is_integer and dtype.bits > 1 and pick(3):
        return const(pick(12) - (3 if dtype.is_int else 0), dtype)
    return const(random_value(pick, dtype.element), dtype)


def random_expr(pick: Pick, dtype: DType, depth: int) -> Expr:
    """An expression of `dtype` (one lane) with at most `depth` levels."""
    if depth <= 0 or pick(8) == 0:
        return random_literal(pick, dtype) if pick(3) == 0 else variable(pick, dtype)
    if dtype.is_bool:
        return _random_bool(pick, depth - 1)
    return _random_number(pick, dtype, depth - 1)


def _random_bool(pick: Pick, depth: int) -> Expr:
    kind = pick(10)
    if kind < 6:
        dtype = (*INTEGERS, FLOAT32)[pick(len(INTEGERS) + 1)]
        operator = ir.COMPARISONS[pick(6)]
        return operator(random_expr(pick, dtype, depth), random_expr(pick, dtype, depth))
    if kind < 9:
        operator = (ir.And, ir.Or)[pick(2)]
        return operator(random_expr(pick, BOOL, depth), random_expr(pick, BOOL, depth))
    return ir.Not(random_expr(pick, BOOL, depth))


def _random_number(pick: Pick, dtype: DType, depth: int) -> Expr:
    kind = pick(22)
    a = random_expr(pick, dtype, depth)
    if kind < 8:
        return (ir.Add, ir.Sub, ir.Add, ir.Sub)[kind % 4](a, random_expr(pick, dtype, depth))
    if kind < 10:
        return ir.Mul(a, random_literal(pick, dtype) if pick(3) else random_expr(pick, dtype, depth))
    if kind < 13:
        operator = (ir.Div, ir.Mod)[pick(2)]
        return operator(a, random_literal(pick, dtype) if pick(4) else random_expr(pick, dtype, depth))
    if kind < 17:
        return (ir.Min, ir.Max)[pick(2)](a, random_expr(pick, dtype, depth))
    if kind < 18:
        return ir.Select(random_expr(pick, BOOL, depth), a, random_expr(pick, dtype, depth))
    if kind < 20:
        source = (*INTEGERS, FLOAT32, BOOL)[pick(len(INTEGERS) + 2)]
        return ir.Cast(dtype, random_expr(pick, source, depth))
    return _random_call(pick, dtype, depth, a)


def _random_call(pick: Pick, dtype: DType, depth: int, a: Expr) -> Expr:
    if dtype.is_float:
        return ir.Call(("floor", "abs", "likely", "strict_float")[pick(4)], (a,), dtype)
    names = (
        "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right", "saturating_add", "saturating_sub",
        "halving_add", "likely", "bitwise_not", "abs", "absd", "promise_clamped", "if_then_else", "popcount",
    )  # fmt: skip
    name = names[pick(len(names))]
    b = random_literal(pick, dtype) if pick(2) else random_expr(pick, dtype, depth)
    if name in ("shift_left", "saturating_add", "saturating_sub") and dtype.is_index_like:
        name = "bitwise_and"
    if name in ("likely", "bitwise_not", "popcount"):
        return ir.Call(name, (a,), dtype)
    if name == "promise_clamped":
        low, high = const(2, dtype), const(9, dtype)
        return ir.Call(name, (ir.Max(ir.Min(a, high), low), low, high), dtype)
    if name == "if_then_else":
        return ir.Call(name, (random_expr(pick, BOOL, depth), a, b), dtype)
    if name in ("abs", "absd"):
        unsigned = ir.Call(name, (a,) if name == "abs" else (a, b), DType(1, dtype.bits))  # type: ignore[arg-type]
        return ir.Cast(dtype, unsigned)
    return ir.Call(name, (a, b), dtype)


def random_vector(pick: Pick, dtype: DType, depth: int, lanes: int = 4) -> Expr:
    """A vector expression over ramps and broadcasts."""
    if depth <= 0 or pick(4) == 0:
        if dtype.is_index_like and pick(2):
            return ir.Ramp(random_expr(pick, dtype, 1), random_literal(pick, dtype), lanes)
        return ir.Broadcast(random_expr(pick, dtype, 1), lanes)
    if dtype.is_bool:
        operator = ir.COMPARISONS[pick(6)]
        return operator(random_vector(pick, INT32, depth - 1, lanes), random_vector(pick, INT32, depth - 1, lanes))
    operator = (ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.Min, ir.Max, ir.Select)[pick(8)]
    a = random_vector(pick, dtype, depth - 1, lanes)
    if operator in (ir.Mul, ir.Div, ir.Mod):
        return operator(a, ir.Broadcast(random_literal(pick, dtype), lanes))
    b = random_vector(pick, dtype, depth - 1, lanes)
    if operator is ir.Select:
        return ir.Select(random_vector(pick, BOOL, depth - 1, lanes), a, b)
    return operator(a, b)
