"""Warnings that name the user's line."""

from __future__ import annotations

import warnings

from ..schedule.advice import advice, emulated_floats
from ..source import SourceLocation, caller
from ..target import Target
from .snapshot import Snapshot


def advise(text: str, location: SourceLocation | None = None) -> None:
    """Warn of something that is allowed, and probably not meant."""
    where = location or caller()
    warnings.warn_explicit(text, UserWarning, where.quotable, where.line)


def advise_about(now: Snapshot, target: Target) -> None:
    """Warn of what a schedule probably does not mean; print what Halide prints of it."""
    for hint in (*advice(now.program, now.schedules), *emulated_floats(now.program, target)):
        if hint.printed:
            print(hint.printed)
        advise(hint.text, hint.location)
