"""Schedules with another number in them."""

from __future__ import annotations

from random import Random

import halopy as hl
from autotuner.rescale import rescaled
from tests.autotuner.pipelines import chain, x, y


def test_one_number_changes_wherever_it_stands_and_the_schedule_fits():
    f = chain()
    f.split(y, y, hl.Var("yi"), 40).vectorize(x, 16)
    before = hl.Pipeline(f).schedule
    numbers = set()
    for seed in range(12):
        after = hl.Schedule.from_json(rescaled(before.to_json(), Random(seed)))
        lines = before.diff(after).splitlines()
        assert {line[0] for line in lines} == {"-", "+"} and len(lines) in (2, 4)
        pipeline = hl.Pipeline(chain())
        pipeline.apply_schedule(after)
        assert pipeline.schedule == after and ("16)" in after.to_json() or "40)" in after.to_json())
        numbers.add(after.to_python())
    assert len(numbers) > 6


def test_a_schedule_without_numbers_has_no_changes():
    f = chain()
    f.parallel(y)
    assert rescaled(hl.Pipeline(f).schedule.to_json(), Random(0)) is None
