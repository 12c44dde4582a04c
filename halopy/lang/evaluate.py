"""`evaluate`: the value of an expression that needs no arguments, now."""

from __future__ import annotations

from typing import Any

from .buffers.buffer import Buffer
from .expressions.expr import Expr
from .expressions.tuple import to_values
from .func import Func


def evaluate(expr: object) -> Any:
    """Run one expression, or a tuple of them, and give the number or numbers."""
    func = Func("evaluate_func")
    values = tuple(map(Expr, to_values(expr)))
    func[()] = values[0] if len(values) == 1 else values
    made = func.realize([])
    if isinstance(made, Buffer):
        return made[()]
    assert made is not None, "sizes were given"
    return tuple(buffer[()] for buffer in made)


def evaluate_may_gpu(expr: object) -> Any:
    """`evaluate`, on a device where one can be used: on the host, so far."""
    return evaluate(expr)
