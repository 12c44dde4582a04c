"""Every operator and intrinsic on every type, bit for bit as the Halide wheel computes it; and whole programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

pytest.importorskip("halide")

from halopy.dtypes import (
    BFLOAT16,
    BOOL,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT32,
    UINT8,
    UINT16,
    DType,
    Float,
    Int,
    UInt,
)
from halopy.ir import expr as ir
from halopy.ir.expr import Add, Call, Cast, Expr, Mod, Mul, Select, Sub, Var
from halopy.reference import evaluate

from .halide_wheel import HalideProgram
from .programs import domain, func, i32, image, program, read, update, x, y
from .random_programs import programs, regions

INTEGERS = [Int(8), Int(16), Int(32), Int(64), UInt(8), UInt(16), UInt(32), UInt(64)]
FLOATS = [FLOAT16, FLOAT32, FLOAT64]
ARITHMETIC = [ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.Min, ir.Max]
COMPARISONS = [ir.EQ, ir.NE, ir.LT, ir.LE, ir.GT, ir.GE]
r, s = Var("r"), Var("s")
rng = np.random.default_rng(11)


def samples(dtype: DType) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of values: every pair of the edges, then random ones."""
    if dtype.is_float:
        edges = np.array([0, -0.0, 1, -1, 0.5, 2.5, -3.75, 100, 1e-3, 65000], dtype.to_numpy())
        random = rng.normal(0, 30, 200).astype(dtype.to_numpy())
    elif dtype.is_bool:
        edges = random = np.array([False, True])
    else:
        numbers = {0, 1, 2, 3, 7, dtype.max, dtype.max - 1, dtype.max // 2, dtype.min, dtype.min + 1}
        edges = np.array(sorted(numbers | ({-1, -2, -3, -7} if dtype.is_int else set())), dtype.to_numpy())
        random = rng.integers(dtype.min, dtype.max, 200, dtype.to_numpy(), endpoint=True)
        random[::3] = random[::3] % 12
    a, b = (m.ravel() for m in np.meshgrid(edges, edges))
    return np.concatenate([a, random]), np.concatenate([b, rng.permutation(random)])


def agree(values: list[Expr], images: dict[str, np.ndarray], dtypes: dict[str, DType], labels=None, rtol=0.0) -> None:
    """Evaluate the values, functions of x, on both sides."""
    f = func("f", [x], values)
    p = program(f, images={n: (d, 1) for n, d in dtypes.items()})
    arguments = {n: image(a) for n, a in images.items()}
    region = [(0, min(a.size for a in images.values()))]
    ours = evaluate(p, arguments, {}, {"f": region})["f"]
    theirs = HalideProgram(p, arguments).run("f", region)
    for k, (got, want) in enumerate(zip(ours, theirs, strict=True)):
        label = labels[k] if labels else str(values[k])
        assert got.dtype == want.dtype, f"{label}: {got.dtype} and {want.dtype}"
        if rtol:
            np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=rtol, err_msg=label)
            continue
        same = (got == want) | ((got != got) & (want != want))
        at = np.flatnonzero(~same)[:4]
        inputs = {n: a[at].tolist() for n, a in images.items()}
        assert same.all(), f"{label} of {inputs}: {got[at].tolist()}, Halide {want[at].tolist()}"


def operands(dtype: DType) -> tuple[Expr, Expr, dict[str, np.ndarray], dict[str, DType]]:
    a, b = samples(dtype)
    ea, eb = (read(n, x, dtype=dtype) for n in ("a", "b"))
    return ea, eb, {"a": a, "b": b}, {"a": dtype, "b": dtype}


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS], ids=str)
def test_arithmetic_and_comparisons(dtype):
    a, b, images, dtypes = operands(dtype)
    operators = [*ARITHMETIC, *COMPARISONS]
    if dtype.is_float:
        images["b"][images["b"] == 0] = 3
        operators.remove(ir.Mod)
    agree([o(a, b) for o in operators], images, dtypes, [o.__name__ for o in operators])


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_remainders_of_floats_where_no_step_rounds(dtype):
    """Elsewhere Halide may fuse a - b*floor(a/b)."""
    a, b, images, dtypes = operands(dtype)
    for name, steps in (("a", 400), ("b", 24)):
        images[name] = (rng.integers(-steps, steps, 300) / 4).astype(dtype.to_numpy())
    images["b"][images["b"] == 0] = 0.5
    images["a"] = np.round(images["a"] / images["b"]) * images["b"] + images["b"] / 2
    agree([ir.Mod(a, b)], images, dtypes)


def test_bool_logic():
    a, b, images, dtypes = operands(BOOL)
    values = [ir.And(a, b), ir.Or(a, b), ir.Not(a), ir.EQ(a, b), ir.NE(a, b), Select(a, b, ir.Not(b))]
    agree(values, images, dtypes)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_bit_operations(dtype):
    a, b, images, dtypes = operands(dtype)
    images["b"] = (images["b"].astype(np.int64) % dtype.bits).astype(images["b"].dtype)
    if dtype.is_int:
        images["b"][::2] *= -1
    binary = ["bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right"]
    unary = ["bitwise_not", "popcount", "count_leading_zeros", "count_trailing_zeros"]
    values = [Call(n, (a, b), dtype) for n in binary] + [Call(n, (a,), dtype) for n in unary]
    agree(values, images, dtypes, binary + unary)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_fixed_point_intrinsics(dtype):
    a, b, images, dtypes = operands(dtype)
    unsigned = UInt(dtype.bits)
    wide = DType(dtype.code, dtype.bits * 2)
    same = ["saturating_add", "saturating_sub", "halving_add", "halving_sub", "rounding_halving_add"]
    values = [Call(n, (a, b), dtype) for n in same]
    labels = [*same, "absd"]
    values.append(Call("absd", (a, b), unsigned))
    if dtype.is_int:
        values.append(Call("abs", (a,), unsigned))
        labels.append("abs")
    if dtype.bits < 64:
        values += [Call("widening_add", (a, b), wide), Call("widening_mul", (a, b), wide)]
        values.append(Call("widening_sub", (a, b), Int(dtype.bits * 2)))
        labels += ["widening_add", "widening_mul", "widening_sub"]
    agree(values, images, dtypes, labels)


@pytest.mark.parametrize("dtype", [d for d in INTEGERS if d.bits < 64], ids=str)
def test_multiply_and_shift(dtype):
    a, b, images, dtypes = operands(dtype)
    unsigned = UInt(dtype.bits)
    images["q"] = rng.integers(0, dtype.bits, images["a"].size).astype(unsigned.to_numpy())
    dtypes["q"] = unsigned
    q = read("q", x, dtype=unsigned)
    names = ["mul_shift_right", "rounding_mul_shift_right"]
    agree([Call(n, (a, b, q), dtype) for n in names], images, dtypes, names)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_rounding_shifts(dtype):
    a, b, images, dtypes = operands(dtype)
    images["b"] = (images["b"].astype(np.int64) % dtype.bits).astype(images["b"].dtype)
    if dtype.is_int:
        images["b"][::2] *= -1
    names = ["rounding_shift_left", "rounding_shift_right"]
    agree([Call(n, (a, b), dtype) for n in names], images, dtypes, names)


@pytest.mark.parametrize("dtype", [INT32, UINT8, Int(64), Int(8)], ids=str)
def test_division_towards_zero(dtype):
    a, b, images, dtypes = operands(dtype)
    images["b"][images["b"] == 0] = 1
    if dtype.is_int:
        images["b"][images["b"] == -1] = 1  # Halide traps on int_min / -1 here
    names = ["div_round_to_zero", "mod_round_to_zero"]
    agree([Call(n, (a, b), dtype) for n in names], images, dtypes, names)


@pytest.mark.parametrize("source", [BOOL, *INTEGERS, *FLOATS], ids=str)
def test_casts(source):
    a, _, images, dtypes = operands(source)
    targets = [*INTEGERS, *FLOATS]  # to bool, Halide keeps the lowest bit; halopy says != 0
    if source is FLOAT64:
        targets.remove(FLOAT16)  # Halide's JIT lacks the function it calls
    if source.is_float:  # what does not fit is undefined in Halide
        images["a"] = np.clip(np.abs(images["a"]), 0, 100)
    agree([Cast(t, a) for t in targets], images, dtypes, [f"to {t}" for t in targets])


@pytest.mark.parametrize("source", [*INTEGERS, *FLOATS], ids=str)
def test_saturating_casts(source):
    a, _, images, dtypes = operands(source)
    targets = [*INTEGERS, *FLOATS] if source.is_integer else INTEGERS
    agree([Call("saturating_cast", (a,), t) for t in targets], images, dtypes, [f"to {t}" for t in targets])


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_reinterpret_keeps_the_bits(bits):
    source = UInt(bits)
    a, _, images, dtypes = operands(source)
    targets = [Int(bits), *([Float(bits)] if bits > 8 else [])]
    agree([Call("reinterpret", (a,), t) for t in targets], images, dtypes)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_rounding_of_floats(dtype):
    a, _, images, dtypes = operands(dtype)
    images["a"] = np.clip(images["a"], -1000, 1000)  # Halide rounds float16 by way of int16
    names = ["floor", "ceil", "round", "trunc", "abs"]
    tests = ["is_nan", "is_inf", "is_finite"]
    values = [Call(n, (a,), dtype) for n in names] + [Call(n, (a,), BOOL) for n in tests]
    agree(values, images, dtypes, names + tests)


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_mathematical_functions(dtype):
    a, b, images, dtypes = operands(dtype)
    images["a"] = (np.abs(rng.normal(0, 1, 300)) + 1e-3).clip(0, 0.999).astype(dtype.to_numpy())
    images["b"] = rng.normal(0, 2, 300).astype(dtype.to_numpy())
    names = [
        "sqrt",
        "exp",
        "log",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "atanh",
        "erf",
    ]
    names = [n for n in names if n != "erf" or dtype is FLOAT32]
    values = [Call(n, (a,), dtype) for n in names]
    values += [Call("pow", (a, b), dtype), Call("atan2", (a, b), dtype)]
    agree(values, images, dtypes, [*names, "pow", "atan2"], rtol=2e-5 if dtype is FLOAT32 else 1e-12)


def test_bfloat16_is_rounded_at_each_step():
    raw = rng.normal(0, 10, (2, 300)).astype(np.float32).view(np.uint32) >> 16
    images = {n: v.astype(np.uint16) for n, v in zip("ab", raw, strict=True)}
    a, b = (Call("reinterpret", (read(n, x, dtype=UINT16),), BFLOAT16) for n in "ab")
    values = [o(a, b) for o in (Add, Sub, Mul, ir.Div, ir.Min, ir.Max)]
    values = [Call("reinterpret", (v,), UINT16) for v in values]
    agree([*values, Cast(FLOAT32, a), ir.LT(a, b)], images, {"a": UINT16, "b": UINT16})


picture = rng.integers(0, 256, (13, 17), dtype=np.uint8)


def pixel(a, b):
    return Cast(INT32, read("in", a, b, dtype=UINT8))


def program_agrees(p, name, region, images=None):
    ours = evaluate(p, images or {}, {}, {name: region})[name]
    theirs = HalideProgram(p, images or {}).run(name, region)
    for got, want in zip(ours, theirs, strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        assert (got == want).all(), f"{got}\nHalide:\n{want}"


IN = {"images": {"in": (UINT8, 2)}}


def test_a_stencil_over_a_shifted_image():
    f = func("f", [x, y], Add(pixel(Sub(x, i32(1)), y), Mul(pixel(x, Add(y, i32(1))), i32(3))))
    g = func("g", [x, y], Sub(read(f, Add(x, i32(2)), y), read(f, x, Sub(y, i32(1)))))
    program_agrees(program(f, g, **IN), "g", [(-3, 9), (105, 6)], {"in": image(picture, -6, 102)})


def test_a_histogram_and_its_cumulative_sum():
    h = func(
        "h", [x], i32(0), update([pixel(r, s)], Add(read("h", pixel(r, s)), i32(1)), domain(("r", 0, 17), ("s", 0, 13)))
    )
    c = func("c", [x], read(h, x), update([r], Add(read("c", Sub(r, i32(1))), read("c", r)), domain(("r", 1, 255))))
    program_agrees(program(h, c, **IN), "c", [(0, 256)], {"in": image(picture)})


def test_a_recursive_filter_down_and_up():
    down = update([x, r], Add(Mul(read("f", x, Sub(r, i32(1))), i32(3)), read("f", x, r)), domain(("r", 1, 12)))
    up = Sub(i32(11), r)
    back = update([x, up], Sub(read("f", x, Add(up, i32(1))), read("f", x, up)), domain(("r", 0, 12)))
    f = func("f", [x, y], pixel(x, y), down, back)
    program_agrees(program(f, **IN), "f", [(0, 17), (0, 13)], {"in": image(picture)})


def test_scattered_writes_in_order():
    value = Add(r, Mul(s, i32(100)))
    cell = Mod(Add(Mul(r, i32(5)), Mul(s, i32(3))), i32(7))
    f = func("f", [x, y], Add(x, y), update([cell, y], Add(value, y), domain(("r", -3, 8), ("s", 2, 5))))
    program_agrees(program(f), "f", [(0, 7), (-2, 4)])


def test_a_triangular_reduction_with_a_pure_variable_in_the_predicate():
    where = ir.And(ir.LE(r, s), ir.LT(r, x))
    new = Add(Mul(read("f", x), i32(3)), Sub(s, r))
    f = func("f", [x], x, update([x], new, domain(("r", 0, 6), ("s", 0, 6), where=where)))
    program_agrees(program(f), "f", [(-1, 9)])


def test_tuples_updated_simultaneously_and_an_argmax():
    a, b = read("f", x, element=0), read("f", x, element=1)
    better = ir.LT(b, pixel(r, x))
    best = update([x], (Select(better, r, a), Select(better, pixel(r, x), b)), domain(("r", 0, 17)))
    swap = update([x], (b, Add(Sub(a, b), r)), domain(("r", 0, 3)))
    f = func("f", [x], (i32(0), i32(-1)), best, swap)
    program_agrees(program(f, **IN), "f", [(2, 9)], {"in": image(picture)})


def test_float_sums_in_order():
    values = rng.normal(0, 1, 200).astype(np.float32)
    f = func(
        "f",
        [],
        Cast(FLOAT32, i32(0)),
        update([], Add(read("f", dtype=FLOAT32), read("in", r, dtype=FLOAT32)), domain(("r", 0, 200))),
    )
    program_agrees(program(f, images={"in": (FLOAT32, 1)}), "f", [], {"in": image(values)})


def test_undefined_values_are_not_stored():
    undefined = Call("undef", (), INT32)
    f = func("f", [x], x, update([x], Select(ir.LT(x, i32(3)), undefined, i32(9))))
    program_agrees(program(f), "f", [(0, 6)])


@given(programs(), regions)
@settings(max_examples=15, deadline=None)
def test_random_programs(p, region):
    (name,) = p.outputs
    (got,) = evaluate(p, {}, {}, {name: region})[name]
    halide = HalideProgram(p, {})
    for func_name in p.functions:
        halide.funcs[func_name].compute_root()
    (want,) = halide.run(name, region)
    assert (got == want).all(), f"{got}\nHalide:\n{want}"
