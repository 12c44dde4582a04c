"""Reads whose place was last written by another instance than is due, or with another cell's value."""

from __future__ import annotations

import islpy as isl

from ...ir import build
from ...ir.expr import FALSE, Expr, Var
from .actors import Actor, before
from .algorithm import Instance, rank
from .flow_sets import FlowSets, equal
from .names import RANK
from .question import padded
from .taken_places import racing

_TIME = "k:t"


def not_last(flow: FlowSets, reads: isl.Set, *, exact: bool) -> isl.Set:
    """Reads that find another cell's value in their place, or with `exact` that of another instance."""
    times = _numbered(_TIME, max((len(w.moment()) for w in flow.writers), default=0))
    due = _due(flow) if exact else None
    if due is not None:  # what nobody ever writes may be anything
        reads = reads.intersect(due.project_out(isl.dim_type.set, len(flow.base), len(flow.instances[0].rank)))
    found = right = flow.set(times, [FALSE])
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        moment = equal(times, padded(writer.moment(), len(times)))
        for earlier in before(writer, flow.reader):
            where = [*earlier, *moment, *equal(writer.place, flow.place)]
            found = found.union(flow.set(times, [*flow.reading, *conditions], where))
            where += equal(writer.cell, flow.cell)
            right = right.union(_ranked(flow, writer, times, conditions, where, due))
    asked = reads.add_dims(isl.dim_type.set, len(times))
    last = flow.function_of(found.intersect(asked)).lexmax()
    return reads.subtract(last.intersect(flow.function_of(right)).domain()).union(racing(flow))


def _ranked(
    flow: FlowSets, writer: Actor, times: list[Var], conditions: list[Expr], where: list[Expr], due: isl.Set | None
) -> isl.Set:
    """The writes as said; with `due`, those that are due to the read only."""
    if due is None:
        return flow.set(times, [*flow.reading, *conditions], where, surely=True)
    own = rank(flow.function, writer.event.stage, writer.at)
    ranks = _numbered(RANK, len(own))
    ranked = flow.set([*times, *ranks], [*flow.reading, *conditions], [*where, *equal(ranks, own)], surely=True)
    at = len(flow.base)
    due = due.insert_dims(isl.dim_type.set, at, len(times))
    return ranked.intersect(due).project_out(isl.dim_type.set, at + len(times), len(ranks))


def _due(flow: FlowSets) -> isl.Set:
    """The rank of the last write to the cell before the read, in the order of the algorithm."""
    ranks = _numbered(RANK, len(flow.instances[0].rank))
    candidates = flow.set(ranks, [FALSE])
    for instance in flow.instances:
        where = [*instance.conditions, *equal(instance.cell, flow.cell), *equal(ranks, instance.rank)]
        for earlier in _preceding(flow, instance):
            candidates = candidates.union(flow.set(ranks, flow.reading, where, earlier))
    latest: isl.Set = flow.function_of(candidates).lexmax().wrap().flatten()
    return latest


def _preceding(flow: FlowSets, instance: Instance) -> list[list[Expr]]:
    """Conditions, of which one list holds where the algorithm runs an instance before the one that reads."""
    event = flow.reader.event
    if event.by != flow.function.name:
        return [[]]
    own = rank(flow.function, event.stage, flow.reader.at)
    pairs = list(zip(instance.rank, own, strict=True))
    return [[*equal(instance.rank[:d], own[:d]), build.lt(early, late)] for d, (early, late) in enumerate(pairs)]


def _numbered(mark: str, count: int) -> list[Var]:
    return [Var(f"{mark}{n}") for n in range(count)]
