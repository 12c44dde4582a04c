"""Timing two calls in turn, by a clock that the calls set."""

from __future__ import annotations

import math

import pytest

from autotuner.interleaved import MOST, compare, interval, is_decided


class Clock:
    """A clock that calls move on."""

    def __init__(self) -> None:
        self.now = 0.0

    def call(self, *seconds: float):
        turn = iter(seconds)
        last = [seconds[-1]]

        def run() -> None:
            last[0] = next(turn, last[0])
            self.now += last[0]

        return run

    def __call__(self) -> float:
        return self.now


def test_what_is_clearly_faster_is_decided_soon():
    clock = Clock()
    found = compare(clock.call(0.001), clock.call(0.002), 4.0, clock)
    assert found["log"][1] == pytest.approx(math.log(0.5)) and found["rounds"] < 10
    assert (found["seconds"], found["rival"]) == pytest.approx((0.001, 0.002))


def test_one_disturbed_round_changes_nothing():
    clock = Clock()
    found = compare(clock.call(0.001, 0.001, 0.5, 0.001), clock.call(0.002), 4.0, clock)
    assert found["log"][2] < 0 and found["log"][1] == pytest.approx(math.log(0.5))


def test_noise_around_nothing_ends_undecided():
    clock = Clock()
    found = compare(clock.call(*[0.001, 0.002] * 40), clock.call(*[0.002, 0.001] * 40), 4.0, clock)
    low, _, high = found["log"]
    assert low < 0 < high and found["rounds"] == MOST


def test_what_is_far_too_slow_is_measured_no_further():
    clock = Clock()
    found = compare(clock.call(1.0), clock.call(0.1), 4.0, clock)
    assert found["slow"] and found["rounds"] == 3
    assert not compare(clock.call(1.0, 0.1), clock.call(0.1), 4.0, clock)["slow"]  # the first call was disturbed


def test_without_a_rival_there_is_no_ratio():
    clock = Clock()
    found = compare(clock.call(0.25), None, 4.0, clock)
    assert (found["seconds"], found["rival"], found["log"]) == (0.25, None, (0.0, 0.0, 0.0))


def test_the_interval_leaves_out_few_of_many_samples():
    samples = [float(n) for n in range(15)]
    assert interval(samples) == (3.0, 7.0, 11.0)  # a binomial table says so
    assert interval([2.0, 1.0, 3.0]) == (1.0, 2.0, 3.0)
    assert not is_decided([-1.0] * 3) and is_decided([-1.0] * 6) and not is_decided([-1.0, 1.0] * 5)
