"""A whole search: proposals are claimed, compiled side by side, measured one at a time, and finished in the records.

claim  ->  compiled, checked (several at once)  ->  measured against the best so far (alone)  ->  finished
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from autotuner import trial as trials
from autotuner.records import Records, Trial, digest
from autotuner.search import Candidate, Search
from autotuner.trial import CRASH, OK, TIMEOUT
from autotuner.workers import Crashed, TimedOut

Json = Any
Seen = Callable[["Progress"], None]


@dataclass
class Limits:
    """`trials` counts all finished ones of the study, also those of earlier runs; `seconds` this run's."""

    trials: int | None = 100
    seconds: float | None = None
    jobs: int = 2


@dataclass
class Progress:
    """What is known so far. `baseline` is the first trial with a time, `best` the fastest."""

    limits: Limits
    began: float
    finished: Sequence[Trial] = ()
    running: int = 0
    doing: str = ""
    baseline: Trial | None = None
    best: Trial | None = None
    here: int = 0  # finished in this run

    def update(self, finished: Sequence[Trial]) -> None:
        """As the records say now."""
        self.finished = finished
        scored = [t for t in finished if t.score is not None]
        self.baseline = scored[0] if scored else None
        self.best = min(scored, key=lambda t: t.score or math.inf, default=None)

    def verdicts(self) -> dict[str, int]:
        """How many trials ended how."""
        return {v: n for v in trials.VERDICTS if (n := sum(t.verdict == v for t in self.finished))}


@dataclass
class Tuning:
    """One run of a search over a study. `compiling` and `measuring` may be any Executors."""

    study: Mapping[str, Json]
    number: int
    records: Records
    search: Search
    compiling: Executor
    measuring: Executor
    limits: Limits
    seen: Seen
    progress: Progress = field(init=False)

    def run(self) -> Progress:
        """Until the budget is spent, the time is over, or nothing new is found. Ctrl-C leaves what is finished."""
        self.progress = Progress(self.limits, time.monotonic())
        self.told("")
        while not self.is_over():
            claimed = self.claimed()
            if not claimed:
                break
            self.measure(self.compiled(claimed))
        self.told("")
        return self.progress

    def is_over(self) -> bool:
        limits = self.limits
        if limits.seconds is not None and time.monotonic() - self.progress.began >= limits.seconds:
            return True
        return limits.trials is not None and self.records.left(self.number, limits.trials) == 0

    def claimed(self) -> dict[int, Candidate]:
        """The next trials. The first is compared with by all others, so it is alone."""
        finished = self.records.finished(self.number)
        count = 1 if self.progress.best is None else max(1, 2 * self.limits.jobs)
        found: dict[int, Candidate] = {}
        lost: list[Candidate] = []
        for _ in range(4):  # what another tuner has claimed is proposed no more
            for candidate, origin in self.search.propose(finished, [*found.values(), *lost], count - len(found)):
                number = self.records.claim(self.number, candidate, origin, self.limits.trials)
                if number is None:
                    lost.append(candidate)
                else:
                    found[number] = candidate
            if len(found) == count or not lost:
                break
        return found

    def compiled(self, claimed: Mapping[int, Candidate]) -> list[tuple[int, Candidate, Json]]:
        """Those that can be measured; the others are finished."""
        self.told(f"compiling {len(claimed)}", len(claimed))
        futures = {n: self.compiling.submit(trials.compiled, self.study, c) for n, c in claimed.items()}
        good = []
        for number, future in futures.items():
            answer = _answer(future)
            if answer["verdict"] == OK:
                good.append((number, claimed[number], answer))
            else:
                self.finish(number, answer, None, None)
        return good

    def measure(self, compiled: Sequence[tuple[int, Candidate, Json]]) -> None:
        """Measure each against the best so far."""
        for number, candidate, made in compiled:
            best = self.progress.best
            self.told("measuring", 1)
            rival = None if best is None or digest(best.candidate) == digest(candidate) else best.candidate
            answer = _answer(self.measuring.submit(trials.measured, self.study, candidate, rival))
            answer["compile_seconds"] = made["compile_seconds"]
            self.finish(number, answer, _score(answer, best), made["schedule"])

    def finish(self, number: int, answer: Json, score: float | None, schedule: str | None) -> None:
        self.records.finish(number, answer, score, schedule)
        self.progress.here += 1
        self.told(self.progress.doing)

    def told(self, doing: str, running: int = 0) -> None:
        self.progress.update(self.records.finished(self.number))
        self.progress.doing, self.progress.running = doing, running
        self.seen(self.progress)


def _score(answer: Json, best: Trial | None) -> float | None:
    """The time as a share of the first candidate's, by way of the best so far, which both were compared with."""
    if answer["verdict"] != OK:
        return None
    if best is None or best.score is None:
        return 1.0
    # Only what is faster beyond doubt becomes the best: of many that are alike, some look faster by chance.
    log = answer["log"] if answer["high"] < 0 or answer["log"] >= 0 else 0.0
    return best.score * math.exp(log)


def _answer(future: Future[Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = future.result()
        return answer
    except TimedOut as failure:
        return {"verdict": TIMEOUT, "detail": str(failure)}
    except Crashed as failure:
        return {"verdict": CRASH, "detail": str(failure)}
