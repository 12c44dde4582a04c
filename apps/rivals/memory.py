"""How much memory this process takes. Where the system does not say, 0."""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def taken_by(call: Callable[[], object]) -> tuple[int, float]:
    """How many bytes the resident size rises while `call` runs (its scratch memory), and how many seconds that takes.

    What was given back before, but is still held for this process, would hide some of it, so it is let go first.
    """
    with suppress(AttributeError):  # of another C library
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        _RESET.write_text("5", encoding="ascii")  # from now on the peak counts anew
    before = _kilobytes("VmRSS")
    start = perf_counter()
    call()
    seconds = perf_counter() - start
    return max(0, _kilobytes("VmHWM") - before) * 1024, seconds


def peak_bytes() -> int:
    """The most that was resident since the peak was last reset, of this process alone."""
    return _kilobytes("VmHWM") * 1024


def peak_bytes_of_children() -> int:
    """The most that one of the finished child processes had: the C compiler's, mostly."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def _kilobytes(field: str) -> int:
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)
