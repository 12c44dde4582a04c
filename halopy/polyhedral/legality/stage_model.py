"""The instances of one stage, and the elements of its own Func that each of them touches, as sets and maps of isl.

    f[r.x, y] = f[r.x - 1, y] + g[r.x], r.x over [1, n)       instances  { [y, x] : p0 <= y < p0 + p1, 1 <= x < n }
                                                              writes     [y, x] -> f(x, y)
                                                              reads      [y, x] -> f(x - 1, y)

Instances are named by the stage's own variables, those of the outermost loops first, so that they come in the order of
the algorithm when compared lexicographically. What stands still is a parameter. An index that is no affine function
of the variables may be any element; a predicate that is not affine holds everywhere. Both make more dependences, never
fewer, and are remembered in `Access.vague` and `Model.vague`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import islpy as isl

from ...ir.build import add, as_expr, sub
from ...ir.conjuncts import conjuncts
from ...ir.expr import Div, Expr, FuncAccess, Mod, Read, Var
from ...ir.function import Definition, Function
from ...ir.groups import elements_of
from ...ir.node import find
from ...ir.refs import FunctionRef
from ...schedule.initial import pure_variables
from ...schedule.order import self_reads
from ..affine import Affine
from ..question import NotAffine, Symbols, canonical
from .loop_dates import Range


@dataclass(frozen=True, slots=True)
class Access:
    """An element that each instance touches, per dimension by an index in canonical form; None: may be any."""

    index: tuple[Expr | None, ...]
    is_write: bool
    vague: str | None  # the first index that is no affine function


@dataclass(frozen=True, slots=True)
class Stage:
    """What is asked about: one definition of a Func, whose own reads are of `ref` in user-level form.

    With `sizes` given, the Func is computed over a region of these sizes that starts at 0.
    """

    function: Function
    number: int
    ref: FunctionRef | None
    sizes: tuple[int, ...] = ()

    @property
    def definition(self) -> Definition:
        return self.function.definitions[self.number]

    @property
    def name(self) -> str:
        """As the user writes it."""
        return self.function.name if self.number == 0 else f"{self.function.name}.update({self.number - 1})"


class Model:
    """One stage. Functions of its instances are made by `function`, once all of them are known by `canonical`."""

    def __init__(self, stage: Stage, shared: Symbols | None = None) -> None:
        """`shared` has the symbols of several models."""
        self.stage = stage
        self.ranges = _ranges(stage)
        self.variables = tuple(reversed(self.ranges))
        self.symbols = Symbols(self.variables, shared)
        self.vague: str | None = None
        spans = [(self.canonical(r.min), self.canonical(sub(add(r.min, r.extent), 1))) for r in self.ranges.values()]
        self._box = dict(zip(self.ranges, spans, strict=True))
        self._conditions = self._predicate()
        self.accesses = self._accesses()

    def canonical(self, e: Expr) -> Expr:
        """The expression in canonical form. Raises NotAffine."""
        if e.has(FuncAccess, Read) and self_reads(Definition((e,), ()), self.stage.function, self.stage.ref):
            raise NotAffine("depends on what the stage writes")
        if e.has(Div, Mod) and len(find(e, Div, Mod)) > MOST_QUOTIENTS:
            raise NotAffine("has too many quotients")  # isl's operation limit does not count all that they cost
        return canonical(e, self.symbols)

    def affine(self, context: isl.Context) -> Affine:
        """What turns canonical forms into functions of the instances."""
        return Affine(context, len(self.variables), len(self.symbols))

    def instances(self, affine: Affine) -> isl.Set:
        """All of them."""
        points = affine.universe
        for name, (low, high) in self._box.items():
            v = affine.function(self.symbols.moving[name])
            points = points.intersect(affine.function(low).le_set(v)).intersect(v.le_set(affine.function(high)))
        for condition in self._conditions:
            points = points.intersect(affine.set(condition))
        return points

    def _predicate(self) -> list[Expr]:
        domain = self.stage.definition.rdom
        found = []
        for part in [] if domain is None or domain.predicate is None else conjuncts(domain.predicate):
            try:
                found.append(self.canonical(part))
            except NotAffine:
                self.vague = shown(part)
        return found

    def _accesses(self) -> tuple[Access, ...]:
        found: dict[tuple[tuple[Expr | None, ...], bool], Access] = {}
        for element in elements_of(self.stage.definition):
            reads = self_reads(element, self.stage.function, self.stage.ref)
            for index, is_write in [(element.index, True), *((r.index, False) for r in reads)]:
                access = self._access(index, is_write)
                found.setdefault((access.index, is_write), access)
        return tuple(found.values())

    def _access(self, index: Sequence[Expr], is_write: bool) -> Access:
        known: list[Expr | None] = []
        vague = None
        for e in index:
            try:
                known.append(self.canonical(e))
            except NotAffine:
                known.append(None)
                vague = vague or shown(e)
        return Access(tuple(known), is_write, vague)


def _ranges(stage: Stage) -> dict[str, Range]:
    """The own variables with their ranges, the innermost loops first."""
    domain = stage.definition.rdom
    ranges = {v.name: Range(v.min, v.extent) for v in domain.vars} if domain else {}
    sizes = dict(zip(stage.function.args, stage.sizes, strict=False))
    for name in pure_variables(stage.function, stage.number):
        known = name in sizes
        ranges[name] = Range(
            as_expr(0) if known else Var(f"{name}.min"), as_expr(sizes[name]) if known else Var(f"{name}.extent")
        )
    return ranges


def shown(e: Expr) -> str:
    """The expression as the user wrote it, or what begins like it."""
    if _size(e, {}) > LONGEST:  # parts that are shared are written each time
        return "a long expression"
    text = str(e).replace("$", ".")
    text = text[1:-1] if text.startswith("(") and text.endswith(")") and "(" not in text[1:] else text
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _size(e: Expr, known: dict[Expr, int]) -> int:
    """How many parts its text has."""
    if e not in known:
        known[e] = 1 + sum(_size(c, known) for c in e.children() if isinstance(c, Expr))
    return known[e]


LONGEST = 80
MOST_QUOTIENTS = 4
