"""The page about a search."""

from __future__ import annotations

from autotuner.records import Trial
from autotuner.report import curve, what_mattered


def trial(number, share, place):
    stage = {"cuts": {"x": [8]}, "order": ["x_0", "x_1"], "vector": "x_0", "unrolled": [], "parallel": [], "tail": "x"}
    plan = {"f": {"place": place, "store": None, "stages": [stage], "bounds": {}}}
    return Trial(number, {"plan": plan}, "test", "ok", "", share, {"seconds": [share]}, None, 0.0)


def test_what_made_a_difference_is_named_with_its_best_and_worst():
    trials = [trial(n, 0.5 + n / 100, "root") for n in range(4)] + [trial(9 + n, 2.0, ["g", "y"]) for n in range(3)]
    assert what_mattered(trials) == [
        ("where f is computed", "root", 0.515, 4),
        ("where f is computed", "g at y", 2.0, 3),
    ]
    assert what_mattered(trials[:4]) == []  # all of them chose the same


def test_the_curve_has_a_dot_for_each_that_was_measured():
    trials = [trial(0, 1.0, "root"), trial(1, None, "root"), trial(2, 0.25, "root"), trial(3, 50.0, "root")]
    drawn = curve(trials)
    assert drawn.count("<circle") == 3 and "nan" not in drawn
    assert curve([]).count("<circle") == 0
