"""What is offered instead of a refused line is accepted, and right."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule

x, y, xo, xi, u = hl.vars("x y xo xi u")
T = hl.TailStrategy


def first_greatest() -> tuple[hl.Func, hl.RDom]:
    f, r = hl.Func("f"), hl.RDom([(0, 9), (0, 7)], "r")
    e = (r.x * 5 + r.y * 3 + x) % 11
    f[x] = (0, 0)
    f[x] = (hl.select(e > f[x][0], e, f[x][0]), hl.select(e > f[x][0], r.x + r.y * 9, f[x][1]))
    return f, r


def test_partial_results_are_offered_where_their_order_matters() -> None:
    f, r = first_greatest()
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).parallel(r.y)
    repair = refused.value.repair
    assert repair == "rfactor(r.y, u).compute_root().update(0).parallel(u)"
    eval(f"s.{repair}", {"s": f.update(0), "r": r, "u": u})
    for got, expected in zip(f.realize([6]), f.reference([6]), strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def test_an_inner_loop_alone_is_not_factored_where_the_order_matters() -> None:
    f, r = first_greatest()
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).parallel(r.x)
    assert refused.value.repair == "serial(r.x)"


def test_a_line_may_be_left_out_where_nothing_can_stand_for_it() -> None:
    f, r = first_greatest()
    with pytest.raises(IllegalSchedule, match=r"Legal instead: to leave this line out\.") as refused:
        f.update(0).reorder(r.y, r.x)
    assert refused.value.repair == ""


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_shifted_tail_that_updates_twice_is_shown_the_iteration(factor: int) -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(2, 7)], "r")
    f[x, y] = x + y
    f[x, y] = f[x, y] * 2 + 1
    g[x] = x
    g[r.x] = g[r.x] * 3
    for stage, loop, low in ((f.update(0), x, 0), (g.update(0), r.x, 2)):
        inner, outer = (xi, xo) if loop is x else (hl.RVar("inner"), hl.RVar("outer"))
        with pytest.raises(IllegalSchedule, match="which would run twice") as refused:
            stage.split(loop, outer, inner, factor, T.ShiftInwards)
        witness = refused.value.witness
        assert witness is not None and witness.source == witness.sink
        assert witness.cell.coordinates == tuple(witness.source.variables.values())
        extent = witness.parameters.get("x.extent", 7)
        starts = [min(low + n, low + extent - factor) for n in range(0, extent, factor)]
        at = witness.source.variables[loop.name().replace("$", ".")]
        assert sum(start <= at < start + factor for start in starts) == 2
        assert refused.value.repair is not None and refused.value.repair.endswith("TailStrategy.GuardWithIf)")


def test_a_shifted_tail_of_an_update_that_reads_nothing_of_its_own_has_no_such_iteration() -> None:
    f = hl.Func("f")
    f[x, y] = x + y
    f[x, 0] = x * 2
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).split(x, xo, xi, 4, T.ShiftInwards)
    assert refused.value.witness is None


@pytest.mark.parametrize("tail", [T.ShiftInwards, T.RoundUp])
def test_guards_are_offered_instead_of_tails_that_run_again(tail: hl.TailStrategy) -> None:
    def counted() -> hl.Func:
        f = hl.Func("f")
        f[x, y] = x + y
        f[x, y] += f[x, y] * 2
        f.update(0).split(x, xo, xi, 4, T.GuardWithIf)
        return f

    f, inner, outer = counted(), hl.Var("inner"), hl.Var("outer")
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).split(xi, outer, inner, 3, tail)
    repair = refused.value.repair
    assert repair == "split(xi, outer, inner, 3, TailStrategy.GuardWithIf)"
    eval(f"s.{repair}", {"s": f.update(0), "xi": xi, "outer": outer, "inner": inner, "TailStrategy": T})
    np.testing.assert_array_equal(np.asarray(f.realize([11, 3])), np.asarray(f.reference([11, 3])))


PLACES = {
    "computed inside a loop that not all readers share": (
        lambda f, g, h: (f.compute_at(g, x), g.compute_root(), h.compute_root()), "compute_root()"
    ),
    "computed deeper than all readers": (
        lambda f, g, h: (g.compute_at(h, y), f.compute_at(g, y)), "compute_at(h, y)"
    ),
    "stored outside threads": (
        lambda f, g, h: (g.compute_root(), h.parallel(y), f.compute_at(h, x).store_root(), g.compute_inline()),
        "store_at(h, y)",
    ),
    "memory taken outside threads": (
        lambda f, g, h: (g.compute_inline(), h.parallel(y), f.compute_at(h, x).hoist_storage_root()),
        "hoist_storage(h, y)",
    ),
    "stored inside the place of computation": (
        lambda f, g, h: (f.compute_at(h, y).store_at(h, x), g.compute_inline()), "store_root()"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_place_is_offered_that_is_accepted(name: str) -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x, y] = x + y * 3
    g[x, y] = f[x, y] + f[x + 1, y]
    h[x, y] = g[x, y] * 2 + f[x, y + 1]
    schedule, expected = PLACES[name]
    schedule(f, g, h)
    with pytest.raises(IllegalSchedule, match="legal instead: ") as refused:
        h.realize([6, 5])
    assert refused.value.repair == expected
    eval(f"f.{expected}", {"f": f, "h": h, "x": x, "y": y})
    np.testing.assert_array_equal(np.asarray(h.realize([6, 5])), np.asarray(h.reference([6, 5])))
