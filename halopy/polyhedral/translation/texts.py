"""The two texts that are compared: leaves with what their names stand for.

Names that are bound in both texts to the same value are symbols in both; all others are looked through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...ir import expr as ir
from ...ir.conjuncts import conjuncts
from ...ir.expr import Effect, Expr, Load, Var
from ...ir.stmt import LetStmt, LoopKind, Stmt
from ..validation.names import names_in
from .facts import Facts
from .paths import Guard, Leaf, Loop, Name, Path, Paths, Step, base_name, key_of
from .polynomials import ONE, Polynomial, Scope, at_least_zero, minus, negation, plus, written

COPIED = (LoopKind.UNROLLED, LoopKind.VECTORIZED)  # what passes make several statements of, or several lanes


def is_symbolic(value: Expr) -> bool:
    """Whether a name for it may be a symbol: an integer that is the same whenever it is asked for."""
    return value.dtype.is_index_like and value.dtype.lanes == 1 and not value.has(Load, Effect)


def within(variable: Polynomial, low: Polynomial, extent: Polynomial) -> list[Expr]:
    """low <= variable < low + extent"""
    offset = minus(variable, low)
    return [at_least_zero(offset), at_least_zero(plus(minus(extent, offset), {ONE: -1}))]


class Before:
    """The loops as built: `definitions` are names that have one meaning."""

    def __init__(self, stmt: Stmt) -> None:
        self.leaves = list(Paths().of(stmt))
        self.by_key: dict[tuple[str, str], list[int]] = {}
        for n, leaf in enumerate(self.leaves):
            self.by_key.setdefault(key_of(leaf.node), []).append(n)
        self.loops = {loop.name: loop for leaf in self.leaves for loop in leaf.loops}
        self.definitions: dict[str, Polynomial] = {}
        self._find_definitions()

    def _find_definitions(self) -> None:
        seen: set[int] = set()
        identity = Scope({})
        ambiguous: set[str] = set()
        for step in (step for leaf in self.leaves for step in leaf.path if isinstance(step, Name)):
            if step.number in seen:
                continue
            seen.add(step.number)
            if not is_symbolic(step.value):
                ambiguous.add(step.name)
                continue
            value = identity.integer(step.value)
            if self.definitions.setdefault(step.name, value) != value:
                ambiguous.add(step.name)
        for name in ambiguous & self.definitions.keys():
            del self.definitions[name]

    def scope(self, path: Path, values: Mapping[str, Polynomial]) -> Scope:
        """What names stand for at the end of a path where some loop variables are known."""
        scope = Scope(dict(values))
        moved = set(values)
        for step in path:
            if not isinstance(step, Name):
                continue
            if step.name in self.definitions and moved.isdisjoint(names_in(step.value)):
                continue
            moved.add(step.name)
            scope = scope.under({step.name: scope.value(step.value)})
        return scope

    def conditions(self, path: Path, scope: Scope, skip: frozenset[str] = frozenset()) -> list[Expr]:
        """When what stands at the end of a path happens; without the ranges of the loops to skip."""
        found: list[Expr] = []
        for step in path:
            if isinstance(step, Loop) and step.name not in skip:
                variable = scope.integer(Var(step.name))
                found += within(variable, scope.integer(step.min), scope.integer(step.extent))
            elif isinstance(step, Guard) and not step.is_checked:
                condition = scope.condition(step.condition)
                found += parts(condition if step.holds else negation(condition))
        return found


def parts(condition: Expr) -> list[Expr]:
    """a && b  ->  a, b"""
    found: list[Expr] = []
    stack = [condition]
    while stack:
        e = stack.pop()
        if isinstance(e, ir.And):
            stack += [e.b, e.a]
        else:
            found.append(e)
    return found


@dataclass(slots=True)
class Surroundings:
    """What is known at a place of the printed text.

    `replaced` are loops of which one iteration is left, `told` names that both texts have, with what is said here.
    """

    scope: Scope
    vectors: Mapping[str, Expr] = field(default_factory=dict)
    conditions: tuple[Expr, ...] = ()
    checked: tuple[Expr, ...] = ()
    replaced: Mapping[str, Polynomial] = field(default_factory=dict)
    lanes: tuple[Expr, ...] = ()  # of conditions on all lanes
    told: Mapping[str, Expr] = field(default_factory=dict)


def _is_about_lanes(condition: Expr) -> bool:
    return isinstance(condition, ir.VectorReduce) and condition.op == "and" and condition.lanes == 1


class After:
    """The printed text, in terms of the loops as built."""

    def __init__(self, stmt: Stmt, before: Before) -> None:
        self.before = before
        self._identity = Scope({})
        self._definitions = {name: written(value) for name, value in before.definitions.items()}
        self.leaves = list(Paths().of(stmt))
        lets = {leaf.node.name for leaf in self.leaves if isinstance(leaf.node, LetStmt)}
        self.early = frozenset(name for name in lets if ("let", base_name(name)) not in before.by_key)
        self.ends: dict[str, list[Polynomial]] = {}  # of each loop: where copies end, and what comes before they begin
        self.ranges: dict[int, tuple[Polynomial, Polynomial]] = {}  # start and extent of each loop, by its number
        self._known: dict[int, Surroundings] = {}
        self._way: list[Step] = []  # to the last leaf that was asked about
        self._along = [Surroundings(self._identity)]  # what is known before its first step, and after each
        for leaf in self.leaves:
            self.around(leaf)

    def around(self, leaf: Leaf) -> Surroundings:
        """Only steps that do not lead to the leaf of the last call as well are looked at."""
        shared = next(
            (n for n, (a, b) in enumerate(zip(self._way, leaf.path, strict=False)) if a is not b), len(leaf.path)
        )
        del self._way[shared:], self._along[shared + 1 :]
        for step in leaf.path[len(self._way) :]:
            self._way.append(step)
            self._along.append(self._after(step, self._along[-1]))
        return self._along[-1]

    def _after(self, step: Step, here: Surroundings) -> Surroundings:
        if isinstance(step, Guard):
            return self._guarded(step, here)
        if not isinstance(step, Loop | Name):
            return here
        known = self._known.get(step.number)
        if known is None:
            known = self._known[step.number] = self._entered(step, here)
        return known

    def _entered(self, step: Loop | Name, here: Surroundings) -> Surroundings:
        base, scope = base_name(step.name), here.scope
        if isinstance(step, Loop):
            if step.name != base:
                scope = scope.under({step.name: {(Var(base),): 1}})
            elif step.name in scope.values:
                scope = Scope({name: value for name, value in scope.values.items() if name != step.name})
            variable = scope.integer(Var(step.name))
            low, extent = here.scope.integer(step.min), here.scope.integer(step.extent)
            self.ranges[step.number] = low, extent
            self.ends.setdefault(base, []).extend([plus(low, extent), plus(low, {ONE: -1})])
            range_ = within(variable, low, extent)
            return replace(here, scope=scope, conditions=(*here.conditions, *range_))
        if step.value.dtype.lanes > 1:
            return replace(here, vectors={**here.vectors, step.name: step.value})
        if not is_symbolic(step.value):
            return replace(here, scope=scope.under({step.name: scope.value(step.value)}))
        value = scope.integer(step.value)
        if self._is_known_as(base, value, here):
            told = {**here.told, base: written(value)}
            return replace(here, scope=scope.under({step.name: {(Var(base),): 1}}), told=told)
        replaced = {**here.replaced, base: value} if base in self.before.loops else here.replaced
        return replace(here, scope=scope.under({step.name: value}), replaced=replaced)

    def _is_known_as(self, name: str, value: Polynomial, here: Surroundings) -> bool:
        """Whether it is what the name stands for in the loops as built, although it may be written otherwise here."""
        known = self.before.definitions.get(name)
        if known is None or known == value:
            return known is not None
        definitions = {**self._definitions, **here.told}
        return Facts(here.conditions, definitions, None, here.checked).is_zero(minus(known, value))

    def _guarded(self, step: Guard, here: Surroundings) -> Surroundings:
        condition = here.scope.condition(step.condition)
        told = parts(condition if step.holds else negation(condition))
        if step.holds:
            here = replace(here, lanes=(*here.lanes, *(c for c in conjuncts(step.condition) if _is_about_lanes(c))))
        if step.is_checked:
            return replace(here, checked=(*here.checked, *told))
        return replace(here, conditions=(*here.conditions, *told))
