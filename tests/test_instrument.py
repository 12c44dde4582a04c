"""Settings and timings."""

from __future__ import annotations

import re

import pytest

from halopy import instrument


@pytest.fixture
def timings():
    instrument.want_timings(True)
    yield
    instrument.want_timings(False)


def spin() -> None:
    with instrument.timed("inner"):
        pass


def test_nested_parts_stand_below_their_parent(timings):
    for _ in range(2):
        with instrument.timed("first"):
            spin()
            spin()
    with instrument.timed("second"):
        spin()
    with instrument.timed("first"):
        pass
    shape = re.sub(r" +[0-9.]+ ms +", "", instrument.report())
    assert shape == "3x  first\n4x    inner\n1x  second\n1x    inner"


def test_a_part_that_raises_is_timed_and_left(timings):
    with pytest.raises(ValueError), instrument.timed("outer"), instrument.timed("broken"):
        raise ValueError
    with instrument.timed("after"):
        pass
    assert [line.split("x  ")[1] for line in instrument.report().splitlines()] == ["outer", "  broken", "after"]


def test_nothing_is_timed_unless_wanted():
    with instrument.timed("unwanted"):
        pass
    assert instrument.report() == ""
    assert instrument.timed("a") is instrument.timed("b")


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("1", 1), ("0", 7), ("-2", 7), ("x", 7), ("", 7), ("²", 7)])
def test_numbers_below_the_least_and_other_texts_count_as_unset(monkeypatch, text, value):
    monkeypatch.setenv("HALOPY_TRIAL", text)
    assert instrument.number("HALOPY_TRIAL", least=1, default=7) == value
