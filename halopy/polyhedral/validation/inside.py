"""Whether an access stays inside its memory.

outside     accesses with  place < min  or  place >= min + extent  in some dimension
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import islpy as isl

from ...ir import build
from ...ir.expr import GE, LE, Add, Const, Expr, Max, Min, Select, Var
from .actors import Actor
from .depth import Depth, Wrong
from .implied import is_implied
from .names import READ, is_shared, names_in
from .question import Names, bearing_on, closed
from .reads import Target
from .space import Space, opaque_in


def outside(accesses: Target, depth: Depth, context: isl.Context) -> list[Wrong]:
    """The accesses that may lie outside, by dimension and end. Raises isl.Error past the context's limit."""
    actor = Actor(accesses.event, READ, accesses.free)
    found: list[Wrong] = []
    for place, (low, extent) in zip(actor.all(accesses.place()), accesses.event.storage.box, strict=True):
        beyond = build.lt(place, low), build.le(build.add(low, extent), place)
        found += _where(beyond, actor, accesses, depth, context)
    return found


def is_inside(accesses: Target, depth: Depth) -> bool:
    """Whether they surely lie inside, by what is known of sizes alone, or of loops too. Where not, they may still."""
    actor = Actor(accesses.event, READ, accesses.free)
    for place, (low, extent) in zip(actor.all(accesses.place()), accesses.event.storage.box, strict=True):
        within = build.le(low, place), build.lt(place, build.add(low, extent))
        known = _known(within, actor, accesses, depth)
        simple = [part for c in known if is_shared(c) for part in _without_choices(c)]
        if not is_implied(within, simple) and not is_implied(within, known):
            return False
    return True


def _without_choices(condition: Expr) -> Iterator[Expr]:
    """What follows from it that is told without minima and maxima: max(a, b) <= c -> a <= c, b <= c."""
    if isinstance(condition, LE | GE):
        pairs = [(condition.a, condition.b) if isinstance(condition, LE) else (condition.b, condition.a)]
        while pairs:
            low, high = pairs.pop()
            lows, highs = _parts(low, Max), _parts(high, Min)
            if len(lows) + len(highs) > 2:
                pairs += [(one, other) for one in lows for other in highs]
            elif not (low.has(Min, Max, Select) or high.has(Min, Max, Select)):
                yield build.le(low, high)
    elif not condition.has(Min, Max, Select):
        yield condition


def _parts(e: Expr, choice: type[Min] | type[Max]) -> list[Expr]:
    """Of what it is the greatest or least; a constant that is added counts for each."""
    if isinstance(e, choice):
        return [e.a, e.b]
    if isinstance(e, Add) and isinstance(e.a, choice) and isinstance(e.b, Const):
        return [build.add(e.a.a, e.b), build.add(e.a.b, e.b)]
    return [e]


def _where(
    beyond: Sequence[Expr], actor: Actor, accesses: Target, depth: Depth, context: isl.Context
) -> Iterator[Wrong]:
    """The accesses for which one of the conditions holds that should not."""
    conditions = _known(beyond, actor, accesses, depth)
    variables = sorted({name for c in (*conditions, *beyond) for name in names_in(c)})
    opaque: dict[Expr, Var] = {}
    names = Names(variables, opaque, choices=depth.choices)
    told, ends = ([(c, names.condition(c)) for c in several] for several in (conditions, beyond))
    space = Space(context, len(variables), len(opaque), names.choices())
    unsaid = [*accesses.unknown, *(c for c, t in (*told, *ends) if t is None)]
    for _, end in ends:
        points = space.set([t for _, t in told if t is not None], [] if end is None else [end])
        if not points.is_empty():
            doubts = [f"isl cannot be told what {e} is" for e in (*unsaid, *opaque_in(points, opaque))]
            yield Wrong(points, tuple(variables), tuple(doubts))


def _known(beyond: Sequence[Expr], actor: Actor, accesses: Target, depth: Depth) -> list[Expr]:
    """What bears on the conditions: loops, names, and what was checked about the same symbols."""
    mentioned = {name for c in beyond for name in names_in(c)}
    names = actor.names(accesses.event.func, deep=depth.names)
    own = [c for c in actor.checked if not is_shared(c)]
    reached = closed([*actor.where(), *own, *actor.all(accesses.bounds)], names, also=mentioned)
    facts = [c for c in (*reached, *actor.checked) if is_shared(c)]
    if depth.sizes:  # for an example, everything counts
        known = closed(dict.fromkeys([*reached, *facts]), names, also=mentioned)
        return [*known, *depth.known(mentioned.union(*map(names_in, known)))]
    bearing = closed(bearing_on(mentioned, reached), names, also=mentioned)
    near = mentioned.union(*map(names_in, bearing))
    told = [c for c in facts if names_in(c) <= near or (depth.names and not names_in(c).isdisjoint(near))]
    if depth.names and depth.choices:
        near = near.union(*map(names_in, told))
        told = [c for c in facts if not names_in(c).isdisjoint(near)]
    return closed(dict.fromkeys([*bearing, *told]), names, also=mentioned)
