"""`Workers`: an Executor whose calls are made in processes that can be killed, with limits of time and memory.

    with Workers(2, seconds=60, memory=4 << 30) as workers:
        workers.submit(function, "of", "what JSON knows").result()

The function has a name in a module; arguments and results are what JSON knows. The future raises Crashed or TimedOut.
Whoever has a pool of machines can put an Executor of theirs in its place.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from autotuner.worker import CRASH, TIMEOUT

_GRACE = 10.0  # seconds that a worker has to end its child before it is ended itself


class Failed(Exception):
    """A call that gave no result."""


class Crashed(Failed):
    """The process ended, or the function raised."""


class TimedOut(Failed):
    """It took longer than allowed, and was ended."""


_FAILURES: dict[str, type[Failed]] = {CRASH: Crashed, TIMEOUT: TimedOut}


class Workers(Executor):
    """So many calls at a time. `initializer` is called once in each worker, before its children are made."""

    def __init__(
        self,
        count: int = 1,
        *,
        seconds: float = 60.0,
        memory: int = 0,
        initializer: Callable[..., object] | None = None,
        initargs: Sequence[Any] = (),
    ) -> None:
        self._limits = {"seconds": seconds, "bytes": memory}
        self._first = None if initializer is None else _request(initializer, initargs, prepare=True)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._own = threading.local()
        self._processes: list[_Process] = []
        self._lock = threading.Lock()
        self._is_over = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it in a child of a worker."""
        if kwargs:
            raise TypeError("a worker's function has no keyword arguments")
        return self._threads.submit(self._call, _request(fn, args, **self._limits))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing more is called; what runs is awaited, or else ended."""
        if wait:
            self._threads.shutdown(True, cancel_futures=cancel_futures)
        self._is_over = True
        with self._lock:
            for process in self._processes:
                process.end()
        self._threads.shutdown(wait, cancel_futures=True)

    def _call(self, request: dict[str, Any]) -> Any:
        reply = self._process().ask(request, float(request["seconds"]) + _GRACE)
        if "failure" in reply:
            raise _FAILURES[reply["failure"]](reply["detail"])
        return reply["result"]

    def _process(self) -> _Process:
        """The worker of this thread, made anew where it died."""
        process: _Process | None = getattr(self._own, "process", None)
        if process is None or not process.is_alive():
            if self._is_over:
                raise Crashed("the workers were ended")
            process = self._own.process = _Process()
            with self._lock:
                self._processes.append(process)
            if self._first is not None:
                reply = process.ask(self._first, None)
                if "failure" in reply:
                    raise Crashed(reply["detail"])
        return process


def _request(fn: Callable[..., Any], arguments: Sequence[Any], **further: Any) -> dict[str, Any]:
    return {"function": f"{fn.__module__}:{fn.__qualname__}", "arguments": list(arguments), **further}


class _Process:
    """The other side of `autotuner.worker`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autotuner.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for who asks
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], seconds: float | None) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None, "made with pipes"
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return {"failure": CRASH, "detail": "the worker died"}
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            self.end()
            return {"failure": TIMEOUT, "detail": "the worker did not answer in time"}
        line = self._process.stdout.readline()
        if not line:
            self.end()
            return {"failure": CRASH, "detail": "the worker died"}
        reply: dict[str, Any] = json.loads(line)
        return reply

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
