"""The benchmark drives systems in turn, refuses wrong results, and says what it measured."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from apps import bench, report, summary
from apps.cases import APPS, Size, cases_of, named
from apps.cases.blur import CASES
from apps.report import Cold, Measured
from apps.rivals import memory
from apps.rivals.driver import Failed, driving

GREY, RGB, _ = CASES
SMALL = Size(64, 48)


@pytest.mark.parametrize("case", [case for app in APPS for case in cases_of(app)], ids=lambda case: case.name)
def test_a_case_names_functions_that_exist(case):
    assert all(callable(named(function)) for function in (case.algorithm, *case.schedules.values()))


def test_a_system_without_a_way_to_do_the_case_is_left_out():
    assert bench.systems(RGB, ["halopy", "halide", "halide/app", "opencv"]) == [
        "halopy/hand",
        "halide/halide",
        "opencv",
    ]


def test_a_worker_prepares_checks_and_runs():
    with driving("numpy", 1) as driver:
        facts = driver.prepare(GREY, SMALL, 1)
        assert set(facts) == {"import", "first", "scratch", "peak"}
        assert driver.ask("check") == {"difference": 0, "allowed": 0}
        assert driver.ask("run", calls=2)["seconds"] > 0


def test_a_worker_that_fails_says_why():
    with driving("halide/nonesuch", 1) as driver, pytest.raises(Failed, match="nonesuch"):
        driver.prepare(GREY, SMALL, 1)


def test_measuring_writes_a_table_and_every_number(tmp_path, capsys):
    out = tmp_path / "bench.json"
    arguments = ["blur", "--against", "numpy", "--size", "64x48", "--rounds", "2", "--no-cold", "--json", str(out)]
    bench.main(arguments)
    assert "| 3x3 box blur, 16 bits, 64x48, 2 threads |" in capsys.readouterr().out
    numbers = json.loads(out.read_text())
    assert [entry["system"] for entry in numbers["steady"]] == ["bound", "halopy/hand", "numpy"] * 3
    assert all(len(entry["seconds"]) == 2 for entry in numbers["steady"])


def test_for_the_summary_alone_a_case_has_one_size():
    options = bench.parser().parse_args(["--summary"])
    assert bench.configurations(GREY, options) == [(GREY.sizes[0], 2)]


def measured(system, seconds, peak=3_000_000):
    facts = {"scratch": 1_000_000, "peak": peak, "operations": 0.0005}
    return Measured("blur16", "64x48", 1, system, seconds, facts)


def test_the_table_gives_ratios_with_their_spread_and_the_bound():
    entries = [
        measured("bound", [0.001] * 3),
        measured("halopy/hand", [0.002] * 3),
        measured("numpy", [0.004, 0.004, 0.008]),
    ]
    table = report.steady_table(GREY, entries)
    assert "lower bound: moving its bytes | | 1.000" in table
    assert "| numpy | 4.000 | 4.000 | 0.50 (0.25 to 0.50) | 25% | 1.0 | 3 |" in table


def test_a_failure_stands_in_the_table_instead_of_a_time():
    entry = Cold("blur16", "halide/app", failure="halide/app: a | b\nsecond line")
    assert "| halide/app | halide/app: a / b |" in report.cold_table(GREY, [entry])


def test_the_summary_compares_with_the_fastest_schedule_of_halide():
    entries = [
        measured("bound", [0.001]),
        measured("halopy/hand", [0.002]),
        measured("halide/app", [0.008]),
        measured("halide/Li2018", [0.004], peak=6_000_000),
        measured("opencv", [0.020]),
        measured("halopy/auto", [0.003]),
        measured("numpy", [0.040]),
    ]
    starts = [
        Cold("blur16", system, [(0.1, first)]) for system, first in (("halopy/hand", 0.2), ("halide/Li2018", 0.8))
    ]
    table = summary.table([entries], [starts])
    row = "| blur16, 64x48 | 2.000 | 4.000 | Li2018 | 0.50 | 0.75 (Li2018) | opencv: 0.10 | 50% | 0.25 | 0.50 |"
    assert f"{row} 1.0, 1.0 |" in table.splitlines()
    assert "| geometric mean | | | | 0.50 |" in table
    assert summary.compared(entries) == ["halopy/hand", "halide/Li2018"]


def test_growth_is_a_row_for_each_size_and_number_of_threads(capsys, monkeypatch):
    monkeypatch.setattr(bench, "GROWTH_AGAINST", ["numpy"])
    monkeypatch.setattr(bench, "cases_of", lambda app: [replace(RGB, growing=(SMALL, Size(64, 48, 2)))])
    bench.main(["blur", "--growth", "--threads", "1"])
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1:4] for row in rows if row.startswith("| 64x48")] == [
        [" 64x48 ", " 0.0 ", " 1 "],
        [" 64x48x2 ", " 0.0 ", " 1 "],
    ]


def test_scratch_memory_is_what_a_call_takes():
    scratch, seconds = memory.taken_by(lambda: np.ones(50_000_000, np.uint8))
    assert 45_000_000 < scratch < 70_000_000
    assert memory.peak_bytes() > 50_000_000
    assert seconds > 0
    assert memory.taken_by(lambda: None)[0] < 5_000_000


def test_a_worker_has_no_compiler_before_it_is_asked_for_one():
    code = "import sys, apps.rivals.worker; print(*{'halopy', 'halide', 'pyopencl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_memory_of_children_does_not_count_their_parents():
    ours = np.ones(200_000_000, np.uint8)
    with memory.Children() as children:
        subprocess.run(["sh", "-c", "sleep 0.2; true"], check=True)
    assert children.peak < ours.nbytes / 2
    assert children.peak > 0 or not sys.platform.startswith("linux")


def test_a_worker_runs_halide_on_the_device_that_halopy_chooses(opencl):
    with driving("halide/opencl", 1) as driver:
        driver.prepare(GREY, SMALL, 1)
        assert driver.ask("check") == {"difference": 0, "allowed": 0}


def test_systems_for_a_device_have_its_schedule():
    assert bench.systems(GREY, ["halopy", "halide", "opencv"], "opencl") == ["halopy/opencl", "halide/opencl", "opencv"]
