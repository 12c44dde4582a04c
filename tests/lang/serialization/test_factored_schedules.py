"""rfactor() as part of a Schedule: it is done again on a fresh algorithm, and what it made is scheduled as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

from ...test_rfactor_versions import FACTORED, reduced

x, y, u, v = hl.vars("x y u v")
rxo, rxi, rxio, rxii = (hl.RVar(n) for n in ("rxo", "rxi", "rxio", "rxii"))
pytestmark = pytest.mark.filterwarnings("ignore:.*has no schedule")
Factor = Callable[[hl.Func, hl.RDom, hl.Param], object]


def plain(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    i = f.update().split(r.x, rxo, rxi, 8).rfactor([(rxi, u), (r.y, v)]).compute_root().vectorize(u, 8)
    i.update().vectorize(u, 8).parallel(v)
    f.update().vectorize(x, 4, hl.TailStrategy.GuardWithIf)


def twice(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    one = f.update().split(r.x, rxo, rxi, 8).rfactor(rxo, u)
    two = one.update().split(rxi, rxio, rxii, 4).rfactor(rxii, v)
    two.compute_at(one, u).update().vectorize(v, 4)
    one.compute_root().update().parallel(u)


def again(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    one = f.update().rfactor([(r.y, u), (r.x, v)]).compute_root()
    f.update().rfactor(r.y, u).compute_root()
    one.update().unroll(v, 3)


CASES = [plain, twice, again, *FACTORED]


def check(f: hl.Func, p: hl.Param) -> None:
    expected = reduced()[0].reference([5, 4])
    for value in (0, 1, 2):
        p.set(value)
        np.testing.assert_array_equal(np.asarray(f.realize([5, 4])), np.asarray(expected))


@pytest.mark.parametrize("factor", CASES)
def test_rfactor_is_done_again_on_a_fresh_algorithm(factor: Factor) -> None:
    f, r, p = reduced()
    factor(f, r, p)
    schedule = hl.Schedule.from_json(hl.Pipeline(f).schedule.to_json())
    fresh, _, q = reduced()
    fresh.specialize(q > 5)  # so that the Param is an input
    hl.Pipeline(fresh).apply_schedule(schedule)
    assert hl.Pipeline(fresh).schedule == schedule
    assert hl.Pipeline(fresh).schedule.to_python() == schedule.to_python()
    check(fresh, q)


@pytest.mark.parametrize("factor", CASES)
def test_a_pipeline_may_be_given_its_own_schedule(factor: Factor) -> None:
    f, r, p = reduced()
    factor(f, r, p)
    pipeline = hl.Pipeline(f)
    before = pipeline.schedule
    for _ in range(2):
        pipeline.apply_schedule(before)
        assert pipeline.schedule == before
    check(f, p)


@pytest.mark.parametrize("factor", CASES)
def test_as_python_it_factors_too(factor: Factor) -> None:
    f, r, p = reduced()
    factor(f, r, p)
    text = hl.Pipeline(f).schedule.to_python()
    assert ".rfactor([" in text
    fresh, _, q = reduced()
    scope: dict[str, Any] = {}
    exec(text, scope)
    scope["schedule"](*([fresh, q] if "def schedule(f, p)" in text else [fresh]))
    check(fresh, q)


def test_a_schedule_without_rfactor_undoes_it() -> None:
    f, r, p = reduced()
    before = hl.Pipeline(f).schedule
    plain(f, r, p)
    pipeline = hl.Pipeline(f)
    pipeline.apply_schedule(before)
    assert pipeline.schedule == before
    check(f, p)


def test_what_cannot_be_factored_is_refused_and_leaves_all_as_it_was() -> None:
    f, r, p = reduced()
    plain(f, r, p)
    schedule = hl.Pipeline(f).schedule
    other, s = hl.Func("f"), hl.RDom([(0, 21), (0, 13)], "r")
    other[x, y] = x
    other[x, y] = other[x, y] * 2 + s.x * s.y
    other.update().unroll(s.x, 3)
    before = hl.Pipeline(other).schedule
    with pytest.raises(hl.HalideError, match="no associative operator"):
        hl.Pipeline(other).apply_schedule(schedule)
    assert hl.Pipeline(other).schedule == before
