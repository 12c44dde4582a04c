"""Measurements and the Markdown tables that show them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from apps.cases import Case

SYSTEMS = ("halopy", "halide", "opencv-python-headless", "scikit-image", "scipy", "numpy", "numba")


@dataclass
class Measured:
    """One system at one size: seconds of each round; `facts` is what its worker said of the first call."""

    case: str
    size: str
    threads: int
    system: str
    seconds: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    failure: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Cold:
    """(import, first call) of new processes, without and with a filled cache; seconds of a call on a tiny image."""

    case: str
    system: str
    first: list[tuple[float, float]] = field(default_factory=list)
    cached: list[tuple[float, float]] = field(default_factory=list)
    tiny: list[float] = field(default_factory=list)
    failure: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def steady_table(case: Case, measured: Sequence[Measured]) -> str:
    """Times, the subject's (the first system's) time over each other's, and how near each comes to the bound."""
    bound, subject = measured[0], measured[1]
    title = f"{case.title}, {subject.size}, {subject.threads} thread{'s' * (subject.threads > 1)}"
    limit, why = limit_of(bound)
    lines = [
        f"| {title} | min ms | median ms | {subject.system} / it (quartiles) | of the bound | scratch MB | peak MB |",
        "|---|---|---|---|---|---|---|",
        f"| lower bound: {why} | | {limit * 1e3:.3f} | | 100 % | | |",
    ]
    for entry in measured[1:]:
        if entry.failure:
            lines.append(f"| {entry.system} | {_cell(entry.failure)} | | | | | |")
            continue
        ratio = "1" if entry is subject else _ratio(subject.seconds, entry.seconds)
        lines.append(
            f"| {entry.system} | {min(entry.seconds) * 1e3:.3f} | {median(entry.seconds) * 1e3:.3f} | {ratio}"
            f" | {limit / median(entry.seconds):.0%} | {entry.facts['scratch'] / 1e6:.1f}"
            f" | {entry.facts['peak'] / 1e6:.0f} |"
        )
    notes = [case.why] if case.why and any(entry.system in case.tolerance for entry in measured) else []
    return "\n".join([*lines, "", *notes]) + "\n" * bool(notes)


def limit_of(bound: Measured) -> tuple[float, str]:
    """The seconds that no system can do without, and what takes them."""
    copying, computing = median(bound.seconds), bound.facts["operations"]
    return max((copying, "moving its bytes"), (computing, "its operations in full vectors"))


def _ratio(subject: Sequence[float], other: Sequence[float]) -> str:
    if not subject:
        return "-"
    low, _, high = quantiles([a / b for a, b in zip(subject, other, strict=True)], n=4)
    return f"{median(subject) / median(other):.2f} ({low:.2f} to {high:.2f})"


def cold_table(case: Case, starts: Sequence[Cold]) -> str:
    lines = [
        f"| {case.title}: new process | import ms | first call ms | with import | cached ms | 16x16 call µs |",
        "|---|---|---|---|---|---|",
    ]
    for entry in starts:
        if entry.failure:
            lines.append(f"| {entry.system} | {_cell(entry.failure)} | | | | |")
            continue
        first = _median_ms(entry.first, lambda pair: pair[1])
        total = _median_ms(entry.first, sum)
        lines.append(
            f"| {entry.system} | {_median_ms(entry.first, lambda pair: pair[0])} | {first} | {total}"
            f" | {_median_ms(entry.cached, lambda pair: pair[1])} | {median(entry.tiny) * 1e6:.1f} |"
        )
    return "\n".join([*lines, ""])


def _median_ms(pairs: Sequence[tuple[float, float]], pick: Callable[[tuple[float, float]], float]) -> str:
    return f"{median(pick(pair) for pair in pairs) * 1e3:.0f}"


def _cell(text: str) -> str:
    return text.replace("|", "/").splitlines()[0][:120]


def machine() -> str:
    """The processor and the versions of all that is compared."""
    cpu = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    versions = [f"{name} {found}" for name in SYSTEMS if (found := _version(name))]
    processor = f"{len(cpu)} x {cpu[0]}" if cpu else platform.machine()
    return f"{processor}, {platform.system()}, Python {platform.python_version()}, {', '.join(versions)}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def command(arguments: Sequence[str] | None) -> str:
    return " ".join(["python -m apps.bench", *(sys.argv[1:] if arguments is None else arguments)])
