"""Numbers for what conditions are about. A sample in which they hold and something else does not shows it to be wrong.

0 <= x < n, n >= 8      at n = 13, x = 12       so x < 8 does not follow
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

from ...ir import expr as ir
from ...ir.expr import Expr, Var
from ...ir.node import Node
from ..validation.names import names_in
from .inequalities import BUDGET
from .one_lane import LANE
from .polynomials import Polynomial, written

_SIZES = (13, 40, 5, 1, 23, 64, 100, 8)
_MOST, _MOST_TRIES = 5, 40
_CONDITION = 8  # operations that one counts as, in a sample


class Unsaid(Exception):
    """An expression has no number."""


class Sample:
    """Values of variables, and of all that is made of them; what is opaque has any value, always the same.

    Two that are equal may then have different values, if they are written differently: that `has_guessed` tells.
    """

    def __init__(self, values: Mapping[str, int], definitions: Mapping[str, Expr]) -> None:
        self.values, self.definitions = dict(values), definitions
        self._known: dict[Expr, int] = {}
        self.has_guessed = False

    def __call__(self, e: Expr) -> int:
        found = self._known.get(e)
        if found is None:
            rule = _RULES.get(type(e))
            found = self._known[e] = self._any(e) if rule is None else rule(self, e)
        return found

    def variable(self, e: Var) -> int:
        if e.name in self.values:
            return self.values[e.name]
        if e.name in self.definitions:
            return self(self.definitions[e.name])
        raise Unsaid

    def _any(self, e: Expr) -> int:
        """Depends on the values of operands alone."""
        self.has_guessed = True
        operands = tuple(self(child) for child in e.children() if isinstance(child, Expr))
        told = f"{type(e).__name__} {getattr(e, 'buffer', getattr(e, 'name', ''))} {operands}"
        number = random.Random(crc32(told.encode()))  # the same in each process, as no hash of a text is
        return number.randrange(2) if e.dtype.is_bool else number.randrange(0, 12)

    def quotient(self, e: ir.Div) -> int:
        b = self(e.b)
        return 0 if b == 0 else self(e.a) // b if b > 0 else -(self(e.a) // -b)

    def remainder(self, e: ir.Mod) -> int:
        b = self(e.b)
        return 0 if b == 0 else self(e.a) % abs(b)

    def chosen(self, e: ir.Select) -> int:
        return self(e.a) if self(e.condition) else self(e.b)


_RULES: Mapping[type[Node], Callable[[Sample, Any], int]] = {
    Var: Sample.variable,
    ir.Const: lambda _, e: int(e.value),
    ir.Add: lambda sample, e: sample(e.a) + sample(e.b),
    ir.Sub: lambda sample, e: sample(e.a) - sample(e.b),
    ir.Mul: lambda sample, e: sample(e.a) * sample(e.b),
    ir.Div: Sample.quotient,
    ir.Mod: Sample.remainder,
    ir.Min: lambda sample, e: min(sample(e.a), sample(e.b)),
    ir.Max: lambda sample, e: max(sample(e.a), sample(e.b)),
    ir.Select: Sample.chosen,
    ir.EQ: lambda sample, e: sample(e.a) == sample(e.b),
    ir.NE: lambda sample, e: sample(e.a) != sample(e.b),
    ir.GE: lambda sample, e: sample(e.a) >= sample(e.b),
    ir.GT: lambda sample, e: sample(e.a) > sample(e.b),
    ir.LE: lambda sample, e: sample(e.a) <= sample(e.b),
    ir.LT: lambda sample, e: sample(e.a) < sample(e.b),
    ir.And: lambda sample, e: bool(sample(e.a) and sample(e.b)),
    ir.Or: lambda sample, e: bool(sample(e.a) or sample(e.b)),
    ir.Not: lambda sample, e: not sample(e.a),
}


def samples(
    loops: Sequence[tuple[str, Polynomial, Polynomial]],
    lanes: int,
    conditions: Iterable[Expr],
    definitions: Mapping[str, Expr],
    asked: Iterable[Expr] = (),
) -> list[Sample]:
    """Some in which the conditions hold, with values for what is `asked`, too.

    `loops` are names, starts and extents, outermost first.
    """
    conditions = list(conditions)
    ranges = [(name, written(low), written(extent)) for name, low, extent in loops]
    names = _free([*conditions, *asked, *(e for _, *ends in ranges for e in ends)], definitions)
    names -= {LANE.name, *(name for name, _, _ in loops)}
    draw = random.Random(1)
    found: list[Sample] = []
    for turn in range(0 if BUDGET.is_spent() else _MOST_TRIES):
        BUDGET.spend(_CONDITION * len(conditions))
        sizes = {name: _size(name, turn, draw) for name in sorted(names)}
        sample = _in_loops(Sample(sizes, definitions), ranges, lanes, draw)
        if sample is not None and all(sample(c) for c in conditions):
            found.append(sample)
            if len(found) == _MOST:
                break
    return found


def _free(expressions: Iterable[Expr], definitions: Mapping[str, Expr]) -> set[str]:
    names: set[str] = set()
    todo = {name for e in expressions for name in names_in(e)}
    while todo:
        names |= todo
        todo = {n for name in todo & definitions.keys() for n in names_in(definitions[name])} - names
    return names - definitions.keys()


def _size(name: str, turn: int, draw: random.Random) -> int:
    """For the sizes of outputs and inputs something usual."""
    _, _, rest = name.rpartition(".")[0].rpartition(".")
    if rest == "extent":
        return _SIZES[turn % len(_SIZES)] if turn % 3 else draw.choice(_SIZES)
    if rest == "min":
        return 0 if turn % 2 else draw.randrange(-9, 9)
    if rest == "stride":
        return 1 if name.endswith(".0") else draw.randrange(1, 5) * 1009
    return draw.randrange(1, 20)


def _in_loops(
    sample: Sample, loops: Sequence[tuple[str, Expr, Expr]], lanes: int, draw: random.Random
) -> Sample | None:
    """With values for loop variables; None where a loop is empty."""
    sample.values[LANE.name] = draw.choice((0, lanes - 1, draw.randrange(lanes)))
    for name, low, extent in loops:
        start, count = sample(low), sample(extent)
        if count <= 0:
            return None
        sample.values[name] = start + draw.choice((0, count - 1, draw.randrange(count)))
    return sample
