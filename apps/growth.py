"""How time grows with the size of the picture, the number of threads, and the number of channels."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from apps.cases import Case
from apps.report import Measured


def table(case: Case, measured: Sequence[Sequence[Measured]]) -> str:
    """A row for each size and number of threads; each list of `measured` holds the bound and then systems."""
    systems = [entry.system for entry in measured[0][1:]]
    lines = [
        f"| {case.title} | megapixels | threads | "
        + " | ".join(f"{system} ms | ns per pixel" for system in systems)
        + " |",
        "|---" * (3 + 2 * len(systems)) + "|",
    ]
    for entries, pixels in zip(measured, _pixels(measured), strict=True):
        cells = [cell for entry in entries[1:] for cell in _cells(entry, pixels)]
        first = entries[0]
        lines.append(f"| {first.size} | {pixels / 1e6:.1f} | {first.threads} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _pixels(measured: Sequence[Sequence[Measured]]) -> list[int]:
    sizes = [[int(extent) for extent in entries[0].size.split("x")] for entries in measured]
    return [width * height for width, height, *_ in sizes]


def _cells(entry: Measured, pixels: int) -> list[str]:
    if entry.failure:
        return [entry.failure.replace("|", "/").splitlines()[0][:80], ""]
    seconds = median(entry.seconds)
    return [f"{seconds * 1e3:.3f}", f"{seconds / pixels * 1e9:.3f}"]
