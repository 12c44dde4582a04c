"""The parts of a condition that all must hold."""

from __future__ import annotations

from .expr import And, Call, Expr


def conjuncts(condition: Expr) -> list[Expr]:
    """a && likely(b && c)  ->  [a, b, c]"""
    found: list[Expr] = []
    stack = [condition]
    while stack:
        e = stack.pop()
        if isinstance(e, And):
            stack += [e.b, e.a]
        elif isinstance(e, Call) and e.name in ("likely", "likely_if_innermost"):
            stack.append(e.args[0])
        else:
            found.append(e)
    return found
