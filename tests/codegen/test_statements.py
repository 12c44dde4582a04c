"""Loops, lets, branches, checks and scratch memory as C, against the interpreter."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from halopy.codegen.c import print_c
from halopy.dtypes import ALL_SCALARS, BOOL, FLOAT32, INT32, UINT8, UINT16
from halopy.ir.expr import (
    EQ,
    GE,
    LT,
    Add,
    Broadcast,
    Call,
    Cast,
    Div,
    Expr,
    Let,
    Load,
    Max,
    Min,
    Mod,
    Mul,
    Ramp,
    Select,
    Sub,
    Var,
    const,
)  # fmt: skip
from halopy.ir.kernel import BufferArg, LoweredKernel, ScalarArg
from halopy.ir.stmt import (
    NOTHING,
    Allocate,
    Assert,
    Block,
    ErrorSite,
    Evaluate,
    For,
    If,
    LetStmt,
    LoopKind,
    MemoryKind,
    Produce,
    Stmt,
    Store,
    block,
)  # fmt: skip

from .compiled import COMPILERS, Compiled, run
from .guarded import assert_agrees, fill

X, Y, N = Var("x"), Var("y"), Var("n")
SERIAL, PARALLEL = LoopKind.SERIAL, LoopKind.PARALLEL


def loop(name: str, extent: Expr | int, body: Stmt, kind: LoopKind = SERIAL, start: Expr | int = 0) -> For:
    return For(name, _expr(start), _expr(extent), kind, body)


def _expr(value: Expr | int) -> Expr:
    return const(value) if isinstance(value, int) else value


def lowered(body: Stmt, buffers: dict[str, object], scalars: tuple[str, ...] = ()) -> LoweredKernel:
    args = tuple(BufferArg(n, d, 1, n.startswith("out")) for n, d in buffers.items())
    return LoweredKernel("kernel", body, args, tuple(ScalarArg(n, INT32) for n in scalars))


@pytest.mark.parametrize("kind", [SERIAL, PARALLEL])
def test_nested_loops(kind: LoopKind) -> None:
    inner = loop("x", Add(Y, const(1)), Store("out", Add(Mul(Y, const(9)), X), Add(X, Mul(Y, const(100)))))
    assert_agrees(loop("y", 9, inner, kind), {}, {"out": (INT32, 81)}, flags=("-fopenmp",))


def test_parallel_inside_parallel() -> None:
    inner = loop("x", N, Store("out", Add(Mul(Y, N), X), Mul(X, Y)), PARALLEL)
    assert_agrees(loop("y", N, inner, PARALLEL), {}, {"out": (INT32, 49)}, {"n": 7}, flags=("-fopenmp",))


def test_loops_that_do_nothing() -> None:
    for extent in (0, -3):
        body = block(loop("x", N, Store("out", X, const(1))), loop("z", 0, NOTHING))
        assert_agrees(body, {}, {"out": (INT32, 4)}, {"n": extent})


def test_lets_and_branches() -> None:
    half = LetStmt(
        "half", Div(N, const(2)), If(LT(X, Var("half")), Store("out", X, Var("half")), Store("out", X, Sub(X, N)))
    )
    assert_agrees(loop("x", N, half), {}, {"out": (INT32, 10)}, {"n": 10})


def test_sibling_and_shadowing_lets_keep_apart() -> None:
    t = Var("t")
    use = Store("out", X, Add(Mul(t, const(2)), const(1)))
    first = LetStmt("t", const(3), loop("x", 2, use))
    second = LetStmt(
        "t",
        const(5),
        block(
            loop("x", 1, use, start=2),
            LetStmt("t", Add(t, const(1)), loop("x", 1, use, start=3)),
            loop("x", 1, use, start=4),
        ),
    )
    assert_agrees(block(first, second), {}, {"out": (INT32, 5)})


def test_lets_inside_expressions() -> None:
    value = Let(
        "t", Load("in", X, INT32), Add(Mul(Var("t"), Var("t")), Let("u", Add(Var("t"), X), Mul(Var("u"), Var("u"))))
    )
    assert_agrees(loop("x", 8, Store("out", X, value)), {"in": (INT32, 8)}, {"out": (INT32, 8)})


def test_vector_lets() -> None:
    ramp = Ramp(const(0), const(1), 24)
    value = Let(
        "v", Load("in", ramp, UINT8.with_lanes(24)), Mul(Var("v", UINT8.with_lanes(24)), Var("v", UINT8.with_lanes(24)))
    )
    body = LetStmt("w", value, Store("out", ramp, Add(Var("w", value.dtype), Var("w", value.dtype))))
    assert_agrees(body, {"in": (UINT8, 24)}, {"out": (UINT8, 24)})


def test_int32_values_wrap_while_indices_do_not() -> None:
    big = Mul(Mul(X, const(1 << 20)), const(1 << 12))
    value = Div(big, const(3))
    assert_agrees(loop("x", 8, Store("out", X, value)), {}, {"out": (INT32, 8)})


def test_values_read_from_memory_wrap() -> None:
    value = Load("in", X, INT32)
    cube = Mul(Mul(value, Mul(value, value)), const(1 << 20))
    assert_agrees(
        loop("x", 64, Store("out", X, Max(cube, Mod(cube, const(7))))), {"in": (INT32, 64)}, {"out": (INT32, 64)}
    )


def test_if_then_else_reads_the_chosen_side_only() -> None:
    value = Call("if_then_else", (LT(X, const(4)), Load("in", X, INT32), const(-1)), INT32)
    assert_agrees(loop("x", 9, Store("out", X, Add(value, const(1)))), {"in": (INT32, 4)}, {"out": (INT32, 9)})


def test_shared_values_of_earlier_statements() -> None:
    t = Mul(Add(X, const(1)), Add(X, const(1)))
    twice = Add(t, t)
    body = block(
        Store("out", X, twice), If(LT(X, const(3)), Store("out2", X, twice)), Store("out2", X, Sub(twice, const(1)))
    )
    assert_agrees(loop("x", 8, body), {}, {"out": (INT32, 8), "out2": (INT32, 8)})


def test_a_value_read_before_a_store_is_read_again_after_it() -> None:
    value = Load("out", const(0), INT32)
    double = Store("out", const(0), Add(value, value))
    assert_agrees(block(double, double, Store("out", const(1), Add(value, value))), {}, {"out": (INT32, 2)})


def test_evaluate_and_produce_print() -> None:
    body = Produce("f*/ // ??/", block(Evaluate(Load("in", const(0), UINT8)), Store("out", const(0), const(7, UINT8))))
    assert_agrees(body, {"in": (UINT8, 1)}, {"out": (UINT8, 1)})


# Scratch memory.


@pytest.mark.parametrize("memory", list(MemoryKind))
@pytest.mark.parametrize("size", [const(40), N, Mul(N, const(1000))])
def test_scratch_memory(size: Expr, memory: MemoryKind) -> None:
    fill_it = loop("x", 40, Store("t", X, Mul(X, X)))
    use_it = loop("x", 40, Store("out", X, Add(Load("t", Sub(const(39), X), INT32), const(1))))
    assert_agrees(Allocate("t", INT32, size, memory, block(fill_it, use_it)), {}, {"out": (INT32, 40)}, {"n": 40})


def test_scratch_memory_inside_parallel_loops() -> None:
    body = Allocate("t", INT32, N, MemoryKind.HEAP, block(
        loop("x", N, Store("t", X, Add(X, Y))),
        loop("x", N, Store("out", Add(Mul(Y, N), X), Load("t", X, INT32))),
    ))  # fmt: skip
    assert_agrees(loop("y", N, body, PARALLEL), {}, {"out": (INT32, 400)}, {"n": 20}, flags=("-fopenmp",))


def test_two_allocations_of_one_name() -> None:
    one = Allocate(
        "t",
        INT32,
        const(4),
        MemoryKind.AUTO,
        block(Store("t", const(0), const(5)), Store("out", const(0), Load("t", const(0), INT32))),
    )
    two = Allocate(
        "t",
        UINT8,
        N,
        MemoryKind.AUTO,
        block(Store("t", const(0), const(6, UINT8)), Store("out", const(1), Cast(INT32, Load("t", const(0), UINT8)))),
    )
    assert_agrees(block(one, two), {}, {"out": (INT32, 2)}, {"n": 3})


@pytest.mark.parametrize("kind", [SERIAL, PARALLEL])
def test_memory_that_is_not_there_is_reported(kind: LoopKind) -> None:
    size = Mul(Mul(N, N), N)
    body = loop("y", 3, Allocate("big", INT32, size, MemoryKind.AUTO, Store("big", Y, Y)), kind)
    for compiler in COMPILERS:
        kernel = print_c(lowered(body, {}, ("n",)))
        code, args = Compiled(kernel, compiler, ("-fopenmp",))({}, {"n": 1 << 20})
        assert kernel.asserts[code - 1].site is ErrorSite.OUT_OF_MEMORY
        assert args[0] == 4 << 60 or args[0] == (4 << 60) - (1 << 64) or args[0] > 1 << 50


# Checks.


@pytest.mark.parametrize("flags", [(), ("-fopenmp",)])
@pytest.mark.parametrize("kind", [SERIAL, PARALLEL])
def test_failed_checks_leave_with_their_numbers(kind: LoopKind, flags: tuple[str, ...]) -> None:
    check = Assert(LT(X, N), ErrorSite.BAD_EXTENT, ("in", "x"), (X, Mul(N, const(2))))
    body = block(
        Assert(GE(N, const(0)), ErrorSite.PARAM_OUT_OF_RANGE, ("n",), (N,)),
        loop("y", 4, loop("x", 10, block(check, Store("out", X, X)), kind), kind),
        Store("out", const(0), const(-1)),
    )
    for compiler in COMPILERS:
        kernel = print_c(lowered(body, {"out": INT32}, ("n",)))
        compiled = Compiled(kernel, compiler, flags)
        out = fill(INT32, 10, 0)
        assert compiled({"out": out}, {"n": 10})[0] == 0
        assert out[0] == -1
        out[0] = 5
        code, args = compiled({"out": out}, {"n": 6})
        assert kernel.asserts[code - 1].site is ErrorSite.BAD_EXTENT
        assert kernel.asserts[code - 1].names == ("in", "x")
        assert args[0] in range(6, 10)
        assert args[1] == 12
        assert out[0] != -1
        code, args = compiled({"out": out}, {"n": -2})
        assert kernel.asserts[code - 1].site is ErrorSite.PARAM_OUT_OF_RANGE
        assert args[0] == -2


# Size.


def test_deep_expressions_print_and_compile() -> None:
    value: Expr = Load("in", X, FLOAT32)
    for k in range(10_000):
        value = Add(value, Load("in", Add(X, const(k % 5)), FLOAT32)) if k % 2 else Mul(value, const(0.5, FLOAT32))
    limit = sys.getrecursionlimit()
    kernel = print_c(lowered(loop("x", 8, Store("out", X, value)), {"in": FLOAT32, "out": FLOAT32}))
    assert sys.getrecursionlimit() == limit
    data, out = np.arange(12, dtype=np.float32), np.zeros(8, np.float32)
    assert Compiled(kernel)({"in": data, "out": out})[0] == 0
    wanted = data[:8].copy()
    for k in range(10_000):
        wanted = (wanted + data[k % 5 : k % 5 + 8]) if k % 2 else wanted * np.float32(0.5)
    np.testing.assert_array_equal(out, wanted)


def test_deep_nests_of_statements_print() -> None:
    body: Stmt = Store("out", const(0), Var("t2999"))
    for k in reversed(range(3000)):
        body = LetStmt(f"t{k}", Add(Var(f"t{k - 1}"), const(1)) if k else const(0), body)
    for k in range(400):
        body = If(GE(N, const(k - 400)), body)
    kernel = print_c(lowered(body, {"out": INT32}, ("n",)))
    out = np.zeros(1, np.int32)
    assert Compiled(kernel)({"out": out}, {"n": 1})[0] == 0
    assert out[0] == 2999


def test_shared_expressions_print_once() -> None:
    value: Expr = Load("in", X, INT32)
    for _ in range(200):
        value = Add(Mul(value, const(3)), value)
    kernel = print_c(lowered(loop("x", 8, Store("out", X, value)), {"in": INT32, "out": INT32}))
    assert len(kernel.text) < 30_000


# Names.

HOSTILE = ["int", "exp", "main", "x y", "a\"b", "a\n*/ int", "naïve", "1st", "_Bool", "buffers", "status", "u16x32",
           "load_f32x8", "in.0", "in_0", "min_i64", "printf", "", "$", "restrict", "__x",
           "uint8_t", "t", "at", "next", "INT32_MAX", "INT64_C", "UINT8_MAX", "product", "leave_processor"]  # fmt: skip


def test_hostile_names_become_c_names() -> None:
    outputs = [BufferArg(n, FLOAT32, 1, True) for n in HOSTILE]
    scalars = [ScalarArg(n + "!", FLOAT32) for n in HOSTILE]
    stores: list[Stmt] = []
    for k, n in enumerate(HOSTILE):
        value = Add(Var(n + "!", FLOAT32), Call("exp", (const(0.0, FLOAT32),), FLOAT32))
        index = Min(Var(n + "?"), const(7))
        vector = Store(
            n,
            Ramp(const(0), const(1), 8),
            Max(Broadcast(Var(n + "!", FLOAT32), 8), const(float(k), FLOAT32.with_lanes(8))),
        )
        stores += [vector, LetStmt(n + "?", const(k), loop(n, 1, Store(n, Add(Var(n), index), value)))]
    notes = {n: (n + " */ ??/ % \\",) for n in HOSTILE}
    for name in HOSTILE:
        kernel = print_c(LoweredKernel(name, block(*stores), tuple(outputs), tuple(scalars), notes))
    for compiler in COMPILERS:
        arrays = {n: np.zeros(8, np.float32) for n in HOSTILE}
        assert Compiled(kernel, compiler)(arrays, {n + "!": float(k) for k, n in enumerate(HOSTILE)})[0] == 0
        for k, n in enumerate(HOSTILE):
            wanted = np.full(8, k, np.float32)
            wanted[min(k, 7)] = k + 1
            np.testing.assert_array_equal(arrays[n], wanted)


def test_kernels_with_hostile_names_compile() -> None:
    for name in HOSTILE:
        kernel = print_c(LoweredKernel(name, Store("out", const(0), const(1)), (BufferArg("out", INT32, 1, True),), ()))
        out = np.zeros(1, np.int32)
        assert Compiled(kernel)({"out": out})[0] == 0
        assert out[0] == 1


def test_constant_arithmetic_raises_no_warnings() -> None:
    big = const(2147483647)
    values = [
        Add(big, big),
        Mul(big, big),
        Div(big, const(0)),
        Mod(const(5), const(0)),
        Select(EQ(big, big), big, const(1)),
    ]
    values += [
        Cast(INT32, Add(const(250, UINT8), const(250, UINT8))),
        Cast(INT32, Mul(const(65535, UINT16), const(65535, UINT16))),
    ]
    values += [
        Cast(INT32, LT(X, X)),
        Cast(INT32, Call("shift_left", (const(1), const(40)), INT32)),
        Sub(const(-2147483648), big),
    ]
    assert_agrees(
        loop("x", 1, block(*(Store("out", const(k), v) for k, v in enumerate(values)))),
        {},
        {"out": (INT32, len(values))},
    )


def test_booleans() -> None:
    p, q = Load("p", X, BOOL), Load("q", X, BOOL)
    values = [Mul(p, q), Min(p, q), Max(p, q), EQ(p, q), LT(p, q), Call("bitwise_xor", (p, q), BOOL)]
    body = loop("x", 16, block(*(Store(f"out{k}", X, v) for k, v in enumerate(values))))
    assert_agrees(body, {"p": (BOOL, 16), "q": (BOOL, 16)}, {f"out{k}": (BOOL, 16) for k in range(len(values))})


def test_scalars_of_every_type_are_passed() -> None:
    scalars = tuple(ScalarArg(f"s{k}", d) for k, d in enumerate(ALL_SCALARS))
    outputs = tuple(BufferArg(f"out{k}", d, 1, True) for k, d in enumerate(ALL_SCALARS))
    body = block(*(Store(f"out{k}", const(0), Var(f"s{k}", d)) for k, d in enumerate(ALL_SCALARS)))
    kernel = LoweredKernel("kernel", body, outputs, scalars)
    arrays = {f"out{k}": np.zeros(1, d.to_numpy()) for k, d in enumerate(ALL_SCALARS)}
    assert run(kernel, arrays, scalars={f"s{k}": 1 for k in range(len(scalars))})[0] == 0
    assert all(a[0] == 1 for a in arrays.values())


def test_statements_may_be_empty() -> None:
    kernel = print_c(LoweredKernel("kernel", Block(()), (), ()))
    assert Compiled(kernel)({})[0] == 0
