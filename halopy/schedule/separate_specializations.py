"""Make each version of a specialised stage a stage of its own.

    f.s0: (n > 7: vectorised loops), serial loops   ->    f.s0: vectorised loops, where n > 7
    f.s1: ...                                             f.s1: serial loops, where not
                                                          f.s2: ...

What is computed inside one version is found there, and regions are asked version by version. `Definition.branch`
says when a version runs, and which stage it was. Of stages that share loops each has a version for every choice of
all, so that loops are shared by versions that run together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from ..ir.branches import Path, known_values
from ..ir.expr import Expr, const, is_const
from ..ir.function import Branch, Definition, Function
from ..ir.program import Program
from ..ir.refs import FunctionRef
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from .directives import ComputeWith, Directive, LoopStep, Split
from .fused_nests import StageId
from .nest import FuncSchedule, StageNest
from .simplify_branches import simplify_branches


def separate_specializations(
    program: Program, schedules: Mapping[str, FuncSchedule]
) -> tuple[Program, Mapping[str, FuncSchedule]]:
    """The same program and schedules without specializations; themselves where there are none."""
    if not any(nest.specializations for name in program.functions for nest in schedules[name].nests):
        return program, schedules
    versions = _all_versions(program, schedules)
    functions, separated = dict(program.functions), dict(schedules)
    for name, function in program.functions.items():
        functions[name], separated[name] = _separated(function, schedules[name], program.names, versions)
    return simplify_branches(replace(program, functions=functions)), separated


@dataclass(frozen=True, slots=True)
class _Version:
    nest: StageNest
    branch: Branch


_Versions = Mapping[StageId, Sequence[_Version]]


def _all_versions(program: Program, schedules: Mapping[str, FuncSchedule]) -> _Versions:
    """The versions of every stage; stages that share loops have as many, which run under the same conditions."""
    own: dict[StageId, Sequence[_Version]] = {}
    for name in program.functions:
        for stage, nest in enumerate(schedules[name].nests):
            own[StageId(name, stage)] = list(_versions(nest, stage, ()))
    for cluster in _clusters(program, schedules):
        together = [_together(choice) for choice in product(*(own[stage] for stage in cluster))]
        possible = [choice for choice in together if choice is not None]
        own.update((stage, [choice[at] for choice in possible]) for at, stage in enumerate(cluster))
    return own


def _clusters(program: Program, schedules: Mapping[str, FuncSchedule]) -> list[list[StageId]]:
    """The stages that share loops, of which one at least has versions."""
    cluster: dict[StageId, list[StageId]] = {}
    for name in program.functions:
        for stage, nest in enumerate(schedules[name].nests):
            parent = _parent(nest, program.names)
            if parent is not None and parent.stage < len(schedules[parent.func].nests):
                both = (StageId(name, stage), parent)
                one, other = (cluster.setdefault(s, [s]) for s in both)
                if one is not other:
                    other.extend(one)
                    cluster.update(dict.fromkeys(one, other))
    found = {id(members): members for members in cluster.values()}.values()
    return [c for c in found if any(schedules[s.func].nests[s.stage].specializations for s in c)]


def _parent(nest: StageNest, names: Mapping[FunctionRef, str]) -> StageId | None:
    """The stage with which this one is computed, as stages are written."""
    action = None if nest.compute_with is None else nest.compute_with.action
    if not isinstance(action, ComputeWith) or action.level.func is None or action.level.func not in names:
        return None
    return StageId(names[action.level.func], action.level.stage or 0)


def _together(choice: Sequence[_Version]) -> Sequence[_Version] | None:
    """Versions of several stages under the conditions of all; None where these cannot hold together."""
    path = tuple(dict.fromkeys(step for version in choice for step in version.branch.path))
    if len({condition for condition, _ in path}) < len(path):
        return None
    failure = next((v.branch.failure for v in choice if v.branch.failure is not None), None)
    return [replace(v, branch=replace(v.branch, path=path, failure=failure)) for v in choice]


def _separated(
    function: Function, schedule: FuncSchedule, names: Mapping[FunctionRef, str], versions: _Versions
) -> tuple[Function, FuncSchedule]:
    definitions: list[Definition] = []
    nests: list[StageNest] = []
    for stage, nest in enumerate(schedule.nests):
        parent = _parent(nest, names)
        for number, version in enumerate(versions[StageId(function.name, stage)]):
            own = function.in_version(stage, version.nest.definition).definitions[stage]
            definition = replace(own, branch=version.branch, versions=())
            if version.branch.failure is not None:
                nothing = tuple(const(0, dtype) for dtype in function.dtypes)
                definition = replace(definition, values=nothing)
            at = None if parent is None else sum(len(versions[StageId(parent.func, s)]) for s in range(parent.stage))
            level = None if at is None else at + number
            nests.append(_renumbered(version, len(definitions), nest.compute_with, level))
            definitions.append(definition)
    if len(definitions) == len(function.definitions):
        return function, replace(schedule, nests=tuple(nests))
    return replace(function, definitions=tuple(definitions)), replace(schedule, nests=tuple(nests))


def _versions(nest: StageNest, stage: int, path: Path) -> Iterator[_Version]:
    """The versions in the order in which their conditions are tried; those that can never run are left out."""
    for s in nest.specializations:
        condition = simplify(s.condition)
        if is_const(condition, 0):
            continue
        always = is_const(condition, 1)
        here = path if always else (*path, (condition, True))
        if s.failure is not None:
            yield _Version(replace(nest, specializations=()), Branch(stage, here, s.failure))
        else:
            yield from _versions(s.nest, stage, here)
        if always:
            return
        path = (*path, (condition, False))
    yield _Version(replace(nest, specializations=()), Branch(stage, path))


def _renumbered(version: _Version, number: int, fusion: Directive | None, parent: int | None) -> StageNest:
    """The version as a stage, which is computed with that version of the parent."""
    values = known_values(version.branch)
    steps = tuple(_with_values(step, values) for step in version.nest.steps)
    directives = version.nest.directives
    if parent is not None:
        assert fusion is not None and isinstance(fusion.action, ComputeWith), "a stage has a parent by a directive"
        level = replace(fusion.action.level, stage=parent)
        same = replace(fusion, action=replace(fusion.action, level=level))
        directives = (*(d for d in directives if not isinstance(d.action, ComputeWith)), same)
    return replace(version.nest, stage=number, steps=steps, directives=directives)


def _with_values(step: LoopStep, values: Mapping[str, Expr]) -> LoopStep:
    return replace(step, factor=substitute(step.factor, values)) if isinstance(step, Split) and values else step
