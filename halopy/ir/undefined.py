"""Where a value is defined: an expression of `undef` is not, and is not stored.

select(c, a, undef) + 1     ->     select(c, a, undef) + 1   where c
"""

from __future__ import annotations

from .build import logical_and, logical_not, logical_or
from .effects import without_effects
from .expr import FALSE, TRUE, Call, Expr, Select
from .node import walk


def split_undefined(value: Expr) -> tuple[Expr, Expr]:
    """The value and the condition under which it is defined, hence stored.

    Where a choice has an undefined side, it is defined where the other side is chosen.
    """
    return (value, TRUE) if not _has_undefined(value) else (value, _defined(without_effects(value), {}))


def _defined(e: Expr, known: dict[Expr, Expr]) -> Expr:
    if e in known:
        return known[e]
    if isinstance(e, Call) and e.name == "undef":
        defined: Expr = FALSE
    elif isinstance(e, Select):
        a, b = _defined(e.a, known), _defined(e.b, known)
        defined = logical_and(_defined(e.condition, known), _chosen(e.condition, a, b))
    else:
        defined = TRUE
        for child in e.children() if e.has(Call) else ():
            if isinstance(child, Expr):
                defined = logical_and(defined, _defined(child, known))
    known[e] = defined
    return defined


def _chosen(condition: Expr, a: Expr, b: Expr) -> Expr:
    """Whether the chosen one of two sides is defined."""
    if a is b:
        return a
    return logical_and(logical_or(logical_not(condition), a), logical_or(condition, b))


def _has_undefined(value: Expr) -> bool:
    return value.has(Call) and any(type(n) is Call and n.name == "undef" for n in walk(value))
