"""What was tried, in an SQLite file that several tuners may use at once, and of which nothing is lost by a kill.

A trial is claimed before it is begun and finished when its verdict is known, each in one transaction. A claim ends with
the process that made it, so a trial that was killed may be tried again; a finished one never is. A study is one
algorithm at some sizes on one machine with one compiler; `--fresh` begins another round of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any
_WAIT = 60.0  # seconds for which another tuner may hold the file
_LEASE = 3600.0  # seconds after which the claim of a tuner on another host is void
_TABLES = """
CREATE TABLE IF NOT EXISTS study (
    id INTEGER PRIMARY KEY, subject TEXT, target TEXT, sizes TEXT, algorithm TEXT, machine TEXT, compiler TEXT,
    round INTEGER, began REAL,
    UNIQUE (target, sizes, algorithm, machine, compiler, round));
CREATE TABLE IF NOT EXISTS trial (
    id INTEGER PRIMARY KEY, study INTEGER REFERENCES study, digest TEXT, candidate TEXT, origin TEXT,
    owner TEXT, claimed REAL, finished REAL, verdict TEXT, detail TEXT, score REAL, answer TEXT, schedule TEXT,
    UNIQUE (study, digest));
"""


@dataclass(frozen=True, slots=True)
class StudyKey:
    """What a study is about. Trials of others say nothing about this one."""

    subject: str
    target: str
    sizes: str
    algorithm: str
    machine: str
    compiler: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A finished trial. `score` is the time it takes, as a share of the first candidate's; None where it has none."""

    number: int
    candidate: Mapping[str, Json]
    origin: str
    verdict: str
    detail: str
    score: float | None
    answer: Mapping[str, Json]
    schedule: str | None
    finished: float


class Records:
    """The file of records; each thread has its own."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.executescript(_TABLES)
        self.owner = _owner()

    def close(self) -> None:
        """Give up what was claimed and not finished."""
        with self._transaction():
            self._file.execute("DELETE FROM trial WHERE verdict IS NULL AND owner = ?", (self.owner,))
        self._file.close()

    def study(self, key: StudyKey, *, fresh: bool = False) -> int:
        """The newest round of the study, or a new one."""
        values = (key.target, key.sizes, key.algorithm, key.machine, key.compiler)
        with self._transaction():
            rows = self._file.execute(
                "SELECT id, round FROM study WHERE (target, sizes, algorithm, machine, compiler) = (?, ?, ?, ?, ?)"
                " ORDER BY round DESC",
                values,
            ).fetchall()
            if rows and not fresh:
                return int(rows[0][0])
            number = rows[0][1] + 1 if rows else 0
            made = self._file.execute(
                "INSERT INTO study (subject, target, sizes, algorithm, machine, compiler, round, began)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key.subject, *values, number, time.time()),
            )
            assert made.lastrowid is not None, "a row was added"
            return made.lastrowid

    def claim(self, study: int, candidate: Mapping[str, Json], origin: str, budget: int | None) -> int | None:
        """Begin a trial: its number, or None where it was tried, is being tried, or would exceed the budget."""
        with self._transaction():
            self._drop_dead_claims(study)
            (count,) = self._file.execute("SELECT COUNT(*) FROM trial WHERE study = ?", (study,)).fetchone()
            if budget is not None and count >= budget:
                return None
            made = self._file.execute(
                "INSERT OR IGNORE INTO trial (study, digest, candidate, origin, owner, claimed)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (study, digest(candidate), _text(candidate), origin, self.owner, time.time()),
            )
            return made.lastrowid if made.rowcount else None

    def left(self, study: int, budget: int) -> int:
        """How many trials may still be claimed."""
        with self._transaction():
            self._drop_dead_claims(study)
            (count,) = self._file.execute("SELECT COUNT(*) FROM trial WHERE study = ?", (study,)).fetchone()
        return max(0, budget - int(count))

    def finish(self, trial: int, answer: Mapping[str, Json], score: float | None, schedule: str | None = None) -> None:
        """Its verdict is known."""
        with self._transaction():
            self._file.execute(
                "UPDATE trial SET finished = ?, verdict = ?, detail = ?, score = ?, answer = ?, schedule = ?"
                " WHERE id = ? AND owner = ? AND verdict IS NULL",
                (
                    time.time(),
                    answer["verdict"],
                    answer.get("detail", ""),
                    score,
                    _text(answer),
                    schedule,
                    trial,
                    self.owner,
                ),
            )

    def finished(self, study: int) -> list[Trial]:
        """All finished trials of a study, as they came."""
        rows = self._file.execute(
            "SELECT id, candidate, origin, verdict, detail, score, answer, schedule, finished FROM trial"
            " WHERE study = ? AND verdict IS NOT NULL ORDER BY finished, id",
            (study,),
        )
        return [
            Trial(number, json.loads(candidate), origin, verdict, detail, score, json.loads(answer), schedule, at)
            for number, candidate, origin, verdict, detail, score, answer, schedule, at in rows
        ]

    def elsewhere(self, study: int, key: StudyKey, most: int) -> list[Mapping[str, Json]]:
        """The best candidates for the algorithm on other machines, at other sizes, or with other compilers."""
        rows = self._file.execute(
            "SELECT candidate FROM trial JOIN study ON trial.study = study.id"
            " WHERE study.algorithm = ? AND study.target = ? AND study.id != ? AND trial.score IS NOT NULL"
            " AND (study.machine, study.sizes, study.compiler) != (?, ?, ?) ORDER BY trial.score LIMIT ?",
            (key.algorithm, key.target, study, key.machine, key.sizes, key.compiler, most),
        )
        return [json.loads(candidate) for (candidate,) in rows]

    def _drop_dead_claims(self, study: int) -> None:
        rows = self._file.execute(
            "SELECT id, owner, claimed FROM trial WHERE study = ? AND verdict IS NULL", (study,)
        ).fetchall()
        for number, owner, claimed in rows:
            if not _is_alive(owner, claimed):
                self._file.execute("DELETE FROM trial WHERE id = ?", (number,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")


def digest(candidate: Mapping[str, Json]) -> str:
    """Equal for equal candidates."""
    return hashlib.blake2b(_text(candidate).encode(), digest_size=16).hexdigest()


def read_only(path: Path, study: int | None = None) -> Sequence[tuple[Any, ...]]:
    """The studies in a file: number, subject, target, sizes, algorithm, machine, compiler, round, beginning."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_WAIT)) as file:
        wanted = "" if study is None else " WHERE id = ?"
        return file.execute(f"SELECT * FROM study{wanted} ORDER BY id", () if study is None else (study,)).fetchall()


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _owner() -> str:
    return json.dumps([socket.gethostname(), os.getpid(), _began(os.getpid())])


def _began(process: int) -> str:
    """When a process began, so that another one of the same number is told apart; empty where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _is_alive(owner: str, claimed: float) -> bool:
    host, process, began = json.loads(owner)
    if host != socket.gethostname():
        return time.time() - claimed < _LEASE
    return bool(began) and _began(process) == began
