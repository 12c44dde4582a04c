"""Put the definition of each inlined Func where it is read.

    f(x) = g(x - 1) + g(x)         ->     f(x) = (x - 1)*2 + x*2
    g(x) = x*2

Only Funcs that have no updates can be inlined; `place_functions` finds a loop for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ..ir.expr import Expr, Read
from ..ir.function import Definition, Function, ReductionDomain, ReductionVar
from ..ir.program import Program
from ..ir.rewrite import Rewriter, substitute


def inline_functions(program: Program, inlined: Collection[str]) -> Program:
    """The program without the functions named in `inlined`, each of which has only a pure definition."""
    bodies: dict[str, Function] = {}
    kept: dict[str, Function] = {}
    for name, function in program.functions.items():  # producers first: bodies hold no inlined reads themselves
        done = map_expressions(function, _Inline(bodies)) if bodies else function
        (bodies if name in inlined else kept)[name] = done
    return replace(program, functions=kept)


def map_expressions(function: Function, rewrite: Rewriter) -> Function:
    """The function with every expression of its definitions rewritten; itself where nothing changes."""
    definitions = tuple(map_definition(d, rewrite) for d in function.definitions)
    if all(a is b for a, b in zip(definitions, function.definitions, strict=True)):
        return function
    return replace(function, definitions=definitions)


def map_definition(definition: Definition, rewrite: Rewriter) -> Definition:
    index = tuple(map(rewrite, definition.index))
    values = tuple(map(rewrite, definition.values))
    rdom = definition.rdom and _map_domain(definition.rdom, rewrite)
    if index == definition.index and values == definition.values and rdom is definition.rdom:
        return definition
    return replace(definition, index=index, values=values, rdom=rdom)


def _map_domain(rdom: ReductionDomain, rewrite: Rewriter) -> ReductionDomain:
    domain = ReductionDomain(
        tuple(ReductionVar(v.name, rewrite(v.min), rewrite(v.extent)) for v in rdom.vars),
        None if rdom.predicate is None else rewrite(rdom.predicate),
    )
    return rdom if domain == rdom else domain


class _Inline(Rewriter):
    only = (Read,)

    def __init__(self, bodies: Mapping[str, Function]) -> None:
        super().__init__()
        self.bodies = bodies

    def rewrite_Read(self, read: Read) -> Expr:
        index = tuple(map(self, read.index))
        body = self.bodies.get(read.name)
        if body is None:
            return read if index == read.index else Read(read.name, index, read.element, read.dtype)
        inlined: Expr = substitute(body.pure.values[read.element], dict(zip(body.args, index, strict=True)))
        return inlined
