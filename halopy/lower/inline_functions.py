"""Put the definition of each inlined Func where it is read.

    f(x) = g(x - 1) + g(x)         ->     f(x) = (x - 1)*2 + x*2
    g(x) = x*2

Only Funcs that have no updates can be inlined; `place_functions` finds a loop for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ..ir.expr import Expr, Read
from ..ir.function import Function
from ..ir.map_definitions import map_expressions
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
