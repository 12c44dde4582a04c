"""Selects that keep the better of two values, or what stands beside it.

select(f[r] > x0, r, x1)       compares f[r] with x0; takes r where that is greater, keeps x1 where not
select(x0 >= f[r], x0, f[r])   the same choice of the greater value itself
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir.expr import GE, GT, LE, LT, Call, Compare, Expr, Or, Select, Var
from ..ir.rewrite import free_vars

_NEGATED: dict[type[Compare], type[Compare]] = {GT: LE, GE: LT, LT: GE, LE: GT}
_FLIPPED: dict[type[Compare], type[Compare]] = {GT: LT, GE: LE, LT: GT, LE: GE}


@dataclass(frozen=True, slots=True)
class Choice:
    """`taken` where `compared` is better than `primary`, else `kept`.

    `better`: 1 where greater is better, -1 where less is. `is_nan_kept`: a primary that is no number stays.
    """

    select: Select
    comparison: Compare
    primary: Var
    compared: Expr
    kept: Var
    taken: Expr
    better: int
    takes_equal: bool
    is_nan_kept: bool

    def with_operands(self, compared: Expr, taken: Expr) -> Expr:
        """The same choice between the symbols and other operands."""
        sides = (self.primary, compared) if self.comparison.a is self.primary else (compared, self.primary)
        condition: Expr = type(self.comparison)(*sides)
        if self.is_nan_kept:
            condition = Or(Call("is_nan", (self.primary,), condition.dtype), condition)
        branches = (self.kept, taken) if self.select.a is self.kept else (taken, self.kept)
        return Select(condition, *branches)


def chosen(e: Expr, primaries: Mapping[str, int]) -> Choice | None:
    """The choice that an expression makes by comparing one of the symbols `primaries`; None where it makes none."""
    if not isinstance(e, Select):
        return None
    parts = _either(e.condition)
    nan_kept = None
    if parts is not None:
        marks = [p for p in parts if isinstance(p, Call) and p.name == "is_nan"]
        rest = [p for p in parts if p not in marks]
        if len(marks) != 1 or len(rest) != 1:
            return None
        nan_kept, comparison = marks[0].args[0], rest[0]
    else:
        comparison = e.condition
    if type(comparison) not in _NEGATED or not isinstance(comparison, Compare):
        return None
    if isinstance(comparison.a, Var) and comparison.a.name in primaries:
        primary, compared, takes = comparison.a, comparison.b, _FLIPPED[type(comparison)]
    elif isinstance(comparison.b, Var) and comparison.b.name in primaries:
        primary, compared, takes = comparison.b, comparison.a, type(comparison)
    else:
        return None
    kept, taken = _branches(e)
    if kept is None or any(name.startswith("<x") for name in free_vars(compared) | free_vars(taken)):
        return None
    if kept is e.a:
        takes = _NEGATED[takes]
    if nan_kept is not None and (nan_kept is not primary or kept is not e.a):
        return None
    better = 1 if takes in (GT, GE) else -1
    return Choice(e, comparison, primary, compared, kept, taken, better, takes in (GE, LE), nan_kept is not None)


def _either(condition: Expr) -> tuple[Expr, Expr] | None:
    """Both sides of an or."""
    if isinstance(condition, Or):
        return condition.a, condition.b
    if isinstance(condition, Call) and condition.name == "bitwise_or":
        return condition.args[0], condition.args[1]
    return None


def _branches(e: Select) -> tuple[Var | None, Expr]:
    """The branch that is the element's own value, and the other one."""
    for kept, taken in ((e.b, e.a), (e.a, e.b)):
        if isinstance(kept, Var) and kept.name.startswith("<x"):
            return kept, taken
    return None, e
