"""Reads of every second element: each part dense, the same values, nothing outside touched."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import halopy as hl
from halopy.dtypes import FLOAT32, INT32, UINT8, UINT16, DType
from halopy.ir.build import add, mul
from halopy.ir.expr import EQ, Add, Broadcast, Div, Expr, Load, Mod, Ramp, Select, Shuffle, Var, const
from halopy.ir.node import find
from halopy.ir.stmt import For, LetStmt, LoopKind, Store, block
from halopy.lang.snapshot import snapshot
from halopy.lower.pipeline import lower
from halopy.lower.split_lanes import split_lanes
from tests.codegen.guarded import assert_agrees

base = Var("base")


def ramp(start: Expr, stride: int = 1, lanes: int = 8) -> Expr:
    return Ramp(start, const(stride), lanes)


def load(index: Expr, dtype: DType = UINT8, buffer: str = "in") -> Expr:
    return Load(buffer, index, dtype.with_lanes(index.dtype.lanes))


def quotient(index: Expr, divisor: int) -> Expr:
    return Div(index, const(divisor, index.dtype))


def rest(index: Expr, divisor: int) -> Expr:
    return Mod(index, const(divisor, index.dtype))


def out(value: Expr) -> Store:
    return Store("out", ramp(const(0), 1, value.dtype.lanes), value)


half = load(quotient(ramp(base), 2))


def test_half_the_lanes_are_read_at_a_time():
    low, high = quotient(base, 2), quotient(add(base, 1), 2)
    assert split_lanes(out(load(quotient(ramp(base), 2)))) is out(
        Shuffle((load(ramp(low, 1, 4)), load(ramp(high, 1, 4))), (0, 4, 1, 5, 2, 6, 3, 7))
    )


def test_a_choice_by_remainder_is_one_choice_for_each_part():
    index = ramp(base)
    here, there = load(quotient(index, 2)), load(quotient(index, 2), buffer="other")
    split = split_lanes(out(Select(EQ(rest(index, 2), const(0, index.dtype)), here, there)))
    assert isinstance(split.value, Shuffle) and len(split.value.vectors) == 2
    for part in split.value.vectors:
        assert isinstance(part, Select) and isinstance(part.condition, Broadcast)


def test_what_divides_leaves_where_the_loop_shows_it():
    body = LetStmt("base", add(mul(Var("x"), 8), Var("low")), out(half))
    loads = find(split_lanes(For("x", const(0), Var("n"), LoopKind.SERIAL, body)), Load)
    assert {str(load.index.base) for load in loads} == {"((x*4) + (low/2))", "((x*4) + ((low + 1)/2))"}


@pytest.mark.parametrize(
    "value",
    [
        load(ramp(base)),  # dense
        load(ramp(base, 2)),
        load(quotient(ramp(base, 2), 2)),  # all lanes are next to each other
        load(quotient(ramp(base), 7)),  # one lane for each part
        load(Load("at", ramp(base), INT32.with_lanes(8))),
        rest(ramp(base), 2),  # nothing is read
    ],
    ids=str,
)
def test_other_values_stay(value):
    assert split_lanes(out(value)) is out(value)


def test_lanes_are_interleaved_where_dense_ones_meet_them():
    dense = load(ramp(base))
    split = split_lanes(out(Add(dense, half)))
    assert isinstance(split.value, Add) and split.value.a is dense and isinstance(split.value.b, Shuffle)


@pytest.mark.parametrize("lanes", [2, 5, 8, 24, 32, 64])
def test_nothing_beside_the_lanes_is_touched(lanes):
    bodies, inputs, outputs = [], {}, {}
    for dtype, divisor, (stride, start) in product(
        (UINT8, UINT16, FLOAT32), (2, 3, 4), ((1, 0), (1, 1), (3, 1), (-1, lanes))
    ):
        index = quotient(ramp(add(base, start), stride, lanes), divisor)
        last = max(start, start + (lanes - 1) * stride)
        number = len(bodies)
        bodies.append(Store(f"out{number}", ramp(const(0), 1, lanes), load(index, dtype, f"in{number}")))
        inputs[f"in{number}"], outputs[f"out{number}"] = (dtype, last // divisor + 1), (dtype, lanes)
    assert_agrees(split_lanes(block(*bodies)), inputs, outputs, {"base": 0}, width=32)


x, y = hl.Var("x"), hl.Var("y")
TYPES = {"uint8": hl.UInt(8), "uint16": hl.UInt(16), "float32": hl.Float(32), "int64": hl.Int(64)}


def source(dtype: str) -> hl.Buffer:
    values = np.random.default_rng(1).integers(0, 200, (40, 60)).astype(dtype)
    made = hl.Buffer(values)
    made.set_min([-20, -20])
    return made


def upsampled(b: hl.Buffer) -> hl.Func:
    f = hl.Func("f")
    f[x, y] = hl.select(x % 2 == 0, b[x // 2, y // 2], b[x // 2 + 1, y // 2] + b[x // 2, y // 2 + 1])
    return f


def mosaic(b: hl.Buffer) -> hl.Func:
    f = hl.Func("f")
    even, odd = hl.select(x % 2 == 0, b[x, y], b[x + 1, y]), hl.select(x % 2 == 1, b[x, y], b[x - 1, y])
    f[x, y] = hl.select(y % 2 == 0, even, odd)
    return f


def thirds(b: hl.Buffer) -> hl.Func:
    f = hl.Func("f")
    f[x, y] = hl.select(x % 3 == 0, b[(x + 1) // 3, y], x % 3 == 1, b[x // 3 - 1, y], b[x, y])
    return f


def bilinear(b: hl.Buffer) -> hl.Func:
    wide, f = hl.Func("wide"), hl.Func("f")
    wide[x, y] = b[x // 2 - 1 + 2 * (x % 2), y] + 3 * b[x // 2, y]
    f[x, y] = wide[x, y // 2 - 1 + 2 * (y % 2)] + 3 * wide[x, y // 2]
    return f


def mixed(b: hl.Buffer) -> hl.Func:
    f = hl.Func("f")
    f[x, y] = b[x // 2, y] + b[x // 4 + 1, y] * b[x, y] + b[(7 - x) // 2, y] + b[(3 * x + 1) // 4, y]
    return f


VECTORS = [(2, "int64"), (5, "float32"), (8, "float32"), (16, "uint16"), (24, "uint8"), (64, "uint8")]


@pytest.mark.parametrize(("lanes", "dtype"), VECTORS)
@pytest.mark.parametrize("make", [upsampled, mosaic, thirds, bilinear, mixed], ids=lambda f: f.__name__)
def test_any_number_of_lanes_computes_the_same(make, lanes, dtype):
    f = make(source(dtype))
    f.vectorize(x, lanes, hl.TailStrategy.GuardWithIf if lanes > 24 else hl.TailStrategy.Auto)
    for size, low in (((34, 5), (0, 0)), ((33, 4), (-7, -3)), ((37, 3), (-2, 1))):
        got = hl.Buffer(TYPES[dtype], size)
        got.set_min(list(low))
        f.realize(got)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(f.reference(got)))


@pytest.mark.parametrize("make", [upsampled, bilinear], ids=lambda f: f.__name__)
def test_no_lane_is_read_alone(make):
    f = make(source("uint8"))
    f.vectorize(x, 16)
    taken = snapshot([f._contents])
    lowered = lower(taken.program, taken.schedules)
    wide = [load for load in find(lowered.body, Load) if load.dtype.lanes > 1]
    assert wide and all(isinstance(load.index, Ramp | Broadcast) for load in wide)
