"""A worker process: one system, one case. Reads questions as lines of JSON, answers each with one line.

python -m apps.rivals.worker SYSTEM     SYSTEM is bound, a rival's name, or engine/schedule such as halide/hand

{"do": "prepare", "case": NAME, "width": W, "height": H, "channels": C, "threads": N}   import, build, first call; timed
{"do": "check"}             the largest difference to the reference
{"do": "run", "calls": N}   seconds per call
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from apps.cases import Array, Case, Size, Value, case_named, named
from apps.rivals import Prepared, bound, compiled, memory

Answer = dict[str, Any]
Build = Callable[[Sequence[Value], Array, int], Prepared]


class Worker:
    def __init__(self, system: str) -> None:
        self.engine, _, self.schedule = system.partition("/")
        self.case: Case
        self.inputs: Sequence[Value]
        self.prepared: Prepared

    def prepare(self, *, case: str, width: int, height: int, channels: int, threads: int) -> Answer:
        self.case, size = case_named(case), Size(width, height, channels)
        self.inputs, output = self.case.inputs(size), self.case.output(size)
        start = perf_counter()
        build = self._load()
        loaded = perf_counter()
        if self.engine in compiled.ENGINES:  # so that the compiler's memory is no scratch memory
            self.prepared = build(self.inputs, output, threads)
            with memory.Children() as children:
                self.prepared.compile()
            first = perf_counter() - loaded
            compiling = memory.peak_bytes() + children.peak
            scratch, seconds = memory.taken_by(self.prepared.call)
        else:
            first, compiling = 0.0, 0
            scratch, seconds = memory.taken_by(lambda: self._prepare_and_call(build, output, threads))
        peak = max(compiling, memory.peak_bytes())
        answer = {"import": loaded - start, "first": first + seconds, "scratch": scratch, "peak": peak}
        if self.engine == "bound":
            answer["operations"] = bound.seconds_for_operations(self.case, size, output.size, threads)
        return answer

    def _prepare_and_call(self, build: Build, output: Array, threads: int) -> None:
        self.prepared = build(self.inputs, output, threads)
        self.prepared.call()

    def _load(self) -> Build:
        """Import what the system needs; the answer prepares it."""
        if self.engine == "bound":
            return bound.prepare
        if self.engine in compiled.ENGINES:
            return partial(compiled.prepare, compiled.load(self.engine, self.schedule), self.schedule, self.case)
        return named(self.case.rivals[self.engine])

    def check(self) -> Answer:
        if self.engine == "bound":
            return {"difference": 0, "allowed": 0}
        self.prepared.fetch()
        expected, found = self.case.reference(*self.inputs), self.prepared.result
        exact = np.float64 if expected.dtype.kind == "f" else np.int64
        apart = np.abs(found.astype(exact) - expected.astype(exact))
        difference = float(np.nan_to_num(apart, nan=np.inf).max())
        return {"difference": difference, "allowed": self.case.tolerance.get(self.engine, 0)}

    def run(self, *, calls: int) -> Answer:
        call = self.prepared.call
        start = perf_counter()
        for _ in range(calls):
            call()
        return {"seconds": (perf_counter() - start) / calls}


def answer(worker: Worker, question: Mapping[str, Any]) -> Answer:
    arguments = {key: value for key, value in question.items() if key != "do"}
    actions: Mapping[str, Callable[..., Answer]] = {
        "prepare": worker.prepare,
        "check": worker.check,
        "run": worker.run,
    }
    return actions[question["do"]](**arguments)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a system prints must not stand among the answers
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        try:
            reply = answer(worker, json.loads(line))
        except Exception as error:  # the driver reports it beside the system's name
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers)


if __name__ == "__main__":
    main()
