"""How much memory this process takes. Where the system does not say, 0."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter

_PROCESSES, _RESET = Path("/proc"), Path("/proc/self/clear_refs")
_PERIOD = 0.005  # seconds between looks at child processes


def taken_by(call: Callable[[], object]) -> tuple[int, float]:
    """How many bytes the resident size rises while `call` runs (its scratch memory), and how many seconds that takes.

    What was given back before, but is still held for this process, would hide some of it, so it is let go first.
    """
    with suppress(AttributeError):  # of another C library
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        _RESET.write_text("5", encoding="ascii")  # from now on the peak counts anew
    before = _bytes("VmRSS")
    start = perf_counter()
    call()
    seconds = perf_counter() - start
    return max(0, _bytes("VmHWM") - before), seconds


def peak_bytes() -> int:
    """The most that was resident since the peak was last reset, of this process alone."""
    return _bytes("VmHWM")


class Children:
    """The most that child processes (the C compiler, mostly) have resident at one time while the block runs.

    What the system says of finished ones does not serve: a process counts what its parent had when it was made.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Children:
        self._watch.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._over.wait(_PERIOD):
            self.peak = max(self.peak, sum(_bytes("VmRSS", child) for child in _descendants("self")))


def _descendants(process: str) -> Iterator[str]:
    """Those that run a program of their own by now: until then their memory is ours."""
    for task in _PROCESSES.joinpath(process).glob("task/*/children"):
        with suppress(OSError):  # it ended meanwhile
            for child in task.read_text(encoding="ascii").split():
                if os.readlink(_PROCESSES / child / "exe") != os.readlink(_PROCESSES / "self/exe"):
                    yield child
                    yield from _descendants(child)


def _bytes(field: str, process: str = "self") -> int:
    try:
        lines = _PROCESSES.joinpath(process, "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)
