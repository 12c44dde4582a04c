"""Algebra that keeps the value and makes expressions and statements smaller.

`simplify` is the way in. Below it: `engine` walks expressions, one module per kind of node computes
what it becomes, `tables` holds the rows of algebra that need no computing, `facts` what is known
about variables, `statements` what loops, lets and conditions add to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from ..build import logical_not
from ..expr import Expr, Let, const
from ..scope import Scope
from ..stmt import Stmt
from .dead_lets import drop_dead_lets
from .engine import Simplifier
from .facts import Facts
from .statements import simplify_statement

__all__ = ["simplify", "simplify_given"]

_LIMIT = 1 << 16
_plain: dict[Expr, Expr] = {}  # results that rest on no facts; may be emptied at any time


@overload
def simplify(node: Expr, scope: Scope | None = None) -> Expr: ...
@overload
def simplify(node: Stmt, scope: Scope | None = None) -> Stmt: ...
def simplify(node: Expr | Stmt, scope: Scope | None = None) -> Expr | Stmt:
    """An equal, simpler expression or statement, given the intervals of some variables.

    Twice is the same as once. A name that the node binds must not also occur free in it.
    int32 and int64 arithmetic is assumed not to overflow.
    """
    if isinstance(node, Stmt):
        return drop_dead_lets(simplify_statement(node, Facts(scope)))  # type: ignore[no-any-return]
    if scope or node.kinds & Let.bit:
        return Simplifier(Facts(scope))(node)
    found = _plain.get(node)
    if found is None:
        if len(_plain) > _LIMIT:
            _plain.clear()
        found = Simplifier(Facts(), _plain)(node)
    return found


def simplify_given(conditions: Sequence[tuple[Expr, bool]]) -> Simplifier:
    """A function that simplifies expressions where conditions hold, or do not."""
    facts = Facts()
    for condition, holds in conditions:
        simple = simplify(condition)
        facts.assume(simple, holds)
        opposite = simplify(logical_not(simple))
        facts.known[opposite] = const(not holds, opposite.dtype)
    return Simplifier(facts)
