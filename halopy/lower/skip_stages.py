"""When a Func is needed at all, as far as arguments of the pipeline decide it: otherwise it is not computed.

    f(x) = select(p, g(x), 0)      ->      if p:  compute g
                                           f(x) = select(p, g(x), 0)

What is read as part of an index is always computed: lanes may evaluate both sides of a choice, and read at that index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice

from ..ir.build import logical_and, logical_not, logical_or
from ..ir.expr import FALSE, TRUE, Effect, Expr, Let, Load, Read, Select
from ..ir.extern import extern_call
from ..ir.function import Definition
from ..ir.node import walk
from ..ir.program import Program
from ..ir.rewrite import free_vars
from ..schedule.directives import Async, Memoize
from ..schedule.nest import FuncSchedule
from .place_functions import stage_expressions, stage_reads

_MOST_NODES = 1000  # of a stage that is looked at; and of a condition that is kept
_LOCAL = Read.bit | Load.bit | Effect.bit | Let.bit

Conditions = Mapping[str, Expr]


def skip_stages(program: Program, schedules: Mapping[str, FuncSchedule]) -> Conditions:
    """By Func, the condition under which it is needed; Funcs that always are, are left out."""
    if any(schedule.last(Async) for schedule in schedules.values()):
        return {}  # threads wait for each other's stages
    needed: dict[str, Expr] = dict.fromkeys(program.outputs, TRUE)
    for reader, function in reversed(list(program.functions.items())):  # consumers come first
        when = needed.get(reader, FALSE)
        for definition in function.definitions:
            local = {*function.args, *((v.name for v in definition.rdom.vars) if definition.rdom else ())}
            for name, condition in needed_by_stage(definition, local).items():
                if name != reader:
                    needed[name] = logical_or(needed.get(name, FALSE), logical_and(when, condition))
    skipped = {name: c for name, c in needed.items() if c is not TRUE and c is not FALSE and _is_small(c)}
    return {name: c for name, c in skipped.items() if _may_be_skipped(program, schedules, name)}


def _may_be_skipped(program: Program, schedules: Mapping[str, FuncSchedule], name: str) -> bool:
    is_plain = name in program.functions and extern_call(program.functions[name]) is None
    return is_plain and not schedules[name].last(Memoize)


def needed_by_stage(definition: Definition, local: AbstractSet[str]) -> dict[str, Expr]:
    """By Func, when a stage reads it, as far as conditions tell that speak of no `local` variables and no values."""
    roots = stage_expressions(definition)
    if not any(value.kinds & Select.bit for value in definition.values) or not all(map(_is_small, roots)):
        return {read.name: TRUE for read in stage_reads(definition)}
    reads = _Reads(local)
    total: dict[str, Expr] = {}
    for root in roots:
        found = reads(root) if root in definition.values else dict.fromkeys(_names(root), TRUE)
        _join(total, found)
    indices = (i for read in stage_reads(definition) for i in read.index)
    _join(total, {name: TRUE for i in indices for name in _names(i)})
    return total


class _Reads:
    """By Func, when an expression reads it; each distinct node once."""

    def __init__(self, local: AbstractSet[str]) -> None:
        self.local = local
        self.memo: dict[Expr, dict[str, Expr]] = {}

    def __call__(self, e: Expr) -> dict[str, Expr]:
        if not e.kinds & Read.bit:
            return {}
        if e not in self.memo:
            self.memo[e] = self._found(e)
        return self.memo[e]

    def _found(self, e: Expr) -> dict[str, Expr]:
        if isinstance(e, Read):
            return {e.name: TRUE}
        total: dict[str, Expr] = {}
        if isinstance(e, Select) and self._is_known(e.condition):
            for side, when in ((e.a, e.condition), (e.b, logical_not(e.condition))):
                _join(total, {name: logical_and(when, c) for name, c in self(side).items()})
            return total
        for child in e.children():
            if isinstance(child, Expr):
                _join(total, self(child))
        return total

    def _is_known(self, condition: Expr) -> bool:
        return not condition.kinds & _LOCAL and self.local.isdisjoint(free_vars(condition))


def _join(total: dict[str, Expr], more: Mapping[str, Expr]) -> None:
    for name, condition in more.items():
        total[name] = logical_or(total.get(name, FALSE), condition)


def _names(e: Expr) -> Iterator[str]:
    return (node.name for node in walk(e) if isinstance(node, Read)) if e.kinds & Read.bit else iter(())


def _is_small(e: Expr) -> bool:
    return not e.kinds & Let.bit and len(list(islice(walk(e), _MOST_NODES + 1))) <= _MOST_NODES
