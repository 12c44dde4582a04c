"""Reads of a Func with updates before which something ran that should not have, or did not that should."""

from __future__ import annotations

import islpy as isl

from ...ir import build
from ...ir.conjuncts import conjuncts
from ...ir.expr import FALSE, Var
from ...ir.rewrite import substitute
from ...schedule.order import is_order_free
from .actors import Actor, at_once, before
from .flow_sets import FlowSets, equal, is_known
from .taken_places import first_taken, racing


def keeps_order(flow: FlowSets, stage: int) -> bool:
    """Whether each instance of a stage has to come after those before it, and isl can be told where it writes."""
    if any(w.event.around.takes_turns for w in flow.writers if w.event.stage == stage):
        return False  # in any order, as the schedule was allowed to
    definition = flow.function.definitions[stage]
    is_alone = definition.rdom is None  # then no two instances write one cell
    is_ordered = is_alone or not is_order_free(definition, flow.function)
    return is_known(flow.instances[stage].cell) and is_ordered


def strange(flow: FlowSets) -> isl.Set:
    """Reads before which something may have been written to the cell that is no instance of the algorithm."""
    found = flow.set((), [FALSE])
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        instance = flow.instances[writer.event.stage]
        own = {v.name: e for v, e in zip(instance.at, writer.at, strict=True) if isinstance(v, Var)}
        said = {c for several in writer.where() for c in conjuncts(several)}
        for condition in (substitute(c, own) for c in instance.conditions):
            if condition in said:
                continue
            missed = build.logical_not(condition)
            meets = [build.eq(a, b) for a, b in zip(writer.cell, flow.cell, strict=True) if is_known([a])]
            for earlier in before(writer, flow.reader):
                found = found.union(flow.set((), [*flow.reading, *conditions], [*earlier, *meets, missed]))
    return found


def incomplete(flow: FlowSets) -> isl.Set:
    """Reads before which some instance was not run that may write the cell."""
    event = flow.reader.event
    if _is_repeated(flow):
        flow.doubts.append("iterations that add to the same element may run again")
        return flow.set((), flow.reading)
    if flow.is_folded():
        reads = flow.set((), flow.reading)
        taken = first_taken(flow, reads) if flow.is_regular() else reads
        if not taken.is_empty():
            flow.doubts.append("another element's value may be in its place before its updates are done")
            return taken
    disorder = _out_of_order(flow)
    if not disorder.is_empty():
        flow.doubts.append("its stages run in another order")
        return disorder
    last = event.stage if event.by == flow.function.name else len(flow.instances)
    bad = racing(flow).union(strange(flow))
    for instance in flow.instances[:last]:
        own = [v for v in instance.at if isinstance(v, Var)]
        meets = [build.eq(a, b) for a, b in zip(instance.cell, flow.cell, strict=True) if is_known([a])]
        missing = flow.set(own, [*flow.reading, *instance.conditions, *meets])
        for writer, conditions in zip(flow.writers, flow.writing, strict=True):
            for earlier in before(writer, flow.reader):
                if writer.event.stage == instance.stage and not missing.is_empty():
                    where = [*earlier, *equal(writer.at, own)]
                    missing = missing.subtract(flow.set(own, conditions, where, surely=True))
        bad = bad.union(missing.project_out(isl.dim_type.set, len(flow.base), len(own)))
    return bad


def _is_repeated(flow: FlowSets) -> bool:
    """Whether some instance of an update runs twice."""
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        for other, again in flow.others():
            if 0 < writer.event.stage == other.event.stage:
                for earlier in (*before(writer, other), *at_once(writer, other)):
                    same = [*earlier, *equal(writer.at, other.at)]
                    if not flow.set((), [*flow.reading, *conditions], [*again, *same]).is_empty():
                        return True
    return False


def _out_of_order(flow: FlowSets) -> isl.Set:
    """Reads of cells to which a stage may have written after a later one."""
    found = flow.set((), [FALSE])
    for writer, conditions in zip(flow.writers, flow.writing, strict=True):
        for other, again in flow.others():
            if _stage(flow, other) <= _stage(flow, writer):
                continue
            same = [(a, b, c) for a, b, c in zip(writer.cell, other.cell, flow.cell, strict=True)]
            meets = [build.eq(a, c) for a, b, c in same if is_known([a, b])]
            meets += [build.eq(b, c) for a, b, c in same if is_known([a, b])]
            for wrong in (*before(other, writer), *at_once(other, writer)):
                for earlier in before(writer, flow.reader):
                    known = [*flow.reading, *conditions, *again]
                    found = found.union(flow.set((), known, [*wrong, *earlier, *meets]))
    return found


def _stage(flow: FlowSets, actor: Actor) -> int:
    return flow.function.written_stage(actor.event.stage)
