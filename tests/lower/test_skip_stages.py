"""Funcs that arguments of the pipeline make unneeded are not computed."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, xo, xi = hl.vars("x xo xi")


def stores(out: hl.Func, *funcs: hl.Func) -> list[int]:
    """How often each Func is stored for ten values."""
    for f in funcs:
        f.trace_stores()
    with hl.trace() as events:
        made = out.realize([10])
    np.testing.assert_array_equal(made, out.reference([10]))
    return [
        sum(len(e.coordinates) for e in events if e.event is hl.TraceKind.STORE and e.func == f.name()) for f in funcs
    ]


@pytest.mark.parametrize("toggle", [True, False])
def test_the_side_that_is_not_chosen_is_not_computed(toggle: bool) -> None:
    f1, f2, f3, f4 = (hl.Func(f"f{n}") for n in range(1, 5))
    p = hl.Param(hl.Bool(), "p", toggle)
    f1[x] = x
    f2[x] = f1[x] + 1
    f3[x] = f1[x] + 2
    f4[x] = hl.select(p, f2[x], f3[x])
    for f in (f1, f2, f3):
        f.compute_root()
    assert stores(f4, f1, f2, f3) == [10, 10 * toggle, 10 * (not toggle)]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("where", ["root", "tiles"])
def test_what_only_skipped_stages_read_is_skipped(first: bool, second: bool, where: str) -> None:
    f1, f2, f3, f4 = (hl.Func(f"f{n}") for n in range(1, 5))
    p, q = hl.Param(hl.Bool(), "p", first), hl.Param(hl.Bool(), "q", second)
    f1[x] = x * 7
    f2[x] = f1[x] + 1
    f3[x] = f1[x] + 2
    f4[x] = hl.select(p, f2[x], 0) + hl.select(q, f3[x], 0)
    if where == "root":
        for f in (f1, f2, f3):
            f.compute_root()
    else:
        f4.split(x, xo, xi, 5)
        f1.compute_at(f4, xo)
        f2.store_root().compute_at(f4, xo)
        f3.store_at(f4, xo).compute_at(f4, xi)
    assert stores(f4, f1, f2, f3) == [10 * (first or second), 10 * first, 10 * second]


def test_values_of_a_tuple_are_needed_together() -> None:
    f, g, p = hl.Func("f"), hl.Func("g"), hl.Param(hl.Bool(), "p", False)
    f[x] = (x, x + 1)
    g[x] = hl.select(p, f[x][0], 0) + f[x][1]
    f.compute_root()
    assert stores(g, f) == [20]
    h = hl.Func("h")
    h[x] = hl.select(p, f[x][0], 0)
    assert stores(h, f) == [0]


def test_what_is_read_as_an_index_is_always_computed() -> None:
    table = hl.Buffer(np.arange(20, dtype=np.int32))
    f, g, p = hl.Func("f"), hl.Func("g"), hl.Param(hl.Bool(), "p", False)
    f[x] = hl.clamp(x * 3, 0, 19)
    g[x] = hl.select(p, table[f[x]], x)
    f.compute_root()
    g.vectorize(x, 8, hl.TailStrategy.GuardWithIf)
    assert stores(g, f) == [10]


def test_a_condition_of_places_skips_nothing() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = x + 1
    g[x] = hl.select(x % 100 == 37, f[x], 0)
    f.compute_root()
    assert stores(g, f) == [10]


def test_a_stage_that_an_update_reads_is_needed_when_the_update_needs_it() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 4)], "r")
    p = hl.Param(hl.Int(32), "p", 3)
    f[x] = x + 1
    g[x] = x
    g[x] += hl.select(p > 5, f[x] * r.x, 1)
    f.compute_root()
    assert stores(g, f) == [0]
    p.set(6)
    assert stores(g, f) == [10]
