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
    assert refused.value.repair is None


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
