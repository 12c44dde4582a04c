"""Stores one after the other that compute the same of memory: it is computed once, unless memory changed between."""

from __future__ import annotations

import numpy as np
import pytest

from halopy.dtypes import BOOL, INT32
from halopy.ir.build import add
from halopy.ir.expr import Add, Call, Expr, Let, Load, Mul, Ramp, Var, const
from halopy.ir.stmt import LetStmt, Store, block
from halopy.lower.share_between_stores import share_between_stores

from .interpreter import execute

WIDE = INT32.with_lanes(4)
x = Var("x")


def ramp(base: Expr) -> Expr:
    return Ramp(base, const(1), 4)


def read(offset: int = 0, buffer: str = "in") -> Expr:
    return Load(buffer, ramp(add(x, offset)), WIDE)


def store(value: Expr, offset: int = 0, buffer: str = "out") -> Store:
    return Store(buffer, ramp(const(offset)), value)


square = Mul(read(), read())
shared = Var("shared.0", WIDE)


def test_the_greatest_common_part_gets_a_name():
    before = block(store(Add(square, read(1))), store(Mul(square, square), 4))
    assert share_between_stores(before) is LetStmt(
        "shared.0", square, block(store(Add(shared, read(1))), store(Mul(shared, shared), 4))
    )


def test_a_part_of_a_common_part_gets_a_name_where_it_is_used_alone():
    before = block(store(square), store(read(), 4), store(Add(square, read(1)), 8))
    within = Var("shared.1", WIDE)
    assert share_between_stores(before) is LetStmt(
        "shared.0",
        read(),
        LetStmt(
            "shared.1", Mul(shared, shared), block(store(within), store(shared, 4), store(Add(within, read(1)), 8))
        ),
    )


def test_what_two_common_parts_are_made_of_gets_a_name_too():
    total, product = Add(read(), read(1)), Mul(read(), read(1))
    after = share_between_stores(block(store(total), store(product, 4), store(Mul(total, product), 8)))
    first, second = Var("shared.0", WIDE), Var("shared.1", WIDE)
    names = {"shared.2": Add(first, second), "shared.3": Mul(first, second)}
    assert isinstance(after, LetStmt) and after.value in (read(), read(1))
    lets = {}
    while isinstance(after, LetStmt):
        lets[after.name], after = after.value, after.body
    assert set(lets.values()) >= {read(), read(1)} and set(names.values()) & set(lets.values())


def test_the_name_stands_before_the_first_use():
    after = share_between_stores(block(store(read(1)), store(square, 4), store(square, 8)))
    assert after is block(store(read(1)), LetStmt("shared.0", square, block(store(shared, 4), store(shared, 8))))


def test_what_a_store_between_may_change_is_computed_again():
    before = block(store(read()), store(read(), 0, "in"), store(read(), 4))
    after = share_between_stores(before)
    assert after is LetStmt("shared.0", read(), block(store(shared), store(shared, 0, "in"), store(read(), 4)))
    for stmt in (before, after):
        buffers = {"in": np.arange(8, dtype=np.int32), "out": np.zeros(8, np.int32)}
        execute(stmt, buffers, {"x": 2})
        assert buffers["out"].tolist() == [2, 3, 4, 5, 4, 5, 4, 5]


@pytest.mark.parametrize(
    "value",
    [
        Mul(ramp(x), ramp(x)),  # reads no memory: constants of C do
        Let("t", x, Load("in", ramp(Var("t")), WIDE)),
    ],
    ids=str,
)
def test_what_costs_nothing_or_is_not_what_it_seems_stays(value):
    before = block(store(value), store(value, 4))
    assert share_between_stores(before) is before


def test_what_may_not_be_read_at_all_stays():
    chosen = Call("if_then_else", (Var("c", BOOL), read(), ramp(x)), WIDE)
    before = block(store(chosen), store(Add(read(), read()), 4))
    assert share_between_stores(before) is before


def test_what_is_made_of_names_bound_for_one_store_stays():
    def bound(value: int, offset: int) -> LetStmt:
        return LetStmt("t", const(value), store(Load("in", ramp(Var("t")), WIDE), offset))

    before = block(bound(0, 0), bound(1, 4))
    assert share_between_stores(before) is before


def test_lets_around_stores_share_their_values():
    after = share_between_stores(block(LetStmt("t", square, store(Var("t", WIDE))), store(square, 4)))
    assert after is LetStmt("shared.0", square, block(LetStmt("t", shared, store(Var("t", WIDE))), store(shared, 4)))
