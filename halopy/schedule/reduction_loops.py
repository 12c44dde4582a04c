"""The reduction loops of a nest as a reduction domain of their own.

r$x over [2, 12), split(r$x, rxo, rxi, 4)     rxi over [0, 4), rxo over [0, 3)
                                         ->   r$x = 2 + rxo*4 + rxi, where that is at most 11
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..ir.build import add, as_expr, div, le, mod, mul, sub
from ..ir.expr import Expr, Var, const_value
from ..ir.function import ReductionDomain, ReductionVar
from .directives import Fuse, Rename, Skew, Split
from .nest import StageNest

Step = Split | Fuse | Rename


@dataclass(frozen=True, slots=True)
class ReductionLoops:
    """`loops` over which a nest reduces, innermost first; the domain's own variables in terms of them; and `guards`,
    under which an iteration counts. `reach` has what a guard compares, and the last value that it may have.
    """

    loops: tuple[ReductionVar, ...]
    values: Mapping[str, Expr]
    reach: tuple[tuple[Expr, Expr], ...]

    @property
    def guards(self) -> tuple[Expr, ...]:
        return tuple(le(value, last) for value, last in self.reach)


def steps_apart(
    nest: StageNest, domain: ReductionDomain | None
) -> tuple[list[Step], list[Step], tuple[str, str] | None]:
    """The steps about reduction loops, those about pure ones, and the first two loops of both kinds that were fused."""
    reduction = {v.name for v in domain.vars} if domain else set()
    about_reduction: list[Step] = []
    about_pure: list[Step] = []
    for step in nest.steps:
        assert not isinstance(step, Skew), "skewed loops are refused before"
        consumed, made = _loops_of(step)
        inside = [name in reduction for name in consumed]
        if any(inside) and not all(inside):
            return about_reduction, about_pure, (consumed[0], consumed[1])
        if all(inside):
            reduction.difference_update(consumed)
            reduction.update(made)
        (about_reduction if all(inside) else about_pure).append(step)
    return about_reduction, about_pure, None


def reduction_loops(nest: StageNest, domain: ReductionDomain, steps: Sequence[Step]) -> ReductionLoops:
    """The loops that the steps make of the domain's variables."""
    undone = _Undone(domain)
    for step in steps:
        undone.apply(step)
    names = [d.name for d in nest.dims if d.is_reduction]
    values: dict[object, Expr] = {undone.current[name]: Var(name) for name in names}
    reach = []
    for define in reversed(undone.definitions):
        guard = define(values)
        if guard is not None:
            reach.append(guard)
    loops = tuple(ReductionVar(name, undone.current[name].min, undone.current[name].extent) for name in names)
    return ReductionLoops(loops, {v.name: values[undone.own[v.name]] for v in domain.vars}, tuple(reach))


class _Symbol:
    """A loop at some point of the steps; its name may come back later for another one."""

    __slots__ = ("extent", "min")

    def __init__(self, min: Expr, extent: Expr) -> None:
        self.min, self.extent = min, extent


class _Undone:
    """Collects, step by step, how each loop that is consumed follows from those that are made of it."""

    def __init__(self, domain: ReductionDomain) -> None:
        self.current = {v.name: _Symbol(v.min, v.extent) for v in domain.vars}
        self.own = dict(self.current)
        self.definitions: list[_Split | _Fuse] = []

    def apply(self, step: Step) -> None:
        if isinstance(step, Rename):
            self.current[step.new] = self.current.pop(step.old)
        elif isinstance(step, Split):
            old = self.current.pop(step.old)
            trips = div(add(old.extent, sub(step.factor, 1)), step.factor)
            outer = self.current[step.outer] = _Symbol(as_expr(0), trips)
            inner = self.current[step.inner] = _Symbol(as_expr(0), step.factor)
            self.definitions.append(_Split(old, outer, inner, step.factor))
        else:
            inner, outer = self.current.pop(step.inner), self.current.pop(step.outer)
            fused = self.current[step.fused] = _Symbol(as_expr(0), mul(inner.extent, outer.extent))
            self.definitions.append(_Fuse(inner, outer, fused))


@dataclass(frozen=True, slots=True)
class _Split:
    old: _Symbol
    outer: _Symbol
    inner: _Symbol
    factor: Expr

    def __call__(self, values: dict[object, Expr]) -> tuple[Expr, Expr] | None:
        """Adds the value of what was split. The answer: that value and its last one, where it may pass it."""
        value = add(add(self.old.min, mul(values[self.outer], self.factor)), values[self.inner])
        values[self.old] = value
        extent, factor = const_value(self.old.extent), const_value(self.factor)
        if extent is not None and factor is not None and extent % factor == 0:
            return None
        return value, sub(add(self.old.min, self.old.extent), 1)


@dataclass(frozen=True, slots=True)
class _Fuse:
    inner: _Symbol
    outer: _Symbol
    fused: _Symbol

    def __call__(self, values: dict[object, Expr]) -> None:
        fused = values[self.fused]
        values[self.inner] = add(self.inner.min, mod(fused, self.inner.extent))
        values[self.outer] = add(self.outer.min, div(fused, self.inner.extent))


def _loops_of(step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a step consumes, and what it makes."""
    if isinstance(step, Split):
        return (step.old,), (step.outer, step.inner)
    if isinstance(step, Fuse):
        return (step.inner, step.outer), (step.fused,)
    return (step.old,), (step.new,)
