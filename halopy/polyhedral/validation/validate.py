"""Whether a loop nest computes what the algorithm says, access by access.

Most are seen to be right by inequalities; isl is asked about the others, and loaded only for them.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterable, Iterator

from ...ir.expr import FALSE, TRUE
from ...ir.groups import groups_in
from ...ir.program import Program
from ...ir.stmt import Stmt
from ...ir.undefined import split_undefined
from ...proof import NOT_PROVED, PROVED, REFUTED, Obligation
from .budget import Budget
from .events import Event, Events, TooManyAccesses, events_of
from .evident import finds_evidently, is_evidently_inside
from .reads import Target, anywhere, target, together

_IMPORT = 0.04  # seconds to load isl, on a slow day

_Answer = tuple[str, str]  # status and reason


def validate(unfolded: Stmt, folded: Stmt, program: Program, seconds: float | None = None) -> list[Obligation]:
    """One obligation for each group of alike accesses of a nest, which is given before and after folding its storage.

    After `seconds` the rest is not proved.
    """
    budget = Budget(seconds)
    try:
        events = events_of(unfolded, folded, program)
    except TooManyAccesses:
        return [Obligation("dataflow", program.outputs, NOT_PROVED, "one statement reads in too many cases", seconds=0)]
    return [_obligation(kind, group, events, program, budget) for kind, group in _questions(events)]


def finds_all(unfolded: Stmt, folded: Stmt, program: Program, func: str) -> bool:
    """Whether all reads of a Func are proved to find what they mean."""
    events, budget = events_of(unfolded, folded, program), Budget(None)
    groups = together(read for read in events.reads if read.func == func)
    return all(_obligation("dataflow", group, events, program, budget).status == PROVED for group in groups)


def _questions(events: Events) -> Iterator[tuple[str, list[Event] | Target]]:
    """What is asked, together or about all that may be read."""
    # what a read of a Func finds was written, and so lies inside
    yield from (("dataflow", group) for group in together(events.reads))
    yield from (("dataflow", anywhere(event)) for event in events.results)
    yield from (("memory", group) for group in together(events.touches))
    for writes in events.writes.values():
        yield from (("memory", [write]) for write in writes)


def _obligation(kind: str, group: list[Event] | Target, events: Events, program: Program, budget: Budget) -> Obligation:
    start = time.perf_counter()
    around = group if isinstance(group, Target) else target(group)
    answer = _answer(kind, around, events, program, budget)
    if answer[0] != PROVED and isinstance(group, list) and len(group) > 1:  # around all lies more than what is read
        answers = [_answer(kind, target([event]), events, program, budget) for event in group]
        answer = next((a for status in (REFUTED, NOT_PROVED) for a in answers if a[0] == status), answers[0])
    status, reason = answer
    return Obligation(kind, _stages(around.event), status, reason or _HOLDS[kind], seconds=time.perf_counter() - start)


_HOLDS = {"dataflow": "each read finds the value that the algorithm means", "memory": "all accesses lie inside"}


def _stages(event: Event) -> tuple[str, ...]:
    """Who reads or writes, and whose elements."""
    by = event.by if event.stage == 0 else f"{event.by}.update({event.stage - 1})"
    return tuple(dict.fromkeys(name for name in (by, event.func) if name))


def _answer(kind: str, accesses: Target, events: Events, program: Program, budget: Budget) -> _Answer:
    if budget.is_spent:
        return NOT_PROVED, "there was no time left"
    if kind == "dataflow":
        return _dataflow(accesses, events, program, budget)
    if is_evidently_inside(accesses):
        return PROVED, ""
    return _asked("ask_inside", budget, accesses, events)


def _dataflow(accesses: Target, events: Events, program: Program, budget: Budget) -> _Answer:
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
    if finds_evidently(accesses, writes, function):
        return PROVED, ""
    return _asked("ask_flow", budget, accesses, writes, function, events)


def _in_tasks(events: Iterable[Event]) -> bool:
    """Whether some of them are in one task of a fork, and some in the other."""
    tasks = {task for event in events for task in event.around.tasks}
    return len({fork for fork, _ in tasks}) < len(tasks)


def _asked(question: str, budget: Budget, *about: object) -> _Answer:
    """What isl says, which takes long to load."""
    if budget.seconds < (0 if "islpy" in sys.modules else _IMPORT):
        return NOT_PROVED, "there was no time left"
    rounds = importlib.import_module(".rounds", __package__)
    answer: _Answer = getattr(rounds, question)(*about, budget)
    return answer
