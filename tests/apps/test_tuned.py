"""Schedules that were found by tuning: each fits its app as it is now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import halopy as hl
from apps.cases import APPS, case_named, cases_of, named
from schedules.tuned import tuned

FOUND = sorted((Path(__file__).parents[2] / "schedules" / "tuned").glob("*.json"), key=lambda path: path.stem)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_tuned_schedule_fits_its_app_and_says_where_it_was_measured(path):
    content = json.loads(path.read_text())
    algorithm = named(case_named(path.stem).algorithm)()
    tuned(path.stem)(**algorithm.stages)
    assert algorithm.output.pipeline().lowered_stmt() is not None
    assert content["machine"] and content["compiler"] and content["measured"]["seconds"]


def test_an_app_that_was_not_tuned_says_how_to():
    names = {case.name for app in APPS for case in cases_of(app)}
    algorithm = named(case_named("blur16").algorithm)()
    with pytest.raises(hl.ScheduleError, match="halopy tune nothing"):
        tuned("nothing")(**algorithm.stages)
    assert {path.stem for path in FOUND} <= names
