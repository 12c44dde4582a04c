"""Loop nests as text: the shape that Halide prints."""

from __future__ import annotations

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
