"""A read with all writes to its memory, as sets of isl that share their variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import islpy as isl

from ...ir import build
from ...ir.expr import FALSE, Expr, Var
from ...ir.function import Function
from .actors import Actor
from .algorithm import instances
from .depth import Depth
from .events import Event
from .names import DUE, MARKS, OTHER, READ, WRITE, names_in, names_of
from .question import Names, closed
from .reads import Target
from .space import Space


class FlowSets:
    """`base` names the variables of the read and what is shared; sets are over these, and some more at times.

    `reading` and `writing` are the conditions under which the read and each of the writes happen.
    """

    def __init__(
        self, reads: Target, writes: Sequence[Event], function: Function, depth: Depth, context: isl.Context
    ) -> None:
        self.context, self.function, self.depth = context, function, depth
        self.reads = reads
        self.reader = Actor(reads.event, READ, reads.free)
        self.cell, self.place = self.reader.all(reads.cell), self.reader.all(reads.place())
        self.writers = [Actor(w, WRITE) for w in writes]
        self.opaque: dict[Expr, Var] = {}
        self.left_out: list[Expr] = []
        self.doubts: list[str] = []
        self.instances = instances(function, DUE)
        self._spaces: dict[tuple[str, ...], tuple[Names, Space]] = {}
        known = [actor.names(function.name, deep=depth.names) for actor in (self.reader, *self.writers)]
        self.writing = [_happening(w, names) for w, names in zip(self.writers, known[1:], strict=True)]
        told = [c for cs in (*self.writing, *(i.conditions for i in self.instances)) for c in cs]
        shared = {name for name in names_of(told) if not name.startswith(MARKS)}
        definitions = {n: e for names in known for n, e in names.items() if not n.startswith(WRITE)}
        index = names_of(self.cell, self.place)
        checked = self.reader.checked
        conditions = [*self.reader.where(), *self.reader.all(reads.bounds)]
        conditions += [c for c in checked if any(name.startswith(READ) for name in names_in(c))]
        reading = closed(conditions, definitions, shared | index)
        near = shared | index | names_of(reading)
        self.reading = [*reading, *(c for c in checked if depth.names or names_in(c) <= near)]
        self.base = sorted(shared | index | names_of(self.reading))
        self.reading += depth.known({*self.base})
        indices = [*self.cell, *self.place, *(e for w in self.writers for e in (*w.cell, *w.place, *w.at))]
        indices += [e for i in self.instances for e in i.cell]
        self._hide([*self.reading, *told, *(build.eq(e, Var("")) for e in indices)])

    def _hide(self, conditions: Iterable[Expr]) -> None:
        """Finds all that is opaque, so that all spaces have the same symbols."""
        conditions = list(conditions)
        names = Names(names_of(conditions), self.opaque, choices=self.depth.choices)
        for condition in conditions:
            names.condition(condition)
        names.choices()

    def is_folded(self) -> bool:
        """Whether some place is not the cell itself."""
        return any(event.folded is None or any(event.folded) for event in self._events())

    def is_regular(self) -> bool:
        """Whether all places are remainders of cells by the same extents."""
        return None not in (shapes := {event.folded for event in self._events()}) and len(shapes) == 1

    def _events(self) -> list[Event]:
        return [self.reader.event, *(w.event for w in self.writers)]

    def others(self) -> Iterator[tuple[Actor, list[Expr]]]:
        """Any second write, and when it happens."""
        for event in self.writers:
            other = Actor(event.event, OTHER)
            yield other, _happening(other, other.names(self.function.name, deep=self.depth.names))

    def set(
        self, keep: Sequence[Var], common: Sequence[Expr], *further: Sequence[Expr], surely: bool = False
    ) -> isl.Set:
        """Where some values of all other variables meet the conditions; with `surely` surely so.

        Over the base, then the variables to keep. What the conditions have in `common` with other sets is kept at hand.
        """
        kept = [v.name for v in keep]
        rest = sorted(names_of(common, *further) - {*self.base, *kept})
        names, space = self._space((*self.base, *kept, *rest))
        told = [[(c, names.condition(c)) for c in part] for part in (common, *further)]
        missing = [c for part in told for c, said in part if said is None]
        self.left_out += missing
        if missing and surely:
            return self.set(keep, [FALSE])
        found = space.set(*([said for _, said in part if said is not None] for part in told))
        return found.project_out(isl.dim_type.set, len(self.base) + len(kept), len(rest))

    def _space(self, variables: tuple[str, ...]) -> tuple[Names, Space]:
        found = self._spaces.get(variables)
        if found is None:
            names = Names(variables, self.opaque, choices=self.depth.choices)
            space = Space(self.context, len(variables), len(self.opaque), names.choices())
            found = self._spaces[variables] = names, space
        return found

    def function_of(self, s: isl.Set) -> isl.Map:
        """What is kept as a function of the base."""
        found: isl.Map = isl.Map.from_domain(s)
        at, count = len(self.base), found.dim(isl.dim_type.in_) - len(self.base)
        return found.move_dims(isl.dim_type.out, 0, isl.dim_type.in_, at, count)


def _happening(writer: Actor, names: Mapping[str, Expr]) -> list[Expr]:
    """When it writes, and what stands in the indices."""
    return closed(writer.where(), names, also=names_of(writer.cell, writer.place, writer.at))


def is_known(cell: Sequence[Expr]) -> bool:
    """Whether isl can be told all its indices."""
    return all(map(Names(names_of(cell), {}).says, cell))


def equal(some: Iterable[Expr], others: Iterable[Expr]) -> list[Expr]:
    return [build.eq(a, b) for a, b in zip(some, others, strict=True)]
