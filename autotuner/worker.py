"""A worker process: does what it is asked in a child of its own, so that nothing it does can last.

    a line of JSON in:    {"function": "module:name", "arguments": [...], "seconds": 60, "bytes": 4000000000}
    a line of JSON out:   {"result": ...} or {"failure": "crash", "detail": "signal 11"} or {"failure": "timeout", ...}

What a child has of memory and time is limited. A child never outlives this process, nor this one who reads its answers.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

Answer = dict[str, Any]
CRASH, TIMEOUT = "crash", "timeout"
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_ERROR = 3  # the status of a child whose function raised


def called(function: str, arguments: list[Any]) -> Any:
    """What the function of this name gives."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)(*arguments)


def answer_of(request: Mapping[str, Any], requests: int) -> Answer:
    """Do it in a child. `requests` is where further ones come from: when that ends, nobody wants the answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(request, writing)
    os.close(writing)
    try:
        return _awaited(child, reading, requests, time.monotonic() + float(request["seconds"]))
    finally:
        os.close(reading)
        _end(child)


def _be_child(request: Mapping[str, Any], writing: int) -> None:
    status = _ERROR
    try:
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if request.get("bytes"):
            resource.setrlimit(resource.RLIMIT_AS, (int(request["bytes"]), int(request["bytes"])))
        try:
            reply: Answer = {"result": called(request["function"], request["arguments"])}
            status = 0
        except MemoryError:
            reply = {"failure": CRASH, "detail": "more memory was wanted than a trial may have"}
        except Exception as error:
            reply = {"failure": CRASH, "detail": f"{type(error).__name__}: {error}"}
        with os.fdopen(writing, "w") as pipe:
            json.dump(reply, pipe)
    finally:
        os._exit(status)


def _awaited(child: int, reading: int, requests: int, deadline: float) -> Answer:
    text = bytearray()
    while True:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([reading, requests], [], [], max(0.0, left))
        if requests in ready and _is_over(requests):
            _end(child)
            raise SystemExit(0)
        if reading in ready:
            piece = os.read(reading, 1 << 16)
            if not piece:
                break
            text += piece
        elif left <= 0:
            return {"failure": TIMEOUT, "detail": "it took longer than a trial may"}
    try:
        reply: Answer = json.loads(text)
        return reply
    except ValueError:
        return {"failure": CRASH, "detail": _how_it_ended(child)}


def _is_over(requests: int) -> bool:
    """Whether nobody is at the other end any more."""
    poll = select.poll()
    poll.register(requests, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _how_it_ended(child: int) -> str:
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"it ended with status {os.WEXITSTATUS(status)}"


def _end(child: int) -> None:
    for stop in (os.killpg, os.kill):
        try:
            stop(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    try:
        os.waitpid(child, 0)
    except ChildProcessError:
        return


def _prepared(request: Mapping[str, Any]) -> Answer:
    """Do it here, for all children to find it done."""
    try:
        return {"result": called(request["function"], request["arguments"])}
    except Exception as error:
        return {"failure": CRASH, "detail": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Serve requests until there are no more. The first one may be of something to prepare for all children."""
    requests, answers = os.dup(0), os.fdopen(os.dup(1), "w", buffering=1)
    with open(os.devnull, "r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)  # what a pipeline prints must not stand among the answers
    sys.path.insert(0, os.getcwd())
    with os.fdopen(os.dup(requests), encoding="utf-8") as lines:
        for line in iter(lines.readline, ""):
            request = json.loads(line)
            if request.get("prepare"):
                reply = _prepared(request)
            else:
                reply = answer_of(request, requests)
            print(json.dumps(reply), file=answers)


if __name__ == "__main__":
    main()
