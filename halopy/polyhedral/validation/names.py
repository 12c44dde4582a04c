"""The names in an expression, kept for those asked about again: the same conditions are looked at for many accesses."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ...ir.expr import Expr, Read
from ...ir.rewrite import free_vars

MARKS = ("r:", "w:", "v:", "d:", "k:")  # before names that only one event has
READ, WRITE, OTHER, DUE, RANK = MARKS


@lru_cache(maxsize=1 << 13)
def names_in(e: Expr) -> frozenset[str]:
    """Names of all Vars in the expression."""
    return free_vars(e)


def names_of(*expressions: Iterable[Expr]) -> set[str]:
    """Names of all Vars in all of them."""
    return {name for several in expressions for e in several for name in names_in(e)}


def is_shared(e: Expr) -> bool:
    """Whether its value is the same for all events."""
    return not e.has(Read) and not any(name.startswith(MARKS) for name in names_in(e))
