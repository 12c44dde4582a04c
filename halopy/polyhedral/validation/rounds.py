"""What isl says about accesses.

What it is told grows from round to round, as little is enough for most: first what the names of the Func itself
stand for, then all names, then also what minima and maxima are exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import islpy as isl

from ...ir.function import Function
from ...proof import NOT_PROVED, PROVED, REFUTED
from .asking import asked
from .budget import Budget
from .covered import is_covered
from .depth import DEPTHS, Depth, Wrong
from .events import Event, Events
from .flow import wrong_reads
from .inside import is_inside, outside
from .names import MARKS
from .reads import Target

Answer = tuple[str, str]  # status and reason
_FIRST = 2_000  # operations that a question takes in few variables
_INSIDE_DEPTHS = (Depth(names=False, choices=True), Depth(names=True, choices=False), Depth(names=True, choices=True))


def ask_inside(accesses: Target, events: Events, budget: Budget) -> Answer:
    """Whether they lie inside their memory."""
    budget.spend(_FIRST)
    if is_inside(accesses, _INSIDE_DEPTHS[0]):
        return PROVED, ""
    return _rounds(_INSIDE_DEPTHS, budget, events, lambda depth, context: outside(accesses, depth, context))


def ask_flow(reads: Target, writes: Sequence[Event], function: Function, events: Events, budget: Budget) -> Answer:
    """Whether they find what the algorithm means."""
    budget.spend(_FIRST * len(writes))
    if is_covered(reads, writes, function):
        return PROVED, ""
    return _rounds(
        DEPTHS, budget, events, lambda depth, context: [wrong_reads(reads, writes, function, depth, context)]
    )


_Ask = Callable[[Depth, isl.Context], list[Wrong]]


def _rounds(depths: Sequence[Depth], budget: Budget, events: Events, ask: _Ask) -> Answer:
    """Proved as soon as isl, told a little or more, finds nothing wrong; refuted where it does at sizes it names."""
    doubts: list[str] = []
    for depth in depths:
        wrong = _wrong(depth, budget, ask)
        if wrong == []:
            return PROVED, ""
        if wrong:
            example = _wrong(replace(depths[-1], sizes=_sizes(wrong[0], events)), budget, ask)
            if example and not example[0].doubts:
                return REFUTED, f"not so where {_told(example[0])}"
            doubts = [doubt for w in example or wrong for doubt in w.doubts]
    return NOT_PROVED, doubts[0] if doubts else "isl would take too long"


def _wrong(depth: Depth, budget: Budget, ask: _Ask) -> list[Wrong] | None:
    """What is wrong; None where isl gives up, or nothing is left to ask it with."""
    return asked(lambda context: [w for w in ask(depth, context) if not w.reads.is_empty()], budget)


def _sizes(wrong: Wrong, events: Events) -> dict[str, int]:
    """Of an example those numbers that come from outside."""
    return {n: value for n, value in _example(wrong).items() if n not in events.bound and not n.startswith(MARKS)}


def _told(wrong: Wrong) -> str:
    return ", ".join(f"{name} = {value}" for name, value in _example(wrong).items())


def _example(wrong: Wrong) -> dict[str, int]:
    point = wrong.reads.sample_point()
    return {name: point.get_coordinate_val(isl.dim_type.set, n).to_python() for n, name in enumerate(wrong.variables)}
