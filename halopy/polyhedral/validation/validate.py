"""Whether a loop nest computes what the algorithm says, access by access.

What isl is told grows from round to round, as little is enough for most: first what the names of the Func itself
stand for, then all names, then also what minima and maxima are exactly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import islpy as isl

from ...ir.expr import FALSE, TRUE
from ...ir.groups import groups_in
from ...ir.program import Program
from ...ir.stmt import Stmt
from ...ir.undefined import split_undefined
from ...proof import NOT_PROVED, PROVED, REFUTED, Obligation
from .covered import is_covered
from .depth import DEPTHS, Depth, Wrong
from .events import Event, Events, TooManyAccesses, events_of
from .flow import wrong_reads
from .inside import is_inside, outside
from .question import MARKS
from .reads import Target, anywhere, target, together

MOST_OPERATIONS = 200_000  # of isl, for one round about some accesses
_PER_SECOND = 500_000  # of such operations, on a slow machine
_INSIDE_DEPTHS = (Depth(names=False, choices=True), Depth(names=True, choices=False), Depth(names=True, choices=True))

_Answer = tuple[str, str]  # status and reason


def validate(unfolded: Stmt, folded: Stmt, program: Program, seconds: float | None = None) -> list[Obligation]:
    """One obligation for each group of alike accesses of a nest, which is given before and after folding its storage.

    After `seconds` the rest is not proved.
    """
    try:
        events = events_of(unfolded, folded, program)
    except TooManyAccesses:
        return [Obligation("dataflow", program.outputs, NOT_PROVED, "one statement reads in too many cases", seconds=0)]
    end = None if seconds is None else time.perf_counter() + seconds
    return [_obligation(kind, targets, events, program, end) for kind, targets in _questions(events)]


def finds_all(unfolded: Stmt, folded: Stmt, program: Program, func: str) -> bool:
    """Whether all reads of a Func are proved to find what they mean."""
    events = events_of(unfolded, folded, program)
    groups = together(read for read in events.reads if read.func == func)
    found = (_obligation("dataflow", _alike(group), events, program, None) for group in groups)
    return all(obligation.status == PROVED for obligation in found)


def _questions(events: Events) -> Iterator[tuple[str, list[Target]]]:
    """What is asked: around all of a group of accesses first, then one by one."""
    # what a read of a Func finds was written, and so lies inside
    yield from (("dataflow", _alike(group)) for group in together(events.reads))
    yield from (("dataflow", [anywhere(event)]) for event in events.results)
    yield from (("memory", _alike(group)) for group in together(events.touches))
    for writes in events.writes.values():
        yield from (("memory", [target([write])]) for write in writes)


def _alike(group: list[Event]) -> list[Target]:
    return [target(group), *([target([event]) for event in group] if len(group) > 1 else [])]


def _obligation(kind: str, targets: list[Target], events: Events, program: Program, end: float | None) -> Obligation:
    start = time.perf_counter()
    around, *alone = targets
    answer = _answer(kind, around, events, program, end)
    if answer[0] != PROVED and alone:  # around all lies more than what is read
        answers = [_answer(kind, one, events, program, end) for one in alone]
        answer = next((a for status in (REFUTED, NOT_PROVED) for a in answers if a[0] == status), answers[0])
    status, reason = answer
    return Obligation(kind, _stages(around.event), status, reason or _HOLDS[kind], seconds=time.perf_counter() - start)


def _answer(kind: str, accesses: Target, events: Events, program: Program, end: float | None) -> _Answer:
    if _operations_left(end) <= 0:
        return NOT_PROVED, "there was no time left"
    if kind == "dataflow":
        return _dataflow(accesses, events, program, end)
    if is_inside(accesses, _INSIDE_DEPTHS[0]):
        return PROVED, ""
    return _rounds(_INSIDE_DEPTHS, end, events, lambda depth, context: outside(accesses, depth, context))


_HOLDS = {"dataflow": "each read finds the value that the algorithm means", "memory": "all accesses lie inside"}


def _stages(event: Event) -> tuple[str, ...]:
    """Who reads or writes, and whose elements."""
    by = event.by if event.stage == 0 else f"{event.by}.update({event.stage - 1})"
    return tuple(dict.fromkeys(name for name in (by, event.func) if name))


def _dataflow(accesses: Target, events: Events, program: Program, end: float | None) -> _Answer:
    function, memory = program.functions[accesses.event.func], accesses.event.storage
    writes = [w for w in events.writes.get(function.name, []) if w.storage is memory]
    if not writes:
        return NOT_PROVED, "its values come from elsewhere"
    if _in_tasks([accesses.event, *writes]):
        return NOT_PROVED, "a thread of its own computes them"
    if any(split_undefined(value)[1] not in (TRUE, FALSE) for d in function.definitions for value in d.values):
        return NOT_PROVED, "some of its values may be undefined"
    if any(groups_in(d.values) for d in function.definitions):
        return NOT_PROVED, "it writes several elements in one step"
    if is_covered(accesses, writes, function):
        return PROVED, ""
    return _rounds(
        DEPTHS, end, events, lambda depth, context: [wrong_reads(accesses, writes, function, depth, context)]
    )


def _in_tasks(events: Iterable[Event]) -> bool:
    """Whether some of them are in one task of a fork, and some in the other."""
    tasks = {task for event in events for task in event.around.tasks}
    return len({fork for fork, _ in tasks}) < len(tasks)


_Ask = Callable[[Depth, isl.Context], list[Wrong]]


def _rounds(depths: Sequence[Depth], end: float | None, events: Events, ask: _Ask) -> _Answer:
    """Proved as soon as isl, told a little or more, finds nothing wrong; refuted where it does at sizes it names."""
    doubts: list[str] = []
    for depth in depths:
        wrong = _asked(depth, end, ask)
        if wrong == []:
            return PROVED, ""
        if wrong:
            example = _asked(replace(depths[-1], sizes=_sizes(wrong[0], events)), end, ask)
            if example and not example[0].doubts:
                return REFUTED, f"not so where {_told(example[0])}"
            doubts = [doubt for w in example or wrong for doubt in w.doubts]
    return NOT_PROVED, doubts[0] if doubts else "isl would take too long"


def _asked(depth: Depth, end: float | None, ask: _Ask) -> list[Wrong] | None:
    """What is wrong; None where isl gives up, or there is no time to ask it."""
    limit = _operations_left(end)
    if limit <= 0:
        return None
    context = isl.Context()
    context.set_max_operations(limit)
    try:
        return [w for w in ask(depth, context) if not w.reads.is_empty()]
    except isl.Error:
        return None


def _operations_left(end: float | None) -> int:
    """What isl may use for one round: less where there is little time."""
    return MOST_OPERATIONS if end is None else min(MOST_OPERATIONS, int((end - time.perf_counter()) * _PER_SECOND))


def _sizes(wrong: Wrong, events: Events) -> dict[str, int]:
    """Of an example those numbers that come from outside."""
    return {n: value for n, value in _example(wrong).items() if n not in events.bound and not n.startswith(MARKS)}


def _told(wrong: Wrong) -> str:
    return ", ".join(f"{name} = {value}" for name, value in _example(wrong).items())


def _example(wrong: Wrong) -> dict[str, int]:
    point = wrong.reads.sample_point()
    return {name: point.get_coordinate_val(isl.dim_type.set, n).to_python() for n, name in enumerate(wrong.variables)}
