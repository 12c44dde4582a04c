"""A few of the random producers in shared loops; `python -m tests.polyhedral` runs more."""

from __future__ import annotations

from collections import Counter

from .random_shared_loops import outcome


def test_shared_loops_are_accepted_unless_one_needs_the_other() -> None:
    outcomes = Counter(map(outcome, range(12)))
    assert outcomes["accepted"] > 3
    assert outcomes["refused"] > 0
    assert not outcomes["needless"]
