"""All cases in one table: halopy beside the fastest schedule that any way of using Halide has, and beside the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import geometric_mean, median

from apps.report import Cold, Measured, limit_of
from apps.rivals.compiled import AUTOMATIC, AUTOSCHEDULERS

COLUMNS = (
    "app",
    "halopy ms",
    "fastest Halide ms",
    "its schedule",
    "halopy / it",
    "automatic / Halide's best automatic",
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
        rival = _fastest(others, _is_halide)
        if subject.failure or rival is None:
            continue
        ratios.append(_seconds(subject) / _seconds(rival))
        rows.append(_row(bound, subject, rival, others, colds.get(subject.case, ())))
    if not rows:
        return ""
    mean = f"| geometric mean | | | | {geometric_mean(ratios):.2f} |" + " |" * (len(COLUMNS) - 5)
    return "\n".join(["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|", *rows, mean, ""])


def compared(measured: Sequence[Measured]) -> list[str]:
    """The systems that the summary compares: the subject, and the fastest way of using Halide."""
    _, subject, *others = measured
    return [entry.system for entry in (subject, _fastest(others, _is_halide)) if entry is not None]


def _row(
    bound: Measured, subject: Measured, rival: Measured, others: Sequence[Measured], starts: Sequence[Cold]
) -> str:
    cells = (
        f"{subject.case}, {subject.size}",
        f"{_seconds(subject) * 1e3:.3f}",
        f"{_seconds(rival) * 1e3:.3f}",
        rival.system.partition("/")[2],
        f"{_seconds(subject) / _seconds(rival):.2f}",
        _automatic(others),
        _next_best(subject, others),
        f"{limit_of(bound)[0] / _seconds(subject):.0%}",
        _first_calls(starts, subject.system, rival.system),
        f"{subject.facts['peak'] / rival.facts['peak']:.2f}",
        f"{subject.facts['scratch'] / 1e6:.1f}, {rival.facts['scratch'] / 1e6:.1f}",
    )
    return "| " + " | ".join(cells) + " |"


def _automatic(others: Sequence[Measured]) -> str:
    ours = _fastest(others, lambda entry: entry.system == f"halopy/{AUTOMATIC}")
    best = _fastest(others, lambda entry: entry.system in {f"halide/{name}" for name in AUTOSCHEDULERS})
    if ours is None or best is None:
        return "-"
    return f"{_seconds(ours) / _seconds(best):.2f} ({best.system.partition('/')[2]})"


def _next_best(subject: Measured, others: Sequence[Measured]) -> str:
    best = _fastest(others, lambda entry: not entry.system.startswith(("halide/", "halopy/")))
    return "-" if best is None else f"{best.system}: {_seconds(subject) / _seconds(best):.2f}"


def _fastest(entries: Sequence[Measured], wanted: Callable[[Measured], bool]) -> Measured | None:
    return min((entry for entry in entries if wanted(entry) and not entry.failure), key=_seconds, default=None)


def _first_calls(starts: Sequence[Cold], subject: str, rival: str) -> str:
    seconds = {entry.system: median(first for _, first in entry.first) for entry in starts if not entry.failure}
    return f"{seconds[subject] / seconds[rival]:.2f}" if {subject, rival} <= seconds.keys() else "-"


def _is_halide(entry: Measured) -> bool:
    return entry.system.startswith("halide/")


def _seconds(entry: Measured) -> float:
    return median(entry.seconds)
