"""Who reads whom: the graph of a pipeline's Funcs, for programs that choose schedules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ..ir.expr import Expr, Read
from ..ir.function import Definition
from ..ir.node import find
from ..ir.program import Program

Reads: TypeAlias = Mapping[str, Sequence[Mapping[str, int]]]


def reads_of(program: Program) -> Reads:
    """By the name of each Func, producers first: for each stage, at how many places it reads which other Func."""
    others = {name: frozenset(program.functions) - {name} for name in program.functions}
    return {name: [_reads(d, others[name]) for d in f.definitions] for name, f in program.functions.items()}


def _reads(definition: Definition, others: frozenset[str]) -> Mapping[str, int]:
    roots: list[Expr] = [*definition.index, *definition.values]
    if definition.rdom is not None:
        roots += [end for v in definition.rdom.vars for end in (v.min, v.extent)]
        roots += [] if definition.rdom.predicate is None else [definition.rdom.predicate]
    read = {found: None for root in roots for found in find(root, Read)}
    return Counter(found.name for found in read if found.name in others)
