"""What one access has to do with others of the same memory, as sets of integer points.

    for y: for x: read g(x, y)         { [y, r.x] : 0 <= y < h and 0 <= r.x < w }
           for x: write g(x, y)        { [y, r.x, w.x] : ... }        where they meet: w.x = r.x

Loops around the memory are shared by all its events; each event has its own copy of the loops inside. What is let-bound
around the memory is a symbol, about which only as much is said as the caller wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...ir import build
from ...ir.expr import EQ, LE, Div, Expr, Max, Min, Mod, Not, Select, Var, const
from ...ir.node import find
from ..question import NotAffine, Symbols, can_say, canonical
from .names import MARKS, is_shared, names_in

_MOST_QUOTIENTS, _MOST_CHOICES = 6, 8


class Names(Symbols):
    """All variables move. `opaque` holds what is shared by all events, has one value, and is not looked into.

    That is products and the like, and unless `choices` are told, minima and maxima: of these isl hears that they
    are no more, or no less, than their parts, which mostly is enough, and does not make pieces.
    """

    def __init__(self, variables: Iterable[str], opaque: dict[Expr, Var], *, choices: bool = True) -> None:
        super().__init__(variables)
        self._symbols, self._choices = opaque, choices
        self._opaque: dict[Expr, bool] = {}

    def stands_still(self, e: Expr) -> bool:
        if not is_shared(e):
            return False
        if e not in self._opaque:
            hidden = (not self._choices and isinstance(e, Min | Max | Select)) or is_intricate(e)
            self._opaque[e] = hidden or not can_say(e, self)
        return self._opaque[e]

    def condition(self, e: Expr) -> Expr | None:
        """A condition as isl can be told; None for one that depends on data, or that only one event could evaluate."""
        try:
            return self._canonical(e)
        except NotAffine:
            negated = isinstance(e, Not)
            inner = e.a if isinstance(e, Not) else e
            return EQ(self.of(inner), const(0 if negated else 1)) if is_shared(inner) else None

    def says(self, e: Expr) -> bool:
        """Whether an integer expression can be told."""
        try:
            self._canonical(e)
        except NotAffine:
            return False
        return True

    def _canonical(self, e: Expr) -> Expr:
        if is_intricate(e) and not is_shared(e):
            raise NotAffine("has too many quotients")
        return canonical(e, self)

    def choices(self) -> list[Expr]:
        """What is known of minima and maxima that are not looked into."""
        found: list[Expr] = []
        done = 0
        while done < len(self):  # which grows: parts may be minima too
            e, symbol = list(self._symbols.items())[done]
            done += 1
            if isinstance(e, Min | Max) and not is_intricate(e) and self.says(e.a) and self.says(e.b):
                parts = [canonical(part, self) for part in (e.a, e.b)]
                found += [LE(symbol, part) if isinstance(e, Min) else LE(part, symbol) for part in parts]
        return found


def is_intricate(e: Expr) -> bool:
    """Whether it has so many parts with pieces that isl might take for ever: its operation limit does not count all."""
    quotients = e.has(Div, Mod) and len(find(e, Div, Mod)) > _MOST_QUOTIENTS
    return quotients or (e.has(Min, Max, Select) and len(find(e, Min, Max, Select)) > _MOST_CHOICES)


def closed(conditions: Iterable[Expr], definitions: Mapping[str, Expr], also: Iterable[str] = ()) -> list[Expr]:
    """The conditions, and what the names in them (and in `also`) stand for, as far as there are definitions."""
    found: list[Expr] = []
    waiting, seen = list(conditions), set[str]()
    names = set(also)
    while waiting or names:
        for name in sorted(name for name in names if name in definitions and name not in seen):
            seen.add(name)
            waiting.append(build.eq(Var(name, definitions[name].dtype), definitions[name]))
        names.clear()
        if waiting:
            found.append(waiting.pop(0))
            names.update(names_in(found[-1]))
    return found


def apart(conditions: Iterable[Expr], marks: tuple[str, ...]) -> list[list[Expr]]:
    """The conditions in groups that have no marked variable in common: each can be met without the others."""
    groups: list[tuple[set[str], list[Expr]]] = []
    for condition in conditions:
        names = {name for name in names_in(condition) if name.startswith(marks)}
        meeting = [g for g in groups if not names.isdisjoint(g[0])]
        groups = [g for g in groups if names.isdisjoint(g[0])]
        merged = [c for _, several in meeting for c in several]
        groups.append((names.union(*(found for found, _ in meeting)), [*merged, condition]))
    return [several for _, several in groups]


def bearing_on(names: Iterable[str], conditions: Iterable[Expr]) -> list[Expr]:
    """The conditions about these variables, directly or by way of other marked ones."""
    wanted = set(names)
    rest = [(c, {name for name in names_in(c) if name.startswith(MARKS)}) for c in conditions]
    found: list[Expr] = []
    growing = True
    while growing:
        near = [c for c, own in rest if not own.isdisjoint(wanted)]
        wanted.update(*(own for c, own in rest if not own.isdisjoint(wanted)))
        rest = [(c, own) for c, own in rest if c not in near]
        found += near
        growing = bool(near)
    return found


def padded(moment: tuple[Expr, ...], length: int) -> tuple[Expr, ...]:
    """Moments of one length; no two of different events are equal where they end."""
    return (*moment, *[const(0)] * (length - len(moment)))
