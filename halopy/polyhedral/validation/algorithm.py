"""The instances of a Func's stages in the order of the algorithm.

    f(x) = 0                            0, 0     for the cell x
    f(x) += g(r.x, r.y)                 1, r.y, r.x

An instance is known by its cell and its rank: the stage, and its reduction variables from the slowest to the fastest.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ir import build
from ...ir.branches import condition_of
from ...ir.conjuncts import conjuncts
from ...ir.expr import FALSE, Expr, Var, const
from ...ir.function import Definition, Function
from ...ir.rewrite import substitute
from ...ir.undefined import split_undefined
from ...schedule.initial import instance_variables


@dataclass(frozen=True, slots=True)
class Instance:
    """Any instance of a stage, in variables of its own: the conditions on it, and where it writes."""

    stage: int
    cell: tuple[Expr, ...]
    at: tuple[Expr, ...]
    rank: tuple[Expr, ...]
    conditions: tuple[Expr, ...]


def instances(function: Function, mark: str) -> list[Instance]:
    """One for each stage; their variables carry the mark."""
    return [_instance(function, stage, mark) for stage in range(len(function.definitions))]


def _instance(function: Function, stage: int, mark: str) -> Instance:
    definition = function.definitions[stage]
    names = instance_variables(function, stage)
    own: dict[str, Expr] = {name: Var(mark + name) for name in names}
    conditions: list[Expr] = []
    if definition.rdom is not None:
        for v in definition.rdom.vars:
            conditions += [build.le(v.min, own[v.name]), build.lt(own[v.name], build.add(v.min, v.extent))]
        if definition.rdom.predicate is not None:
            conditions.append(definition.rdom.predicate)
    if all(split_undefined(value)[1] is FALSE for value in definition.values):
        conditions.append(FALSE)  # what is undefined is not written
    if definition.branch is not None:  # of the versions of a stage only one runs
        conditions += conjuncts(condition_of(definition.branch.path))
    at = tuple(own[name] for name in names)
    cell = tuple(substitute(e, own) for e in definition.index)
    return Instance(stage, cell, at, rank(function, stage, at), tuple(substitute(c, own) for c in conditions))


def rank(function: Function, stage: int, at: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """When the algorithm runs an instance, among those that may write one cell; of one length for all stages."""
    depth = max(map(_reductions, function.definitions))
    slowest_first = tuple(reversed(at[len(at) - _reductions(function.definitions[stage]) :]))
    return (const(stage), *slowest_first, *[const(0)] * (depth - len(slowest_first)))


def _reductions(definition: Definition) -> int:
    return len(definition.rdom.vars) if definition.rdom else 0
