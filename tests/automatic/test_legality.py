"""Automatic schedules over pipelines of many kinds: the answer is that of the oracle, at sizes of all kinds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

from .pipelines import CASES, Case, several_values, stencil_chain

HOST = hl.get_host_target()
IDS = [make.__name__ for make in CASES]


def schedule(case: Case, **settings: int) -> str:
    return case.pipeline.apply_autoscheduler(HOST, hl.AutoschedulerParams("halopy", settings)).schedule_source


def check(case: Case) -> None:
    for sizes in case.sizes:
        case.fill(sizes)
        found, expected = case.pipeline.realize(list(sizes)), case.pipeline.reference(list(sizes))
        pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        for a, b in pairs:
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5)


@pytest.mark.parametrize("make", CASES, ids=IDS)
def test_an_automatic_schedule_keeps_the_answer(make: Callable[[], Case]):
    case = make()
    schedule(case)
    check(case)


@pytest.mark.parametrize("make", CASES, ids=IDS)
def test_a_machine_with_little_cache_and_many_threads_keeps_the_answer(make: Callable[[], Case]):
    case = make()
    schedule(case, parallelism=64, last_level_cache_size=1 << 20, balance=4)
    check(case)


@pytest.mark.parametrize("make", CASES, ids=IDS)
def test_equal_pipelines_get_equal_schedules(make: Callable[[], Case]):
    assert schedule(make()) == schedule(make())


def test_a_chain_of_stencils_slides_down_strips():
    source = schedule(stencil_chain(4))
    assert "stage_0.store_at(stage_3, stage_3.args()[1])" in source
    assert 'stage_0.compute_at(stage_3, hl.Var("y_t"))' in source
    assert "stage_3.parallel(y)" in source


def test_a_chain_that_outgrows_the_cache_is_cut():
    whole, cut = schedule(stencil_chain(8)), schedule(stencil_chain(8), last_level_cache_size=1 << 20)
    assert "compute_root" not in whole
    assert "compute_root" in cut


def test_a_func_with_updates_slides_where_its_rows_stand_alone():
    assert "best.compute_at(out" in schedule(several_values())
