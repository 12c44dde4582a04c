"""All cases in one table: halopy beside the fastest schedule that any way of using Halide has, and beside the rest."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean, median

from apps.report import Cold, Measured, limit_of

COLUMNS = (
    "app",
    "halopy ms",
    "fastest Halide ms",
    "its schedule",
    "halopy / it",
    "next best: halopy / it",
    "of the bound",
    "first call / Halide's",
    "peak memory / Halide's",
    "scratch MB, Halide's",
)


def table(measured: Sequence[Sequence[Measured]], starts: Sequence[Sequence[Cold]]) -> str:
    """A row for each list of `measured`: the bound, halopy, and others at one size. `starts` where they were taken."""
    colds = {entry.case: entries for entries in starts for entry in entries}
    rows: list[str] = []
    ratios: list[float] = []
    for entries in measured:
        bound, subject, *others = entries
        halides = [entry for entry in others if _is_halide(entry) and not entry.failure]
        if subject.failure or not halides:
            continue
        rival = min(halides, key=_seconds)
        ratios.append(_seconds(subject) / _seconds(rival))
        rows.append(_row(bound, subject, rival, others, colds.get(subject.case, ())))
    if not rows:
        return ""
    mean = f"| geometric mean | | | | {geometric_mean(ratios):.2f} |" + " |" * (len(COLUMNS) - 5)
    return "\n".join(["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|", *rows, mean, ""])


def _row(
    bound: Measured, subject: Measured, rival: Measured, others: Sequence[Measured], starts: Sequence[Cold]
) -> str:
    cells = (
        f"{subject.case}, {subject.size}",
        f"{_seconds(subject) * 1e3:.3f}",
        f"{_seconds(rival) * 1e3:.3f}",
        rival.system.partition("/")[2],
        f"{_seconds(subject) / _seconds(rival):.2f}",
        _next_best(subject, others),
        f"{limit_of(bound)[0] / _seconds(subject):.0%}",
        _first_calls(starts, subject.system, rival.system),
        f"{subject.facts['peak'] / rival.facts['peak']:.2f}",
        f"{subject.facts['scratch'] / 1e6:.1f}, {rival.facts['scratch'] / 1e6:.1f}",
    )
    return "| " + " | ".join(cells) + " |"


def _next_best(subject: Measured, others: Sequence[Measured]) -> str:
    known = [entry for entry in others if not _is_halide(entry) and not entry.failure]
    if not known:
        return "-"
    best = min(known, key=_seconds)
    return f"{best.system}: {_seconds(subject) / _seconds(best):.2f}"


def _first_calls(starts: Sequence[Cold], subject: str, rival: str) -> str:
    seconds = {entry.system: median(first for _, first in entry.first) for entry in starts if not entry.failure}
    return f"{seconds[subject] / seconds[rival]:.2f}" if {subject, rival} <= seconds.keys() else "-"


def _is_halide(entry: Measured) -> bool:
    return entry.system.startswith("halide/")


def _seconds(entry: Measured) -> float:
    return median(entry.seconds)
