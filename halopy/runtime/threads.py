"""OpenMP's thread team: how large it is, how its threads wait, and that it survives `fork`."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress

from .. import instrument

Entry = Callable[..., int]  # of three or four addresses

_SOFT = 1  # omp_pause_soft: keep settings, end idle threads


class _Team:
    """The OpenMP runtime behind a library, if it has one."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.pause = library.omp_pause_resource_all
        self.set_size = library.omp_set_num_threads
        self.address = ctypes.cast(self.pause, ctypes.c_void_p).value


_teams: dict[int | None, _Team] = {}
_sized = threading.local()


_SPINS = "10000"


def open_library(path: str, needs_openmp: bool) -> ctypes.CDLL:
    """Map a library. The first that needs OpenMP starts it with threads that, waiting, spin shortly, then sleep.

    Waking a sleeping thread takes some 50 µs, which a small picture does not take; a thread that goes on spinning, as
    is usual, takes milliseconds from the very thread it waits for where processors are shared. The count stands for
    about a tenth of a millisecond. Whoever sets OMP_WAIT_POLICY or GOMP_SPINCOUNT decides.
    """
    if not needs_openmp or _teams or instrument.setting("OMP_WAIT_POLICY"):
        return ctypes.CDLL(path)
    with instrument.assumed(GOMP_SPINCOUNT=_SPINS, KMP_BLOCKTIME="0"):
        library = ctypes.CDLL(path)
        with suppress(AttributeError):  # compiled without OpenMP
            library.omp_get_max_threads()  # LLVM's runtime reads the environment at its first use
        return library


def with_threads(library: ctypes.CDLL, entry: Entry) -> Entry:
    """`entry`, obeying HL_NUM_THREADS and safe to call in forked children."""
    try:
        team = _Team(library)
    except AttributeError:  # compiled without OpenMP
        return entry
    team = _teams.setdefault(team.address, team)
    size = instrument.thread_count()
    return entry if size is None else _limited(entry, team, size)


def _limited(entry: Entry, team: _Team, size: int) -> Entry:
    """OpenMP keeps the team's size per calling thread, so each thread sets it once."""

    def call(*addresses: int) -> int:
        if getattr(_sized, "size", None) != size:
            team.set_size(size)
            _sized.size = size
        return entry(*addresses)

    return call


def _end_idle_threads() -> None:
    """A forked child has no worker threads but believes in them, and waits forever; so end them before forking.

    Both sides start new ones when they need them.
    """
    for team in _teams.values():
        team.pause(_SOFT)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_end_idle_threads)
