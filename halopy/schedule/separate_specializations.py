"""Make each version of a specialised stage a stage of its own.

    f.s0: (n > 7: vectorised loops), serial loops   ->    f.s0: vectorised loops, where n > 7
    f.s1: ...                                             f.s1: serial loops, where not
                                                          f.s2: ...

What is computed inside one version is found there, and regions are asked version by version. `Definition.branch`
says when a version runs, and which stage it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..ir.branches import Path, known_values
from ..ir.expr import Expr, const, is_const
from ..ir.function import Branch, Definition, Function
from ..ir.program import Program
from ..ir.rewrite import substitute
from ..ir.simplify import simplify
from .directives import LoopStep, Split
from .nest import FuncSchedule, StageNest
from .simplify_branches import simplify_branches


def separate_specializations(
    program: Program, schedules: Mapping[str, FuncSchedule]
) -> tuple[Program, Mapping[str, FuncSchedule]]:
    """The same program and schedules without specializations; themselves where there are none."""
    specialized = [name for name in program.functions if any(n.specializations for n in schedules[name].nests)]
    if not specialized:
        return program, schedules
    functions, separated = dict(program.functions), dict(schedules)
    for name in specialized:
        functions[name], separated[name] = _separated(functions[name], schedules[name])
    return simplify_branches(replace(program, functions=functions)), separated


@dataclass(frozen=True, slots=True)
class _Version:
    nest: StageNest
    branch: Branch


def _separated(function: Function, schedule: FuncSchedule) -> tuple[Function, FuncSchedule]:
    definitions: list[Definition] = []
    nests: list[StageNest] = []
    for stage, nest in enumerate(schedule.nests):
        for version in _versions(nest, stage, ()):
            own = function.in_version(stage, version.nest.definition).definitions[stage]
            definition = replace(own, branch=version.branch, versions=())
            if version.branch.failure is not None:
                nothing = tuple(const(0, dtype) for dtype in function.dtypes)
                definition = replace(definition, values=nothing)
            nests.append(_renumbered(version, len(definitions)))
            definitions.append(definition)
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


def _renumbered(version: _Version, number: int) -> StageNest:
    values = known_values(version.branch)
    steps = tuple(_with_values(step, values) for step in version.nest.steps)
    return replace(version.nest, stage=number, steps=steps)


def _with_values(step: LoopStep, values: Mapping[str, Expr]) -> LoopStep:
    return replace(step, factor=substitute(step.factor, values)) if isinstance(step, Split) and values else step
