"""The functions that a running kernel calls: Python's side of `codegen.c.services_text`.

A kernel gets a table of C functions and a number that says which call of which pipeline it is. It calls them from any
thread; a handler that raises is not called again, and its exception is raised when the kernel has returned.
"""

from __future__ import annotations

import ctypes
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..instrument import setting
from .results import RawMemo, keep, recall
from .trace import RawEvent, TraceEvent, read_event
from .trace_file import write_event


@dataclass(slots=True)
class Handlers:
    """Who is told what kernels say. None: printed lines and events go to `sys.stdout`, errors are raised."""

    print: Callable[[str], object] | None = None
    trace: Callable[[TraceEvent], object] | None = None
    error: Callable[[str], object] | None = None


class DeviceCalls(Protocol):
    """What a device does for one run (`opencl.run.DeviceRun`)."""

    def launch(self, number: int, shape: Sequence[int], memory: Sequence[int], values: bytes) -> None: ...
    def arguments(self, number: int) -> tuple[int, int]: ...
    def mirror(self, size: int, host: int) -> int: ...
    def release(self, number: int) -> None: ...
    def to_host(self, number: int, *, writes: bool) -> None: ...


class _Device(ctypes.Structure):
    """`halopy_device`."""

    _fields_ = (
        ("launch", ctypes.c_void_p), ("mirror", ctypes.c_void_p), ("release", ctypes.c_void_p),
        ("to_host", ctypes.c_void_p),
    )  # fmt: skip


class _Table(ctypes.Structure):
    """`halopy_services`."""

    _fields_ = (
        ("user_context", ctypes.c_void_p), ("print", ctypes.c_void_p), ("error", ctypes.c_void_p),
        ("trace", ctypes.c_void_p), ("recall", ctypes.c_void_p), ("keep", ctypes.c_void_p), ("device", ctypes.c_void_p),
    )  # fmt: skip


_Numbers: TypeAlias = "ctypes._Pointer[ctypes.c_int64]"
_collected: ContextVar[list[TraceEvent] | None] = ContextVar("collected", default=None)
_numbers = itertools.count(1)
_events = itertools.count(1)
_runs: dict[int, Run] = {}


class Run:
    """One call of a kernel that needs services."""

    __slots__ = (
        "collected", "device", "digests", "exception", "handlers", "message", "names", "number", "table", "trace_file"
    )  # fmt: skip

    def __init__(self, handlers: Handlers, names: Mapping[str, str], device: DeviceCalls | None = None) -> None:
        self.device = device
        self.handlers = handlers
        self.names = names
        self.collected = _collected.get()  # of the thread that calls; the kernel's own threads have no context
        self.exception: BaseException | None = None
        self.message = ""
        self.digests: dict[int, str] = {}  # of inputs that results depend on
        self.trace_file = setting("HL_TRACE_FILE")
        self.number = next(_numbers)
        self.table = _Table(self.number, *_FUNCTIONS, ctypes.addressof(_DEVICE))

    def __enter__(self) -> int:
        _runs[self.number] = self
        return ctypes.addressof(self.table)

    def __exit__(self, *_: object) -> None:
        del _runs[self.number]

    def print(self, text: str) -> int:
        if self.handlers.print is not None:
            self.handlers.print(text)
        else:
            sys.stdout.write(text)
        return 0

    def trace(self, raw: RawEvent) -> int:
        number = next(_events) & 0x7FFFFFFF
        name = (raw.func or b"").decode(errors="replace")
        func = self.names.get(name, name)
        if self.collected is None and self.handlers.trace is None and self.trace_file is not None:
            write_event(self.trace_file, raw, func, number)
            return number
        event = read_event(raw, func, number)
        if self.collected is not None:
            self.collected.append(event)
        elif self.handlers.trace is not None:
            self.handlers.trace(event)
        else:
            self.print(f"{event}\n")
        return number


@contextmanager
def collect_events() -> Iterator[list[TraceEvent]]:
    """A list that gets the events of all kernels that this thread runs inside."""
    events: list[TraceEvent] = []
    token = _collected.set(events)
    try:
        yield events
    finally:
        _collected.reset(token)


def _guarded(run: Run | None, call: Callable[[Run], int]) -> int:
    if run is None or run.exception is not None:
        return 0
    try:
        return call(run)
    except BaseException as exception:  # it cannot pass through C; the caller of the kernel raises it
        run.exception = run.exception or exception
        return 0


def _print(context: int, text: bytes) -> None:
    _guarded(_runs.get(context), lambda run: run.print(text.decode(errors="replace")))


def _error(context: int, text: bytes) -> None:
    run = _runs.get(context)
    if run is not None:
        run.message = run.message or text.decode(errors="replace")


def _trace(context: int, event: ctypes._Pointer[RawEvent]) -> int:
    return _guarded(_runs.get(context), lambda run: run.trace(event.contents))


def _recall(context: int, memo: ctypes._Pointer[RawMemo]) -> int:
    return _guarded(_runs.get(context), lambda run: recall(memo.contents, run.digests))


def _keep(context: int, memo: ctypes._Pointer[RawMemo]) -> int:
    return _guarded(_runs.get(context), lambda run: keep(memo.contents, run.digests))


def _asked(context: int, ask: Callable[[DeviceCalls], int]) -> int:
    """What the device answers; below 0 where it fails, or something failed before."""
    run = _runs.get(context)
    if run is None or run.device is None or run.exception is not None:
        return -1
    try:
        return ask(run.device)
    except BaseException as exception:  # as in `_guarded`
        run.exception = run.exception or exception
        return -1


def _launch(context: int, kernel: int, shape: _Numbers, memory: _Numbers, values: int) -> int:
    def ask(device: DeviceCalls) -> int:
        buffers, scalars = device.arguments(kernel)
        device.launch(kernel, shape[:6], memory[:buffers], ctypes.string_at(values, 8 * scalars))
        return 0

    return _asked(context, ask)


def _mirror(context: int, size: int, host: int | None) -> int:
    return _asked(context, lambda device: device.mirror(size, host or 0))


def _release(context: int, memory: int) -> None:
    _asked(context, lambda device: device.release(memory) or 0)  # type: ignore[func-returns-value]


def _to_host(context: int, memory: int, writes: int) -> int:
    return _asked(context, lambda device: device.to_host(memory, writes=bool(writes)) or 0)  # type: ignore[func-returns-value]


_TEXT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
_EVENT = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.POINTER(RawEvent))
_MEMO = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.POINTER(RawMemo))
_KEPT = (_TEXT(_print), _TEXT(_error), _EVENT(_trace), _MEMO(_recall), _MEMO(_keep))
_NUMBERS = ctypes.POINTER(ctypes.c_int64)
_DEVICE_KEPT = (
    ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32, _NUMBERS, _NUMBERS, ctypes.c_void_p)(_launch),
    ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)(_mirror),
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(_release),
    ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32)(_to_host),
)
_DEVICE = _Device(*(ctypes.cast(function, ctypes.c_void_p) for function in _DEVICE_KEPT))
_FUNCTIONS = tuple(ctypes.cast(function, ctypes.c_void_p) for function in _KEPT)
