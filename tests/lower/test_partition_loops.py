"""Partitioning: a steady state without edge tests, and the same result for every size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from halopy.dtypes import INT32
from halopy.ir.build import add, clamp, div, lt, maximum, minimum, mul, select, sub
from halopy.ir.expr import Call, Load, Max, Min, Select, Var, const
from halopy.ir.node import walk
from halopy.ir.simplify import simplify
from halopy.ir.stmt import Allocate, Block, For, If, LetStmt, LoopKind, MemoryKind, Store
from halopy.lower.partition_loops import partition_loops
from halopy.lower.vectorize_loops import vectorize_loops

from .programs import bodies, places, result, values

x, y, xo, xi, n, w = (Var(name) for name in ("x", "y", "xo", "xi", "n", "w"))


def loop(name, low, extent, body, kind=LoopKind.SERIAL):
    low, extent = (const(e) if isinstance(e, int) else e for e in (low, extent))
    return For(name, low, extent, kind, body)


def likely(e):
    return Call("likely", (e,), e.dtype)


def load(index):
    return Load("in", index, INT32)


def steady(stmt):
    """The one loop over x or xo without a test inside."""
    loops = [s for s in walk(stmt) if isinstance(s, For) and s.name in ("x", "xo")]
    free = [s for s in loops if not s.body.has(Min, Max, Select, If)]
    assert len(free) == 1, f"one steady loop expected in\n{stmt}"
    return free[0]


def test_a_clamp_leaves_the_steady_state():
    after = partition_loops(loop("x", 0, n, Store("out", x, load(clamp(sub(x, 1), 0, sub(w, 1))))))
    assert steady(after).body is Store("out", x, load(sub(x, 1)))


def test_the_text_of_a_clamped_stencil(golden):
    taps = [load(clamp(add(x, d), 0, sub(w, 1))) for d in (-1, 0, 1)]
    stencil = loop("x", 0, w, Store("out", x, add(add(taps[0], taps[1]), taps[2])))
    assert str(simplify(partition_loops(stencil))) == golden


def test_a_guarded_tail_loses_its_test():
    inside = add(mul(xo, 8), xi)
    body = If(likely(lt(inside, n)), Store("out", inside, load(inside)))
    after = partition_loops(loop("xo", 0, Var("tiles"), loop("xi", 0, 8, body, LoopKind.VECTORIZED)))
    assert steady(after).body is loop("xi", 0, 8, body.then, LoopKind.VECTORIZED)
    assert not after.has(Call)  # the epilogue tests without a mark


def test_a_tile_that_is_shifted_inwards_stands_still_in_the_steady_state():
    tile = loop("xi", 0, 8, Store("out", add(Var("base"), xi), xi), LoopKind.VECTORIZED)
    after = partition_loops(loop("xo", 0, Var("tiles"), LetStmt("base", minimum(mul(xo, 8), sub(n, 8)), tile)))
    assert steady(after).body.value is mul(xo, 8)


def test_the_marked_operand_is_kept():
    after = partition_loops(loop("x", 0, n, Store("out", x, load(maximum(likely(sub(w, x)), 0)))))
    assert steady(after).body is Store("out", x, load(likely(sub(w, x))))


def test_the_marked_side_of_a_select_is_kept():
    value = select(lt(sub(x, 1), 0), 7, likely(load(sub(x, 1))))
    after = partition_loops(loop("x", 0, n, Store("out", x, value)))
    assert steady(after).body is Store("out", x, likely(load(sub(x, 1))))


def test_a_size_that_only_the_last_tile_undercuts_becomes_constant():
    tile = loop("xi", 0, minimum(sub(n, mul(xo, 8)), 8), Store("out", xi, xi))
    after = partition_loops(loop("xo", 0, div(add(n, 7), 8), tile))
    assert steady(after).body.extent is const(8)


def test_a_select_of_the_first_iteration_is_peeled():
    value = select(lt(x, 1), 0, load(sub(x, 1)))
    after = partition_loops(loop("x", 0, n, Store("out", x, value)))
    assert steady(after).body is Store("out", x, load(sub(x, 1)))


def test_a_parallel_loop_stays_one_loop():
    body = Store("out", x, load(maximum(sub(x, 1), 0)))
    after = partition_loops(loop("x", 0, n, body, LoopKind.PARALLEL))
    assert isinstance(after, For) and after.kind is LoopKind.PARALLEL
    assert after.body.then is Store("out", x, load(sub(x, 1))) and after.body.otherwise is body


def test_blocks_of_the_interior_test_nothing_and_stay_one_nest():
    tiles = (Var("rows"), Var("columns"))
    inside = lt(add(mul(x, 8), xi), w), lt(add(mul(y, 4), Var("yi")), n)
    body = If(likely(inside[0]), Store("out", xi, load(minimum(add(mul(y, 4), Var("yi")), sub(n, 1)))))
    threads = loop("yi", 0, 4, If(likely(inside[1]), loop("xi", 0, 8, body, LoopKind.GPU_THREAD)), LoopKind.GPU_THREAD)
    after = partition_loops(
        loop("y", 0, tiles[0], loop("x", 0, tiles[1], threads, LoopKind.GPU_BLOCK), LoopKind.GPU_BLOCK)
    )
    assert after.body.name == "x" and isinstance(after.body.body, If)
    assert not after.body.body.then.has(Min, If)
    assert after.body.body.otherwise.has(Min)


def test_memory_that_threads_share_is_one_for_the_interior_and_edges():
    tile = add(mul(x, 8), xi)
    reads = loop("xi", 0, 8, If(likely(lt(tile, w)), Store("out", tile, Load("tile", xi, INT32))), LoopKind.GPU_THREAD)
    at = add(mul(x, 8), xo)
    writes = loop("xo", 0, 8, Store("tile", xo, load(minimum(at, sub(w, 1)))), LoopKind.GPU_THREAD)
    shared = Allocate("tile", INT32, const(8), MemoryKind.AUTO, Block((writes, reads)))
    after = partition_loops(loop("x", 0, Var("tiles"), shared, LoopKind.GPU_BLOCK))
    assert isinstance(after.body, Allocate)
    assert [type(part) for part in after.body.body.stmts] == [If, If]
    assert not after.body.body.stmts[0].then.has(Min)


def test_what_does_not_depend_on_the_loop_is_left_alone():
    before = loop("x", 0, n, Store("out", x, load(minimum(w, 5))))
    assert partition_loops(before) is before


def test_a_bound_that_memory_decides_is_left_alone():
    before = loop("x", 0, n, Store("out", x, minimum(x, load(const(0)))))
    assert partition_loops(before) is before


def test_the_inner_loop_decides_what_the_outer_cannot():
    body = Store("out", x, load(maximum(sub(add(x, y), 1), 0)))
    after = partition_loops(loop("y", 0, n, loop("x", 0, w, body)))
    assert isinstance(after, For) and after.name == "y" and after.min is const(0)
    assert steady(after.body).name == "x"


def check(nest):
    after = partition_loops(nest)
    assert np.array_equal(result(after), result(nest)), f"{nest}\nbecame\n{after}"
    return after


kinds = st.sampled_from([LoopKind.SERIAL, LoopKind.SERIAL, LoopKind.PARALLEL])


@given(bodies(("y", "x")), st.integers(0, 14), st.integers(0, 6), kinds)
def test_partitioning_keeps_the_result(body, extent, low, kind):
    check(loop("y", 0, 7, loop("x", low, extent, body), kind))


def check_with_vectors(tile, tiles):
    nest = loop("y", 0, 6, loop("xo", 0, tiles, tile))
    after = vectorize_loops(simplify(check(nest)))
    assert np.array_equal(result(after), result(nest)), f"{nest}\nbecame\n{after}"


@given(bodies(("y", "x")), st.integers(1, 23), st.sampled_from([1, 2, 3, 4, 8]))
def test_a_guarded_tail_keeps_the_result(body, size, factor):
    at = add(mul(xo, factor), xi)
    guarded = If(likely(lt(at, size)), LetStmt("x", at, body))
    check_with_vectors(loop("xi", 0, factor, guarded, LoopKind.VECTORIZED), -(-size // factor))


@given(places(("y", "x")), values(("y", "x")), st.integers(8, 23), st.sampled_from([1, 2, 3, 4, 8]))
def test_a_shifted_tail_keeps_the_result(place, value, size, factor):
    body = LetStmt("x", add(Var("base"), xi), Store("out", place, value))
    tile = loop("xi", 0, factor, body, LoopKind.VECTORIZED)
    check_with_vectors(LetStmt("base", minimum(mul(xo, factor), size - factor), tile), -(-size // factor))
