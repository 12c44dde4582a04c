"""Reads of which it is quickly seen that what they read was written: dimension by dimension, in few variables.

    write f(xo*8 + xi, y.w)                x: every cell.x in [x.r - 1, x.r + 1] is xo*8 + xi for some xo, xi
    read  f(cell.x, y.r), cell.x in [x.r - 1, x.r + 1]          y: every y.r is y.w for some y.w

    covered  <=  for each group of conditions on a write that has loops of its own:  reading => exists loops: group

Groups share no variable of the write, so one that meets each meets all.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...ir import build
from ...ir.expr import Expr
from ...ir.function import Function
from .actors import Actor, before
from .events import Event
from .implied import is_implied
from .names import READ, WRITE, is_shared, names_in, names_of
from .question import apart, bearing_on, closed
from .reads import Target


def is_covered(reads: Target, writes: Sequence[Event], function: Function) -> bool:
    """Whether some write surely comes before each read, of a Func without updates whose memory is not folded.

    Where the answer is no, they may be right all the same.
    """
    if function.updates or not all(map(_is_in_its_cell, (reads.event, *writes))):
        return False
    reader = Actor(reads.event, READ, reads.free)
    return any(_covers(Actor(write, WRITE), reader, reads, function.name) for write in writes)


def _is_in_its_cell(event: Event) -> bool:
    return all(place is cell for place, cell in zip(event.place, event.cell, strict=True))


def _covers(writer: Actor, reader: Actor, reads: Target, func: str) -> bool:
    cell = reader.all(reads.cell)
    outer, own = reader.names(func, deep=False), writer.names(func, deep=False)
    wrote = closed(writer.where(), own, also=names_of((*writer.cell, *writer.at)))
    shared = {name for name in names_of(wrote) if not name.startswith(WRITE)}
    known = {name: e for name, e in (own | outer).items() if not name.startswith(WRITE)}
    reading = closed([*reader.where(), *reader.all(reads.bounds)], known, shared | names_of(cell))
    certain = set(reading)
    facts = [c for c in reading if is_shared(c)], [c for c in reader.checked if is_shared(c)]
    meeting = [build.eq(w, r) for w, r in zip(writer.cell, cell, strict=True)]
    for earlier in before(writer, reader):
        told = [c for c in (*wrote, *earlier, *meeting) if c not in certain]
        if all(_is_met(group, reading, *facts) for group in apart(told, (WRITE,))):
            return True
    return False


def _is_met(group: Sequence[Expr], reading: Sequence[Expr], known: Sequence[Expr], checked: Sequence[Expr]) -> bool:
    """Whether the reading conditions imply that the group's can be met."""
    near = bearing_on(names_of(group), reading)
    about = names_of(group) | names_of(near)
    local = [c for c in known if not about.isdisjoint(names_in(c))]
    about |= names_of(local)
    local += [c for c in checked if names_in(c) <= about]
    return is_implied(group, [*dict.fromkeys((*near, *local))])
