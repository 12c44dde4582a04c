"""Over random folds of sliding Funcs, the verdict is that of running the loops, and what is accepted is right."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np

import halopy as hl

from .random_folds import keeps_all, random_pipeline, share_a_place, with_folds

SIZES = (7, 8)
MOST_NEEDLESS = 0.01


def outcome(seed: int) -> str:
    """What becomes of one; every claim that is made about it is checked."""
    made, folds = random_pipeline(seed)
    with_folds(made, folds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            got = np.asarray(made.out.realize(list(SIZES)))
        except hl.IllegalSchedule as refusal:
            return refused(seed, refusal)
        except hl.HalideError as other:  # a place that is none, a tail that needs more, or a factor that a run refuses
            return "run" if "values of" in str(other) else "other"
    np.testing.assert_array_equal(got, np.asarray(made.out.reference(list(SIZES))), err_msg=f"seed {seed}")
    return "accepted"


def refused(seed: int, refusal: hl.IllegalSchedule) -> str:
    if "fold_storage" not in str(refusal.directive):
        return "other"
    bare, folds = random_pipeline(seed)
    witness = refusal.witness
    if witness is None:
        return "needless" if keeps_all(bare, folds, list(SIZES)) else "unexplained"
    assert share_a_place(witness, folds), f"seed {seed}: {refusal}"
    sizes = [max(witness.parameters[f"out.extent.{d}"], 1) for d in range(2)]
    assert not keeps_all(bare, folds, sizes), f"seed {seed}: {refusal}"
    if refusal.repair is not None:
        repaired, _ = random_pipeline(seed)
        argument, factor = refusal.repair.removeprefix("fold_storage(").removesuffix(")").split(", ")
        with_folds(repaired, {**folds, argument: int(factor)})
        try:
            repaired.out.realize(list(SIZES))
        except hl.ScheduleError as again:  # of something else, which was not looked at yet
            assert f"f.fold_storage({argument}," not in str(again), f"seed {seed}: {again}"
    return "refused"


def test_the_verdict_is_that_of_running_the_loops(first: int = 0, count: int = 8) -> None:
    outcomes = Counter(map(outcome, range(first, first + count)))
    assert outcomes["accepted"] > 0
    assert outcomes["refused"] > 0
    assert outcomes["unexplained"] <= count // 50
    assert outcomes["needless"] <= max(1, MOST_NEEDLESS * outcomes["accepted"])
