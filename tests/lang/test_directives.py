"""Directives as the user writes them: the loops they give, Halide's answer to the same schedule, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.schedule.directives import INLINED, ROOT, Directive, Tail
from halopy.schedule.nest import FuncSchedule

from .messages import without_place

x, y, c, xo, yo, xi, yi, t = hl.vars("x y c xo yo xi yi t")
r = hl.RDom([(0, 10), (0, 4)], "r")
ro, ri = hl.RVar("ro"), hl.RVar("ri")


def image() -> hl.Func:
    f = hl.Func("f")
    f[x, y, c] = x + 10 * y + 100 * c
    return f


def summed() -> hl.Func:
    f = hl.Func("f")
    f[x, y] = 0
    f[x, y] += r.x * x + r.y * y
    return f


def loops(f: hl.Func, stage: int = 0) -> dict[str, str]:
    """Names and kinds of the loops, innermost first."""
    return {d.name: d.kind.value for d in f._contents.nests[stage].dims}


def schedule_of(f: hl.Func) -> FuncSchedule:
    return f._contents.schedule()


def tails(f: hl.Func, stage: int = 0) -> list[Tail]:
    return [s.tail for s in f._contents.nests[stage].steps if hasattr(s, "tail")]


def test_every_directive_returns_the_func_so_that_calls_chain():
    f = image()
    assert f.compute_root().store_root().split(x, xo, xi, 8).fuse(y, c, t).reorder(xi, t, xo).vectorize(xi) is f
    assert f.unroll(t, 2).parallel(xo).serial(xo).bound(y, 0, 8).align_bounds(x, 8).rename(xo, x) is f
    assert f.reorder_storage(c, x, y).store_in(hl.MemoryType.Heap).allow_race_conditions() is f


def test_tile_takes_four_forms():
    in_six = image().tile(x, y, xo, yo, xi, yi, 8, 4)
    assert list(loops(in_six)) == ["xi", "yi", "xo", "yo", "c"]
    in_four = image().tile(x, y, xi, yi, 8, 4)
    assert list(loops(in_four)) == ["xi", "yi", "x", "y", "c"]
    lists = image().tile([x, y], [xo, yo], [xi, yi], [8, 4])
    assert list(loops(lists)) == list(loops(in_six))
    short = image().tile([x, y], [xi, yi], [8, 4], hl.TailStrategy.GuardWithIf)
    assert list(loops(short)) == list(loops(in_four))
    assert tails(short) == [Tail.GUARD_WITH_IF] * 2
    named = image().tile(x=x, y=y, xi=xi, yi=yi, xfactor=8, yfactor=4, tail=hl.TailStrategy.RoundUp)
    assert tails(named) == [Tail.ROUND_UP] * 2


@pytest.mark.parametrize("verb", ["vectorize", "unroll"])
def test_a_factor_splits_and_marks_the_inner_loop(verb):
    f = image()
    getattr(f, verb)(x, 8)
    (inner, kind), *outer = loops(f).items()
    assert kind == {"vectorize": "vectorized", "unroll": "unrolled"}[verb] and inner.startswith("x.")
    assert dict(outer) == {"x": "for", "y": "for", "c": "for"}


def test_a_task_size_makes_the_outer_loop_parallel():
    f = image().parallel(y, 16)
    assert [kind for name, kind in loops(f).items() if name.startswith("y")] == ["for", "parallel"]
    assert loops(f)["y"] == "parallel"


def test_unnamed_inner_loops_never_collide():
    f = image().vectorize(x, 8).unroll(x, 4).unroll(x, 2).vectorize(y, 2)
    assert len(loops(f)) == 7
    f.split(x, x, hl.Var("xv"), 2)


def test_reorder_takes_names_or_a_list():
    assert list(loops(image().reorder(c, x, y))) == list(loops(image().reorder([c, x, y]))) == ["c", "x", "y"]


def test_updates_have_schedules_of_their_own():
    f = summed()
    f.update(0).split(r.x, ro, ri, 4).reorder(ri, x, ro).unroll(ri).parallel(y)
    assert loops(f, 1) == {"ri": "unrolled", "x": "for", "ro": "for", "r$y": "for", "y": "parallel"}
    assert loops(f) == {"x": "for", "y": "for"}
    assert tails(f, 1) == [Tail.GUARD_WITH_IF]
    assert f.update().name() == "f.update(0)" and f.update(0).dump_argument_list().startswith("Vars: ri x r$y ro")


def test_an_rdom_of_one_dimension_names_its_loop():
    f, only = hl.Func("f"), hl.RDom([(0, 8)], "only")
    f[x] = 0
    f[x] += only
    f.update().reorder(x, only).unroll(only, 2)
    assert list(loops(f, 1)) == ["x", "only$x.u", "only$x"]


def test_places_default_to_inline_and_the_last_one_counts():
    f, g = hl.funcs("f g")
    f[x, y] = x
    g[x, y] = f[x, y]
    assert schedule_of(f).compute_level is INLINED and schedule_of(f).store_level is INLINED
    f.compute_root()
    assert schedule_of(f).compute_level is ROOT and schedule_of(f).store_level is ROOT
    f.compute_at(g, x).store_at(g, y)
    assert (schedule_of(f).compute_level.loop, schedule_of(f).store_level.loop) == ("x", "y")
    f.compute_inline()
    assert schedule_of(f).compute_level is INLINED


def test_a_loop_level_may_be_decided_later():
    f, g = hl.funcs("f g")
    f[x, y] = x
    g[x, y] = f[x, y]
    place = hl.LoopLevel()
    f.compute_at(place)
    place.set(hl.LoopLevel(g, y, 0))
    level = schedule_of(f).compute_level
    assert (level.func, level.loop, level.stage) == (g._contents, "y", 0)
    place.set(hl.LoopLevel.root())
    assert schedule_of(f).compute_level is ROOT


def test_directives_remember_the_users_line_and_words():
    f = image()
    f.tile(x, y, xi, yi, 8, 4).vectorize(xi)
    f.bound(c, 0, 3)
    texts = [d.text for d in f._contents.nests[0].directives]
    assert texts == ["f.tile(x, y, xi, yi, 8, 4)"] * 3 + ["f.vectorize(xi)"]
    assert str(f._contents.nests[0].directives[0].location).startswith("tests/lang/test_directives.py:")
    bound = schedule_of(f).directives[0]
    assert isinstance(bound, Directive) and bound.text == "f.bound(c, 0, 3)"


def test_storage_order_lists_the_densest_dimension_first():
    f = image()
    assert schedule_of(f).storage_order(("x", "y", "c")) == ("x", "y", "c")
    f.reorder_storage(c, x, y)
    assert schedule_of(f).storage_order(("x", "y", "c")) == ("c", "x", "y")
    f.reorder_storage(y, x)
    assert schedule_of(f).storage_order(("x", "y", "c")) == ("c", "y", "x")


def test_factors_may_be_params_but_not_for_vectors():
    n = hl.Param(hl.Int(32), "n")
    f = image().split(x, xo, xi, n)
    with pytest.raises(hl.ScheduleError, match="not a constant"):
        f.vectorize(y, n)
    with pytest.raises(hl.ScheduleError, match="is not constant"):
        f.vectorize(xi)


REFUSED = {
    "unknown-loop": lambda f: f.split(t, xo, xi, 8),
    "unknown-loop-of-update": lambda f: f.update(0).vectorize(t),
    "rvar-for-var": lambda f: f.split(x, ro, xi, 8),
    "var-for-rvar": lambda f: f.update(0).split(r.x, xo, ri, 8),
    "var-named-as-rvar": lambda f: f.update(0).unroll(hl.Var("r$x")),
    "factor-zero": lambda f: f.vectorize(x, 0),
    "factor-negative": lambda f: f.split(x, xo, xi, -4),
    "factor-a-float": lambda f: f.split(x, xo, xi, 2.5),
    "factor-of-a-var": lambda f: f.split(x, xo, xi, y + 1),
    "factor-too-large": lambda f: f.split(x, xo, xi, 1 << 40),
    "reduction-in-parallel": lambda f: f.update(0).parallel(r.x),
    "reduction-vectorized-by-factor": lambda f: f.update(0).vectorize(r.x, 4),
    "shift-inwards-of-update": lambda f: f.update(0).split(x, xo, xi, 4, hl.TailStrategy.ShiftInwards),
    "tile-of-wrong-arguments": lambda f: f.tile(x, y, xi, 8),
    "bound-of-no-dimension": lambda f: f.bound(xi, 0, 8),
    "align-by-zero": lambda f: f.align_bounds(x, 0),
    "storage-twice": lambda f: f.reorder_storage(x, x),
    "compute-at-itself": lambda f: f.compute_at(f, x),
    "compute-at-nothing": lambda f: f.compute_at(f),
    "number-as-loop": lambda f: f.vectorize(8),
    "scheduled-before-defined": lambda f: hl.Func("g").vectorize(x),
}  # fmt: skip


@pytest.mark.parametrize("directive", REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_would_be_accepted(directive, golden):
    f = summed()
    before = [loops(f), loops(f, 1), schedule_of(f).directives]
    with pytest.raises(hl.UserError) as refused:
        directive(f)
    assert without_place(refused.value) == golden
    assert [loops(f), loops(f, 1), schedule_of(f).directives] == before, "a refused directive changes nothing"


def two_stages(hl: Any) -> tuple[Any, Any]:
    x, y = hl.Var("x"), hl.Var("y")
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = hl.cast(hl.UInt(16), x * 7 + y * 13)
    g[x, y] = f[x, y] + 2 * f[x + 1, y + 2]
    return f, g


STAGES = {
    "inline": lambda hl, f, g, x, y: g,
    "root": lambda hl, f, g, x, y: f.compute_root(),
    "at-y": lambda hl, f, g, x, y: f.compute_at(g, y),
    "at-x": lambda hl, f, g, x, y: f.compute_at(g, x),
    "sliding": lambda hl, f, g, x, y: f.store_root().compute_at(g, y),
    "split": lambda hl, f, g, x, y: g.split(x, x, hl.Var("xi"), 5),
    "split-guarded": lambda hl, f, g, x, y: g.split(x, x, hl.Var("xi"), 5, hl.TailStrategy.GuardWithIf),
    "split-predicated": lambda hl, f, g, x, y: g.vectorize(x, 8, hl.TailStrategy.Predicate),
    "split-twice": lambda hl, f, g, x, y: g.split(x, x, hl.Var("a"), 7).split(hl.Var("a"), hl.Var("a"), hl.Var("b"), 2),
    "fuse": lambda hl, f, g, x, y: g.fuse(x, y, hl.Var("t")).parallel(hl.Var("t")),
    "fuse-split": lambda hl, f, g, x, y: g.fuse(x, y, hl.Var("t")).split(hl.Var("t"), hl.Var("to"), hl.Var("ti"), 6),
    "reorder": lambda hl, f, g, x, y: g.reorder(y, x),
    "vectorize": lambda hl, f, g, x, y: g.vectorize(x, 4),
    "vectorize-odd": lambda hl, f, g, x, y: g.vectorize(x, 3),
    "unroll": lambda hl, f, g, x, y: g.unroll(x, 3),
    "parallel": lambda hl, f, g, x, y: g.parallel(y, 2),
    "tile": lambda hl, f, g, x, y: f.compute_at(
        g.tile(x, y, hl.Var("xi"), hl.Var("yi"), 8, 4).vectorize(hl.Var("xi"), 4).parallel(y), x
    ).vectorize(x, 4),
    "rename": lambda hl, f, g, x, y: f.compute_at(g.rename(y, hl.Var("row")), hl.Var("row")),
    "align": lambda hl, f, g, x, y: f.compute_root().align_bounds(x, 8, 3).vectorize(x, 8, hl.TailStrategy.RoundUp),
    "align-extent": lambda hl, f, g, x, y: f.compute_root().align_extent(x, 4),
    "bound": lambda hl, f, g, x, y: f.compute_root().bound(x, 0, 18).vectorize(x, 6),
    "bound-extent": lambda hl, f, g, x, y: g.bound_extent(x, 17).unroll(x),
    "storage": lambda hl, f, g, x, y: f.compute_root().reorder_storage(y, x),
    "nested": lambda hl, f, g, x, y: g.vectorize(x, 4).unroll(x, 2).unroll(y, 2).parallel(y),
    "round-up-producer": lambda hl, f, g, x, y: f.compute_at(g, y).vectorize(x, 8, hl.TailStrategy.RoundUp),
}  # fmt: skip


@pytest.mark.parametrize("schedule", STAGES.values(), ids=STAGES.keys())
def test_every_directive_leaves_the_result_alone(schedule):
    halide = pytest.importorskip("halide")
    results = []
    for module in (halide, hl):
        f, g = two_stages(module)
        schedule(module, f, g, module.Var("x"), module.Var("y"))
        results.append(np.array(g.realize([17, 11])))
    np.testing.assert_array_equal(*results)


UPDATES = {
    "unscheduled": lambda hl, f, r: f.update(0).unscheduled(),
    "vectorize": lambda hl, f, r: f.update(0).vectorize(hl.Var("x"), 4),
    "reorder": lambda hl, f, r: f.update(0).reorder(hl.Var("x"), r.x, r.y),
    "split": lambda hl, f, r: f.update(0).split(r.x, hl.RVar("ro"), hl.RVar("ri"), 4).reorder(hl.RVar("ri"), r.y),
    "unroll": lambda hl, f, r: f.update(0).unroll(r.x, 3),
    "fuse": lambda hl, f, r: f.update(0).fuse(r.x, r.y, hl.RVar("q")).unroll(hl.RVar("q"), 4),
    "parallel": lambda hl, f, r: f.update(0).parallel(hl.Var("x")).vectorize(hl.Var("x"), 2),
}  # fmt: skip


@pytest.mark.parametrize("schedule", UPDATES.values(), ids=UPDATES.keys())
def test_every_directive_on_an_update_leaves_the_result_alone(schedule):
    halide = pytest.importorskip("halide")
    results = []
    for module in (halide, hl):
        f, x, r = module.Func("f"), module.Var("x"), module.RDom([(0, 10), (1, 4)], "r")
        f[x] = x
        f[x] += r.x * x - r.y
        schedule(module, f, r)
        # A multiple of all factors, as updates round up.
        results.append(np.array(f.realize([16])))
    np.testing.assert_array_equal(*results)


def test_the_places_that_are_accepted_name_loops_of_updates() -> None:
    f, g = hl.funcs("f g")
    f[x, y] = x + y
    g[x, y] = 0
    g[x, y] += f[x + r.x, y]
    g.update(0).split(x, xo, xi, 4)
    f.compute_at(g, x)
    with pytest.raises(hl.IllegalSchedule) as refused:
        g.realize([8, 8])
    assert "f is read by `g.update(0)`, outside loop g.x\n" in str(refused.value)
    assert "accepted here: root, g.update(0).y, g.update(0).xo, g.update(0).xi, " in str(refused.value)
    f.compute_at(g, xo)
    np.testing.assert_array_equal(np.asarray(g.realize([8, 8])), np.asarray(g.reference([8, 8])))
    f.compute_at(g, yi)
    with pytest.raises(hl.IllegalSchedule, match="g has no loop `yi`"):
        g.realize([8, 8])


def test_a_loop_of_an_update_that_does_not_enclose_a_use_is_named_with_its_stage() -> None:
    f, g = hl.funcs("f g")
    f[x, y] = x + y
    g[x, y] = f[x, y]
    g[x, y] += f[x + r.x, y]
    f.compute_at(g, r.x)
    with pytest.raises(hl.IllegalSchedule, match=r"f is also read by `g`, outside loop g\.update\(0\)\.r\$x"):
        g.realize([8, 8])
    f.compute_at(g, y)
    np.testing.assert_array_equal(np.asarray(g.realize([8, 8])), np.asarray(g.reference([8, 8])))


def test_a_place_may_be_named_before_its_func_is_defined():
    f, g = hl.Func("f"), hl.Func("g")
    f.store_at(g, y).compute_at(g, xi)
    f[x, y] = x * y
    with pytest.raises(hl.ScheduleError, match="g has no loop `xi`"):
        g[x, y] = f[x, y] + f[x + 1, y]
        g.realize([14, 3])
    g.split(x, x, xi, 4, hl.TailStrategy.GuardWithIf)
    assert np.array_equal(g.realize([14, 3]), g.reference([14, 3]))
