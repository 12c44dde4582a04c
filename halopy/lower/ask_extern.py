"""The regions that an extern stage needs: its function is asked when the kernel runs.

    f needed by g          ->     let g.asked = ask blur for [g.min.0, g.min.0 + g.extent.0)
                                  let g.asked.0.min.0 = ..., g.asked.0.extent.0 = ...

Extern stages and what they read are computed outside all loops (`check_extern_stages`), so it is asked once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ir.build import add, sub
from ..ir.expr import Effect, Expr, Var
from ..ir.extern import asked_end, extern_effect
from ..ir.interval import Interval, union
from ..ir.services import CallExtern
from .place_functions import ROOT_LEVEL

if TYPE_CHECKING:
    from .regions import Regions


def ask_extern(regions: Regions, func: str, name: str) -> list[Interval]:
    """The region of a Func or image that the extern stage `func` needs."""
    box: list[Expr] = []
    for interval in regions.needed(func):
        assert interval.lo is not None and interval.hi is not None, "boxes have ends"
        box += [interval.lo, add(sub(interval.hi, interval.lo), 1)]
    effect = extern_effect(regions.placement.program, func, tuple(box), asks=True)
    asked = f"{func}.asked"
    bindings = regions.scope(ROOT_LEVEL).bindings
    if all(bound != asked for bound, _ in bindings):
        bindings.append((asked, effect))
        bindings.extend(_answers(effect, asked))
    assert isinstance(effect.service, CallExtern), "a question"
    places = [at for at, argument in enumerate(effect.service.arguments) if argument.name == name]
    boxes = [_box(asked, at, effect.service.arguments[at].rank) for at in places]
    found = boxes[0]
    for other in boxes[1:]:
        found = list(map(union, found, other))
    return found


def _answers(effect: Effect, asked: str) -> list[tuple[str, Expr]]:
    assert isinstance(effect.service, CallExtern), "a question"
    return [
        (f"{asked}.{at}.{('min', 'extent')[end]}.{dim}", asked_end(effect, at, dim, end))
        for at, argument in enumerate(effect.service.arguments)
        for dim in range(argument.rank)
        for end in (0, 1)
    ]


def _box(asked: str, at: int, rank: int) -> list[Interval]:
    ends = [(Var(f"{asked}.{at}.min.{dim}"), Var(f"{asked}.{at}.extent.{dim}")) for dim in range(rank)]
    return [Interval(low, sub(add(low, extent), 1)) for low, extent in ends]
