"""Refuse `compute_with` where two stages cannot share loops, or where sharing would change the answer.

The Funcs of a group may not need each other, so no dependence between two of them can break. Between the stages of one
Func all can, so their nests keep their order, and two in one nest must keep the order of their accesses (`kept_order`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ..errors import IllegalSchedule
from ..ir.program import Program, expressions, reads
from ..witness import Witness
from .directives import ComputeWith, Directive
from .early_reads import early_read
from .fused_nests import OUTERMOST, FusedNests, Fusion, StageId, fused_nests, fusion_of, shown
from .kept_order import broken_order
from .nest import FuncSchedule, StageNest


def check_fused_nests(program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    """Raises IllegalSchedule for the first directive that cannot be followed."""
    for func in program.functions:
        for nest in schedules[func].nests:
            if nest.compute_with is not None:
                _check_pair(StageId(func, nest.stage), nest.compute_with, program, schedules)
    _check_circles(program, schedules)
    fused = fused_nests(program, schedules)
    if fused.fusions:
        _check_dependences(program, fused)
        _check_stage_order(program, fused)
        _check_updates(program, fused)


def refused(directive: Directive, *reason: str, accepted: str, witness: Witness | None = None) -> IllegalSchedule:
    """The error for one directive, which begins with what the witness shows."""
    told = reason if witness is None else (witness.told("would come after it"), *reason[1:])
    where = directive.location
    return IllegalSchedule(directive.text, location=where, reason=told, accepted=accepted, witness=witness)


def _check_pair(child: StageId, directive: Directive, program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    """The two stages have places and loops of their own, which match from the outermost one down to the one named."""
    action = directive.action
    assert isinstance(action, ComputeWith) and action.level.func is not None, "compute_with names a Func's loop"
    name = program.names.get(action.level.func)
    if name is None:
        reason = (
            f"{shown(child, program)} is to be computed with {action.level.func.name}, which the pipeline does not use"
        )
        accepted = f"a stage of {', '.join(_others(child, program))}; or {action.level.func.name} as an output too"
        raise refused(directive, reason, accepted=accepted)
    parent = StageId(name, action.level.stage or 0)
    if parent.stage >= len(schedules[name].nests):
        raise refused(directive, f"{name} has no update {parent.stage - 1}", accepted=f"a stage of {name}")
    for stage in (child, parent):
        if stage.func not in program.outputs and schedules[stage.func].compute_level.is_inlined:
            reason = f"{stage.func} is inlined into its consumers, so `{shown(stage, program)}` has no loops of its own"
            raise refused(directive, reason, accepted=f"{stage.func}.compute_root(), or compute_at() a loop, for both")
    if action.level.loop != OUTERMOST:
        _check_loops(child, parent, action, directive, program, schedules)


def _others(child: StageId, program: Program) -> list[str]:
    return [f for f in program.functions if f != child.func] or ["another Func"]


def _check_loops(
    child: StageId,
    parent: StageId,
    action: ComputeWith,
    directive: Directive,
    program: Program,
    schedules: Mapping[str, FuncSchedule],
) -> None:
    shared = []
    here, there = shown(child, program), shown(parent, program)
    for stage in (parent, child):
        nest = schedules[stage.func].nests[stage.stage]
        names = nest.loop_names
        if action.level.loop not in names:
            reason = f"`{shown(stage, program)}` has no loop `{action.level.loop}`: its loops are {_listed(nest)}"
            raise refused(directive, reason, accepted="a loop that both stages have")
        shared.append(nest.dims[names.index(action.level.loop) :][::-1])
    loops, own = shared
    if [d.name for d in loops] != [d.name for d in own]:
        raise refused(
            directive,
            f"down to `{action.level.loop}`, the loops of `{there}` are {', '.join(d.name for d in loops)}",
            f"and those of `{here}` are {', '.join(d.name for d in own)} (outermost first): one nest cannot run both",
            accepted="the same loops in the same order around the loop shared; split(), reorder() and rename() do that",
        )
    for one, other in zip(loops, own, strict=True):
        if one.kind is not other.kind or one.is_reduction is not other.is_reduction:
            sort, own_sort = (f"{d.kind.name.lower()} {'reduction ' * d.is_reduction}loop" for d in (one, other))
            reason = f"`{one.name}` is a {sort} of `{there}` and a {own_sort} of `{here}`"
            raise refused(directive, reason, accepted="loops of one kind")
    names = schedules[child.func].nests[child.stage].loop_names
    unknown = [name for name, _ in action.align if name not in names]
    if unknown:
        reason = f"an alignment is given for `{unknown[0]}`, and `{here}` has no such loop"
        raise refused(directive, reason, accepted=f"alignments for {', '.join(d.name for d in own)}")


def _listed(nest: StageNest) -> str:
    return ", ".join(nest.loop_names[::-1]) + " (outermost first)" if nest.dims else "none"


def _check_circles(program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    """No stage is computed with itself by way of others."""
    parents = {}
    for func in program.functions:
        for nest in schedules[func].nests:
            if nest.compute_with is not None:
                fusion = fusion_of(StageId(func, nest.stage), nest.compute_with, program, schedules)
                parents[fusion.child] = fusion
    for start in parents:
        seen, at = [start], start
        while at in parents:
            at = parents[at].parent
            if at == start:
                circle = " with ".join(f"`{shown(s, program)}`" for s in [*seen, start])
                raise refused(
                    parents[start].directive,
                    f"the stages are to be computed in a circle: {circle}",
                    accepted="one stage of them that is computed with none",
                )
            if at in seen:
                break
            seen.append(at)


def _check_dependences(program: Program, fused: FusedNests) -> None:
    """The Funcs of a group do not need each other, not even through others; so some order has them side by side."""
    needs = needed_functions(program)
    groups = [g for g in fused.groups(program.functions) if len(g) > 1]
    for group in groups:
        for one in group:
            for other in group:
                if other in needs[one]:
                    raise _dependent(one, other, group, needs, program, fused)
    for at, first in enumerate(groups):
        for second in groups[at + 1 :]:
            if _needs(first, second, needs) and _needs(second, first, needs):
                fusion = _fusion_in(second, fused)
                raise refused(
                    fusion.directive,
                    f"{' and '.join(first)} are computed together too; each of the two groups needs values of the "
                    "other, so neither can be first",
                    accepted="one of the two directives",
                )


def needed_functions(program: Program) -> dict[str, set[str]]:
    """For every Func all others that it reads, directly or not. Producers come first in a program."""
    needs: dict[str, set[str]] = {}
    for name, function in program.functions.items():
        found = {r.name for e in expressions(function) for r in reads(e)} & set(needs)
        needs[name] = found.union(*(needs[d] for d in found))
    return needs


def _needs(group: Sequence[str], other: Sequence[str], needs: Mapping[str, set[str]]) -> bool:
    return any(needs[name] & set(other) for name in group)


def _dependent(
    reader: str, read: str, group: Sequence[str], needs: Mapping[str, set[str]], program: Program, fused: FusedNests
) -> IllegalSchedule:
    pairs = [f for f in fused.fusions.values() if {f.child.func, f.parent.func} == {reader, read}]
    fusion = pairs[0] if pairs else _fusion_in(group, fused)
    between = sorted(name for name, n in needs.items() if name in needs[reader] and read in n)
    way = f" by way of {', '.join(between)}" if between else ""
    return refused(
        fusion.directive,
        f"{reader} reads {read}{way}: values may be used before they are computed",
        f"{_pair(fusion, program)} run in one loop nest only if neither needs the other",
        accepted=f"{read}.compute_at() a loop of {reader}, or {read}.compute_root()",
        witness=_early_read(fusion, reader, program, fused) if pairs else None,
    )


def _early_read(fusion: Fusion, reader: str, program: Program, fused: FusedNests) -> Witness | None:
    one, other = fusion.child, fusion.parent
    return early_read(*((one, other) if one.func == reader else (other, one)), program, fused)


def _pair(fusion: Fusion, program: Program) -> str:
    return f"`{shown(fusion.child, program)}` and `{shown(fusion.parent, program)}`"


def _fusion_in(group: Sequence[str], fused: FusedNests) -> Fusion:
    return [f for f in fused.fusions.values() if f.child.func in group][-1]


def _check_stage_order(program: Program, fused: FusedNests) -> None:
    """The stages of each Func can run one after the other."""
    for group in fused.groups(program.functions):
        stages = [StageId(f, s) for f in group for s in range(len(fused.schedules[f].nests))]
        done = fused.nests_in_order(group)
        stuck = [s for s in stages if fused.root(s) not in done]
        crossing = [fused.fusions[s] for s in stuck if s in fused.fusions]
        if crossing:
            last = crossing[-1]
            others = ", ".join(_pair(f, program) for f in crossing[:-1])
            raise refused(
                last.directive,
                f"{others or 'other stages'} are computed together too; with {_pair(last, program)} in one "
                "nest, stages of a Func would be out of order",
                "each Func's stages run in the order of their definitions",
                accepted="stages computed with stages that come in the same order, without others left out between",
            )
        for root in done:
            order = fused.written_order(root)
            for at, later in enumerate(order):
                early = [s for s in order[at + 1 :] if s.func == later.func and s.stage < later.stage]
                if early:
                    fusion = fused.fusions.get(early[0], fused.fusions.get(later))
                    assert fusion is not None, "one of two stages in a nest is a child"
                    first, second = shown(later, program), shown(early[0], program)
                    raise refused(
                        fusion.directive,
                        f"in the shared loops, `{first}` would come before `{second}`",
                        accepted="the stages of a Func in the order of their definitions",
                    )


def _check_updates(program: Program, fused: FusedNests) -> None:
    """Stages of one Func in one nest touch the same elements in the same order as before."""
    for root in [s for s in fused.stages if s not in fused.fusions]:
        order = fused.written_order(root)
        for at, late in enumerate(order):
            for early in order[:at]:
                broken = early.func == late.func and broken_order(early, late, program.functions[late.func], fused)
                if broken:
                    fusion = fused.fusions.get(late) or fused.fusions[early]
                    first, second = shown(early, program), shown(late, program)
                    loop = broken[0].replace("$", ".")
                    raise refused(
                        fusion.directive,
                        f"`{first}` and `{second}` would take turns in loop `{loop}`; {broken[1]}",
                        "so values could be used before they are final",
                        accepted=f"`{second}` and `{first}` in nests of their own",
                        witness=early_read(late, early, program, fused),
                    )


def check_same_places(fused: FusedNests, places: Callable[[str], Collection[object]]) -> None:
    """The Funcs of each pair are computed at the same places: a loop is shared where both are."""
    for fusion in fused.fusions.values():
        child, parent = fusion.child.func, fusion.parent.func
        if set(places(child)) != set(places(parent)):
            raise refused(
                fusion.directive,
                f"{child} and {parent} are not computed at the same place, or one of them is not needed there",
                accepted=f"{child} and {parent} both computed at root, or in the same loop of a Func that uses both",
            )
