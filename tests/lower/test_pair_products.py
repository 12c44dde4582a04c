"""Products of small integers are added in pairs, and every sum keeps its value."""

from __future__ import annotations

import numpy as np
import pytest

from halopy.dtypes import INT8, INT16, INT32, UINT8, UINT16
from halopy.ir.build import add, mul
from halopy.ir.expr import Broadcast, Call, Cast, Load, Ramp, const
from halopy.ir.node import find
from halopy.ir.stmt import Block, Store
from halopy.lower.pair_products import pair_products

from .interpreter import execute

LANES = 64
WIDE = INT32.with_lanes(LANES)


def operand(name, dtype):
    return Cast(WIDE, Load(name, Ramp(const(0), const(1), LANES), dtype.with_lanes(LANES)))


def weight(position, dtype=INT16):
    return Broadcast(Cast(INT32, Load("weights", const(position), dtype)), LANES)


A, B, C, U8, I8 = (operand(*given) for given in (("a", INT16), ("b", INT16), ("c", INT16), ("p", UINT8), ("q", INT8)))
W = operand("w", UINT16)
PAIRED = {
    "two products": (1, add(mul(A, B), mul(C, A))),
    "weights": (1, add(mul(A, weight(0)), mul(B, weight(1)))),
    "bytes": (1, add(mul(U8, I8), mul(U8, U8))),
    "constants": (1, add(mul(A, 300), mul(B, -7))),
    "three products and a number": (
        2,
        add(add(add(mul(A, weight(0)), mul(B, weight(1))), mul(C, weight(2))), weight(3)),
    ),
    "three products": (1, add(add(mul(A, B), mul(B, C)), mul(C, A))),
    "four products and more": (2, add(add(add(mul(A, B), mul(B, C)), mul(C, A)), add(mul(A, A), add(W, I8)))),
}
LEFT = {
    "one product": add(mul(A, B), W),
    "factors of more bits": add(mul(W, A), mul(W, B)),
    "constants of more bits": add(mul(A, 40000), mul(B, 40000)),
    "sums of factors": add(mul(add(A, B), C), mul(add(A, C), B)),
}


def outcome(stmt):
    rng = np.random.default_rng(0)
    ends = {"a": INT16, "b": INT16, "c": INT16, "p": UINT8, "q": INT8, "w": UINT16, "weights": INT16}
    memory = {
        n: rng.choice([t.min, t.max, *rng.integers(t.min, t.max, 9)], LANES).astype(t.to_numpy())
        for n, t in ends.items()
    }
    memory["out"] = np.zeros(LANES, np.int32)
    execute(stmt, memory)
    return memory["out"]


def stored(value):
    return Store("out", Ramp(const(0), const(1), LANES), value)


@pytest.mark.parametrize("name", PAIRED)
def test_products_are_paired_and_keep_every_value(name):
    count, value = PAIRED[name]
    after = pair_products(stored(value))
    assert len([call for call in find(after, Call) if call.name == "sum_of_products"]) == count
    assert np.array_equal(outcome(after), outcome(stored(value)))


@pytest.mark.parametrize("name", LEFT)
def test_what_no_instruction_does_is_left(name):
    store = stored(LEFT[name])
    assert pair_products(store) is store


def test_sums_over_the_same_factors_bring_them_together_once():
    rows = [add(add(mul(weight(k), C), mul(A, weight(k + 1))), mul(B, weight(k + 2))) for k in (0, 3)]
    one, other = (call.args for call in find(pair_products(Block((stored(rows[0]), stored(rows[1])))), Call))
    assert (one[0], one[2]) == (other[0], other[2])
