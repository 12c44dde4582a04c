"""Where Funcs are computed and stored, and when a Func gets a copy for each place."""

from __future__ import annotations

import numpy as np

import halopy as hl
from halopy.lower.place_functions import ROOT_LEVEL, Level

from .pipelines import nests

x, y, yo, yi = (hl.Var(n) for n in ("x", "y", "yo", "yi"))


def test_inlined_funcs_disappear() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * 2
    f[x] = g[x + 1]
    assert set(nests(f).placement.program.functions) == {"f"}


def test_a_level_is_a_loop_of_a_stage() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x
    f[x, y] = g[x, y]
    f.split(y, yo, yi, 4)
    g.store_at(f, yo).compute_at(f, yi)
    placement = nests(f).placement
    assert placement.compute["g"] == Level("f", 0, "yi")
    assert placement.store["g"] == Level("f", 0, "yo")
    assert placement.path(placement.compute["g"])[-1] == ROOT_LEVEL


def test_an_inlined_func_with_updates_is_computed_for_each_stage_that_reads_it() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x
    g[x] += 1
    f[x] = g[x]
    f[x] += g[x + 1]
    placement = nests(f).placement
    assert placement.compute["g"] != placement.compute["g_1"]
    np.testing.assert_array_equal(np.asarray(f.realize([5])), [2 * v + 3 for v in range(5)])


def test_a_producer_of_two_stages_that_share_a_loop_name_is_computed_in_both() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x * x
    f[x] = g[x]
    f[x] += g[x + 1]
    g.compute_at(f, x)
    placement = nests(f).placement
    assert {placement.compute["g"], placement.compute["g_1"]} == {Level("f", 0, "x"), Level("f", 1, "x")}
    np.testing.assert_array_equal(np.asarray(f.realize([4])), [v * v + (v + 1) ** 2 for v in range(4)])
