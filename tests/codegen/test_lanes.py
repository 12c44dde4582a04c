"""Shuffles, broadcasts, slices and reductions over lanes, against the interpreter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from halopy.dtypes import BOOL, FLOAT32, FLOAT64, INT32, UINT8, UINT16, DType
from halopy.ir.expr import GT, Broadcast, Expr, Load, Ramp, Select, Shuffle, VectorReduce, const
from halopy.ir.stmt import Store, block

from .guarded import assert_agrees

TYPES = [UINT8, UINT16, FLOAT32, BOOL]


def dense(buffer: str, dtype: DType, lanes: int) -> Load:
    return Load(buffer, Ramp(const(0), const(1), lanes), dtype.with_lanes(lanes))


def place(lanes: int) -> Expr:
    return const(0) if lanes == 1 else Ramp(const(0), const(1), lanes)


def check(value: Expr, dtype: DType, lanes: int, width: int = 64) -> None:
    check_all([value], dtype, lanes, width)


def check_all(values: Sequence[Expr], dtype: DType, lanes: int, width: int = 64) -> None:
    """Several expressions of a and b, compiled together."""
    stores = [Store(f"out{k}", place(value.dtype.lanes), value) for k, value in enumerate(values)]
    outputs = {f"out{k}": (value.dtype.element, value.dtype.lanes) for k, value in enumerate(values)}
    assert_agrees(block(*stores), {"a": (dtype, lanes), "b": (dtype, lanes)}, outputs, width=width)


@pytest.mark.parametrize("width", [16, 64])
@pytest.mark.parametrize("lanes", [3, 24, 64])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_shuffles_pick_any_lanes(dtype: DType, lanes: int, width: int) -> None:
    a, b = dense("a", dtype, lanes), dense("b", dtype, lanes)
    rng = np.random.default_rng(lanes)
    orders = [tuple(int(k) for k in rng.integers(0, 2 * lanes, count)) for count in (2, lanes, 2 * lanes)]
    check_all([Shuffle((a, b), order) for order in orders], dtype, lanes, width)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_one_lane_is_a_scalar(dtype: DType) -> None:
    check(Shuffle((dense("a", dtype, 24), dense("b", dtype, 24)), (29,)), dtype, 24)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_concatenation_and_slices(dtype: DType) -> None:
    a, b = dense("a", dtype, 12), dense("b", dtype, 12)
    both = Shuffle((a, b), tuple(range(24)))
    check(both, dtype, 12)
    check(Shuffle((both,), tuple(range(7, 19))), dtype, 12)
    check(Broadcast(Shuffle((both,), (3, 4, 5)), 5), dtype, 12)


def test_scalars_in_a_shuffle() -> None:
    elements = tuple(Load("a", const(k), INT32) for k in (3, 1, 2, 0, 4))
    check(Shuffle(elements, (0, 1, 2, 3, 4)), INT32, 5)


@pytest.mark.parametrize(("lanes", "groups"), [(16, 1), (64, 1), (7, 1), (24, 8), (64, 16), (6, 3)])
@pytest.mark.parametrize("dtype", [UINT8, INT32], ids=str)
def test_reductions(dtype: DType, lanes: int, groups: int) -> None:
    value = dense("a", dtype, lanes)
    check_all([VectorReduce(op, value, groups) for op in ("add", "mul", "min", "max")], dtype, lanes)


@pytest.mark.parametrize("op", ["and", "or"])
@pytest.mark.parametrize(("lanes", "groups"), [(16, 1), (24, 8), (7, 1)])
def test_logical_reductions(lanes: int, groups: int, op: str) -> None:
    check(VectorReduce(op, dense("a", BOOL, lanes), groups), BOOL, lanes)
    positive = GT(dense("a", INT32, lanes), dense("b", INT32, lanes))
    check(VectorReduce(op, positive, groups), INT32, lanes)


def test_masks_of_different_widths_meet() -> None:
    wide = GT(dense("a", INT32, 32), dense("b", INT32, 32))
    narrow = Select(wide, const(200, UINT8.with_lanes(32)), const(7, UINT8.with_lanes(32)))
    check(narrow, INT32, 32)
    check(narrow, INT32, 32, width=16)


def test_shuffles_of_eight_doubles() -> None:
    a = dense("a", FLOAT64, 8)
    orders = [(0, 1, 5, 3, 4, 5, 6, 7), (0, 0, 4, 3, 5, 5, 6, 7), (0, 1, 2, 7, 4, 5, 6, 7)]
    stores = [Store(f"out{k}", Ramp(const(0), const(1), 8), Shuffle((a,), order)) for k, order in enumerate(orders)]
    outputs = {f"out{k}": (FLOAT64, 8) for k in range(len(orders))}
    assert_agrees(block(*stores), {"a": (FLOAT64, 8)}, outputs)
