"""Order a program's Funcs so that those computed with each other stand next to each other.

    f, h(f), g; f and g share loops        ->      f, g, h(f)

Producers still come before consumers. The Funcs of a group do not need each other (`check_fused_nests`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.program import Program, expressions, reads


def side_by_side(program: Program, groups: Sequence[Sequence[str]]) -> Program:
    """The program in such an order; itself where every Func is a group of its own."""
    if all(len(group) == 1 for group in groups):
        return program
    group_of = {name: group for group in groups for name in group}
    needs = {name: _producers(program, name) for name in program.functions}
    order: dict[str, None] = {}

    def visit(group: Sequence[str]) -> None:
        if group[0] not in order:
            for name in group:
                for producer in needs[name]:
                    visit(group_of[producer])
            order.update(dict.fromkeys(name for name in program.functions if name in group))

    for name in program.functions:
        visit(group_of[name])
    return replace(program, functions={name: program.functions[name] for name in order})


def _producers(program: Program, name: str) -> list[str]:
    read = (r.name for e in expressions(program.functions[name]) for r in reads(e))
    return [producer for producer in dict.fromkeys(read) if producer in program.functions and producer != name]
