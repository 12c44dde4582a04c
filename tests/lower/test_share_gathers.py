"""Gathers at neighbouring indices become one load of what lies side by side, and nothing else is read."""

from __future__ import annotations

import pytest

import halopy as hl
from halopy.dtypes import FLOAT32, INT32, UINT8
from halopy.ir.build import add
from halopy.ir.expr import LT, Add, Broadcast, Call, Load, Mul, Ramp, Shuffle, Var, const
from halopy.ir.node import find
from halopy.ir.stmt import Store
from halopy.lower.share_gathers import share_gathers

LANES = 16
ANY = Load("at", Ramp(const(0), const(1), LANES), INT32.with_lanes(LANES))


def every(value):
    return Broadcast(value if not isinstance(value, int) else const(value), LANES)


def gather(index, dtype=FLOAT32):
    return Load("table", index, dtype.with_lanes(LANES))


def stored(value):
    return Store("out", Ramp(const(0), const(1), LANES), value)


def loads(stmt):
    return {load.index for load in find(share_gathers(stmt), Load) if load.buffer == "table"}


def together(index, count):
    return Ramp(index, every(1), count)


def test_two_neighbours_are_halves_of_one_load():
    first, second = gather(ANY), gather(Add(ANY, every(1)))
    rows = Load("table", together(ANY, 2), FLOAT32.with_lanes(2 * LANES))
    halves = Shuffle((rows,), tuple(range(LANES))), Shuffle((rows,), tuple(range(LANES, 2 * LANES)))
    assert share_gathers(stored(Add(first, second))) is stored(Add(*halves))


def test_four_neighbours_are_one_load_and_the_fifth_is_left():
    total = gather(ANY)
    for n in (3, 1, 4, 2):
        total = Add(total, gather(Add(ANY, every(n))))
    assert loads(stored(total)) == {together(ANY, 4), Add(ANY, every(4))}


@pytest.mark.parametrize(
    "far",
    [
        Add(Add(ANY, every(Var("row"))), every(1)),
        Add(ANY, every(Add(Var("row"), const(1)))),
        Add(every(Add(Var("row"), const(1))), ANY),
    ],
)
def test_what_all_lanes_have_in_common_is_seen_through(far):
    near = Add(ANY, every(Var("row")))
    assert loads(stored(Add(gather(near), gather(far)))) == {together(near, 2)}


def test_a_ramp_within_an_index_may_start_one_later():
    steps = [Ramp(Add(Var("x"), const(n)), const(8), LANES) for n in (0, 1)]
    near, far = (Add(ANY, step) for step in steps)
    assert loads(stored(Add(gather(near), gather(far)))) == {together(near, 2)}


@pytest.mark.parametrize(
    "value",
    [
        Add(gather(ANY), gather(Add(ANY, every(2)))),
        Add(gather(ANY), gather(Add(Mul(ANY, every(2)), every(1)))),
        add(gather(ANY, UINT8), gather(Add(ANY, every(1)), UINT8)),
        Call("if_then_else", (LT(ANY, every(3)), gather(ANY), gather(Add(ANY, every(1)))), FLOAT32.with_lanes(LANES)),
    ],
    ids=["a gap", "another index", "bytes", "a choice"],
)
def test_other_gathers_are_left(value):
    assert share_gathers(stored(value)) is stored(value)


@pytest.mark.parametrize("lanes", [8, 16, 32])
@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_interpolation_in_a_table_is_the_same_as_without_vectors(count, lanes):
    def blended(vectors):
        x = hl.Var("x")
        table, out = hl.Func("table"), hl.Func("out")
        table[x] = hl.f32(x * x % 37)
        at = (x * 7) % 23
        out[x] = hl.f32(0)
        out[x] += sum(table[at + n] * (n + 1.0) for n in range(count))
        table.compute_root()
        if vectors:
            out.update().vectorize(x, lanes)
        return list(out.realize([67]))

    assert blended(vectors=True) == blended(vectors=False)
