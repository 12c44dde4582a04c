"""Loads and stores of every shape, against the interpreter, beside pages that may not be touched."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from halopy.dtypes import BOOL, FLOAT32, FLOAT64, INT32, UINT8, UINT16, DType, Float
from halopy.ir.expr import (
    GT,
    LT,
    Add,
    And,
    Broadcast,
    Cast,
    Expr,
    Load,
    Max,
    Min,
    Mod,
    Mul,
    Ramp,
    Shuffle,
    Sub,
    Var,
    const,
)
from halopy.ir.stmt import For, LoopKind, Stmt, Store, block

from .guarded import assert_agrees

TYPES = [UINT8, UINT16, FLOAT32, FLOAT64, BOOL]
WIDTHS = [16, 64]
LANES = [2, 3, 4, 7, 8, 16, 24, 33, 64]


def dense(buffer: str, start: int, dtype: DType, lanes: int, predicate: Expr | None = None) -> Load:
    return Load(buffer, Ramp(const(start), const(1), lanes), dtype.with_lanes(lanes), predicate)


class Cases:
    """Statements on buffers of their own, compiled together."""

    def __init__(self) -> None:
        self.stmts: list[Stmt] = []
        self.inputs: dict[str, tuple[DType, int]] = {}
        self.outputs: dict[str, tuple[DType, int]] = {}

    def copy(
        self, dtype: DType, source: Expr, size: int, target: Expr, out_size: int, where: Expr | None = None
    ) -> None:
        """out[target] = in[source], for a case's own in of `size` elements and out of `out_size`."""
        name, out = f"in_{len(self.stmts)}", f"out_{len(self.stmts)}"
        self.inputs[name], self.outputs[out] = (dtype, size), (dtype, out_size)
        value = Load(name, source, dtype.with_lanes(source.dtype.lanes), where)
        self.stmts.append(Store(out, target, value, where))

    def check(self, scalars: Mapping[str, int] = {}, width: int = 64) -> None:
        assert_agrees(block(*self.stmts), self.inputs, self.outputs, scalars, width=width)


def ramp(start: int, stride: int, lanes: int) -> Expr:
    return Ramp(const(start), const(stride), lanes)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_dense_access_touches_its_lanes_only(dtype: DType, width: int) -> None:
    cases = Cases()
    for lanes in LANES:
        cases.copy(dtype, ramp(0, 1, lanes), lanes, ramp(0, 1, lanes), lanes)
    cases.check(width=width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", [UINT8, FLOAT32, BOOL], ids=str)
def test_strided_loads_and_stores(dtype: DType, width: int) -> None:
    cases = Cases()
    for stride in (2, 3, 4, 5, -1, -2):
        for lanes in (3, 4, 8, 24, 64):
            span = (lanes - 1) * abs(stride) + 1
            strided = ramp(span - 1 if stride < 0 else 0, stride, lanes)
            cases.copy(dtype, strided, span, ramp(0, 1, lanes), lanes)
            cases.copy(dtype, ramp(0, 1, lanes), lanes, strided, span)
    cases.check(width=width)


def test_strides_known_only_when_called() -> None:
    index = Ramp(Var("start"), Var("stride"), 16)
    body = Store("out", index, Load("in", index, UINT8.with_lanes(16)))
    assert_agrees(body, {"in": (UINT8, 46)}, {"out": (UINT8, 46)}, {"start": 0, "stride": 3})


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_gather_and_scatter(dtype: DType) -> None:
    for lanes in (4, 7, 64):
        wide = INT32.with_lanes(lanes)
        loose = Mod(Mul(dense("at", 0, INT32, lanes), const(7, wide)), const(50, wide))
        for index in (
            loose,
            Add(loose, Broadcast(Var("n"), lanes)),
            Sub(Add(Broadcast(Var("n"), lanes), loose), const(2, wide)),
        ):
            body = Store("out", index, Load("in", index, dtype.with_lanes(lanes)))
            assert_agrees(body, {"in": (dtype, 53), "at": (INT32, lanes)}, {"out": (dtype, 53)}, {"n": 3})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_predicates_keep_memory_untouched(dtype: DType, width: int) -> None:
    cases = Cases()
    for lanes in (4, 7, 16, 64):
        where = LT(ramp(0, 1, lanes), Broadcast(Sub(Var("n"), const(64 - lanes)), lanes))
        cases.copy(dtype, ramp(0, 1, lanes), lanes - 2, ramp(0, 1, lanes), lanes - 2, where)
    cases.check({"n": 62}, width=width)


@pytest.mark.parametrize("stride", [2, 5])
def test_predicates_on_strides_and_gathers(stride: int) -> None:
    lanes, short = 16, 11
    span = (short - 1) * stride + 1
    where = LT(Ramp(const(0), const(1), lanes), const(short, INT32.with_lanes(lanes)))
    strided = Ramp(const(0), const(stride), lanes)
    loose = Mul(Ramp(const(0), const(1), lanes), Broadcast(Var("s"), lanes))
    for index in (strided, loose):
        value = Load("in", index, FLOAT32.with_lanes(lanes), where)
        assert_agrees(
            Store("out", index, value, where), {"in": (FLOAT32, span)}, {"out": (FLOAT32, span)}, {"s": stride}
        )


def test_scalar_predicates() -> None:
    for n in (0, 1):
        body = Store("out", const(0), Load("in", const(0), INT32, GT(Var("n"), const(0))), LT(Var("n"), const(5)))
        assert_agrees(body, {"in": (INT32, 1)}, {"out": (INT32, 1)}, {"n": n})


@pytest.mark.parametrize("dtype", [UINT8, FLOAT32], ids=str)
def test_ramps_of_ramps(dtype: DType) -> None:
    rows = Ramp(Ramp(const(0), const(1), 8), const(20, INT32.with_lanes(8)), 4)
    moving = Ramp(Ramp(const(0), const(1), 8), Broadcast(Var("s"), 8), 4)
    for index in (rows, moving):
        body = Store("out", index, Load("in", index, dtype.with_lanes(32)))
        assert_agrees(body, {"in": (dtype, 68)}, {"out": (dtype, 68)}, {"s": 20})


def test_repeated_elements() -> None:
    one = Load("in", Broadcast(Var("n"), 16), UINT16.with_lanes(16))
    pair = Load("in", Broadcast(Ramp(const(0), const(1), 4), 4), UINT16.with_lanes(16))
    body = Store("out", Ramp(const(0), const(1), 16), Add(one, pair))
    assert_agrees(body, {"in": (UINT16, 4)}, {"out": (UINT16, 16)}, {"n": 3})


def test_a_store_reads_all_lanes_before_it_writes() -> None:
    body = Store("out", Ramp(const(1), const(1), 63), dense("out", 0, INT32, 63))
    assert_agrees(body, {}, {"out": (INT32, 64)})


def test_a_later_store_is_seen_by_a_later_load() -> None:
    a = dense("out", 0, INT32, 8)
    first = Store("out", Ramp(const(0), const(1), 8), Add(a, a))
    body = For("i", const(0), const(3), LoopKind.SERIAL, first)
    assert_agrees(body, {}, {"out": (INT32, 8)})


def test_ramps_as_values() -> None:
    lanes = 24
    moving = Add(Ramp(Var("n"), const(3), lanes), Ramp(const(5), Var("n"), lanes))
    nested = Ramp(Ramp(const(0), const(2), 8), const(100, INT32.with_lanes(8)), 3)
    body = Store("out", Ramp(const(0), const(1), lanes), Min(Max(moving, nested), const(1000, INT32.with_lanes(lanes))))
    assert_agrees(body, {}, {"out": (INT32, lanes)}, {"n": 7})


def test_bool_vectors_are_bytes_in_memory() -> None:
    p, q = dense("p", 0, BOOL, 24), dense("q", 0, BOOL, 24)
    body = Store("out", Ramp(const(0), const(1), 24), And(p, q))
    assert_agrees(body, {"p": (BOOL, 24), "q": (BOOL, 24)}, {"out": (BOOL, 24)})


def test_narrow_floats_move_as_bits() -> None:
    half = Float(16)
    body = Store("out", Ramp(const(0), const(1), 12), Cast(FLOAT32.with_lanes(12), dense("in", 0, UINT8, 12)))
    assert_agrees(body, {"in": (UINT8, 12)}, {"out": (FLOAT32, 12)})
    assert half.bytes == 2


def test_interleaved_store_of_two_dense_loads() -> None:
    lanes = 64
    a, b = dense("a", 0, UINT8, lanes), dense("b", 0, UINT8, lanes)
    zipped = Shuffle((a, b), tuple(k // 2 + (k % 2) * lanes for k in range(2 * lanes)))
    body = Store("out", Ramp(const(0), const(1), 2 * lanes), zipped)
    assert_agrees(body, {"a": (UINT8, lanes), "b": (UINT8, lanes)}, {"out": (UINT8, 2 * lanes)})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", [FLOAT32, INT32, UINT8], ids=str)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_gathers_of_what_lies_side_by_side(count: int, dtype: DType, width: int) -> None:
    for lanes in (8, 16, 32):
        wide = INT32.with_lanes(lanes)
        at = Mod(Mul(dense("at", 0, INT32, lanes), const(7, wide)), const(51 - count, wide))
        index = Ramp(Add(at, Broadcast(Var("n"), lanes)), const(1, wide), count)
        body = Store("out", ramp(0, 1, lanes * count), Load("in", index, dtype.with_lanes(lanes * count)))
        inputs = {"in": (dtype, 53), "at": (INT32, lanes)}
        assert_agrees(body, inputs, {"out": (dtype, lanes * count)}, {"n": 3}, width=width)
