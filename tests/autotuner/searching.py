"""A search over numbers in a process of its own, which may kill itself: python -m tests.autotuner.searching ..."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import Executor, Future
from pathlib import Path

from autotuner.records import Records, StudyKey
from autotuner.tune import Limits, Tuning

KEY = StudyKey("numbers", "host", "1x1", "algorithm", "machine", "compiler")


class Numbers:
    """Proposes 0, 1, 2, ..."""

    def propose(self, finished, running, count):
        taken = {t.candidate["number"] for t in finished} | {c["number"] for c in running}
        new = (n for n in range(1000) if n not in taken)
        return [({"number": next(new)}, "counted") for _ in range(count)]


class AtOnce(Executor):
    """Calls are answered at once, and written down; at the `deadly` one the process is killed."""

    def __init__(self, log: Path, deadly: int) -> None:
        self.log, self.calls, self.deadly = log, 0, deadly

    def submit(self, fn, /, *arguments, **_further):
        self.calls += 1
        if self.calls == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        future: Future = Future()
        number = arguments[1]["number"]
        if fn.__name__ == "compiled":
            verdict = {1: "refused", 2: "wrong"}.get(number % 5, "ok")
            future.set_result({"verdict": verdict, "schedule": None, "compile_seconds": 0.0})
        else:
            with self.log.open("a") as log:
                log.write(f"{number}\n")
            seconds = [1.0 / (number + 1)]
            future.set_result({"verdict": "ok", "seconds": seconds, "log": -0.1, "low": -0.2, "high": -0.05})
        return future


def search(db: Path, log: Path, trials: int, deadly: int = 0, key: StudyKey = KEY):
    records = Records(db)
    number = records.study(key)
    compiling, measuring = AtOnce(log, 0), AtOnce(log, deadly)
    tuning = Tuning({}, number, records, Numbers(), compiling, measuring, Limits(trials), lambda progress: None)
    progress = tuning.run()
    records.close()
    return progress


if __name__ == "__main__":
    search(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
