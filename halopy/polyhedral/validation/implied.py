"""Small questions about accesses, answered once for all statements that are alike.

    f7.min.0 - 7 + x <= y  =>  f7.min.0 - 8 + x < y          becomes          v0 + v1 <= v2  =>  v0 + v1 - 1 < v2

Variables are named in the order in which they appear, and a size or start that appears with something added is called
what it is with that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import islpy as isl

from ...ir import build
from ...ir.expr import Compare, Expr, Var, const
from ...ir.linear import linear
from ...ir.node import Node
from ...ir.rewrite import substitute
from ..isl_limits import MOST_OPERATIONS
from .names import MARKS, WRITE
from .question import Names
from .space import Space


def is_implied(group: Sequence[Expr], near: Sequence[Expr]) -> bool:
    """Whether, wherever the near conditions hold, some values of the write's variables meet the group.

    False also where isl cannot be told, or takes too long.
    """
    near, group = _moved(near, group)
    own = [name for name in _in_order(group) if name.startswith(WRITE)]
    other = [name for name in _in_order((*near, *group)) if not name.startswith(WRITE)]
    opaque: dict[Expr, Var] = {}
    names = Names((*other, *own), opaque)
    known = [c for c in map(names.condition, near) if c is not None]
    wanted = [names.condition(c) for c in group]
    told = [c for c in wanted if c is not None]
    try:
        return len(told) == len(wanted) and _holds(len(other), len(own), len(opaque), tuple(known), tuple(told))
    except isl.Error:  # past the limit
        return False


def _moved(near: Sequence[Expr], group: Sequence[Expr]) -> tuple[list[Expr], list[Expr]]:
    """The same question about sizes that are counted otherwise: what is added to one where it first appears is 0."""
    added: dict[Var, int] = {}
    for side in (side for c in (*group, *near) if isinstance(c, Compare) for side in (c.a, c.b)):
        form = linear(side)
        sizes = [t for t in form.terms if isinstance(t, Var) and not t.name.startswith(MARKS)]
        new = [size for size in sizes if size not in added]
        if len(new) == 1 and form.terms[new[0]] == 1:
            added[new[0]] = form.constant - sum(form.terms[v] * added[v] for v in sizes if v in added)
    moves = {v.name: build.sub(v, const(n, v.dtype)) for v, n in added.items()}
    return [substitute(c, moves) for c in near], [substitute(c, moves) for c in group]


@lru_cache(maxsize=4096)
def _holds(others: int, own: int, symbols: int, known: tuple[Expr, ...], wanted: tuple[Expr, ...]) -> bool:
    """Whether what is known implies that there are values of the own variables for what is wanted. Raises isl.Error."""
    context = isl.Context()
    context.set_max_operations(MOST_OPERATIONS)
    space = Space(context, others + own, symbols, ())
    given, met = (space.set(c).project_out(isl.dim_type.set, others, own) for c in (known, wanted))
    return bool(given.is_subset(met))


def _in_order(conditions: Iterable[Expr]) -> list[str]:
    """Names of variables in the order in which they first appear."""
    found: dict[str, None] = {}
    seen: set[Node] = set()
    stack: list[Node] = list(reversed(list(conditions)))
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Var):
            found.setdefault(node.name)
        stack += reversed(node.children())
    return list(found)
