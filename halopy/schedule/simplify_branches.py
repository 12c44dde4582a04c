"""Simplify each version of a stage under the conditions in which it runs.

if p:  f(x) = select(p, g(x), h(x))         ->      f(x) = g(x)
if n == 3:  f(x) = x * n                    ->      f(x) = x * 3
"""

from __future__ import annotations

from dataclasses import replace

from ..ir.branches import known_values
from ..ir.expr import Expr
from ..ir.function import Definition, Function
from ..ir.map_definitions import map_definition
from ..ir.program import Program
from ..ir.rewrite import substitute
from ..ir.simplify import simplify_given


def simplify_branches(program: Program) -> Program:
    """The program with what cannot happen in a version of a stage dropped from it; itself where there is none."""
    functions = {name: _simplified(f) for name, f in program.functions.items()}
    if all(f is program.functions[name] for name, f in functions.items()):
        return program
    return replace(program, functions=functions)


def _simplified(function: Function) -> Function:
    if not any(d.branch is not None and d.branch.path for d in function.definitions):
        return function
    return replace(function, definitions=tuple(map(_under_conditions, function.definitions)))


def _under_conditions(definition: Definition) -> Definition:
    if definition.branch is None or not definition.branch.path:
        return definition
    values = known_values(definition.branch)
    simplify = simplify_given(definition.branch.path)

    def rewrite(e: Expr) -> Expr:
        return simplify(substitute(e, values))

    return map_definition(definition, rewrite)
