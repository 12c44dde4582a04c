"""Whole-array operators give, element by element, what constant folding gives: all operators, all types, all edges."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from halopy.arithmetic.values import as_values, from_storage, to_storage
from halopy.dtypes import ALL_SCALARS, BFLOAT16, BOOL, INT32, UINT16, DType, Int, UInt
from halopy.ir import expr as ir
from halopy.ir.expr import Call, Cast, Expr, Select, Var, round_to
from halopy.ir.fold import fold_binary, fold_call, fold_cast
from halopy.ir.intrinsics import ARITY
from halopy.reference.tape import Tape

TYPES = [*ALL_SCALARS, BFLOAT16]
INTEGERS = [d for d in ALL_SCALARS if d.is_integer and not d.is_bool]
FLOATS = [d for d in TYPES if d.is_float]
OPERATORS = [ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.Min, ir.Max, *ir.COMPARISONS]
SAME_TYPE = [
    "bitwise_and", "bitwise_or", "bitwise_xor", "saturating_add", "saturating_sub", "halving_add", "halving_sub",
    "rounding_halving_add", "div_round_to_zero", "mod_round_to_zero", "shift_left", "shift_right",
    "rounding_shift_left", "rounding_shift_right",
]  # fmt: skip


def edges(dtype: DType) -> list[int | float]:
    if dtype.is_bool:
        return [0, 1]
    if dtype.is_float:
        values = [0.0, -0.0, 1.0, -1.5, 0.1, 3.0, -7.25, 1e4, 3e-5, 1e9, -1e20, math.inf, -math.inf, math.nan]
        return [round_to(v, dtype) for v in values]
    small = [0, 1, 2, 3, 5, 7, *([-1, -2, -3, -6] if dtype.is_int else [])]
    return [*small, dtype.max, dtype.max - 1, dtype.min, dtype.min + 1, dtype.max // 2 + 1, dtype.max // 3]


def evaluate(e: Expr, **values: tuple[list[int | float], DType]) -> list[int | float]:
    arrays = {n: as_values(np.array(v, object if d.is_integer else float), d) for n, (v, d) in values.items()}
    (result,) = Tape([e]).run(arrays, lambda read, index: pytest.fail("nothing is read here"))
    return result.tolist()


def assert_same(got: list[int | float], want: list[int | float], inputs: list[tuple]) -> None:
    assert len(got) == len(want)
    for g, w, given in zip(got, want, inputs, strict=True):
        assert g == w or (g != g and w != w), f"{given}: {g}, folding gives {w}"


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.__name__)
def test_binary_operators(operator, dtype):
    pairs = list(itertools.product(edges(dtype), repeat=2))
    e = operator(Var("a", dtype), Var("b", dtype))
    got = evaluate(e, a=([p for p, _ in pairs], dtype), b=([q for _, q in pairs], dtype))
    assert_same(got, [fold_binary(operator, p, q, dtype) for p, q in pairs], pairs)


@pytest.mark.parametrize("source", TYPES, ids=str)
@pytest.mark.parametrize("target", TYPES, ids=str)
def test_casts(source, target):
    values = edges(source)
    got = evaluate(Cast(target, Var("a", source)), a=(values, source))
    assert_same(got, [fold_cast(v, source, target) for v in values], [(v,) for v in values])


@pytest.mark.parametrize("source", TYPES[1:], ids=str)
@pytest.mark.parametrize("target", TYPES[1:], ids=str)
def test_saturating_casts(source, target):
    values = edges(source)
    got = evaluate(Call("saturating_cast", (Var("a", source),), target), a=(values, source))
    want = [fold_call("saturating_cast", [v], [source], target) for v in values]
    assert_same(got, want, [(v,) for v in values])


def check_call(name: str, types: list[DType], result: DType, columns: list[list[int | float]] | None = None) -> None:
    rows = list(itertools.product(*(columns or [edges(t) for t in types])))
    names = "abcd"[: len(types)]
    e = Call(name, tuple(Var(n, t) for n, t in zip(names, types, strict=True)), result)
    values = {n: ([row[k] for row in rows], types[k]) for k, n in enumerate(names)}
    assert_same(evaluate(e, **values), [fold_call(name, list(row), types, result) for row in rows], rows)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("name", SAME_TYPE)
def test_integer_intrinsics(name, dtype):
    check_call(name, [dtype, dtype], dtype)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_intrinsics_with_other_result_types(dtype):
    unsigned = UInt(dtype.bits)
    check_call("absd", [dtype, dtype], unsigned)
    for name in ("popcount", "count_leading_zeros", "count_trailing_zeros", "bitwise_not"):
        check_call(name, [dtype], dtype)
    if dtype.is_int:
        check_call("abs", [dtype], unsigned)
    if dtype.bits < 64:
        check_call("widening_add", [dtype, dtype], dtype.with_bits(2 * dtype.bits))
        check_call("widening_mul", [dtype, dtype], dtype.with_bits(2 * dtype.bits))
        check_call("widening_sub", [dtype, dtype], Int(2 * dtype.bits))


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("name", ["mul_shift_right", "rounding_mul_shift_right"])
def test_fixed_point_products(name, dtype):
    shifts = [0, 1, dtype.bits - 1, dtype.bits]
    check_call(name, [dtype, dtype, UInt(dtype.bits)], dtype, [edges(dtype), edges(dtype), shifts])


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_shifts_of_unsigned_by_signed(dtype):
    for name in ("shift_left", "shift_right"):
        check_call(name, [dtype, Int(dtype.bits)], dtype)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_float_intrinsics(dtype):
    for name in ("floor", "ceil", "round", "trunc", "abs", "sqrt"):
        check_call(name, [dtype], dtype)
    for name in ("is_nan", "is_inf", "is_finite"):
        check_call(name, [dtype], BOOL)
    check_call("fma", [dtype] * 3, dtype)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_reinterpret(dtype):
    bits = UInt(dtype.bits)
    check_call("reinterpret", [bits], dtype, [[0, 1, 0x3C01, 0x7C00, bits.max // 2 + 2]])
    check_call("reinterpret", [dtype], bits, [[v for v in edges(dtype) if v == v]])


def test_select_takes_a_side_per_element():
    e = Select(ir.LT(Var("a"), Var("b")), Var("a"), ir.Const(9, INT32))
    assert evaluate(e, a=([1, 5], INT32), b=([2, 2], INT32)) == [1, 9]


def test_a_let_binds_its_name_in_its_body():
    inner = ir.Let("t", ir.Mul(Var("a"), Var("a")), ir.Add(Var("t"), Var("t")))
    outer = ir.Let("u", inner, ir.Sub(Var("u"), Var("a")))
    assert evaluate(outer, a=([3, 4], INT32)) == [15, 28]


def test_every_intrinsic_is_known():
    for name, arity in ARITY.items():
        dtype = INT32 if name not in ("sqrt", "is_nan", "is_inf", "is_finite", "multiply_add") else FLOATS[1]
        condition = name == "if_then_else"
        args = [Var("abcd"[k], BOOL if condition and k == 0 else dtype) for k in range(arity)]
        evaluate(Call(name, tuple(args), dtype), **{a.name: ([1], a.dtype) for a in args})


def test_bfloat16_travels_as_sixteen_bits():
    raw = np.arange(0, 1 << 16, 97, dtype=np.uint16)
    assert (to_storage(from_storage(raw, BFLOAT16), BFLOAT16) == raw).all()
    assert from_storage(np.array([0x3F80], UINT16.to_numpy()), BFLOAT16).tolist() == [1.0]


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("name", SAME_TYPE)
def test_one_number_is_computed_like_many(name, dtype):
    for a, b in ((5, 2), (dtype.max, dtype.max - 1), (dtype.min, 3)):
        call = Call(name, (Var("a", dtype), Var("b", dtype)), dtype)
        alone = {n: as_values(np.array(v, object), dtype) for n, v in (("a", a), ("b", b))}
        (got,) = Tape([call]).run(alone, lambda read, index: pytest.fail("nothing is read here"))
        assert got.shape == () and [got.item()] == evaluate(call, a=([a], dtype), b=([b], dtype))
