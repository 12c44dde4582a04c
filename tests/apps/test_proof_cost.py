"""What a proof costs is told beside what lowering costs."""

from __future__ import annotations

import pytest

from apps import proof_cost

TIMINGS = """halopy: where the time went
      4.00 ms      2x  legality
     10.00 ms      1x  build_loop_nests
      1.00 ms      1x    legality
      3.00 ms      1x  check_dataflow
     20.00 ms      5x  simplify
      2.00 ms      1x  check_printed
     50.00 ms      1x  print_c
"""


def test_parts_of_the_proof_do_not_count_as_lowering() -> None:
    told = proof_cost.seconds(TIMINGS)
    assert told == pytest.approx({"lowering": 0.029, "legality": 0.005, "loops": 0.003, "printed": 0.002})


def test_a_pipeline_is_measured_and_its_proof_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_cost, "RUNS", 1)
    (entry,) = proof_cost.measure(["chain:strips:3"])
    assert entry["obligations"] >= entry["proved"] > 6
    assert all(entry["runs"][0][part] > 0 for part in ("lowering", "loops"))
    assert "| chain:strips:3 | " in proof_cost.table([entry])


def test_every_pipeline_has_a_name_that_the_worker_knows() -> None:
    assert {"blur16", "jacobi", "chain:root:100"} <= {*proof_cost.names()}
