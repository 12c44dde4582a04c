"""Scratch memory at places known in advance becomes variables; any other stays an array."""

import re

import numpy as np
import pytest

import halopy as hl
from halopy.codegen.c.registers import SUMS, register_lanes
from halopy.dtypes import BOOL, FLOAT32
from halopy.ir.expr import Load, Ramp, Var, const
from halopy.ir.stmt import Allocate, For, LoopKind, MemoryKind, Store, block

x, y, xo, yo, xi, yi = (hl.Var(n) for n in ("x", "y", "xo", "yo", "xi", "yi"))


def ramp(first, lanes):
    return Ramp(const(first), const(1), lanes)


def memory(*stores, size=32, dtype=FLOAT32, kind=MemoryKind.AUTO):
    return Allocate("m", dtype, const(size), kind, block(*stores))


def vector_store(first, lanes):
    return Store("m", ramp(first, lanes), Load("a", ramp(first, lanes), FLOAT32.with_lanes(lanes)))


def test_vectors_that_do_not_overlap_are_variables():
    assert register_lanes(memory(vector_store(0, 16), vector_store(16, 16)), 64) == {0: 16, 16: 16}
    assert register_lanes(memory(vector_store(0, 32)), 64) == {0: 16, 16: 16}
    assert register_lanes(memory(vector_store(0, 32)), 32) == {0: 8, 8: 8, 16: 8, 24: 8}
    assert register_lanes(memory(Store("m", const(3), const(1.0, FLOAT32))), 64) == {3: 1}


@pytest.mark.parametrize("array", [
    memory(vector_store(0, 16), vector_store(8, 16)),
    memory(vector_store(0, 16), vector_store(0, 8)),
    memory(vector_store(0, 12)),
    memory(Store("m", Var("i"), const(1.0, FLOAT32))),
    memory(Store("m", Ramp(const(0), const(2), 8), Load("a", ramp(0, 8), FLOAT32.with_lanes(8)))),
    memory(vector_store(0, 16), kind=MemoryKind.HEAP),
    memory(Store("m", const(0), const(1, BOOL)), dtype=BOOL),
    memory(For("i", const(0), const(9), LoopKind.PARALLEL, vector_store(0, 16))),
    Allocate("m", FLOAT32, Var("n"), MemoryKind.AUTO, vector_store(0, 16)),
    memory(*(Store("m", const(k), const(1.0, FLOAT32)) for k in range(100)), size=100),
])  # fmt: skip
def test_other_memory_is_an_array(array):
    assert register_lanes(array, 64) is None


def product_of(a, b):
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, a.shape[1])], "r")
    g[x, y] = hl.cast(hl.Buffer(a).type(), 0)
    g[x, y] += hl.Buffer(a)[r, y] * hl.Buffer(b)[x, r]
    f[x, y] = g[x, y] * 2
    return f, g, r


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint8, np.float64])
@pytest.mark.parametrize(("columns", "rows"), [(16, 4), (8, 3), (6, 2)])
def test_sums_of_a_tile_in_registers_are_those_of_the_reference(kind, columns, rows):
    random = np.random.default_rng(1)
    a, b = (random.integers(0, 99, shape).astype(kind) for shape in ((13, 7), (7, 18)))
    f, g, r = product_of(a, b)
    expected = np.array(hl.Pipeline(f).reference([18, 13]))
    f.tile(x, y, xo, yo, xi, yi, columns, rows).vectorize(xi).unroll(yi)
    g.compute_at(f, xo).vectorize(x).unroll(y).update().reorder(x, y, r.x).vectorize(x).unroll(y)
    np.testing.assert_array_equal(np.array(f.realize([18, 13])), expected)
    np.testing.assert_array_equal(expected, a.astype(kind) @ b.astype(kind) * kind(2))


def test_the_sums_have_no_address(tmp_path):
    a, b = np.ones((8, 5), np.float32), np.ones((5, 32), np.float32)
    f, g, r = product_of(a, b)
    f.tile(x, y, xo, yo, xi, yi, 8, 4).vectorize(xi).unroll(yi)
    g.compute_at(f, xo).vectorize(x).unroll(y).update().reorder(x, y, r.x).vectorize(x).unroll(y)
    f.compile_to_c(str(tmp_path / "f.c"), [], "f")
    text = (tmp_path / "f.c").read_text()
    assert re.search(r"f32x8 g_0 = ", text)
    assert not re.search(r"float g\[", text)
    assert SUMS in text
