"""Folding: exact answers for every operator and type, compared with Halide's compiled code."""

from __future__ import annotations

import math
from fractions import Fraction

import halide as hl
import numpy as np
import pytest

from halopy.dtypes import (
    BFLOAT16,
    BOOL,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    DType,
)
from halopy.ir import expr as ir
from halopy.ir.fold import fold_binary, fold_call, fold_cast, is_exact, round_exact
from halopy.ir.intrinsics import ARITY

INTEGERS = (INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32)  # Halide's buffers take no uint64 arrays
FLOATS = (FLOAT32, FLOAT64)
NAN, INF = math.nan, math.inf

BINARY = {
    ir.Add: lambda a, b: a + b,
    ir.Sub: lambda a, b: a - b,
    ir.Mul: lambda a, b: a * b,
    ir.Div: lambda a, b: a / b,
    ir.Mod: lambda a, b: a % b,
    ir.Min: hl.min,
    ir.Max: hl.max,
    ir.EQ: lambda a, b: a == b,
    ir.NE: lambda a, b: a != b,
    ir.LT: lambda a, b: a < b,
    ir.LE: lambda a, b: a <= b,
    ir.GT: lambda a, b: a > b,
    ir.GE: lambda a, b: a >= b,
}
INTEGER_CALLS = {
    "absd": hl.absd,
    "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b,
    "bitwise_xor": lambda a, b: a ^ b,
    "saturating_add": hl.saturating_add,
    "saturating_sub": hl.saturating_sub,
    "halving_add": hl.halving_add,
    "halving_sub": hl.halving_sub,
    "rounding_halving_add": hl.rounding_halving_add,
}
TRUNCATED = {"div_round_to_zero": hl.div_round_to_zero, "mod_round_to_zero": hl.mod_round_to_zero}
SHIFTS = {
    "shift_left": lambda a, b: a << b,
    "shift_right": lambda a, b: a >> b,
    "rounding_shift_left": hl.rounding_shift_left,
    "rounding_shift_right": hl.rounding_shift_right,
}
WIDENING = {"widening_add": hl.widening_add, "widening_sub": hl.widening_sub, "widening_mul": hl.widening_mul}
UNARY = {
    "bitwise_not": lambda a: ~a,
    "abs": hl.abs,
    "popcount": hl.popcount,
    "count_leading_zeros": hl.count_leading_zeros,
    "count_trailing_zeros": hl.count_trailing_zeros,
}
FLOAT_UNARY = {"abs": hl.abs, "floor": hl.floor, "ceil": hl.ceil, "round": hl.round, "trunc": hl.trunc, "sqrt": hl.sqrt}


def _interesting(dtype: DType) -> list[int | float]:
    if dtype.is_float:
        exact = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.25, 1e-3, 7.0, -9.75, 1e20, INF, -INF, NAN]
        return [float(dtype.to_numpy().type(v)) for v in exact]
    around = {dtype.min, dtype.min + 1, dtype.max, dtype.max - 1, dtype.max // 2, dtype.max // 2 + 1}
    return sorted(around | {dtype.wrap(v) for v in (0, 1, 2, 3, 5, 7, 8, 31, 100, -1, -2, -3, -7, -100)})


def _halide_type(dtype: DType) -> hl.Type:
    return hl.Type({0: hl.TypeCode.Int, 1: hl.TypeCode.UInt, 2: hl.TypeCode.Float}[int(dtype.code)], dtype.bits, 1)


def _pairs(dtype: DType) -> tuple[list, list]:
    values = _interesting(dtype)
    return [a for a in values for _ in values], [b for _ in values for b in values]


def _run(operators: dict, columns: list[list], dtypes: list[DType]) -> dict[object, tuple[np.ndarray, hl.Type]]:
    """What Halide computes for each operator, one compilation for all."""
    x = hl.Var("x")
    buffers = [hl.Buffer(np.array(c, dtype=d.to_numpy())) for c, d in zip(columns, dtypes, strict=True)]
    values = [op(*(b[x] for b in buffers)) for op in operators.values()]
    f = hl.Func("compared")
    f[x] = tuple(values) if len(values) > 1 else values[0]
    found = f.realize([len(columns[0])])
    arrays = [np.array(a) for a in (found if len(values) > 1 else [found])]
    return {name: (a, v.type()) for name, a, v in zip(operators, arrays, values, strict=True)}


def _dtype_of(t: hl.Type) -> DType:
    code = {hl.TypeCode.Int: 0, hl.TypeCode.UInt: 1, hl.TypeCode.Float: 2}[t.code()]
    return DType(code, t.bits())  # type: ignore[arg-type]


def _same(ours: object, theirs: object) -> bool:
    a, b = float(ours), float(theirs)  # type: ignore[arg-type]
    return (a != a and b != b) or (ours == theirs and math.copysign(1, a) == math.copysign(1, b))


def _is_undefined(operator: object, a: int | float, b: int | float, dtype: DType) -> bool:
    """Where Halide promises nothing: signed overflow of 32 bits and more, and it traps or differs by machine."""
    if dtype.is_float:
        # Halide's min and max leave open which operand NaN gives.
        # Of a - b*floor(a/b) it may fuse the product and the difference.
        # It takes NaN for impossible.
        if a != a or b != b:
            return operator in (ir.Min, ir.Max, *ir.COMPARISONS)
        return (operator in (ir.Min, ir.Max) and a == b) or (operator is ir.Mod and (b % 0.25 != 0 or abs(a) > 1e6))
    exact = {ir.Add: a + b, ir.Sub: a - b, ir.Mul: a * b}.get(operator, 0)  # type: ignore[call-overload]
    if operator in (ir.Div, ir.Mod) and b == -1 and a == dtype.min:
        return dtype.bits >= 32
    return dtype.is_index_like and not dtype.can_hold(int(exact))


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS], ids=str)
def test_binary_operators_are_halides(dtype):
    a, b = _pairs(dtype)
    compared = 0
    for operator, (values, _) in _run(BINARY, [a, b], [dtype, dtype]).items():
        for p, q, theirs in zip(a, b, values, strict=True):
            if not _is_undefined(operator, p, q, dtype):
                ours = fold_binary(operator, p, q, dtype)  # type: ignore[arg-type]
                assert _same(ours, theirs), f"{operator.__name__}({p}, {q}) is {theirs}, not {ours}"  # type: ignore[attr-defined]
                compared += 1
    assert compared > 500


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_calls_are_halides(dtype):
    operators = INTEGER_CALLS | (WIDENING if dtype.bits < 64 else {})
    a, b = _pairs(dtype)
    for name, (values, result) in _run(operators, [a, b], [dtype, dtype]).items():
        for p, q, theirs in zip(a, b, values, strict=True):
            if not _is_undefined(name, p, q, dtype):
                ours = fold_call(name, (p, q), (dtype, dtype), _dtype_of(result))
                assert ours == theirs, f"{name}({p}, {q}) is {theirs}, not {ours}"


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_truncated_division_is_halides(dtype):
    pairs = [(p, q) for p, q in zip(*_pairs(dtype), strict=True) if q != 0 and not (p == dtype.min and q == -1)]
    a, b = [p for p, _ in pairs], [q for _, q in pairs]
    for name, (values, _) in _run(TRUNCATED, [a, b], [dtype, dtype]).items():
        for p, q, theirs in zip(a, b, values, strict=True):
            ours = fold_call(name, (p, q), (dtype, dtype), dtype)
            assert ours == theirs, f"{name}({p}, {q}) is {theirs}, not {ours}"
        assert fold_call(name, (7, 0), (dtype, dtype), dtype) == 0


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_calls_of_one_argument_are_halides(dtype):
    a = _interesting(dtype)
    for name, (values, result) in _run(UNARY, [a], [dtype]).items():
        for p, theirs in zip(a, values, strict=True):
            ours = fold_call(name, (p,), (dtype,), _dtype_of(result))
            if dtype.is_uint and name == "abs":
                continue
            assert ours == theirs, f"{name}({p}) is {theirs}, not {ours}"


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_float_calls_are_halides(dtype):
    a = _interesting(dtype)
    for name, (values, _) in _run(FLOAT_UNARY, [a], [dtype]).items():
        for p, theirs in zip(a, values, strict=True):
            ours = fold_call(name, (p,), (dtype,), dtype)
            assert _same(ours, theirs), f"{name}({p}) is {theirs}, not {ours}"


@pytest.mark.parametrize("dtype", [INT8, INT16, INT32, UINT8, UINT16, UINT32], ids=str)
def test_shifts_within_the_width_are_halides(dtype):
    by_type = DType(0, dtype.bits)  # type: ignore[arg-type]
    amounts = [0, 1, 2, dtype.bits - 1, -1, -2, 1 - dtype.bits]
    a = [v for v in _interesting(dtype) for _ in amounts]
    by = [s for _ in _interesting(dtype) for s in amounts]
    for name, (values, _) in _run(SHIFTS, [a, by], [dtype, by_type]).items():
        for p, s, theirs in zip(a, by, values, strict=True):
            ours = fold_call(name, (p, s), (dtype, by_type), dtype)
            assert ours == theirs, f"{name}({p}, {s}) is {theirs}, not {ours}"


@pytest.mark.parametrize("source", [*INTEGERS, *FLOATS], ids=str)
def test_casts_are_halides(source):
    a = _interesting(source)
    targets = [*INTEGERS, UINT64, *FLOATS]
    operators = {t: (lambda e, t=t: hl.cast(_halide_type(t), e)) for t in targets}
    for target, (values, _) in _run(operators, [a], [source]).items():
        for p, theirs in zip(a, values, strict=True):
            in_range = not source.is_float or target.is_float or (abs(p) < 2**63 and target.can_hold(int(p)))
            if in_range:
                ours = fold_cast(p, source, target)
                assert _same(ours, theirs), f"{target}({p}) is {theirs}, not {ours}"


NARROWING = [(INT32, UINT8), (INT32, INT16), (UINT16, INT8), (FLOAT32, UINT8)]


@pytest.mark.parametrize(("source", "target"), NARROWING, ids=str)
def test_saturating_casts_are_halides(source, target):
    a = [v for v in _interesting(source) if v == v]
    (values, _) = _run({0: lambda e: hl.saturating_cast(_halide_type(target), e)}, [a], [source])[0]
    for p, theirs in zip(a, values, strict=True):
        assert fold_call("saturating_cast", (p,), (source,), target) == theirs


def test_shifts_by_the_width_leave_nothing_but_the_sign():
    assert fold_call("shift_left", (1, 40), (INT32, INT32), INT32) == 0
    assert fold_call("shift_right", (-5, 40), (INT32, INT32), INT32) == -1
    assert fold_call("shift_right", (5, 40), (INT32, INT32), INT32) == 0
    assert fold_call("shift_right", (1, -40), (INT32, INT32), INT32) == 0


def test_floats_out_of_range_saturate_and_nan_is_zero():
    assert [fold_cast(v, FLOAT32, UINT8) for v in (300.0, -3.0, NAN, INF, -INF)] == [255, 0, 0, 255, 0]
    assert [fold_cast(v, FLOAT32, INT8) for v in (300.0, -300.0, -3.9)] == [127, -128, -3]
    assert [fold_cast(v, FLOAT32, BOOL) for v in (0.0, -0.0, 0.5, NAN)] == [0, 0, 1, 1]


def test_nan_gives_the_second_operand_of_min_and_max():
    for operator in (ir.Min, ir.Max):
        assert fold_binary(operator, NAN, 1.0, FLOAT32) == 1.0
        assert math.isnan(fold_binary(operator, 1.0, NAN, FLOAT32))


def test_wide_integers_round_once():
    # 2**53 + 1 is no double; through a double, 2**24 + 1 + tiny would fall on the tie and round down.
    value = (1 << 60) + (1 << 36) + 1
    assert fold_cast(value, INT64, FLOAT32) == float(np.float32(value + (1 << 30)))
    assert round_exact(Fraction(1, 3), FLOAT32) == float(np.float32(1) / np.float32(3))


def test_fma_rounds_once():
    a = float(np.float32(1 + 2**-12))
    assert fold_call("fma", (a, a, -1.0), (FLOAT32,) * 3, FLOAT32) == 2**-11 + 2**-24
    assert math.isnan(fold_call("fma", (INF, 0.0, 1.0), (FLOAT32,) * 3, FLOAT32) or 0.0)


@pytest.mark.parametrize("dtype", [FLOAT16, BFLOAT16, FLOAT32], ids=str)
def test_small_floats_round_at_every_step(dtype):
    assert fold_binary(ir.Add, 2048.0, 1.0, dtype) == (2049.0 if dtype is FLOAT32 else 2048.0)


def test_reinterpret_keeps_bits():
    assert fold_call("reinterpret", (1.0,), (FLOAT32,), UINT32) == 0x3F800000
    assert fold_call("reinterpret", (0x3F80,), (UINT16,), BFLOAT16) == 1.0
    assert fold_call("reinterpret", (255,), (UINT8,), INT8) == -1


def test_approximations_are_not_folded():
    assert fold_call("fast_exp", (1.0,), (FLOAT32,), FLOAT32) is None
    assert not is_exact("exp")
    assert is_exact("sqrt")
    assert all(is_exact(name) or name in _INEXACT for name in ARITY)


_INEXACT = set(
    "exp log sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf pow atan2 hypot "
    "fast_exp fast_log fast_pow fast_inverse fast_inverse_sqrt undef multiply_add".split()
)
