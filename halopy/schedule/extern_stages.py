"""Extern stages, and what they read, are computed whole, outside all loops.

    g.define_extern("blur", [f], ...)     ->     f.compute_root(), g.compute_root()

A place is only needed where the user says nothing: neither can be inlined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import IllegalSchedule
from ..ir.expr import Read
from ..ir.extern import extern_call
from ..ir.program import Program
from .directives import ROOT, Async, ComputeAt, Directive, FuncDirective, Memoize, ReorderStorage, StoreAt, StoreIn
from .nest import FuncSchedule

_WITHOUT_LOOPS: tuple[type[FuncDirective], ...] = (ComputeAt, StoreAt, StoreIn, Async, ReorderStorage)


def place_extern_stages(program: Program, schedules: Mapping[str, FuncSchedule]) -> Mapping[str, FuncSchedule]:
    """The schedules with a place for these Funcs. Raises IllegalSchedule where there is one inside a loop, and where
    the loops of an extern stage are scheduled."""
    stages = {name: call for name, f in program.functions.items() if (call := extern_call(f)) is not None}
    if not stages:
        return schedules
    placed = dict(schedules)
    for name, call in stages.items():
        _check_own(name, schedules[name])
        placed[name] = _at_root(name, placed[name], f"{name} is an extern stage")
        for read in call.args:
            if isinstance(read, Read) and read.name in program.functions:
                reason = f"{read.name} is read by the extern stage {name}"
                placed[read.name] = _at_root(read.name, placed[read.name], reason)
    return placed


def _check_own(name: str, schedule: FuncSchedule) -> None:
    for directive in schedule.nests[0].directives:
        reason = f"{name} is computed by a function outside the pipeline: it has no loops"
        raise _illegal(directive, reason, "directives on the Funcs around it")
    for directive in schedule.directives:
        if not isinstance(directive.action, _WITHOUT_LOOPS):
            reason = f"{name} is computed by a function outside the pipeline, which is given a dense region"
            raise _illegal(directive, reason, f"{name}.compute_root()")


def _at_root(name: str, schedule: FuncSchedule, why: str) -> FuncSchedule:
    directive = schedule.last(ComputeAt)
    if schedule.compute_level.is_inlined:
        root = Directive(ComputeAt(ROOT), 0, None, f"{name}.compute_root()")
        return replace(schedule, directives=(*schedule.directives, root))
    if not schedule.compute_level.is_root:
        assert directive is not None, "a place was given by a directive"
        raise _illegal(directive, f"{why}, and has to be computed outside all loops", f"{name}.compute_root()")
    return schedule


def refuse_memoized_extern(program: Program, schedules: Mapping[str, FuncSchedule]) -> None:
    """Raises IllegalSchedule where Funcs of a program with extern stages are memoized."""
    if any(extern_call(f) is not None for f in program.functions.values()):
        for schedule in schedules.values():
            directive = schedule.last(Memoize)
            if directive is not None:
                reason = "the pipeline has an extern stage, of which nobody knows what its values depend on"
                raise _illegal(directive, reason, "memoize() in pipelines without extern stages")


def _illegal(directive: Directive, reason: str, accepted: str) -> IllegalSchedule:
    return IllegalSchedule(directive.text, location=directive.location, reason=[reason], accepted=accepted)
