"""Change a schedule that was refused as a whole, as the message says; so that more of what is drawn gets to run."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from .case import Case, Directive, Name
from .outcome import REFUSED, Outcome

_CALL = re.compile(r"\b(f\d+\w*)(?:\.update\((\d+)\))?(?:\.specialize\(.*?\))?\.([a-z_]+)\(")
_PLACE = re.compile(r"\b(f\d+\w*)(?:\.update\(\d+\))?\.(v\d+|[xyz])\b")
_LARGER = re.compile(r"in dimension (\d+) .*\n  the pipeline writes \[(-?\d+), (-?\d+)\]")
_ROUNDS = 8


def run_repaired(case: Case, run: Callable[[Case], Outcome], rng: random.Random) -> tuple[Case, Outcome]:
    """The case as it ran in the end, and how."""
    found = run(case)
    for _ in range(_ROUNDS):
        if found.kind != REFUSED or not case.directives:
            break
        case = repaired(case, found.text, rng)
        found = run(case)
    return case, found


def repaired(case: Case, message: str, rng: random.Random) -> Case:
    """Without the directive that the message names, or with another place in it; without any, where it names none."""
    larger = _LARGER.search(message)
    if larger and f"output `{case.output.name}`" in message:
        return _enlarged(case, *map(int, larger.groups()))
    call = _CALL.search(message)
    if call is None:
        guarded = tuple(_guarded(d) for d in case.directives)
        if guarded != case.directives:
            return replace(case, directives=guarded)
        dropped = rng.randrange(len(case.directives))
        return replace(case, directives=case.directives[:dropped] + case.directives[dropped + 1 :])
    func, stage, method = call[1], int(call[2]) + 1 if call[2] else 0, call[3]
    named = [d for d in case.directives if (d.func, d.stage, d.method) == (func, stage, method)]
    if not named:
        dropped = rng.randrange(len(case.directives))
        return replace(case, directives=case.directives[:dropped] + case.directives[dropped + 1 :])
    places = _PLACE.findall(message.partition("accepted here:")[2])
    if method in ("compute_at", "store_at", "hoist_storage") and places:
        host, loop = rng.choice(places)
        other = replace(named[-1], args=(Name("func", host), Name("var", loop)))
        return replace(case, directives=tuple(other if d is named[-1] else d for d in case.directives))
    return replace(case, directives=tuple(d for d in case.directives if d not in named))


def _enlarged(case: Case, dim: int, low: int, high: int) -> Case:
    """With an output that holds all that is written."""
    top = max(high + 1, case.mins[dim] + case.sizes[dim])
    first = min(low, case.mins[dim])
    mins = (*case.mins[:dim], first, *case.mins[dim + 1 :])
    return replace(case, mins=mins, sizes=(*case.sizes[:dim], top - first, *case.sizes[dim + 1 :]))


def _guarded(directive: Directive) -> Directive:
    args = tuple(
        replace(a, name="GuardWithIf") if isinstance(a, Name) and a.kind == "TailStrategy" else a
        for a in directive.args
    )
    return replace(directive, args=args)
