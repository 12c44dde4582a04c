"""Whether a loop nest computes what the algorithm says, access by access.

Most are seen to be right by inequalities; isl is asked about the others, and loaded only for them.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable, Iterator

from ...ir.expr import FALSE, TRUE
from ...ir.function import Function
from ...ir.groups import groups_in
from ...ir.program import Program
from ...ir.stmt import Stmt
from ...ir.undefined import split_undefined
from ...proof import NOT_PROVED, PROVED, REFUTED, Obligation
from .budget import FULL, Budget
from .events import Event, Events, TooManyAccesses, events_of
from .evident import finds_evidently, is_evidently_inside
from .evident_updates import finds_updated
from .reads import Target, anywhere, target, together

_NOTHING_LEFT = NOT_PROVED, "it would take too long"
_Answer = tuple[str, str]  # status and reason


def validate(unfolded: Stmt, folded: Stmt, program: Program, operations: int | None = None) -> list[Obligation]:
    """One obligation for each group of alike accesses of a nest, which is given before and after folding its storage.

    After so many operations the rest is not proved.
    """
    budget = Budget(FULL if operations is None else operations)
    try:
        events = events_of(unfolded, folded, program)
    except TooManyAccesses:
        return [Obligation("dataflow", program.outputs, NOT_PROVED, "one statement reads in too many cases", seconds=0)]
    questions = [_Question(kind, group, events, program) for kind, group in _groups(events)]
    for question in questions:  # all that is quickly seen, before isl takes the time
        question.look(budget)
    return [question.asked(budget) for question in questions]


def finds_all(unfolded: Stmt, folded: Stmt, program: Program, func: str) -> bool:
    """Whether all reads of a Func are proved to find what they mean."""
    events, budget = events_of(unfolded, folded, program), Budget()
    groups = together(read for read in events.reads if read.func == func)
    questions = [_Question("dataflow", group, events, program) for group in groups]
    for question in questions:
        question.look(budget)
    return all(question.asked(budget).status == PROVED for question in questions)


def _groups(events: Events) -> Iterator[tuple[str, list[Event] | Target]]:
    """What is asked, together or about all that may be read."""
    # what a read of a Func finds was written, and so lies inside
    yield from (("dataflow", group) for group in together(events.reads))
    yield from (("dataflow", anywhere(event)) for event in events.results)
    yield from (("memory", group) for group in together(events.touches))
    for writes in events.writes.values():
        yield from (("memory", [write]) for write in writes)


class _Question:
    """What is asked about a group of alike accesses: around all of them first, then one by one."""

    def __init__(self, kind: str, group: list[Event] | Target, events: Events, program: Program) -> None:
        self._kind, self._events, self._program = kind, events, program
        self._around = group if isinstance(group, Target) else target(group)
        self._alone = [target([event]) for event in group] if isinstance(group, list) and len(group) > 1 else []
        self._answer: _Answer | None = None
        self._answers: list[_Answer | None] = [None] * len(self._alone)
        self._seconds = 0.0

    def look(self, budget: Budget) -> None:
        """Whether it is evident."""
        start = time.perf_counter()
        self._answer = self._quick(self._around, budget)
        if self._answer is None or self._answer[0] != PROVED:
            self._answers = [self._quick(one, budget) for one in self._alone]
            self._answer = (PROVED, "") if {*self._answers} == {(PROVED, "")} else self._answer
        self._seconds = time.perf_counter() - start

    def asked(self, budget: Budget) -> Obligation:
        """The answer, of isl where there is none yet."""
        start = time.perf_counter()
        answer = self._answer or self._exact(self._around, budget)
        if answer[0] != PROVED and self._alone:  # around all lies more than what is read
            pairs = zip(self._answers, self._alone, strict=True)
            answers = [answer or self._exact(one, budget) for answer, one in pairs]
            answer = next((a for status in (REFUTED, NOT_PROVED) for a in answers if a[0] == status), answers[0])
        status, reason = answer
        seconds = self._seconds + time.perf_counter() - start
        return Obligation(
            self._kind, _stages(self._around.event), status, reason or _HOLDS[self._kind], seconds=seconds
        )

    def _quick(self, accesses: Target, budget: Budget) -> _Answer | None:
        """The answer that needs no isl; None where only isl could tell."""
        if budget.is_spent:
            return _NOTHING_LEFT
        if self._kind == "memory":
            return (PROVED, "") if is_evidently_inside(accesses, budget) else None
        function, writes = self._function(accesses), self._writes(accesses)
        why_not = _why_not_asked(accesses, writes, function)
        if why_not is not None:
            return NOT_PROVED, why_not
        finds = finds_updated if function.updates else finds_evidently
        return (PROVED, "") if finds(accesses, writes, function, budget) else None

    def _exact(self, accesses: Target, budget: Budget) -> _Answer:
        """What isl says, which takes long to load."""
        if not budget.load():
            return _NOTHING_LEFT
        rounds = importlib.import_module(".rounds", __package__)
        answer: _Answer
        if self._kind == "memory":
            answer = rounds.ask_inside(accesses, self._events, budget)
        else:
            function, writes = self._function(accesses), self._writes(accesses)
            answer = rounds.ask_flow(accesses, writes, function, self._events, budget)
        return answer

    def _function(self, accesses: Target) -> Function:
        return self._program.functions[accesses.event.func]

    def _writes(self, accesses: Target) -> list[Event]:
        memory = accesses.event.storage
        return [w for w in self._events.writes.get(memory.func, []) if w.storage is memory]


def _why_not_asked(accesses: Target, writes: list[Event], function: Function) -> str | None:
    """What keeps the values of a read from being followed."""
    if not writes:
        return "its values come from elsewhere"
    if _in_tasks([accesses.event, *writes]):
        return "a thread of its own computes them"
    if any(split_undefined(value)[1] not in (TRUE, FALSE) for d in function.definitions for value in d.values):
        return "some of its values may be undefined"
    if any(groups_in(d.values) for d in function.definitions):
        return "it writes several elements in one step"
    return None


_HOLDS = {"dataflow": "each read finds the value that the algorithm means", "memory": "all accesses lie inside"}


def _stages(event: Event) -> tuple[str, ...]:
    """Who reads or writes, and whose elements."""
    by = event.by if event.stage == 0 else f"{event.by}.update({event.stage - 1})"
    return tuple(dict.fromkeys(name for name in (by, event.func) if name))


def _in_tasks(events: Iterable[Event]) -> bool:
    """Whether some of them are in one task of a fork, and some in the other."""
    tasks = {task for event in events for task in event.around.tasks}
    return len({fork for fork, _ in tasks}) < len(tasks)
