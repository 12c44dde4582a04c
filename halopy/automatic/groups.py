"""Which Funcs are computed together, row by row, so that what is stored between them stays in the cache.

    h = stencil(g), g = stencil(f)       for strips of h in parallel:
                                 ->        for rows of h in the strip:
                                             the new row of f;  the new row of g;  the row of h

The head of a group is split into strips. Its members slide: in a strip each row is computed once, so only where
a strip begins are rows computed that a neighbour computes too. Consumers are asked before producers; a Func joins
the group of all who read it where that is estimated to take less time than computing all of it beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..ir.extern import extern_call
from ..schedule.initial import pure_variables
from .boxes import Box, Boxes, points, readers_of, size
from .machine import Machine
from .operations import operations

_START = 10_000  # operations in the time that it takes to begin a parallel loop
_TASKS = (4, 2, 1)  # strips for each thread that are tried
_UNEVEN = 0.25  # of one round of tasks is lost, as threads are not equally fast


@dataclass(slots=True)
class Group:
    """`rows` is the dimension of the head that is cut into strips, None where none is.

    `strips` holds, for each height that is considered, the part of each member that one strip needs; height 1 tells
    what one row needs.
    """

    head: str
    rows: str | None
    strips: dict[int, dict[str, Box]] = field(default_factory=dict)
    height: int = 0

    @property
    def members(self) -> list[str]:
        """All but the head."""
        return [name for name in self.strips.get(1, {}) if name != self.head]

    def row_of(self, member: str) -> Box:
        """What one row of the head needs."""
        return self.strips[1][member]


def groups_of(boxes: Boxes, machine: Machine, alone: Collection[str] = ()) -> list[Group]:
    """The groups of a program's Funcs, consumers first. Those named in `alone` join no group."""
    return _Grouping(boxes, machine, alone).run()


class _Grouping:
    def __init__(self, boxes: Boxes, machine: Machine, alone: Collection[str]) -> None:
        self.boxes, self.machine, self.alone = boxes, machine, alone
        self.functions = boxes.program.functions
        self.readers = readers_of(boxes)
        self.group: dict[str, Group] = {}
        self._needed: dict[tuple[str, Box], Mapping[str, Box | None]] = {}

    def run(self) -> list[Group]:
        for name in reversed(list(self.functions)):
            joined = self.joined(name)
            if joined is None:
                self.group[name] = self.own(name)
            else:
                group = self.group[name] = self.group[self.readers[name][0]]
                group.strips = joined
                group.height = self.best_height(joined, group)[0]
        return list({id(g): g for g in self.group.values()}.values())

    def own(self, name: str) -> Group:
        """The group of a Func alone."""
        box = self.boxes.root[name]
        has_rows = len(self.functions[name].definitions) == 1 and extern_call(self.functions[name]) is None
        rows = self.row_dimension(name, box) if box is not None and has_rows else None
        group = Group(name, rows)
        if rows is not None and box is not None:
            at = self.functions[name].args.index(rows)
            group.strips = {h: {name: _middle(box, at, h)} for h in self.heights(size(box[at]))}
            group.height = self.best_height(group.strips, group)[0]
        return group

    def row_dimension(self, name: str, box: Box) -> str | None:
        """The longest dimension but the densest."""
        args = self.functions[name].args
        longest = max(range(1, len(args)), key=lambda d: size(box[d]), default=0)
        return args[longest] if longest and size(box[longest]) > 1 else None

    def heights(self, rows: int) -> list[int]:
        """Heights of strips that are worth considering; 1 among them, as it tells about a row."""
        counts = [k * self.machine.parallelism for k in _TASKS] + [self.machine.parallelism // 2, 1]
        return sorted({1, *(math.ceil(rows / n) for n in counts if n > 0)})

    def joined(self, name: str) -> dict[int, dict[str, Box]] | None:
        """The strips of its readers' group with this Func, where it may join and should."""
        readers = self.readers[name]
        if name in self.boxes.program.outputs or name in self.alone or not readers:
            return None
        group = self.group[readers[0]]
        if group.rows is None or any(self.group[r] is not group for r in readers) or self.boxes.root[name] is None:
            return None
        strips: dict[int, dict[str, Box]] = {}
        for height, parts in group.strips.items():
            part = self.needed(name, parts)
            if part is None:
                return None
            strips[height] = {**parts, name: part}
        return strips if self.slides(name, strips) and self.is_better(name, group, strips) else None

    def needed(self, name: str, parts: Mapping[str, Box]) -> Box | None:
        """The part of a Func that the readers' parts need, as far as it is needed at all."""
        whole, found = self.boxes.root[name], None
        for reader in self.readers[name]:
            part = self.needed_by(reader, parts[reader])[name]
            if part is None or whole is None:
                return None
            found = (
                part
                if found is None
                else tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(found, part, strict=True))
            )
        if found is None or whole is None:
            return None
        return tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(found, whole, strict=True))

    def needed_by(self, reader: str, part: Box) -> Mapping[str, Box | None]:
        key = (reader, part)
        if key not in self._needed:
            self._needed[key] = self.boxes.needed_by(reader, part)
        return self._needed[key]

    def slides(self, name: str, strips: Mapping[int, Mapping[str, Box]]) -> bool:
        """Whether one dimension grows with the strip, in which all stages of the Func are computed row by row."""
        row, strip = strips[1][name], strips[max(strips)][name]
        moved = [d for d, (a, b) in enumerate(zip(row, strip, strict=True)) if size(b) > size(a)]
        function = self.functions[name]
        stages = range(len(function.definitions))
        return len(moved) == 1 and all(function.args[moved[0]] in pure_variables(function, s) for s in stages)

    def is_better(self, name: str, group: Group, strips: Mapping[int, Mapping[str, Box]]) -> bool:
        kept = sum(self.bytes(f, part) for f, part in strips[1].items())
        if kept > self.machine.cache_per_thread // 2:
            return False
        alone = self.own(name)
        whole = self.boxes.root[name]
        assert whole is not None, "a Func that may join is bounded"
        if alone.rows is None:
            apart = self.work(name, whole) + _START
        else:
            apart = self.best_height(alone.strips, alone)[1] + _START
        apart += self.best_height(group.strips, group)[1] + self.traffic(name, whole)
        return self.best_height(strips, group)[1] < apart

    def best_height(self, strips: Mapping[int, Mapping[str, Box]], group: Group) -> tuple[int, float]:
        """The height of strips that takes least time, and that time."""
        whole = self.boxes.root[group.head]
        assert whole is not None and group.rows is not None, "the head has rows"
        rows = size(whole[self.functions[group.head].args.index(group.rows)])
        times = []
        for height, parts in strips.items():
            rounds = math.ceil(math.ceil(rows / height) / self.machine.parallelism)
            work = sum(self.work(name, part) for name, part in parts.items())
            times.append(((rounds + _UNEVEN) * work, -height))
        time, height = min(times)
        return -height, time

    def work(self, name: str, box: Box) -> float:
        """Operations to compute a box of a Func."""
        return sum(
            math.prod(self.boxes.iterations(name, stage, box).values()) * (1 + operations(definition))
            for stage, definition in enumerate(self.functions[name].definitions)
        )

    def bytes(self, name: str, box: Box) -> int:
        return points(box) * sum(dtype.bytes for dtype in self.functions[name].dtypes)

    def traffic(self, name: str, box: Box) -> float:
        """Operations in the time that it takes to store all of a Func and to load it again, in one thread."""
        total = self.bytes(name, box)
        if total <= self.machine.cache_per_thread // 2:
            return 0
        return points(box) * self.machine.traffic(self.functions[name].dtypes) / self.machine.parallelism


def _middle(box: Box, at: int, height: int) -> Box:
    """The box with so many rows of one dimension, from its middle."""
    low, high = box[at]
    start = max(low, (low + high + 1 - height) // 2)
    return (*box[:at], (start, min(high, start + height - 1)), *box[at + 1 :])
