"""Which stages may share loops: every refusal beside a neighbour that is accepted; and how shared loops are printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import halopy as hl
from halopy.ir.simplify import simplify
from halopy.lang.snapshot import snapshot
from halopy.schedule.placement import check_placements
from halopy.schedule.separate_specializations import separate_specializations
from tests.lang.messages import without_place
from tests.lower.pipelines import nests

x, y, z, xi, xo, yo, yi = (hl.Var(n) for n in ("x", "y", "z", "xi", "xo", "yo", "yi"))
T, A = hl.TailStrategy, hl.LoopAlignStrategy


def check(*outputs: hl.Func) -> None:
    taken = snapshot([f._contents for f in outputs])
    check_placements(*separate_specializations(taken.program, taken.schedules))
    nests(*outputs)


def refused(*outputs: hl.Func) -> str:
    with pytest.raises(hl.IllegalSchedule) as refusal:
        check(*outputs)
    assert "test_fused_nests.py:" in str(refusal.value)
    return without_place(refusal.value)


def producers() -> list[hl.Func]:
    """f and g with an update each, read by h; both at root."""
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x, y] = x + y
    f[x, y] += 1
    g[x, y] = x - y
    g[x, y] += 2
    h[x, y] = f[x, y] + g[x, y + 1]
    f.compute_root()
    g.compute_root()
    return [f, g, h]


Case = tuple[Callable[[hl.Func, hl.Func, hl.Func], object], Callable[[hl.Func, hl.Func, hl.Func], object]]

CASES: dict[str, Case] = {
    "inlined": (
        lambda f, g, h: g.compute_inline().compute_with(f, y),
        lambda f, g, h: g.compute_root().compute_with(f, y),
    ),
    "parent inlined": (
        lambda f, g, h: g.compute_with(f.compute_inline(), y),
        lambda f, g, h: g.compute_with(f.compute_root(), y),
    ),
    "different places": (
        lambda f, g, h: g.compute_at(h, y).compute_with(f, y),
        lambda f, g, h: [f.compute_at(h, y), g.compute_at(h, y).compute_with(f, y)],
    ),
    "no such loop": (
        lambda f, g, h: g.compute_with(f, z),
        lambda f, g, h: g.compute_with(f, y),
    ),
    "loop of one stage only": (
        lambda f, g, h: g.split(y, yo, yi, 4).compute_with(f, y),
        lambda f, g, h: [f.split(y, yo, yi, 8), g.split(y, yo, yi, 4).compute_with(f, yo)],
    ),
    "different loops around": (
        lambda f, g, h: g.reorder(y, x).compute_with(f, x),
        lambda f, g, h: [f.reorder(y, x), g.reorder(y, x).compute_with(f, x)],
    ),
    "more loops around": (
        lambda f, g, h: g.split(y, yo, yi, 4).compute_with(f, x),
        lambda f, g, h: [f.split(y, yo, yi, 8), g.split(y, yo, yi, 4).compute_with(f, x)],
    ),
    "different kinds": (
        lambda f, g, h: g.parallel(y).compute_with(f, y),
        lambda f, g, h: [f.parallel(y), g.parallel(y).compute_with(f, y)],
    ),
    "alignment of no loop": (
        lambda f, g, h: g.compute_with(f, y, [(z, A.AlignEnd)]),
        lambda f, g, h: g.compute_with(f, y, [(x, A.AlignEnd), (y, A.AlignEnd)]),
    ),
    "each with the other": (
        lambda f, g, h: [f.compute_with(g, y), g.compute_with(f, y)],
        lambda f, g, h: [f.compute_with(g, y), g.update(0).compute_with(f.update(0), y)],
    ),
    "crossing": (
        lambda f, g, h: [f.compute_with(g.update(0), y), f.update(0).compute_with(g, y)],
        lambda f, g, h: [f.compute_with(g, y), f.update(0).compute_with(g.update(0), y)],
    ),
    "a stage left out between": (
        lambda f, g, h: [f.__setitem__((x, y), f[x, y] * 3), f.compute_with(g, y), f.update(1).compute_with(g, y)],
        lambda f, g, h: [f.__setitem__((x, y), f[x, y] * 3), f.compute_with(g, y),
                         f.update(0).compute_with(g, y), f.update(1).compute_with(g, y)],
    ),
    "stages in the wrong order": (
        lambda f, g, h: [f.compute_with(g, y), f.update(0).compute_with(g, x)],
        lambda f, g, h: [f.compute_with(g, x), f.update(0).compute_with(g, y)],
    ),
    "updates in tiles of their own": (
        lambda f, g, h: [s.split(y, yo, yi, k, T.GuardWithIf).compute_with(
                             g.split(y, yo, yi, 4, T.GuardWithIf) if k == 4 else g, yo)
                         for k, s in ((4, f), (8, f.update(0)))],
        lambda f, g, h: [s.split(y, yo, yi, k, T.GuardWithIf).compute_with(
                             g.split(y, yo, yi, 4, T.GuardWithIf) if n == 0 else g, yo)
                         for n, (k, s) in enumerate(((8, f), (8, f.update(0))))],
    ),
}  # fmt: skip


def define(case: str) -> list[hl.Func]:
    """The three Funcs; f is defined further where the case says so, before h reads it."""
    if case != "a stage left out between":
        return producers()
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x, y] = x + y
    f[x, y] += 1
    g[x, y] = x - y
    g[x, y] += 2
    f.compute_root()
    g.compute_root()
    return [f, g, h]


@pytest.mark.parametrize("case", CASES)
def test_what_would_change_the_answer_is_refused(case: str, golden: Any) -> None:
    f, g, h = define(case)
    CASES[case][0](f, g, h)
    if not h.defined():
        h[x, y] = f[x, y] + g[x, y + 1]
    assert golden == refused(h)


@pytest.mark.parametrize("case", CASES)
def test_the_neighbour_of_what_is_refused_is_accepted(case: str) -> None:
    f, g, h = define(case)
    CASES[case][1](f, g, h)
    if not h.defined():
        h[x, y] = f[x, y] + g[x, y + 1]
    check(h)


def test_a_func_that_needs_the_other_is_refused(golden: Any) -> None:
    f, between, g = hl.Func("f"), hl.Func("between"), hl.Func("g")
    f[x, y] = x + y
    between[x, y] = f[x, y] * 2
    g[x, y] = between[x, y] + 1
    f.compute_root()
    g.compute_with(f, y)
    assert golden == refused(g)


def test_groups_that_need_each_other_are_refused(golden: Any) -> None:
    a, b, c, d, out = (hl.Func(n) for n in ("a", "b", "c", "d", "out"))
    a[x, y] = x + y
    d[x, y] = x - y
    b[x, y] = d[x, y] + 1
    c[x, y] = a[x, y] * 2
    out[x, y] = b[x, y] + c[x, y]
    for func in (a, b, c, d):
        func.compute_root()
    b.compute_with(a, y)
    check(out)
    d.compute_with(c, y)
    assert golden == refused(out)


def test_funcs_needed_in_different_stages_are_refused(golden: Any) -> None:
    f, g, p, h = (hl.Func(n) for n in ("f", "g", "p", "h"))
    f[x, y] = x + y
    g[x, y] = x - y
    p[x, y] = x * y
    h[x, y] = g[x + 2, y - 2] + p[x, y]
    h[x, y] += f[x - 1, y + 1]
    for func in (f, g, p):
        func.compute_at(h, y)
    g.compute_with(p, x)
    check(h)
    p.compute_with(f, x)
    assert golden == refused(h)


def test_a_func_outside_the_pipeline_is_refused(golden: Any) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = x - y
    g.compute_with(f, y)
    check(f, g)
    assert golden == refused(g)


def test_updates_moved_by_different_distances_are_refused(golden: Any) -> None:
    f, g, h = producers()
    f.compute_with(g, y)
    f.update(0).compute_with(g, y)
    check(h)
    f.update(0).compute_with(g, y, A.AlignEnd)
    assert golden == refused(h)


def test_reductions_of_one_func_may_not_take_turns(golden: Any) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    r = hl.RDom([(0, 10)], "r")
    f[x] = 0
    f[x] += r
    f[x] = f[x] * 2 + r
    g[x] = 0
    g[x] += r
    for n in (0, 1):
        f.update(n).reorder(x, r).compute_with(g.update(0).reorder(x, r) if n == 0 else g.update(0), r)
    assert golden == refused(f, g)


@pytest.mark.parametrize(
    "arguments",
    [(), ("y",), (x,), (hl.LoopLevel(),), (hl.LoopLevel.root(),), (hl.LoopLevel.inlined(), A.AlignEnd)],
    ids=range(6),
)
def test_arguments_that_name_no_loop_are_refused_at_once(arguments: tuple[Any, ...]) -> None:
    f, _, _ = producers()
    with pytest.raises(hl.ScheduleError, match="the place is not a loop of another Func"):
        f.compute_with(*arguments)


def test_a_func_cannot_be_computed_with_itself() -> None:
    f, g, _ = producers()
    with pytest.raises(hl.ScheduleError, match="cannot be computed with itself"):
        f.update(0).compute_with(f, x)
    f.update(0).compute_with(g.update(0), x)


def test_all_forms_mean_the_same() -> None:
    forms: list[Callable[[hl.Func, hl.Func], object]] = [
        lambda f, g: g.compute_with(f, y, A.AlignEnd),
        lambda f, g: g.compute_with(f, y, [(y, A.AlignEnd)]),
        lambda f, g: g.compute_with(stage=f, var=y, align=A.AlignEnd),
        lambda f, g: g.compute_with(hl.LoopLevel(f, y), A.AlignEnd),
        lambda f, g: g.compute_with(hl.LoopLevel(f, y, 0), [(y, A.AlignEnd)]),
        lambda f, g: g.compute_with(loop_level=hl.LoopLevel(f, y), align=A.AlignEnd),
    ]
    texts = []
    for form in forms:
        f, g, h = producers()
        assert form(f, g) is g
        texts.append(str(simplify(nests(h).stmt)))
    assert set(texts) == {texts[0]}


def test_the_statement_of_a_fused_nest(golden: Any) -> None:
    shared, f, g = hl.Func("shared"), hl.Func("f"), hl.Func("g")
    shared[x, y] = x * y
    f[x, y] = shared[x, y] + 1
    g[x, y] = shared[x, y + 1] * 2
    g.compute_with(f, y, A.AlignStart)
    shared.compute_at(f, y)
    f.bound(x, 0, 8).bound(y, 0, 6)
    g.bound(x, 0, 8).bound(y, 2, 3)
    assert golden == str(simplify(nests(f, g).stmt))


def with_producer_inside(hl: Any, f: Any, g: Any, p: Any) -> None:
    f.compute_root()
    g.compute_root().compute_with(f, y_of(hl), hl.LoopAlignStrategy.AlignEnd)
    p.compute_at(f, y_of(hl))


def chained(hl: Any, f: Any, g: Any, p: Any) -> None:
    x, xi, xo = hl.Var("x"), hl.Var("xi"), hl.Var("xo")
    for func in (f, g):
        func.compute_root().split(x, xo, xi, 8).vectorize(xi)
    p.compute_root()
    g.compute_with(f, xo)


def y_of(hl: Any) -> Any:
    return hl.Var("y")


@pytest.mark.parametrize("schedule", [with_producer_inside, chained], ids=lambda s: s.__name__)
def test_shared_loops_are_printed_as_halide_prints_them(schedule: Any, capfd: Any) -> None:
    halide = pytest.importorskip("halide")
    texts = []
    for module in (halide, hl):
        x, y = module.Var("x"), module.Var("y")
        f, g, h, p = (module.Func(n) for n in ("f", "g", "h", "p"))
        p[x, y] = x * y
        f[x, y] = x + y + p[x, y]
        g[x, y] = x - y + p[x, y]
        h[x, y] = f[x, y] + g[x, y + 1]
        schedule(module, f, g, p)
        h.print_loop_nest()
        captured = capfd.readouterr()
        texts.append(captured.out + captured.err)
    assert texts[0] == texts[1]


def test_of_two_partners_the_last_counts() -> None:
    f, g, h = producers()
    f.update(0).unscheduled()
    g.update(0).unscheduled()
    g.compute_with(f, x).compute_with(f.update(0), y)
    with pytest.warns(UserWarning, match=r"g.compute_with\(f, x\) has no effect"):
        h.realize([3, 2])


def test_versions_share_loops_that_all_of_them_have(golden: Any) -> None:
    f, g, h = producers()
    wide = hl.Param(hl.Bool(), "wide")
    f.update(0).specialize(wide).split(x, xo, xi, 8)
    g.update(0).compute_with(f.update(0), y)
    check(h)
    f.update(0).specialize(wide).split(y, yo, yi, 8)
    assert golden == refused(h)


def test_one_version_alone_shares_no_loops() -> None:
    f, g, _ = producers()
    version = g.specialize(hl.Param(hl.Bool(), "wide"))
    with pytest.raises(hl.ScheduleError) as refusal:
        version.compute_with(f, y)
    assert without_place(refusal.value) == (
        "g.specialize(wide).compute_with(f, y)\n"
        "  the loops of a stage are shared in all of its versions, and this is one of them\n"
        "  accepted here: compute_with() of the stage itself"
    )
