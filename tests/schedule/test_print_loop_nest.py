"""Loop nests as text: the shape that Halide prints."""

from __future__ import annotations

import re
from typing import Any

import pytest

import halopy as hl


def pipeline(hl: Any, schedule: Any) -> Any:
    """Two stages; `schedule(hl, f, g, x, y)` schedules them."""
    x, y = hl.Var("x"), hl.Var("y")
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x - 1, y] + f[x + 1, y]
    schedule(hl, f, g, x, y)
    return g


def at_root(hl, f, g, x, y):
    f.compute_root()
    g.reorder(y, x)


def tiled(hl, f, g, x, y):
    xi, yi = hl.Var("xi"), hl.Var("yi")
    g.tile(x, y, xi, yi, 32, 8).vectorize(xi).unroll(yi).parallel(y)
    f.compute_at(g, x)


def stored_outside(hl, f, g, x, y):
    f.compute_at(g, y).store_root()


def stored_between(hl, f, g, x, y):
    xo, xi = hl.Var("xo"), hl.Var("xi")
    g.split(x, xo, xi, 16).split(xi, xi, hl.Var("xii"), 4)
    f.compute_at(g, xi).store_at(g, y)


def fused_and_renamed(hl, f, g, x, y):
    t = hl.Var("t")
    g.fuse(x, y, t).rename(t, hl.Var("s"))


def bounded(hl, f, g, x, y):
    g.bound(x, 0, 20).split(x, x, hl.Var("xi"), 8)


def with_updates(hl, f, g, x, y):
    r = hl.RDom([(0, 10), (2, 3)], "r")
    g[x, y] += f[x + r.x, y + r.y]
    g[x, 0] = 7
    g.update(0).split(r.x, hl.RVar("ro"), hl.RVar("ri"), 4)
    g.update(1).unscheduled()
    f.compute_root()


def at_a_point(hl, f, g, x, y):
    f.compute_at(g, x)


SCHEDULES = [at_root, tiled, stored_outside, stored_between, fused_and_renamed, bounded, with_updates, at_a_point]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_loop_nests_read_as_those_of_halide(schedule, capfd):
    halide = pytest.importorskip("halide")
    pipeline(halide, schedule).print_loop_nest()
    theirs = capfd.readouterr()
    pipeline(hl, schedule).print_loop_nest()
    # Halide's sliding window leaves the name of a loop it replaced with a dot behind it.
    assert capfd.readouterr().err == (theirs.err + theirs.out).replace(".:", ":")


def rows(hl: Any, schedule: Any) -> Any:
    """A window of rows; `schedule(hl, f, g, x, y)` schedules it."""
    x, y = hl.Var("x"), hl.Var("y")
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x, y] + f[x, y + 2]
    schedule(hl, f, g, x, y)
    return g


def in_strips(hl, f, g, x, y):
    yo, yi = hl.Var("yo"), hl.Var("yi")
    n = hl.Param(hl.Int(32), "n")
    g.split(y, yo, yi, n).parallel(yo).vectorize(x, 4)
    f.store_at(g, yo).compute_at(g, yi)


def named_anew(hl, f, g, x, y):
    f.rename(y, hl.Var("t")).store_root().compute_at(g, y)


SLIDING = {
    "rows": lambda hl, f, g, x, y: f.store_root().compute_at(g, y),
    "columns of rows": lambda hl, f, g, x, y: f.store_root().compute_at(g, x),
    "not rows": lambda hl, f, g, x, y: f.store_at(g, y).compute_at(g, x),
    "the other way": lambda hl, f, g, x, y: (g.reorder(y, x), f.store_root().compute_at(g, y)),
    "folded": lambda hl, f, g, x, y: f.store_root().compute_at(g, y).fold_storage(y, 3),
    "unrolled": lambda hl, f, g, x, y: f.store_root().compute_at(g, y).unroll(y),
    "asynchronous": lambda hl, f, g, x, y: f.store_root().compute_at(g, y).async_(),
    "hoisted": lambda hl, f, g, x, y: f.store_at(g, y).compute_at(g, x).hoist_storage_root(),
    "in a ring": lambda hl, f, g, x, y: f.compute_at(g, y).hoist_storage_root().ring_buffer(2),
    "prefetched": lambda hl, f, g, x, y: (f.compute_root(), g.prefetch(f, y, y, 2)),
    "in strips": in_strips,
    "named anew": named_anew,
}


@pytest.mark.parametrize("case", SLIDING)
def test_the_rows_of_a_sliding_window_are_shown_as_one(case, capfd):
    halide = pytest.importorskip("halide")
    rows(halide, SLIDING[case]).print_loop_nest()
    theirs = capfd.readouterr()
    rows(hl, SLIDING[case]).print_loop_nest()
    wanted = re.sub(r"\.(:| in)", r"\1", re.sub(r"\bv\d+\b", "v", theirs.err + theirs.out))
    assert capfd.readouterr().err == wanted


def test_what_a_sliding_func_reads_is_shown_for_its_one_row(capfd):
    halide = pytest.importorskip("halide")
    texts = []
    for module in (halide, hl):
        x, y = module.Var("x"), module.Var("y")
        f, g, h = module.Func("f"), module.Func("g"), module.Func("h")
        f[x, y] = x + y
        g[x, y] = f[x, y] + f[x + 1, y]
        h[x, y] = g[x, y] + g[x, y + 1]
        g.store_root().compute_at(h, y)
        f.compute_at(h, y)
        h.print_loop_nest()
        shown = capfd.readouterr()
        texts.append((shown.err + shown.out).replace(".:", ":"))
    assert texts[0] == texts[1]
