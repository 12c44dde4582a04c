"""Reads of Funcs with updates of which it is quickly seen that all stages were done before, each instance once.

    for y, x: f(x, y) = 0                           stage 0       in each iteration of the loops around f's memory
    for ko, y, x, ki: f(x, y) += ... ko*8 + ki      stage 1       the nests of its stages come one after the other,
    for ...: ... f(x, y)                            the read      and before the read

    complete    for a cell that is read and any reduction iteration, the loops are solved for the instance, as they are
                for the cell in `solved_writes`
    once        each loop is a digit of one of the instance's variables:  8*ko + ki with ki in [0, 8)
    no other    what the loops run is in the reduction domain

Iterations of a stage must give the same in any order. Whether they may meet is asked of the schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import Expr, Var, const
from ...ir.function import Function
from ...ir.rewrite import substitute
from ...schedule.order import is_order_free
from .algorithm import Instance, instances
from .budget import Budget
from .events import Event
from .evident import facts_at, is_written
from .names import DUE
from .reads import Target
from .solved_writes import next_position, runs_each_once


def finds_updated(reads: Target, writes: Sequence[Event], function: Function, budget: Budget) -> bool:
    """Whether each read surely finds its cell as all stages before it leave it."""
    stages = instances(function, DUE)
    writes = sorted(writes, key=lambda write: write.stage)
    shapes = {event.folded for event in (reads.event, *writes)}
    if [write.stage for write in writes] != [*range(len(stages))] or shapes != {(False,) * len(reads.cell)}:
        return False
    if not all(_is_free(function, stage) for stage in range(len(stages))) or not _come_in_turn(reads.event, writes):
        return False
    last = reads.event.stage if reads.event.by == function.name else len(stages)
    return all(
        _are_run(stage, write, reads, budget) and (stage.stage == 0 or _are_meant(stage, write, budget))
        for stage, write in zip(stages[:last], writes, strict=False)
    )


def _is_free(function: Function, stage: int) -> bool:
    """Whether iterations of the stage give the same in any order."""
    definition = function.definitions[stage]
    return definition.branch is None and is_order_free(definition, function)


def _come_in_turn(read: Event, writes: Sequence[Event]) -> bool:
    """Whether the nests of the stages come one after the other, and before the read unless it is in one of them."""
    depth = len(read.storage.around.loops)
    nests = [next_position(write, depth) for write in writes]
    if read.by == read.func:
        return next_position(read, depth) == nests[read.stage] and all(a < b for a, b in pairwise(nests))
    return all(a < b for a, b in pairwise([*nests, next_position(read, depth)]))


def _are_run(stage: Instance, write: Event, reads: Target, budget: Budget) -> bool:
    """Whether all instances of a stage that may write a cell that is read are run by its nest: any is asked for."""
    rank = len(reads.cell)
    known = dict(zip(stage.cell, reads.cell, strict=True))
    asked = [known.get(v, Var(f"cell.{rank + n}")) for n, v in enumerate(stage.at)]
    own = {v.name: e for v, e in zip(stage.at, asked, strict=True) if isinstance(v, Var)}
    exists = [c for condition in stage.conditions for c in conjuncts(substitute(condition, own))]
    padding = [const(0)] * rank  # so that the names asked for are among those of a target
    instance = Target(reads.event, (*asked, *padding), (*reads.bounds, *exists), ())
    facts = facts_at(instance, budget)
    for cell, (low, extent) in zip(reads.cell, reads.event.storage.box, strict=True):
        if not (facts.learn(build.le(low, cell)) and facts.learn(build.lt(cell, build.add(low, extent)))):
            return False
    return is_written(replace(write, cell=(*write.at, *padding)), instance, facts)


def _are_meant(stage: Instance, write: Event, budget: Budget) -> bool:
    """Whether the nest of a stage runs instances of the algorithm only, and each once in the memory's life."""
    if not runs_each_once(write):
        return False
    own: dict[str, Expr] = {v.name: e for v, e in zip(stage.at, write.at, strict=True) if isinstance(v, Var)}
    said = {c for several in write.around.conditions for c in conjuncts(several)}
    facts = facts_at(Target(write, write.cell, (), ()), budget)
    conditions = (c for several in stage.conditions for c in conjuncts(substitute(several, own)))
    return all(c in said or facts.imply(c) for c in conditions)
