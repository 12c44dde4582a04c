"""Run a program to its end, or kill it with everything it started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from .. import instrument
from ..errors import CompilerFailed

_KEPT = 1 << 20  # characters of output


def nothing() -> None:
    pass


def run(
    command: Sequence[str], seconds: float | None, scratch: Path, meanwhile: Callable[[], None] = nothing
) -> tuple[int, str]:
    """Exit status and output (both streams). No shell, no input; `scratch` is a folder it may keep things in.

    `meanwhile` is called while it runs; the `seconds` count from then on.

    Raises CompilerFailed when it cannot start or takes longer than `seconds`. On that and on any other exception,
    Ctrl-C included, its whole process group is killed.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=instrument.program_environment(str(scratch)),
            start_new_session=True,
        )
    except OSError as error:
        raise CompilerFailed(f"`{shlex.join(command)}` cannot be started", reason=(str(error),)) from None
    try:
        meanwhile()
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise CompilerFailed(
            f"`{command[0]}` did not end within {seconds} seconds and was killed", reason=(shlex.join(command),)
        ) from None
    except BaseException:
        _kill(process)
        raise
    return process.returncode, output[:_KEPT].decode(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
