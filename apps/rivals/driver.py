"""The benchmark's side of a worker process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from apps.cases import Case, Size


class Failed(Exception):
    """The worker answered with an error, or died."""


class Driver:
    """A worker process for one system and case, with the first call done."""

    def __init__(self, system: str, process: subprocess.Popen[str]) -> None:
        self.system = system
        self._process = process

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None, "made with pipes"
        try:
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise Failed(f"{self.system}: the worker died") from None
        line = self._process.stdout.readline()
        reply: dict[str, Any] = json.loads(line) if line else {"error": "the worker died"}
        if "error" in reply:
            raise Failed(f"{self.system}: {reply['error']}")
        return reply

    def prepare(self, case: Case, size: Size, threads: int) -> dict[str, Any]:
        return self.ask(
            "prepare", case=case.name, width=size.width, height=size.height, channels=size.channels, threads=threads
        )


@contextmanager
def driving(system: str, threads: int, settings: Mapping[str, str] | None = None) -> Iterator[Driver]:
    """A worker for the time of the block. `settings` are added to its environment."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "HL_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
        "POCL_MAX_PTHREAD_COUNT": str(threads),
        "OPENBLAS_THREAD_TIMEOUT": "20",  # its threads else spin into the next system's turn
        **(settings or {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.rivals.worker", system],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield Driver(system, process)
    finally:
        process.kill()
        process.wait()
