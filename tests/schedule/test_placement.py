"""A Func is computed and stored where all its uses are enclosed; a refusal lists the places that are."""

from __future__ import annotations

import pytest

import halopy as hl
from halopy.errors import IllegalSchedule
from halopy.lang.snapshot import snapshot
from halopy.schedule.placement import check_placements

x, y, xi, yi = hl.vars("x y xi yi")


def check(*outputs: hl.Func) -> None:
    now = snapshot([f._contents for f in outputs])
    check_placements(now.program, now.schedules)


def refusal(*outputs: hl.Func) -> str:
    with pytest.raises(IllegalSchedule) as refused:
        check(*outputs)
    return str(refused.value).split(": ", 1)[1]  # without file and line


def blur() -> tuple[hl.Func, hl.Func]:
    blur_x, blur_y = hl.Func("blur_x"), hl.Func("blur_y")
    blur_x[x, y] = x + y
    blur_y[x, y] = blur_x[x, y] + blur_x[x, y + 1]
    return blur_x, blur_y


def test_every_loop_of_the_only_consumer_is_legal():
    for loop in (x, y):
        blur_x, blur_y = blur()
        blur_x.compute_at(blur_y, loop)
        check(blur_y)


def test_compute_at_must_enclose_every_use(golden):
    blur_x, blur_y = blur()
    edges = hl.Func("edges")
    edges[x, y] = blur_x[x, y] + blur_y[x, y]
    blur_y.compute_root()
    blur_x.compute_at(blur_y, y)
    assert refusal(edges) == golden
    blur_x.compute_at(edges, y)
    blur_y.compute_at(edges, y)
    check(edges)


def test_loops_that_were_split_or_fused_away_are_no_places(golden):
    blur_x, blur_y = blur()
    blur_x.compute_at(blur_y, y)
    blur_y.split(y, yi, xi, 8)
    assert refusal(blur_y) == golden
    blur_x.compute_at(blur_y, yi)
    check(blur_y)


def test_the_place_may_be_named_before_its_loop_is_made():
    blur_x, blur_y = blur()
    blur_x.compute_at(blur_y, yi)
    blur_y.split(y, y, yi, 8)
    check(blur_y)


def test_an_inlined_consumer_has_no_loops(golden):
    blur_x, blur_y = blur()
    out = hl.Func("out")
    out[x, y] = blur_y[x, y]
    blur_x.compute_at(blur_y, y)
    assert refusal(out) == golden
    blur_x.compute_at(out, y)
    check(out)


def test_a_func_outside_the_pipeline_is_no_place(golden):
    blur_x, blur_y = blur()
    stranger = hl.Func("stranger")
    stranger[x, y] = blur_x[x, y]
    blur_x.compute_at(stranger, y)
    assert refusal(blur_y) == golden


def test_storage_must_enclose_computation(golden):
    blur_x, blur_y = blur()
    blur_x.compute_at(blur_y, y).store_at(blur_y, x)
    assert refusal(blur_y) == golden
    blur_x.compute_at(blur_y, x).store_at(blur_y, y)
    check(blur_y)


def test_storage_outside_a_parallel_loop_would_be_shared(golden):
    blur_x, blur_y = blur()
    blur_x.compute_at(blur_y, y).store_root()
    check(blur_y)
    blur_y.parallel(y)
    assert refusal(blur_y) == golden
    blur_x.store_at(blur_y, y)
    check(blur_y)


def test_storage_of_an_inlined_func_is_a_mistake(golden):
    blur_x, blur_y = blur()
    blur_x.store_root()
    assert refusal(blur_y) == golden


def test_a_loop_of_any_stage_serves_the_stages_that_have_it():
    blur_x, blur_y = blur()
    blur_y[x, y] += blur_x[x, y]
    blur_x.compute_at(blur_y, y)
    check(blur_y)


def test_a_stage_without_the_loop_is_not_served(golden):
    blur_x, blur_y = blur()
    blur_y[x, 0] += blur_x[x, 0]
    blur_x.compute_at(blur_y, y)
    assert refusal(blur_y) == golden


def test_an_undecided_place_is_asked_for(golden):
    blur_x, blur_y = blur()
    place = hl.LoopLevel()
    blur_x.compute_at(place)
    with pytest.raises(hl.ScheduleError) as refused:
        check(blur_y)
    assert str(refused.value).split(": ", 1)[1] == golden
    place.set(hl.LoopLevel(blur_y, y))
    check(blur_y)
