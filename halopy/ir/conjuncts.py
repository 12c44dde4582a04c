"""The parts of a condition that all must hold."""

from __future__ import annotations

from .expr import And, Expr


def conjuncts(condition: Expr) -> list[Expr]:
    """a && (b && c)  ->  [a, b, c]"""
    found: list[Expr] = []
    stack = [condition]
    while stack:
        e = stack.pop()
        if isinstance(e, And):
            stack += [e.b, e.a]
        else:
            found.append(e)
    return found
