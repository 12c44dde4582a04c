"""What the environment asks for, and the timings that `HALOPY_TIME=1` prints; nothing else reads `os.environ`."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType


def setting(name: str) -> str | None:
    """The value of an environment variable; unset and empty are the same."""
    return os.environ.get(name) or None


def same_setting(name: bytes) -> Callable[[], object]:
    """A function whose answers are equal while an environment variable stays the same, quick enough for each call.

    Looking up an unset name in `os.environ` raises and catches, which takes longer than a small pipeline runs.
    """
    variables = getattr(os.environ, "_data", os.environ)
    key = name if variables is not os.environ else name.decode()
    return functools.partial(variables.get, key)


def number(name: str, least: int, default: int | None = None) -> int | None:
    """The value of an environment variable as an integer of at least `least`; anything else counts as unset."""
    text = setting(name)
    if text is None or not text.strip().isdecimal():
        return default
    value = int(text)
    return value if value >= least else default


def thread_count() -> int | None:
    """How many threads a parallel loop may use at most; None leaves it to OpenMP (and `OMP_NUM_THREADS`)."""
    return number("HL_NUM_THREADS", least=1)


def verification() -> str | None:
    """How much each compilation is validated: "full", "off", or None for as much as costs little."""
    value = setting("HALOPY_VERIFY")
    return value if value in ("full", "off") else None


def program_environment(scratch: str) -> dict[str, str]:
    """The environment for programs we start: the user's, with messages in English.

    zig keeps what it compiled in a folder of its own, and cannot work without; `scratch` serves where there is no home.
    """
    environment = {**os.environ, "LC_ALL": "C"}
    home = setting("XDG_CACHE_HOME") or setting("HOME")
    if home is None or not os.access(home, os.W_OK):
        environment.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.join(scratch, ".zig"))
    return environment


def search_path() -> list[str]:
    """The folders in which programs are looked for."""
    return [folder for folder in (setting("PATH") or os.defpath).split(os.pathsep) if folder]


@contextmanager
def assumed(**values: str) -> Iterator[None]:
    """Inside, environment variables that the user left unset have these values."""
    absent = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(absent)
    try:
        yield
    finally:
        for name in absent:
            os.environ.pop(name, None)


class _Timing:
    """The time between entering and leaving, added to what `name` took before inside the same parents."""

    __slots__ = ("name", "start")

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        path = (*getattr(_inside, "path", ()), self.name)
        _inside.path = path
        _timings.setdefault(path, [0, 0.0])  # parents are listed before their children
        self.start = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self.start
        entry = _timings[_inside.path]
        entry[0] += 1
        entry[1] += seconds
        _inside.path = _inside.path[:-1]


class _Untimed:
    """What `timed` answers when nobody asked for timings."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


_inside = threading.local()
_timings: dict[tuple[str, ...], list[float]] = {}
_UNTIMED = _Untimed()
_wanted = [setting("HALOPY_TIME") not in (None, "0")]


def timed(name: str) -> _Timing | _Untimed:
    """`with timed("fold_storage"): ...` adds to the report; nested parts are indented below their parent."""
    return _Timing(name) if _wanted[0] else _UNTIMED


def want_timings(wanted: bool) -> None:
    """Start or stop timing, and forget what was timed."""
    _wanted[0] = wanted
    _timings.clear()


def report() -> str:
    """One line per timed part: milliseconds, number of times, name."""
    return "\n".join(
        f"{1e3 * seconds:10.2f} ms {times:6.0f}x  {'  ' * (len(path) - 1)}{path[-1]}"
        for path, (times, seconds) in _in_tree_order()
    )


def _in_tree_order() -> list[tuple[tuple[str, ...], list[float]]]:
    first = {path: place for place, path in enumerate(_timings)}
    return sorted(_timings.items(), key=lambda item: [first[item[0][: i + 1]] for i in range(len(item[0]))])


def _print_report() -> None:
    if _wanted[0] and _timings:
        print("halopy: where the time went\n" + report(), file=sys.stderr)


if _wanted[0]:
    atexit.register(_print_report)
