"""Every operator on every type, scalar and in vectors of many widths, against exact evaluation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from halopy.codegen.c import print_c
from halopy.dtypes import ALL_SCALARS, BFLOAT16, BOOL, FLOAT32, FLOAT64, INT32, Code, DType, Int, UInt
from halopy.ir import expr as e
from halopy.ir.expr import Call, Cast, Expr, Max, Min, Mul, const, round_to
from halopy.ir.fold import fold_binary, fold_call, fold_cast

from .compiled import COMPILERS, WIDTHS, argument, elementwise, run

NUMBERS = [d for d in (*ALL_SCALARS, BFLOAT16) if not d.is_bool]
INTEGERS = [d for d in NUMBERS if d.is_integer]
FLOATS = [d for d in NUMBERS if d.is_float]
LANES = [1, 4, 7, 64]
TOTAL = 64 * 7


def samples(dtype: DType, seed: int) -> list[int | float]:
    """Edge cases first, in an order that differs by seed so that pairs meet, then random values."""
    rng = np.random.default_rng(seed)
    if dtype.is_bool:
        return [int(v) for v in rng.integers(0, 2, TOTAL)]
    if dtype.is_float:
        edges = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.7, -3.7, 1e9, -1e9, 300.0, -300.0, 127.5, 255.5, 65535.5,
                 2.0**31, -(2.0**31), 2.0**32, 2.0**63, -(2.0**63), 2.0**64, math.inf, -math.inf,
                 math.nan, 1e-30]  # fmt: skip
        rest = [float(v) for v in rng.normal(scale=100.0, size=TOTAL)]
    else:
        edges = [dtype.min, dtype.max, 0, 1, 2, 3, 7, dtype.max - 1, dtype.min + 1, dtype.max // 2, 100]
        edges += [-1, -2, -7] if dtype.is_int else []
        rest = [dtype.wrap(int(v)) for v in rng.integers(-(1 << 62), 1 << 62, TOTAL)]
    pairs = [pair[seed % 2] for pair in itertools.product(edges, edges)][: TOTAL * 3 // 4]
    values = [*pairs, *rest][:TOTAL]
    return [round_to(float(v), dtype) if dtype.is_float else int(v) for v in values]


def array_of(values: list[int | float], dtype: DType) -> np.ndarray:
    if dtype.code == Code.BFLOAT:
        wide = np.array(values, np.float32).view(np.uint32)
        return (wide >> 16).astype(np.uint16)
    with np.errstate(over="ignore"):
        return np.array(values, dtype.to_numpy())


def values_of(array: np.ndarray, dtype: DType) -> list[int | float]:
    if dtype.code == Code.BFLOAT:
        return [float(v) for v in (array.astype(np.uint32) << 16).view(np.float32)]
    return [float(v) if dtype.is_float else int(v) for v in array]


def check(
    name: str,
    got: np.ndarray,
    wanted: list[int | float],
    dtype: DType,
    inputs: list[list[int | float]],
    tolerance: float = 0.0,
) -> None:
    for k, (value, right) in enumerate(zip(values_of(got, dtype), wanted, strict=True)):
        same = value == right or (value != value and right != right)
        if not same and tolerance and math.isfinite(right):
            same = abs(value - right) <= tolerance * max(1.0, abs(right))
        assert same, f"{name}({', '.join(str(i[k]) for i in inputs)}) gave {value}, should be {right}"


def evaluate(
    results: dict[str, Expr], inputs: dict[str, DType], lanes: int, compiler: str, width: int = 64
) -> dict[str, np.ndarray]:
    arrays = {n: array_of(samples(d, k), d) for k, (n, d) in enumerate(inputs.items())}
    outputs = {n: np.zeros(TOTAL, x.dtype.element.to_numpy()) for n, x in results.items()}
    code, _ = run(elementwise(results, inputs, lanes, TOTAL), {**arrays, **outputs}, compiler=compiler, width=width)
    assert code == 0
    return outputs


BINARY = [e.Add, e.Sub, e.Mul, e.Div, e.Mod, e.Min, e.Max, *e.COMPARISONS]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", [*NUMBERS, BOOL], ids=str)
def test_binary_operators(dtype: DType, lanes: int, compiler: str) -> None:
    if skips_float16(dtype, compiler):
        pytest.skip("no _Float16 in this compiler")
    a, b = argument("a", dtype, lanes), argument("b", dtype, lanes)
    operators = [*BINARY, *((e.And, e.Or) if dtype.is_bool else ())]
    results = {op.__name__.lower() + "_": op(a, b) for op in operators}
    outputs = evaluate(results, {"a": dtype, "b": dtype}, lanes, compiler)
    x, y = samples(dtype, 0), samples(dtype, 1)
    for op in operators:
        if op is e.Mod and dtype.is_float:
            continue  # rounds in between; test_float_mod has it
        result = results[op.__name__.lower() + "_"].dtype.element
        wanted = [fold_binary(op, p, q, dtype) for p, q in zip(x, y, strict=True)]
        check(op.__name__, outputs[op.__name__.lower() + "_"], wanted, result, [x, y])


def skips_float16(dtype: DType, compiler: str) -> bool:
    return dtype.code == Code.FLOAT and dtype.bits == 16 and compiler == "clang"


DIVISORS = [1, 2, 3, 5, 7, 8, 10, 16, 64, 100, 127, 255, 641, 1000, 32768, 65535, -1, -2, -3, -8, -100]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", [1, 7, 64])
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_division_by_constants(dtype: DType, lanes: int, compiler: str) -> None:
    a = argument("a", dtype, lanes)
    divisors = [d for d in [*DIVISORS, dtype.min, dtype.max] if dtype.can_hold(d)]
    results: dict[str, Expr] = {}
    for k, d in enumerate(divisors):
        results[f"div{k}"] = e.Div(a, const(d, dtype.with_lanes(lanes)))
        results[f"mod{k}"] = e.Mod(a, const(d, dtype.with_lanes(lanes)))
    outputs = evaluate(results, {"a": dtype}, lanes, compiler)
    x = samples(dtype, 0)
    for k, d in enumerate(divisors):
        for name, op in ((f"div{k}", e.Div), (f"mod{k}", e.Mod)):
            check(f"{op.__name__} by {d}", outputs[name], [fold_binary(op, v, d, dtype) for v in x], dtype, [x])


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("source", [*NUMBERS, BOOL], ids=str)
def test_casts(source: DType, lanes: int, compiler: str) -> None:
    if skips_float16(source, compiler):
        pytest.skip("no _Float16 in this compiler")
    targets = [d for d in (*NUMBERS, BOOL) if not skips_float16(d, compiler)]
    a = argument("a", source, lanes)
    results: dict[str, Expr] = {f"to_{t}_": Cast(t.with_lanes(lanes), a) for t in targets}
    results |= {f"sat_{t}_": Call("saturating_cast", (a,), t.with_lanes(lanes)) for t in targets if not t.is_bool}
    outputs = evaluate(results, {"a": source}, lanes, compiler)
    x = samples(source, 0)
    for t in targets:
        check(f"cast to {t}", outputs[f"to_{t}_"], [fold_cast(v, source, t) for v in x], t, [x])
        if not t.is_bool:
            wanted = [fold_call("saturating_cast", [v], [source], t) for v in x]
            check(f"saturating cast to {t}", outputs[f"sat_{t}_"], wanted, t, [x])


@pytest.mark.parametrize("lanes", [4, 7, 64])
@pytest.mark.parametrize("source", [FLOAT32, FLOAT64], ids=str)
def test_a_float_that_is_clamped_already_is_converted_as_it_is(source: DType, lanes: int) -> None:
    wide, a = source.with_lanes(lanes), argument("a", source, lanes)
    targets = [UInt(8), Int(16), Int(32)]
    clamped = {t: Max(Min(a, const(100.5, wide)), const(-100.5 if t.is_int else 0.0, wide)) for t in targets}
    results: dict[str, Expr] = {f"to_{t}_": Cast(t.with_lanes(lanes), value) for t, value in clamped.items()}
    text = print_c(elementwise(results, {"a": source}, lanes, TOTAL), WIDTHS[64]).text
    assert "_range_" not in text
    outputs = evaluate(results, {"a": source}, lanes, "gcc")
    x = samples(source, 0)
    for t in targets:
        least = -100.5 if t.is_int else 0.0
        wanted = [fold_cast(fold_binary(Max, fold_binary(Min, v, 100.5, source), least, source), source, t) for v in x]
        check(f"clamped cast to {t}", outputs[f"to_{t}_"], wanted, t, [x])


@pytest.mark.parametrize("lanes", [7, 32, 64])
@pytest.mark.parametrize("target", [UInt(8), Int(8), UInt(16), Int(16)], ids=str)
def test_a_float_of_known_size_is_clamped_by_packing_it(target: DType, lanes: int) -> None:
    wide = FLOAT32.with_lanes(lanes)
    scaled = Mul(Cast(wide, argument("a", Int(16), lanes)), const(2.5, wide))
    clamped = Max(Min(scaled, const(float(target.max), wide)), const(float(target.min), wide))
    result = Cast(target.with_lanes(lanes), clamped)
    outputs = evaluate({"out": result}, {"a": Int(16)}, lanes, "gcc")
    x = samples(Int(16), 0)
    wanted = [min(max(math.trunc(v * 2.5), target.min), target.max) for v in x]
    check("clamped cast", outputs["out"], wanted, target, [x])
    text = print_c(elementwise({"out": result}, {"a": Int(16)}, lanes, TOTAL), WIDTHS[64]).text
    assert ("= pack_" in text or "(pack_" in text or ", pack_" in text) == (lanes * target.bits % 512 == 0)


def integer_calls(dtype: DType, lanes: int) -> dict[str, tuple[str, tuple[Expr, ...], DType]]:
    a, b = argument("a", dtype, lanes), argument("b", dtype, lanes)
    vec = dtype.with_lanes(lanes)
    unsigned = vec.with_code(Code.UINT)
    calls: dict[str, tuple[str, tuple[Expr, ...], DType]] = {}
    for name in ("bitwise_and bitwise_or bitwise_xor saturating_add saturating_sub halving_add halving_sub "
                 "rounding_halving_add div_round_to_zero mod_round_to_zero").split():  # fmt: skip
        calls[name] = (name, (a, b), vec)
    for name in "bitwise_not popcount count_leading_zeros count_trailing_zeros".split():
        calls[name] = (name, (a,), vec)
    calls["abs"] = ("abs", (a,), unsigned)
    calls["absd"] = ("absd", (a, b), unsigned)
    if dtype.bits < 64:
        wide = vec.with_bits(2 * dtype.bits)
        calls["sum_of_products"] = ("sum_of_products", (a, b, b, b), wide)
        if dtype.bits == 16:
            same = [const(v, vec) for v in (dtype.max, dtype.min)]
            calls["sum_of_scaled"] = ("sum_of_products", (a, same[0], b, same[1]), wide)
        calls["widening_add"] = ("widening_add", (a, b), wide)
        calls["widening_mul"] = ("widening_mul", (a, b), wide)
        calls["widening_sub"] = ("widening_sub", (a, b), wide.with_code(Code.INT))
    return calls


def skipped_shift(dtype: DType) -> int:
    return dtype.bits + 3


def shift_calls(dtype: DType, lanes: int) -> dict[str, tuple[str, tuple[Expr, ...], DType]]:
    a, vec = argument("a", dtype, lanes), dtype.with_lanes(lanes)
    calls: dict[str, tuple[str, tuple[Expr, ...], DType]] = {}
    for name in ("shift_left", "shift_right", "rounding_shift_left", "rounding_shift_right"):
        calls[name] = (name, (a, argument("c", Int(dtype.bits), lanes)), vec)
        calls[name + "_u"] = (name, (a, argument("d", UInt(dtype.bits), lanes)), vec)
        for amount in (0, 1, dtype.bits - 1, dtype.bits, dtype.bits + 1, -1, -dtype.bits):
            constant = const(amount, Int(dtype.bits, lanes))
            calls[f"{name}_by_{amount + 100}"] = (name, (a, constant), vec)
    if dtype.bits < 64:
        b = argument("b", dtype, lanes)
        for name in ("mul_shift_right", "rounding_mul_shift_right"):
            for amount in (1, dtype.bits, 2 * dtype.bits - 1):
                calls[f"{name}_{amount}"] = (name, (a, b, const(amount, UInt(dtype.bits, lanes))), vec)
            calls[name + "_v"] = (name, (a, b, argument("d", UInt(dtype.bits), lanes)), vec)
    return calls


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_intrinsics(dtype: DType, lanes: int, compiler: str) -> None:
    calls = integer_calls(dtype, lanes)
    check_calls(calls, {"a": dtype, "b": dtype}, [samples(dtype, 0), samples(dtype, 1)], lanes, compiler)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", [1, 7, 64])
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_shifts(dtype: DType, lanes: int, compiler: str) -> None:
    amounts = [int(v) for v in np.random.default_rng(5).integers(-dtype.bits - 2, dtype.bits + 3, TOTAL)]
    amounts = [max(-128, min(127, v)) for v in amounts]
    positive = [abs(v) for v in amounts]
    inputs = {"a": dtype, "b": dtype, "c": Int(dtype.bits), "d": UInt(dtype.bits)}
    check_calls(
        shift_calls(dtype, lanes), inputs, [samples(dtype, 0), samples(dtype, 1), amounts, positive], lanes, compiler
    )


def check_calls(
    calls: dict[str, tuple[str, tuple[Expr, ...], DType]],
    inputs: dict[str, DType],
    columns: list[list[int | float]],
    lanes: int,
    compiler: str,
    tolerance: float = 0.0,
) -> None:
    results = {n + "_": Call(name, args, result) for n, (name, args, result) in calls.items()}
    arrays = {n: array_of(column, d) for (n, d), column in zip(inputs.items(), columns, strict=True)}
    outputs = {n: np.zeros(TOTAL, x.dtype.element.to_numpy()) for n, x in results.items()}
    code, _ = run(elementwise(results, inputs, lanes, TOTAL), {**arrays, **outputs}, compiler=compiler)
    assert code == 0
    by_name = dict(zip(inputs, columns, strict=True))
    for n, (name, args, result) in calls.items():
        used = [by_name[arg.buffer] if isinstance(arg, e.Load) else [e.const_value(arg)] * TOTAL for arg in args]
        types = [arg.dtype.element for arg in args]
        wanted = [fold_call(name, row, types, result.element) for row in zip(*used, strict=True)]
        check(n, outputs[n + "_"], wanted, result.element, used, tolerance)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_float_rounding_and_classes(dtype: DType, lanes: int, compiler: str) -> None:
    if skips_float16(dtype, compiler):
        pytest.skip("no _Float16 in this compiler")
    a, b, vec = argument("a", dtype, lanes), argument("b", dtype, lanes), dtype.with_lanes(lanes)
    calls = {n: (n, (a,), vec) for n in ("floor", "ceil", "round", "trunc", "abs", "sqrt", "strict_float", "likely")}
    calls |= {n: (n, (a,), BOOL.with_lanes(lanes)) for n in ("is_nan", "is_inf", "is_finite")}
    calls |= {n: (n, (a, b), vec) for n in ("absd", "saturating_add", "saturating_sub")}
    check_calls(calls, {"a": dtype, "b": dtype}, [samples(dtype, 0), samples(dtype, 1)], lanes, compiler)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", [1, 7, 16])
@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_transcendental_functions(dtype: DType, lanes: int, compiler: str) -> None:
    a, b, vec = argument("a", dtype, lanes), argument("b", dtype, lanes), dtype.with_lanes(lanes)
    calls = {
        n: (n, (a,), vec) for n in "exp log sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf".split()
    }
    calls |= {n: (n, (a, b), vec) for n in ("pow", "atan2", "hypot", "fmod")}
    calls["fma"] = ("fma", (a, b, a), vec)
    rng = np.random.default_rng(1)
    columns = [[round_to(float(v), dtype) for v in rng.uniform(0.1, 0.9, TOTAL)] for _ in range(2)]
    check_calls(calls, {"a": dtype, "b": dtype}, columns, lanes, compiler, tolerance=1e-6)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("width", [16, 32])
@pytest.mark.parametrize("dtype", [UInt(8), UInt(16), INT32, FLOAT32], ids=str)
def test_narrow_registers_give_the_same(dtype: DType, width: int, compiler: str) -> None:
    a, b = argument("a", dtype, 64), argument("b", dtype, 64)
    results = {op.__name__.lower() + "_": op(a, b) for op in BINARY}
    outputs = evaluate(results, {"a": dtype, "b": dtype}, 64, compiler, width)
    again = evaluate(results, {"a": dtype, "b": dtype}, 64, compiler, 64)
    for name in results:
        np.testing.assert_array_equal(outputs[name], again[name])


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("dtype", [*NUMBERS, BOOL], ids=str)
def test_select_and_logic(dtype: DType, lanes: int, compiler: str) -> None:
    if skips_float16(dtype, compiler):
        pytest.skip("no _Float16 in this compiler")
    a, b = argument("a", dtype, lanes), argument("b", dtype, lanes)
    p, q = argument("p", INT32, lanes), argument("q", Int(8), lanes)
    positive, even = e.GT(p, const(0, p.dtype)), e.EQ(e.Mod(q, const(2, q.dtype)), const(0, q.dtype))
    both = e.And(positive, e.Not(even))
    results = {"one": e.Select(positive, a, b), "two": e.Select(e.Or(both, even), b, a), "flag": both}
    inputs = {"a": dtype, "b": dtype, "p": INT32, "q": Int(8)}
    outputs = evaluate(results, inputs, lanes, compiler)
    x, y, c, d = (samples(t, k) for k, t in enumerate(inputs.values()))
    yes = [int(u > 0) for u in c]
    mixed = [int(u > 0 and v % 2 == 1) for u, v in zip(c, d, strict=True)]
    check("select", outputs["one"], [i if w else j for w, i, j in zip(yes, x, y, strict=True)], dtype, [x, y])
    check("flag", outputs["flag"], mixed, BOOL, [c, d])
    choose = [m or v % 2 == 0 for m, v in zip(mixed, d, strict=True)]
    check("select both", outputs["two"], [j if w else i for w, i, j in zip(choose, x, y, strict=True)], dtype, [x, y])


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_a_number_by_itself(dtype: DType) -> None:
    for lanes in (1, 4, 8, 64):
        a = argument("a", dtype, lanes)
        arrays = {
            "a": array_of(samples(dtype, 0), dtype),
            "div_": np.zeros(TOTAL, dtype.to_numpy()),
            "mod_": np.ones(TOTAL, dtype.to_numpy()),
        }
        code, _ = run(
            elementwise({"div_": e.Div(a, a), "mod_": e.Mod(a, a)}, {"a": dtype}, lanes, TOTAL), arrays, flags=("-O3",)
        )
        assert code == 0
        np.testing.assert_array_equal(arrays["div_"], (arrays["a"] != 0).astype(dtype.to_numpy()))
        assert not arrays["mod_"].any()
