"""Run cases in a process of their own, so that a crash or a hang is only one outcome more."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection

from .case import Case
from .outcome import CRASHED, HUNG, Outcome, outcome

Run = Callable[[Case], Outcome]
_STARTING = 600.0


class Worker:
    """A process that is started again after a case ends it, or takes longer than `seconds`."""

    def __init__(self, seconds: float, run: Run = outcome) -> None:
        self.seconds = seconds
        self.work = run
        self._log = tempfile.NamedTemporaryFile("w+")  # noqa: SIM115 (open as long as the worker)
        self._start()

    def run(self, case: Case) -> Outcome:
        if not self._process.is_alive():
            self._start()
        try:
            self._pipe.send((self.work, case))
            if not self._pipe.poll(self.seconds):
                return self._end(HUNG)
            return self._pipe.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError):
            return self._end(CRASHED)

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def close(self) -> None:
        self._kill()
        self._log.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._log.seek(0)
        self._log.truncate()
        self._process = context.Process(target=_serve, args=(theirs, os.getpid(), self._log.name), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_STARTING):
            raise RuntimeError("the worker does not start")
        self._pipe.recv()

    def _end(self, kind: str) -> Outcome:
        if kind == HUNG:
            os.kill(self._process.pid or 0, signal.SIGABRT)  # says where it is
            self._process.join(5)
        self._kill()
        self._log.seek(0)
        return Outcome(kind, f"exit status {self._process.exitcode}\n{self._log.read()[-4000:]}")


def _serve(pipe: Connection, parent: int, log: str) -> None:
    with open(log, "w") as file:
        for stream in (1, 2):  # what compilers and sanitizers say goes there too
            os.dup2(file.fileno(), stream)
        faulthandler.enable(file)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        pipe.send("ready")
        while os.getppid() == parent:
            try:
                work, case = pipe.recv()
            except EOFError:
                return
            pipe.send(work(case))
