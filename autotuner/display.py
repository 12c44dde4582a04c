"""What a search shows: one line that changes on a terminal, a line per trial where there is none."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from autotuner.records import StudyKey, Trial
from autotuner.tune import Progress

_CLEAR = "\r\x1b[K"


class Display:
    """`quiet` shows nothing but what is printed as data."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        self.name, self.quiet = name, quiet
        self.is_live = sys.stderr.isatty() and not quiet
        self._told: set[int] = set()

    def say(self, text: str) -> None:
        """What is being done."""
        if self.is_live:
            sys.stderr.write(f"{_CLEAR}{self.name}: {text} ...")
            sys.stderr.flush()

    def show(self, progress: Progress) -> None:
        """After each change."""
        if self.is_live:
            self.say(_line(progress))
        elif not self.quiet:
            if progress.here == 0:
                self._told |= {t.number for t in progress.finished}
            for each in progress.finished:
                if each.number not in self._told:
                    self._told.add(each.number)
                    sys.stdout.write(f"{self.name}\t{_trial(each)}\n")
            sys.stdout.flush()

    def conclude(self, progress: Progress, written: Path | None) -> None:
        """At the end."""
        if self.is_live:
            sys.stderr.write(_CLEAR)
        out = sys.stdout.write
        counts = ", ".join(f"{n} {verdict}" for verdict, n in progress.verdicts().items()) or "none"
        out(f"{self.name}: {len(progress.finished)} trials ({counts}), {progress.here} of them in this run\n")
        if progress.best is None or progress.baseline is None:
            out(f"{self.name}: nothing could be measured\n")
            return
        best, base = progress.best, progress.baseline
        out(f"{self.name}: best {_milliseconds(best)} ({best.origin}), ")
        out(f"{1 / (best.score or 1):.2f} times as fast as {base.origin}\n")
        if written is None:
            out(f"{self.name}: the best cannot be written as data, so no file was written\n")
        else:
            out(f"{self.name}: wrote {written}\n")

    def print_data(self, data: Any) -> None:
        """For programs."""
        json.dump(data, sys.stdout, indent=1)
        sys.stdout.write("\n")


def as_data(key: StudyKey, progress: Progress, written: Path | None) -> Any:
    """What was found, for programs."""
    best, base = progress.best, progress.baseline
    return {
        "subject": key.subject,
        "machine": key.machine,
        "compiler": key.compiler,
        "sizes": key.sizes,
        "trials": len(progress.finished),
        "here": progress.here,
        "verdicts": progress.verdicts(),
        "best": None if best is None else {"origin": best.origin, "share": best.score, **best.answer},
        "baseline": None if base is None else {"origin": base.origin, **base.answer},
        "out": None if written is None else str(written),
    }


def _line(progress: Progress) -> str:
    limits, parts = progress.limits, []
    done = len(progress.finished)
    parts.append(f"{done}/{limits.trials} trials" if limits.trials else f"{done} trials")
    if limits.seconds is not None:
        left = max(0.0, limits.seconds - (time.monotonic() - progress.began))
        parts.append(f"{left:.0f} s left")
    if progress.best is not None and progress.baseline is not None:
        best = progress.best
        parts.append(f"best {_milliseconds(best)}, {1 / (best.score or 1):.2f}x {progress.baseline.origin}")
    parts += [f"{n} {verdict}" for verdict, n in progress.verdicts().items()]
    return ", ".join([*parts, progress.doing] if progress.doing else parts)


def _trial(trial: Trial) -> str:
    if trial.score is None:
        return f"{trial.verdict}\t\t{trial.origin}\t{trial.detail[:200]}"
    return f"{trial.verdict}\t{trial.score:.4f}\t{trial.origin}\t{_milliseconds(trial)}"


def _milliseconds(trial: Trial) -> str:
    return " + ".join(f"{seconds * 1e3:.3f} ms" for seconds in trial.answer["seconds"])
