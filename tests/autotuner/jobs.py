"""What tests have workers do."""

from __future__ import annotations

import os
import signal
import time

KEPT: list[str] = []


def add(a: int, b: int) -> int:
    return a + b


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    time.sleep(3600)


def eat() -> int:
    return len(bytearray(1 << 33))


def refuse() -> None:
    raise KeyError("nothing")


def keep(text: str) -> list[str]:
    KEPT.append(text)
    return KEPT


def fail_to_begin() -> None:
    raise ValueError("no beginning")
