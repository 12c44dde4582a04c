"""Tracing changes no answer, and its events agree with each other, under random schedules."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import halopy as hl
from halopy import TraceKind as Kind

from .test_random_schedules import FAMILY, schedule

ALL = (hl.TargetFeature.TraceLoads, hl.TargetFeature.TraceStores, hl.TargetFeature.TraceRealizations)


@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_loaded_was_stored_and_the_answer_stays(name: str, data: st.DataObject) -> None:
    funcs = FAMILY[name]()
    try:
        schedule(funcs, data.draw)
    except hl.ScheduleError:
        return
    output = funcs[-1]
    out = hl.Buffer(output.type(), [data.draw(st.integers(0, 13)), data.draw(st.integers(1, 7))])
    target = hl.get_jit_target_from_environment()
    for feature in ALL:
        target.set_feature(feature)
    try:
        with warnings.catch_warnings(), hl.trace() as events:
            warnings.simplefilter("ignore")
            output.realize(out, target)
    except (hl.ScheduleError, hl.errors.BufferError):
        return
    np.testing.assert_array_equal(np.asarray(out), output.reference(out))
    check_events(events)


def check_events(events: list[hl.TraceEvent]) -> None:
    """Loads find what was stored; what begins ends, and is the parent of what lies inside."""
    stored: dict[tuple[str, tuple[int, ...]], set[float]] = {}
    open_events: dict[int, hl.TraceEvent] = {}
    funcs = {e.func for e in events if e.event is Kind.STORE}
    for e in events:
        if e.event in (Kind.LOAD, Kind.STORE):
            for place, value in zip(e.coordinates, e.values, strict=True):
                if e.event is Kind.STORE:
                    stored.setdefault((e.func, place), set()).add(value)
                else:
                    assert e.func not in funcs or value in stored[e.func, place]
        if e.event in (Kind.END_REALIZATION, Kind.END_PRODUCE, Kind.END_CONSUME, Kind.END_PIPELINE):
            begun = open_events.pop(e.parent_id)
            assert (begun.func, begun.coordinates) == (e.func, e.coordinates)
        else:
            assert e.parent_id in open_events or e.event is Kind.BEGIN_PIPELINE
            if e.event not in (Kind.LOAD, Kind.STORE):
                open_events[e.id] = e
    assert not open_events
