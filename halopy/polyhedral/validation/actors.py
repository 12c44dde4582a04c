"""Events in variables of their own, and which of two comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import Expr, Var, const
from ...ir.rewrite import substitute
from ...ir.stmt import LoopKind
from .events import Event, Surroundings
from .names import names_in

_LETS = 1 << 16  # in one loop: more than there are
CONCURRENT = frozenset(LoopKind) - {LoopKind.SERIAL, LoopKind.UNROLLED}


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """A loop inside the memory's life: its name, the event's copy of its variable, and where it stands in the text."""

    name: str
    variable: Var
    kind: LoopKind
    position: int


class Actor:
    """An event, with names of its own (and of `free` ones) for everything inside the memory's life."""

    def __init__(self, event: Event, mark: str, free: Iterable[str] = ()) -> None:
        self.event, self.mark = event, mark
        around, depth = event.around, len(event.storage.around.loops)
        own = [loop.name for loop in around.loops[depth:]]
        own += [name for name, named in around.lets.items() if named.depth > depth]
        self._marked: Mapping[str, Expr] = {name: Var(mark + name) for name in (*own, *free)}
        self.loops = [OwnLoop(o.name, Var(mark + o.name), o.kind, o.position) for o in around.loops[depth:]]
        self._own = [name for name in own if name in around.lets]
        self._outer = {n: named.value for n, named in around.lets.items() if named.depth <= depth}
        self.cell, self.place, self.at = map(self.all, (event.cell, event.place, event.at))
        self.checked = [self(c) for check in around.checked for c in conjuncts(check)]

    def __call__(self, e: Expr) -> Expr:
        if names_in(e).isdisjoint(self._marked):
            return e
        result: Expr = substitute(e, self._marked)
        return result

    def all(self, expressions: Iterable[Expr]) -> tuple[Expr, ...]:
        return tuple(map(self, expressions))

    def where(self) -> Iterator[Expr]:
        """Conditions under which it happens."""
        for loop in self.event.around.loops:
            variable, low = self(Var(loop.name)), self(loop.min)
            yield build.le(low, variable)
            yield build.lt(variable, build.add(low, self(loop.extent)))
        for condition in self.event.around.conditions:
            yield from map(self, conjuncts(condition))

    def known(self) -> Iterator[Expr]:
        """All conditions that hold where it happens."""
        yield from self.where()
        yield from self.checked

    def meaning(self, name: str) -> Expr | None:
        """What one of its names stands for, or one outside."""
        own = name.removeprefix(self.mark)
        named = self.event.around.lets.get(own)
        return None if named is None or (own == name) != (own not in self._marked) else self(named.value)

    def names(self, func: str, *, deep: bool) -> dict[str, Expr]:
        """What its names stand for: its own, those outside that belong to a Func, and with `deep` all."""
        outer = {n: e for n, e in self._outer.items() if deep or n.startswith(f"{func}.")}
        return outer | {self.mark + name: self(self.event.around.lets[name].value) for name in self._own}

    def moment(self) -> tuple[Expr, ...]:
        """When it happens, within the memory's life."""
        steps = [e for loop in self.loops for e in (const(loop.position), loop.variable)]
        return (*steps, const(self.event.position))

    def next_position(self, depth: int) -> int:
        """Where in the text it goes on inside so many loops."""
        return self.loops[depth].position if depth < len(self.loops) else self.event.position


def rank(around: Surroundings, name: str) -> int:
    """How late a name is bound: by the loops around it, and then in the order of the text."""
    named = around.lets.get(name)
    if named is not None:
        return (2 * named.depth + 1) * _LETS + named.number
    return next(((2 * n + 2) * _LETS for n, loop in enumerate(around.loops) if loop.name == name), 0)


def before(early: Actor, late: Actor) -> list[list[Expr]]:
    """Conditions, of which one list holds where the one event surely comes before the other.

    Iterations of concurrent loops come in no order.
    """
    pairs = shared_loops(early, late)
    same = [build.eq(one.variable, other.variable) for one, other in pairs]
    found = [same] if early.next_position(len(pairs)) < late.next_position(len(pairs)) else []
    carried = [
        [*same[:d], build.lt(pairs[d][0].variable, pairs[d][1].variable)]
        for d in reversed(range(len(pairs)))
        if pairs[d][0].kind not in CONCURRENT
    ]
    return [*found, *carried]


def at_once(one: Actor, other: Actor) -> list[list[Expr]]:
    """Conditions, of which one list holds where the events are in different iterations of a concurrent loop."""
    pairs = shared_loops(one, other)
    same = [build.eq(mine.variable, its.variable) for mine, its in pairs]
    return [
        [*same[:d], build.ne(mine.variable, its.variable)]
        for d, (mine, its) in enumerate(pairs)
        if mine.kind in CONCURRENT
    ]


def shared_loops(one: Actor, other: Actor) -> list[tuple[OwnLoop, OwnLoop]]:
    """The loops that both are inside of."""
    pairs = list(zip(one.loops, other.loops, strict=False))
    return pairs[: next((d for d, (mine, its) in enumerate(pairs) if mine.name != its.name), len(pairs))]
