"""What is known in one version of a stage, from the conditions under which it runs."""

from __future__ import annotations

from collections.abc import Iterable

from .build import logical_and, logical_not
from .expr import EQ, FALSE, NE, TRUE, And, Const, Expr, Not, Or, Var
from .function import Branch

Path = tuple[tuple[Expr, bool], ...]


def condition_of(path: Path) -> Expr:
    """The conditions of a path as one."""
    condition: Expr = TRUE
    for c, truth in path:
        condition = logical_and(condition, c if truth else logical_not(c))
    return condition


def known_values(branch: Branch | None) -> dict[str, Expr]:
    """Variables that have one value: n where `n == 3` holds, b where `b` does or does not."""
    values: dict[str, Expr] = {}
    for condition, truth in branch.path if branch else ():
        values.update(_values(condition, truth))
    return values


def _values(condition: Expr, truth: bool) -> Iterable[tuple[str, Expr]]:
    if isinstance(condition, Var):
        yield condition.name, TRUE if truth else FALSE
    elif isinstance(condition, Not):
        yield from _values(condition.a, not truth)
    elif isinstance(condition, And if truth else Or):
        yield from _values(condition.a, truth)
        yield from _values(condition.b, truth)
    elif isinstance(condition, EQ if truth else NE):
        a, b = condition.a, condition.b
        if isinstance(a, Const):
            a, b = b, a
        if isinstance(a, Var) and isinstance(b, Const) and not a.dtype.is_float:  # 0.0 == -0.0
            yield a.name, b
