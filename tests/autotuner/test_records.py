"""Records: nothing is lost by a kill, nothing is done twice, and nothing of elsewhere counts here."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from autotuner.records import Records
from tests.autotuner.searching import KEY, search

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "tests.autotuner.searching", *map(str, arguments)], cwd=ROOT)


@pytest.mark.parametrize("deadly", [1, 2, 5])
def test_after_a_kill_no_finished_trial_is_repeated_and_the_budget_is_spent_exactly(tmp_path, deadly):
    db, log = tmp_path / "trials.sqlite", tmp_path / "log"
    assert run(db, log, 12, deadly).wait() == -signal.SIGKILL
    progress = search(db, log, 12)
    assert len(progress.finished) == 12
    assert max(Counter(log.read_text().split()).values()) == 1
    assert len({t.candidate["number"] for t in progress.finished}) == 12
    assert search(db, log, 12).here == 0  # nothing is left to do
    assert len(search(db, log, 15).finished) == 15


def test_two_tuners_on_one_file_share_the_budget(tmp_path):
    db, logs = tmp_path / "trials.sqlite", [tmp_path / "one", tmp_path / "other"]
    tuners = [run(db, log, 40, 0) for log in logs]
    assert [tuner.wait() for tuner in tuners] == [0, 0]
    progress = search(db, logs[0], 40)
    assert progress.here == 0 and len(progress.finished) == 40
    measured = [n for log in logs if log.exists() for n in log.read_text().split()]
    assert max(Counter(measured).values()) == 1


def test_a_claim_keeps_others_away_until_its_owner_is_gone(tmp_path):
    one, other = Records(tmp_path / "db"), Records(tmp_path / "db")
    study = one.study(KEY)
    assert other.study(KEY) == study
    claimed = one.claim(study, {"number": 1}, "test", 2)
    assert claimed is not None
    assert other.claim(study, {"number": 1}, "test", 2) is None
    assert other.claim(study, {"number": 2}, "test", 2) is not None
    assert other.claim(study, {"number": 3}, "test", 2) is None  # the budget is spent
    one.owner = other.owner = '["elsewhere", 1, "1"]'
    one.close()  # of a claim of this owner nothing is left
    assert other.left(study, 2) == 2 - 2  # those of this process are alive


def test_a_finished_trial_stays_as_it_is(tmp_path):
    records = Records(tmp_path / "db")
    study = records.study(KEY)
    number = records.claim(study, {"number": 1}, "test", None)
    records.finish(number, {"verdict": "ok", "seconds": [1.0]}, 0.5, "{}")
    records.finish(number, {"verdict": "crash"}, None)
    (trial,) = records.finished(study)
    assert (trial.verdict, trial.score, trial.schedule, trial.origin) == ("ok", 0.5, "{}", "test")


def test_records_of_another_machine_seed_and_do_not_count(tmp_path):
    db, log = tmp_path / "db", tmp_path / "log"
    search(db, log, 5)
    elsewhere = dataclasses.replace(KEY, machine="another")
    records = Records(db)
    study = records.study(elsewhere)
    assert records.finished(study) == []
    seeds = records.elsewhere(study, elsewhere, 2)
    assert len(seeds) == 2 and all("number" in seed for seed in seeds)
    assert records.elsewhere(records.study(KEY), KEY, 9) == []
    other_algorithm = dataclasses.replace(elsewhere, algorithm="changed")
    assert records.elsewhere(records.study(other_algorithm), other_algorithm, 9) == []


def test_a_fresh_round_keeps_the_old_one(tmp_path):
    search(tmp_path / "db", tmp_path / "log", 4)
    records = Records(tmp_path / "db")
    old = records.study(KEY)
    new = records.study(KEY, fresh=True)
    assert new != old and records.study(KEY) == new
    assert len(records.finished(old)) == 4 and records.finished(new) == []
