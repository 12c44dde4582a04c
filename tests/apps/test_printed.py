"""What is printed for apps does what their loops do, by proof: under schedules that took some thought to prove."""

from __future__ import annotations

import pytest

from apps import hist, sgemm, unsharp
from halopy.compile import printed_obligations
from halopy.lang.pipeline import Pipeline
from halopy.proof import PROVED
from halopy.target import host_target
from schedules import hist as hist_schedules
from schedules import sgemm as sgemm_schedules
from schedules import unsharp as unsharp_schedules

CASES = {
    "indices that memory gives, in shifted tiles": (hist.equalise, hist_schedules.equalise_app),
    "starts of tiles that are no minima in the steady part": (unsharp.unsharp, unsharp_schedules.unsharp),
    "products of counts of tiles, and loops of one iteration": (sgemm.sgemm, sgemm_schedules.sgemm_app),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_printed_is_proved(case: str, unvalidated: None) -> None:
    make, schedule = CASES[case]
    algorithm = make()
    schedule(**algorithm.stages)
    taken = Pipeline(algorithm.output).snapshot()
    found = printed_obligations(taken.program, taken.schedules, host_target())
    assert found
    assert [str(o) for o in found if o.status != PROVED] == []
