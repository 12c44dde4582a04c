"""`halopy tune`: a search from beginning to end, and how it refuses what cannot be done."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import halopy as hl
from autotuner import command, trial
from halopy.command.run import status
from tests.autotuner.pipelines import chain

CHAIN = "tests.autotuner.pipelines:chain"


@pytest.fixture
def at_once(monkeypatch):
    """Any Executor will do as workers: here threads, which are ready at once."""
    monkeypatch.setenv("HALOPY_VERIFY", "off")
    monkeypatch.setattr(command, "Workers", lambda count=1, **_limits: ThreadPoolExecutor(count))


def test_a_search_is_recorded_resumed_and_written_as_a_schedule(tmp_path, capsys, at_once):
    out, db = tmp_path / "chain.json", tmp_path / "trials.sqlite"
    typed = ["tune", CHAIN, "--sizes", "64x48,40x30", "--jobs", "1", "--db", str(db), "--out", str(out), "--json"]
    assert status([*typed, "--trials", "2"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["trials"], first["here"]) == (2, 2)
    assert sum(first["verdicts"].values()) == 2 and len(first["best"]["seconds"]) == 2
    assert status([*typed, "--trials", "3"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["trials"], again["here"]) == (3, 1)

    page = tmp_path / "page.html"
    assert status([*typed, "--report", str(page)]) == 0
    text = page.read_text()
    assert "<svg" in text and "http" not in text and "for y" in text and "apply_schedule" in text

    written = json.loads(out.read_text())
    assert written["subject"] == CHAIN and written["measured"]["trials"] == 3
    schedule = hl.Schedule.from_json(json.dumps(written["schedule"]))
    pipeline = hl.Pipeline(chain())
    pipeline.apply_schedule(schedule)
    assert pipeline.schedule == schedule
    assert written["python"] == schedule.to_python().splitlines()


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (["nothing_here"], "no app"),
        (["no.such:module"], "cannot import"),
        ([f"{CHAIN}ed"], "has no chained"),
        (["tests.autotuner.pipelines:number"], "gives int"),
        (["tests.autotuner.pipelines:x"], "cannot be called"),
        (["__import__('os').system('true')"], "neither"),
        (["blur", "--out", "somewhere.json"], "name that one"),
        (["blur", "--report", "somewhere.html"], "name that one"),
        ([CHAIN, "--out", "/"], "cannot be written"),
    ],
)
def test_what_cannot_be_tuned_is_told_in_a_line(tmp_path, typed, reason, capsys):
    assert status(["tune", *typed, "--db", str(tmp_path / "db")]) == 2
    told = capsys.readouterr().err
    assert reason in told and len(told.splitlines()) == 1


def test_a_module_that_fails_when_it_is_imported_is_told_in_a_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "module_that_fails.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert status(["tune", "module_that_fails:make", "--db", str(tmp_path / "db")]) == 2
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told and len(told.splitlines()) == 1


@pytest.mark.parametrize("typed", [["--trials", "0"], ["--time", "-1"], ["--sizes", "0x3"], ["--fresh", "--resume"]])
def test_what_the_parser_refuses_has_status_2(typed):
    with pytest.raises(SystemExit) as left:
        status(["tune", CHAIN, *typed])
    assert left.value.code == 2


def test_without_a_measurement_the_status_is_not_0(tmp_path, capsys, at_once, monkeypatch):
    monkeypatch.setattr(trial, "compiled", lambda study, candidate: {"verdict": "refused", "detail": "for a test"})
    out = tmp_path / "out.json"
    typed = ["tune", CHAIN, "--sizes", "64x48", "--trials", "2", "--jobs", "1"]
    assert status([*typed, "--db", str(tmp_path / "db"), "--out", str(out)]) == 1
    assert "nothing could be measured" in capsys.readouterr().out and not Path(out).exists()


def test_ctrl_c_keeps_what_is_finished(tmp_path, capsys, at_once, monkeypatch):
    answers = iter([{"verdict": "refused", "detail": "for a test"}])

    def compiled(study, candidate):
        if (answer := next(answers, None)) is None:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(trial, "compiled", compiled)
    typed = ["tune", CHAIN, "--sizes", "64x48", "--jobs", "1", "--db", str(tmp_path / "db")]
    assert status([*typed, "--out", str(tmp_path / "out.json")]) == 130
    assert "1 trials (1 refused), 1 of them in this run" in capsys.readouterr().out
