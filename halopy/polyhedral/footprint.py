"""The box that an access touches: per dimension the least interval around all values of its index.

    footprint((x/2)*2 + x%2, {x: [a, b]})            [a, b]                 not [a/2*2, b/2*2 + 1]
    footprint(y, {x: [0, n-1], y: [0, m-1]}, y <= x)  [0, min(n, m) - 1]

Interval arithmetic answers where it is exact: each moving variable occurs once. isl answers where a
variable occurs several times, or a predicate ties variables, and the index is quasi-affine.
Everything else keeps the intervals, which are always a superset.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from ..ir.conjuncts import conjuncts
from ..ir.expr import Expr
from ..ir.interval import Interval, bounds_of
from ..ir.linear import linear
from ..ir.node import walk
from ..ir.rewrite import free_vars
from .question import LARGEST, NotAffine, Question, question_of

Scope = Mapping[str, Interval]


def footprint(index: Sequence[Expr], scope: Scope, predicate: Expr | None = None) -> list[Interval]:
    """Per dimension an interval that holds every value of the index, of ends in what does not move.

    The Vars named in `scope` move over their intervals (which speak of symbols only), as far as
    `predicate` holds. Symbols may be negative. Where no point exists the intervals may be anything.
    """
    conditions = [] if predicate is None else conjuncts(predicate)
    return [_of_dimension(e, scope, conditions) for e in index]


def _of_dimension(e: Expr, scope: Scope, conditions: Sequence[Expr]) -> Interval:
    roughly = bounds_of(e, scope)
    if len(list(islice(walk(e), LARGEST + 1))) > LARGEST:
        return roughly
    moving, relevant = _reachable(e, scope, conditions)
    if not relevant and not _is_correlated(e, scope):
        return roughly
    try:
        question, symbols = question_of(e, scope, moving, relevant)
    except NotAffine:
        return roughly
    if not question.conditions and len(moving) == 0:
        return roughly
    lo, hi = _extremes(question)
    return Interval(
        roughly.lo if lo is None else symbols.restore(lo),
        roughly.hi if hi is None else symbols.restore(hi),
    )


def _extremes(question: Question) -> Interval:
    """isl's answer. Importing islpy takes as long as lowering a small pipeline, and most never get here."""
    answer: Interval = importlib.import_module(".extremes", __package__).extremes(question)
    return answer


def _reachable(e: Expr, scope: Scope, conditions: Sequence[Expr]) -> tuple[list[str], list[Expr]]:
    """The moving variables that bear on the index, its own first, and the conditions that tie them."""
    moving = dict.fromkeys(sorted(free_vars(e) & scope.keys()))
    relevant: list[Expr] = []
    rest = [(c, free_vars(c) & scope.keys()) for c in conditions]
    found = True
    while found:
        tied = [(c, names) for c, names in rest if not names.isdisjoint(moving)]
        found = bool(tied)
        rest = [pair for pair in rest if pair not in tied]
        for condition, names in tied:
            relevant.append(condition)
            moving.update(dict.fromkeys(sorted(names)))
    return list(moving), relevant


def _is_correlated(e: Expr, scope: Scope) -> bool:
    """Whether some moving variable occurs more than once after sums are gathered."""
    seen: set[Expr] = set()
    stack: list[Expr] = [e]
    while stack:
        top = stack.pop()
        if top not in seen:
            seen.add(top)
            stack += _parts(top)
        elif not scope.keys().isdisjoint(free_vars(top)):
            return True
    return False


def _parts(e: Expr) -> Iterable[Expr]:
    if e.dtype.is_integer and not e.dtype.is_bool:
        terms = linear(e).terms
        if e not in terms:
            return terms
    return (c for c in e.children() if isinstance(c, Expr))
