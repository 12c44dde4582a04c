"""Accesses that are quickly seen to be right, by inequalities alone: most of those of most pipelines.

    inside      min <= place < min + extent  follows from what is known where the access stands
    written     the loops around a write, solved for the cell that is read, follow to run before the read
    kept        rows written between the right one and the read are less than the memory's extent away from it

What is not evident may be right all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import Expr, Var, const_value
from ...ir.function import Function
from .actors import CONCURRENT, Actor, rank
from .budget import Budget
from .events import Event, Loop, Surroundings
from .inequalities import Facts
from .names import OTHER, WRITE
from .reads import Target
from .solved_writes import solved_writes

_LATER = 1 << 40


def is_evidently_inside(accesses: Target, budget: Budget) -> bool:
    """Whether all of them surely lie inside their memory."""
    event = accesses.event
    if event.folded is None:
        return False
    facts = facts_at(accesses, budget)
    for cell, (low, extent), folded in zip(accesses.cell, event.storage.box, event.folded, strict=True):
        if folded:
            if (const_value(extent) or 0) < 1:
                return False
        elif not (facts.imply(build.le(low, cell)) and facts.imply(build.lt(cell, build.add(low, extent)))):
            return False
    return True


def finds_evidently(reads: Target, writes: Sequence[Event], function: Function, budget: Budget) -> bool:
    """Whether each read surely finds what was written to its cell, of a Func without updates."""
    shapes = {event.folded for event in (reads.event, *writes)}
    if function.updates or len(shapes) > 1 or None in shapes:
        return False
    facts = facts_at(reads, budget)
    for cell, (low, extent), folded in zip(reads.cell, reads.event.storage.box, reads.event.folded or (), strict=True):
        within = build.le(low, cell), build.lt(cell, build.add(low, extent))
        if not folded and not all(map(facts.learn, within)):  # nearly all that is wanted follows from where cells lie
            return False
    if not any(is_written(write, reads, facts) for write in writes):
        return False
    return not any(reads.event.folded or ()) or all(_is_kept(reads, w, v, budget) for w in writes for v in writes)


class _Names:
    """The names of a read, and of writes that have marked ones."""

    def __init__(self, reads: Target, *actors: Actor) -> None:
        self._around, self._free, self._actors = reads.event.around, set(reads.free), actors
        self._near = f"{reads.event.func}.", f"{reads.event.by}."

    def rank(self, name: str) -> int:
        """Names of the last actor are bound last, and before them the cell that is read."""
        for place, actor in enumerate(self._actors):
            if name.startswith(actor.mark):
                return (place + 1) * _LATER + rank(actor.event.around, name.removeprefix(actor.mark))
        return _LATER if name in self._free else rank(self._around, name)

    def meaning(self, name: str) -> Expr | None:
        for actor in self._actors:
            if name.startswith(actor.mark):
                return actor.meaning(name)
        named = self._around.lets.get(name)
        return None if named is None else named.value

    def is_near(self, name: str) -> bool:
        """Those of the Funcs that it is about."""
        return name.removeprefix(WRITE).removeprefix(OTHER).startswith(self._near)


def facts_at(accesses: Target, budget: Budget) -> Facts:
    """What is known where the accesses stand."""
    return Facts(_Names(accesses), [*_conditions(accesses.event.around), *accesses.bounds], budget)


def _conditions(around: Surroundings) -> Iterator[Expr]:
    for loop in around.loops:
        yield from ranges(loop)
    for several in (*around.conditions, *around.checked):
        yield from conjuncts(several)


def ranges(loop: Loop) -> tuple[Expr, Expr]:
    """What holds of a loop's variable."""
    variable = Var(loop.name)
    return build.le(loop.min, variable), build.lt(variable, build.add(loop.min, loop.extent))


def is_written(write: Event, reads: Target, facts: Facts) -> bool:
    """Whether for each read some iteration of loops around the write surely wrote the cell before.

    Any that fulfils all that is known around the write will do.
    """
    return any(all(map(facts.imply, wanted)) for wanted in solved_writes(write, reads))


def _is_kept(reads: Target, write: Event, other: Event, budget: Budget) -> bool:
    """Whether nothing is written to the place of a read, between the write to its cell and the read, but that cell.

    Between lie iterations, of the loops that are around all of them, from the write's to the read's.
    """
    writer, taker = Actor(write, WRITE), Actor(other, OTHER)
    shared = _shared(write, other, reads.event)
    if any(loop.kind in CONCURRENT for loop in shared):
        return False
    late = [Var(loop.name) for loop in shared]
    known = [*_conditions(reads.event.around), *reads.bounds, *writer.known(), *taker.known()]
    known += [build.eq(w, r) for w, r in zip(writer.cell, reads.cell, strict=True)]
    for order in _in_order([writer(v) for v in late], [taker(v) for v in late], late):
        facts = Facts(_Names(reads, writer, taker), [*order, *known], budget)
        for d, folded in enumerate(write.folded or ()):
            extent = const_value(write.storage.box[d][1])
            cells = taker.cell[d], writer.cell[d], reads.cell[d]
            if folded and (extent is None or not _is_near(*cells, int(extent), facts)):
                return False
    return True


def _shared(*events: Event) -> list[Loop]:
    """The loops within the memory's life that are around all of them."""
    loops = [event.around.loops[len(event.storage.around.loops) :] for event in events]
    same = takewhile(lambda several: len({loop.name for loop in several}) == 1, zip(*loops, strict=False))
    return [several[0] for several in same]


def _is_near(taken: Expr, written: Expr, read: Expr, extent: int, facts: Facts) -> bool:
    """Whether one index is less than the extent away from the other, which is known to be two things."""
    return facts.imply(build.lt(build.sub(written, extent), taken)) and facts.imply(
        build.lt(taken, build.add(read, extent))
    )


def _in_order(first: Sequence[Expr], second: Sequence[Expr], third: Sequence[Expr]) -> Iterator[list[Expr]]:
    """Conditions, of which one list holds where three moments come in this order, or are equal."""
    for one in _not_after(first, second):
        for other in _not_after(second, third):
            yield [*one, *other]


def _not_after(early: Sequence[Expr], late: Sequence[Expr]) -> Iterator[list[Expr]]:
    same = [build.eq(a, b) for a, b in zip(early, late, strict=True)]
    if not same:
        yield []
    for d in range(len(same)):
        last = d == len(same) - 1
        yield [*same[:d], (build.le if last else build.lt)(early[d], late[d])]
