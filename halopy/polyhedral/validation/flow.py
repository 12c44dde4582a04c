"""Whether reads find what the algorithm says they read.

    before(r)   writes w to the place of r with moment(w) < moment(r)
    last(r)     the latest of before(r): what the loop nest reads
    due(r)      the algorithm's last write to the cell of r, before the instance that reads it
    wrong       reads r for which last(r) is not due(r)

A Func without updates has one value per cell. Where its memory is not folded either, a place is a cell, so any write
before the read is right. Where it is folded, it is enough that no other cell's value is written between the right one
and the read. Where iterations of an update may change places, `due` is not one instance: then all that write the cell
must come before, each once, and nothing that the algorithm does not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product

import islpy as isl

from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import FALSE, Expr, Var
from ...ir.function import Function
from ...ir.rewrite import substitute
from ...schedule.order import is_order_free
from .actors import CONCURRENT, Actor, at_once, before
from .algorithm import Instance, instances, rank
from .events import Event
from .names import names_in
from .question import DUE, MARKS, OTHER, RANK, READ, WRITE, Names, Space, apart, bearing_on, closed, opaque_in, padded
from .reads import Target

_TIME = "k:t"


@dataclass(frozen=True, slots=True)
class Depth:
    """How much isl is told: what names of other Funcs stand for, what minima and maxima are exactly, and sizes."""

    names: bool
    choices: bool
    sizes: Mapping[str, int] = field(default_factory=dict)

    def known(self, names: Iterable[str]) -> list[Expr]:
        """Conditions that fix the sizes."""
        return [build.eq(Var(name), self.sizes[name]) for name in sorted(names & self.sizes.keys())]


DEPTHS = (Depth(False, False), Depth(True, False), Depth(True, True))


@dataclass(frozen=True, slots=True)
class Wrong:
    """Reads, over the variables named, that may not find the right value; and `doubts` whether they are such."""

    reads: isl.Set
    variables: tuple[str, ...]
    doubts: tuple[str, ...]


def wrong_reads(
    reads: Target, writes: Sequence[Event], function: Function, depth: Depth, context: isl.Context
) -> Wrong:
    """The reads that may find something else. Raises isl.Error past the context's limit."""
    flow = _Flow(reads, writes, function, depth, context)
    wrong = flow.wrong()
    own = [o for o in flow.reader.loops if o.kind in CONCURRENT and o.name.startswith(f"{function.name}.s")]
    if own and reads.event.by == function.name:
        flow.doubts.append("whether its iterations may meet is asked of its schedule")
    unsaid = dict.fromkeys([*reads.unknown, *flow.left_out, *opaque_in(wrong, flow.opaque)])
    return Wrong(wrong, tuple(flow.base), (*flow.doubts, *(f"isl cannot be told what {e} is" for e in unsaid)))


class _Flow:
    """`base` names the variables of the read and what is shared; sets are over these, and some more at times."""

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
        shared = {name for name in _names(told) if not name.startswith(MARKS)}
        definitions = {n: e for names in known for n, e in names.items() if not n.startswith(WRITE)}
        index = _names(self.cell, self.place)
        checked = self.reader.checked
        conditions = [*self.reader.where(), *self.reader.all(reads.bounds)]
        conditions += [c for c in checked if any(name.startswith(READ) for name in names_in(c))]
        reading = closed(conditions, definitions, shared | index)
        near = shared | index | _names(reading)
        self.reading = [*reading, *(c for c in checked if depth.names or names_in(c) <= near)]
        self.base = sorted(shared | index | _names(self.reading))
        self.reading += depth.known({*self.base})
        indices = [*self.cell, *self.place, *(e for w in self.writers for e in (*w.cell, *w.place, *w.at))]
        indices += [e for i in self.instances for e in i.cell]
        self._hide([*self.reading, *told, *(build.eq(e, Var("")) for e in indices)])

    def _hide(self, conditions: Iterable[Expr]) -> None:
        """Finds all that is opaque, so that all spaces have the same symbols."""
        conditions = list(conditions)
        names = Names(_names(conditions), self.opaque, choices=self.depth.choices)
        for condition in conditions:
            names.condition(condition)
        names.choices()

    def wrong(self) -> isl.Set:
        reads = self._set((), self.reading)
        if not self.function.updates:
            return self._misplaced(reads) if self._is_folded() else self._unwritten(reads)
        if all(map(self._keeps_order, range(1, len(self.instances)))):
            return self._first(self._not_last(reads, exact=True), self._strange, self._unordered)
        return self._incomplete()

    @staticmethod
    def _first(found: isl.Set, *further: Callable[[], isl.Set]) -> isl.Set:
        """What is wrong, by the first way of it."""
        for more in further:
            if found.is_empty():
                found = more()
        return found

    def _is_folded(self) -> bool:
        """Whether some place is not the cell itself."""
        return any(event.folded is None or any(event.folded) for event in self._events())

    def _is_regular(self) -> bool:
        """Whether all places are remainders of cells by the same extents."""
        return None not in (shapes := {event.folded for event in self._events()}) and len(shapes) == 1

    def _events(self) -> list[Event]:
        return [self.reader.event, *(w.event for w in self.writers)]

    def _keeps_order(self, stage: int) -> bool:
        """Whether each instance of a stage has to come after those before it, and isl can be told where it writes."""
        if any(w.event.around.takes_turns for w in self.writers if w.event.stage == stage):
            return False  # in any order, as the schedule was allowed to
        definition = self.function.definitions[stage]
        is_alone = definition.rdom is None  # then no two instances write one cell
        is_ordered = is_alone or not is_order_free(definition, self.function)
        return self._is_known(self.instances[stage].cell) and is_ordered

    def _is_known(self, cell: Sequence[Expr]) -> bool:
        return all(map(Names(_names(cell), {}).says, cell))

    def _unwritten(self, reads: isl.Set) -> isl.Set:
        """Reads of cells that nobody wrote before, to where they are read."""
        regular = self._is_regular()
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            place = [] if regular else _equal(writer.place, self.place)
            for earlier in before(writer, self.reader):
                if reads.is_empty():
                    return reads
                groups = apart([*conditions, *earlier, *_equal(writer.cell, self.cell), *place], (WRITE,))
                partly = [written for written in map(self._written, groups) if written is not None]
                left = [reads.subtract(written) for written in partly]
                reads = reduce(isl.Set.union, left, reads.subtract(reads))
        return reads

    def _written(self, group: Sequence[Expr]) -> isl.Set | None:
        """Reads for which a write can meet these conditions; None where for all.

        Only what bears on them is looked at: mostly one dimension, which is quick.
        """
        written = self._set((), group, surely=True)
        near = self._set((), bearing_on(_names(group), self.reading))
        return None if near.is_subset(written) else written

    def _misplaced(self, reads: isl.Set) -> isl.Set:
        """Reads of cells that nobody wrote before, or whose place another cell took since."""
        bad = self._unwritten(reads).union(self._racing())
        if not bad.is_empty():
            return bad
        if self._is_regular():
            taken = self._first_taken(reads)
            if taken.is_empty() or not self.depth.choices:
                return taken  # mostly wrong: the right value may have been written once more since, but rarely is
        return self._first(self._not_last(reads, exact=False), self._unordered)

    def _first_taken(self, reads: isl.Set) -> isl.Set:
        found = (taken.intersect(reads) for taken in self._taken())
        return next((taken for taken in found if not taken.is_empty()), reads.subtract(reads))

    def _taken(self) -> Iterator[isl.Set]:
        """Reads of a cell before which it is written, and then another in its place, by the order of these three.

        The other is not surely before the right one, and does not come at once with the read.
        """
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            for other, takes in self._others():
                happens = [*self.reading, *conditions, *takes]
                for earlier in (*before(writer, other), *at_once(writer, other)):
                    for later in before(other, self.reader):
                        for cells in self._other_cells(writer, other):
                            known = [*earlier, *later, *cells]
                            where = bearing_on(_names(known), happens)
                            taken = self._set((), where, known)
                            if not taken.is_empty():
                                yield taken

    def _other_cells(self, writer: Actor, other: Actor) -> Iterator[list[Expr]]:
        """Conditions, of which one list holds where the other writes the place of the writer, but another cell.

        Only the dimension in which they differ is looked at.
        """
        for right, wrong, read, place, to in zip(
            writer.cell, other.cell, self.cell, self.place, other.place, strict=True
        ):
            if place is not read:
                for differ in (build.lt(wrong, read), build.lt(read, wrong)):
                    yield [build.eq(right, read), build.eq(to, place), differ]

    def _not_last(self, reads: isl.Set, *, exact: bool) -> isl.Set:
        """Reads that find another cell's value in their place, or with `exact` that of another instance."""
        times = _numbered(_TIME, max((len(w.moment()) for w in self.writers), default=0))
        due = self._due() if exact else None
        if due is not None:  # what nobody ever writes may be anything
            reads = reads.intersect(due.project_out(isl.dim_type.set, len(self.base), len(self.instances[0].rank)))
        found = right = self._set(times, [FALSE])
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            moment = _equal(times, padded(writer.moment(), len(times)))
            for earlier in before(writer, self.reader):
                where = [*earlier, *moment, *_equal(writer.place, self.place)]
                found = found.union(self._set(times, [*self.reading, *conditions], where))
                where += _equal(writer.cell, self.cell)
                right = right.union(self._ranked(writer, times, conditions, where, due))
        asked = reads.add_dims(isl.dim_type.set, len(times))
        last = self._function(found.intersect(asked)).lexmax()
        return reads.subtract(last.intersect(self._function(right)).domain()).union(self._racing())

    def _ranked(
        self, writer: Actor, times: list[Var], conditions: list[Expr], where: list[Expr], due: isl.Set | None
    ) -> isl.Set:
        """The writes as said; with `due`, those that are due to the read only."""
        if due is None:
            return self._set(times, [*self.reading, *conditions], where, surely=True)
        own = rank(self.function, writer.event.stage, writer.at)
        ranks = _numbered(RANK, len(own))
        ranked = self._set([*times, *ranks], [*self.reading, *conditions], [*where, *_equal(ranks, own)], surely=True)
        at = len(self.base)
        due = due.insert_dims(isl.dim_type.set, at, len(times))
        return ranked.intersect(due).project_out(isl.dim_type.set, at + len(times), len(ranks))

    def _due(self) -> isl.Set:
        """The rank of the last write to the cell before the read, in the order of the algorithm."""
        ranks = _numbered(RANK, len(self.instances[0].rank))
        candidates = self._set(ranks, [FALSE])
        for instance in self.instances:
            where = [*instance.conditions, *_equal(instance.cell, self.cell), *_equal(ranks, instance.rank)]
            for earlier in self._preceding(instance):
                candidates = candidates.union(self._set(ranks, self.reading, where, earlier))
        latest: isl.Set = self._function(candidates).lexmax().wrap().flatten()
        return latest

    def _preceding(self, instance: Instance) -> list[list[Expr]]:
        """Conditions, of which one list holds where the algorithm runs an instance before the one that reads."""
        event = self.reader.event
        if event.by != self.function.name:
            return [[]]
        own = rank(self.function, event.stage, self.reader.at)
        pairs = list(zip(instance.rank, own, strict=True))
        return [[*_equal(instance.rank[:d], own[:d]), build.lt(early, late)] for d, (early, late) in enumerate(pairs)]

    def _racing(self) -> isl.Set:
        """Reads of places that another iteration of a concurrent loop may write another value to."""
        racing = self._set((), [FALSE])
        if self.function.name == self.reader.event.by:
            return racing  # whether iterations of one Func may meet is asked of its schedule
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            others = [[]] if self.function.updates else [[c] for c in map(build.ne, writer.cell, self.cell)]
            for meanwhile in at_once(writer, self.reader):
                for other in others:
                    where = [*meanwhile, *other, *_equal(writer.place, self.place)]
                    racing = racing.union(self._set((), [*self.reading, *conditions], where))
        return racing

    def _unordered(self) -> isl.Set:
        """Reads of places that two iterations of a concurrent loop have written different cells to."""
        found = self._set((), [FALSE])
        if not self._is_folded():
            return found
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            for other, again in self._others():
                for meanwhile in at_once(writer, other):
                    for earlier, late in product(before(writer, self.reader), before(other, self.reader)):
                        where = [*meanwhile, *earlier, *late, *_equal(writer.place, other.place)]
                        where += [*_equal(writer.place, self.place), *_equal(writer.cell, self.cell)]
                        for differ in map(build.ne, writer.cell, other.cell):
                            found = found.union(self._set((), [*self.reading, *conditions, *again], [*where, differ]))
        return found

    def _others(self) -> Iterator[tuple[Actor, list[Expr]]]:
        """Any second write, and when it happens."""
        for event in self.writers:
            other = Actor(event.event, OTHER)
            yield other, _happening(other, other.names(self.function.name, deep=self.depth.names))

    def _strange(self) -> isl.Set:
        """Reads before which something may have been written to the cell that is no instance of the algorithm."""
        found = self._set((), [FALSE])
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            instance = self.instances[writer.event.stage]
            own = {v.name: e for v, e in zip(instance.at, writer.at, strict=True) if isinstance(v, Var)}
            said = {c for several in writer.where() for c in conjuncts(several)}
            for condition in (substitute(c, own) for c in instance.conditions):
                if condition in said:
                    continue
                missed = build.logical_not(condition)
                meets = [build.eq(a, b) for a, b in zip(writer.cell, self.cell, strict=True) if self._is_known([a])]
                for earlier in before(writer, self.reader):
                    found = found.union(self._set((), [*self.reading, *conditions], [*earlier, *meets, missed]))
        return found

    def _out_of_order(self) -> isl.Set:
        """Reads of cells to which a stage may have written after a later one."""
        found = self._set((), [FALSE])
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            for other, again in self._others():
                if self._stage(other) <= self._stage(writer):
                    continue
                same = [(a, b, c) for a, b, c in zip(writer.cell, other.cell, self.cell, strict=True)]
                meets = [build.eq(a, c) for a, b, c in same if self._is_known([a, b])]
                meets += [build.eq(b, c) for a, b, c in same if self._is_known([a, b])]
                for wrong in (*before(other, writer), *at_once(other, writer)):
                    for earlier in before(writer, self.reader):
                        known = [*self.reading, *conditions, *again]
                        found = found.union(self._set((), known, [*wrong, *earlier, *meets]))
        return found

    def _stage(self, actor: Actor) -> int:
        return self.function.written_stage(actor.event.stage)

    def _incomplete(self) -> isl.Set:
        """Reads before which some instance was not run that may write the cell."""
        event = self.reader.event
        if self._is_repeated():
            self.doubts.append("iterations that add to the same element run again")
            return self._set((), self.reading)
        if self._is_folded():
            reads = self._set((), self.reading)
            taken = self._first_taken(reads) if self._is_regular() else reads
            if not taken.is_empty():
                self.doubts.append("another element's value may be in its place before its updates are done")
                return taken
        disorder = self._out_of_order()
        if not disorder.is_empty():
            self.doubts.append("its stages run in another order")
            return disorder
        last = event.stage if event.by == self.function.name else len(self.instances)
        bad = self._racing().union(self._strange())
        for instance in self.instances[:last]:
            own = [v for v in instance.at if isinstance(v, Var)]
            meets = [build.eq(a, b) for a, b in zip(instance.cell, self.cell, strict=True) if self._is_known([a])]
            missing = self._set(own, [*self.reading, *instance.conditions, *meets])
            for writer, conditions in zip(self.writers, self.writing, strict=True):
                for earlier in before(writer, self.reader):
                    if writer.event.stage == instance.stage and not missing.is_empty():
                        where = [*earlier, *_equal(writer.at, own)]
                        missing = missing.subtract(self._set(own, conditions, where, surely=True))
            bad = bad.union(missing.project_out(isl.dim_type.set, len(self.base), len(own)))
        return bad

    def _is_repeated(self) -> bool:
        """Whether some instance of an update runs twice."""
        for writer, conditions in zip(self.writers, self.writing, strict=True):
            for other, again in self._others():
                if 0 < writer.event.stage == other.event.stage:
                    for earlier in (*before(writer, other), *at_once(writer, other)):
                        same = [*earlier, *_equal(writer.at, other.at)]
                        if not self._set((), [*self.reading, *conditions], [*again, *same]).is_empty():
                            return True
        return False

    def _set(
        self, keep: Sequence[Var], common: Sequence[Expr], *further: Sequence[Expr], surely: bool = False
    ) -> isl.Set:
        """Where some values of all other variables meet the conditions; with `surely` surely so.

        Over the base, then the variables to keep. What the conditions have in `common` with other sets is kept at hand.
        """
        kept = [v.name for v in keep]
        rest = sorted(_names(common, *further) - {*self.base, *kept})
        names, space = self._space((*self.base, *kept, *rest))
        told = [[(c, names.condition(c)) for c in part] for part in (common, *further)]
        missing = [c for part in told for c, said in part if said is None]
        self.left_out += missing
        if missing and surely:
            return self._set(keep, [FALSE])
        found = space.set(*([said for _, said in part if said is not None] for part in told))
        return found.project_out(isl.dim_type.set, len(self.base) + len(kept), len(rest))

    def _space(self, variables: tuple[str, ...]) -> tuple[Names, Space]:
        found = self._spaces.get(variables)
        if found is None:
            names = Names(variables, self.opaque, choices=self.depth.choices)
            space = Space(self.context, len(variables), len(self.opaque), names.choices())
            found = self._spaces[variables] = names, space
        return found

    def _function(self, s: isl.Set) -> isl.Map:
        """What is kept as a function of the base."""
        found: isl.Map = isl.Map.from_domain(s)
        at, count = len(self.base), found.dim(isl.dim_type.in_) - len(self.base)
        return found.move_dims(isl.dim_type.out, 0, isl.dim_type.in_, at, count)


def _happening(writer: Actor, names: Mapping[str, Expr]) -> list[Expr]:
    """When it writes, and what stands in the indices."""
    return closed(writer.where(), names, also=_names(writer.cell, writer.place, writer.at))


def _equal(some: Iterable[Expr], others: Iterable[Expr]) -> list[Expr]:
    return [build.eq(a, b) for a, b in zip(some, others, strict=True)]


def _numbered(mark: str, count: int) -> list[Var]:
    return [Var(f"{mark}{n}") for n in range(count)]


def _names(*expressions: Iterable[Expr]) -> set[str]:
    return {name for several in expressions for e in several for name in names_in(e)}
