"""The statement that writes what a stage computes at one point.

    f(scatter(3, 5)) = f(gather(5, 3))     ->     let f.taken.0 = f(5), f.taken.1 = f(3)
                                                  f(3) = f.taken.0
                                                  f(5) = f.taken.1

All elements of a group are taken before any is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.expr import TRUE, Call, Expr, Read, Select, Var
from ..ir.function import Function
from ..ir.groups import elements_of
from ..ir.rewrite import substitute
from ..ir.stmt import Provide, Stmt, block, let_all
from ..ir.undefined import split_undefined
from ..schedule.initial import instance_variables


def write_values(function: Function, stage: int, variables: Mapping[str, Expr]) -> Stmt:
    """`variables` are the stage's variables as expressions of its loops."""
    func, definition = function.name, function.definitions[stage]
    at = tuple(variables[name] for name in instance_variables(function, stage))
    elements = elements_of(definition)
    places = [tuple(substitute(e, variables) for e in element.index) for element in elements]
    values = [tuple(substitute(e, variables) for e in element.values) for element in elements]
    if len(elements) == 1:
        return Provide(func, places[0], values[0], stage, at)
    taken = _Taken(func)
    provides = [
        Provide(func, tuple(map(taken.place, place)), tuple(map(taken.value, of_place)), stage, at)
        for place, of_place in zip(places, values, strict=True)
    ]
    return let_all(taken.bindings, block(*provides))


class _Taken:
    """Names for what is taken before the first write."""

    def __init__(self, func: str) -> None:
        self.func = func
        self.bindings: list[tuple[str, Expr]] = []

    def place(self, index: Expr) -> Expr:
        return self.named(index) if index.has(Read) else index

    def value(self, value: Expr) -> Expr:
        value, defined = split_undefined(value)
        name = self.named(value)
        return name if defined is TRUE else Select(self.named(defined), name, Call("undef", (), value.dtype))

    def named(self, e: Expr) -> Expr:
        self.bindings.append((f"{self.func}.taken.{len(self.bindings)}", e))
        return Var(self.bindings[-1][0], e.dtype)
