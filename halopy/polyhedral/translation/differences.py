"""What two texts do differently, if a run at small sizes shows it: an element, and which iterations write it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping

from ...ir.node import find
from ...ir.rewrite import free_vars
from ...ir.stmt import Allocate, For, LetStmt, Stmt, Store
from .paths import base_name
from .runs import Ended, OutsideError, Run, Written

_SECONDS = 0.1  # of the processor, for all runs
_EXTENTS = ((19, 13, 3, 2), (40, 4, 3, 2), (8, 5, 4, 1))
ACCESSES = "it accesses"  # how what is said of memory outside begins


def difference(built: Stmt, printed: Stmt, near: Iterable[Mapping[str, int]] = ()) -> str:
    """Where the printed text computes something else than the loops do, or leaves memory; empty where not seen.

    It is looked for at usual sizes, and at those `near`.
    """
    end = time.process_time() + _SECONDS
    usual = list(_sizes(built))
    innermost = ({name: n for name, n in values.items() if name.endswith((".min.0", ".extent.0"))} for values in near)
    for sizes in (*usual, *({**usual[0], **values} for values in innermost)):
        try:
            right = Run(built, sizes, end)
        except (Ended, OutsideError, KeyError):
            continue
        try:
            found = _compared(right, Run(printed, sizes, end))
        except OutsideError as access:
            found = f"{ACCESSES} {access}, which is outside"
        except (Ended, KeyError):
            continue
        if found:
            said = ", ".join(
                f"{name} = {n}" for name, n in sizes.items() if ".extent." in name or (".min." in name and n)
            )
            return f"{found}, where {said}" if said else found
    return ""


def _compared(right: Run, found: Run) -> str:
    """What differs. To read more is no fault: of a choice between two equal values, one text may read both."""
    for buffer, cells in right.memory.items():
        others = found.memory.get(buffer, {})
        for place in sorted(cells.keys() | others.keys()):
            mine, its = cells.get(place), others.get(place)
            if mine is None or its is None or (mine.version != its.version and not mine.reads < its.reads):
                return f"{buffer}[{place}] is written {_told(its)}, and by the loops {_told(mine)}"
    return ""


def _told(written: Written | None) -> str:
    if written is None:
        return "never"
    reads = ", ".join(f"{buffer}[{n}]" for buffer, n in sorted(written.reads))
    at = ", ".join(f"{base_name(name)} = {n}" for name, n in written.at.items())
    return " ".join(part for part in (f"at {at}" if at else "", f"from {reads}" if reads else "from nothing") if part)


def _sizes(stmt: Stmt) -> Iterator[dict[str, int]]:
    """Small sizes for all that the text depends on."""
    bound = {s.name for s in find(stmt, For)} | {s.name for s in find(stmt, LetStmt)}
    free = sorted(free_vars(stmt) - bound)
    inner = {s.buffer for s in find(stmt, Allocate)}
    outputs = {s.buffer for s in find(stmt, Store)} - inner
    for extents in _EXTENTS:
        for is_wide in (True, False):
            yield {name: _size(name, outputs, extents, is_wide) for name in free}
    yield {name: -3 if name.endswith(".min.0") else _size(name, outputs, _EXTENTS[0], True) for name in free}


def _size(name: str, outputs: set[str], extents: tuple[int, ...], is_wide: bool) -> int:
    """Inputs are wider than outputs, or not."""
    match = re.fullmatch(r"(.*)\.(min|extent|stride)\.(\d+)", name)
    if match is None:
        return 2
    buffer, what, d = match[1], match[2], int(match[3])
    own = [*extents, *[2] * 8] if buffer in outputs or not is_wide else [*(n + 40 for n in extents), *[42] * 8]
    if what == "extent":
        return own[d]
    if what == "min":
        return 0 if buffer in outputs or not is_wide else -20
    stride = 1
    for extent in own[:d]:
        stride *= extent
    return stride
