"""The benchmark drives systems in turn, refuses wrong results, and says what it measured."""

import json

import pytest

from apps import bench, report
from apps.cases import APPS, Size, cases_of, named
from apps.cases.blur import CASES
from apps.report import Cold, Measured
from apps.rivals.driver import Failed, driving

GREY, RGB = CASES
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
        assert set(facts) == {"import", "first", "scratch"}
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
    assert [entry["system"] for entry in numbers["steady"]] == ["bound", "halopy/hand", "numpy"] * 2
    assert all(len(entry["seconds"]) == 2 for entry in numbers["steady"])


def test_the_table_gives_ratios_with_their_spread_and_the_bound():
    def measured(system, seconds):
        return Measured("blur16", "64x48", 1, system, seconds, {"scratch": 1_000_000, "operations": 0.0005})

    entries = [
        measured("bound", [0.001] * 3),
        measured("halopy/hand", [0.002] * 3),
        measured("numpy", [0.004, 0.004, 0.008]),
    ]
    table = report.steady_table(GREY, entries)
    assert "lower bound: moving its bytes | | 1.000" in table
    assert "| numpy | 4.000 | 4.000 | 0.50 (0.25 to 0.50) | 25% | 1.0 |" in table


def test_a_failure_stands_in_the_table_instead_of_a_time():
    entry = Cold("blur16", "halide/app", failure="halide/app: a | b\nsecond line")
    assert "| halide/app | halide/app: a / b |" in report.cold_table(GREY, [entry])
