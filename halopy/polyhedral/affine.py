"""Canonical expressions as isl's piecewise affine functions and sets.

The space is [p0, p1, …] -> { [v0, v1, …] }: symbols are parameters, moving variables set dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import islpy as isl

from ..ir import expr as ir
from ..ir.expr import Expr, Var
from ..ir.linear import linear
from ..ir.node import Node
from .question import Question


class Affine:
    """Translates the parts of one question, each distinct node once."""

    def __init__(self, context: isl.Context, moving: int, symbols: int) -> None:
        self.context = context
        names = [f"p{n}" for n in range(symbols)], [f"v{n}" for n in range(moving)]
        self.space = isl.LocalSpace.from_space(isl.Space.create_from_names(context, set=names[1], params=names[0]))
        self.universe = isl.Set.universe(self.space.get_space())
        self._functions: dict[Expr, isl.PwAff] = {}

    def domain(self, question: Question) -> isl.Set:
        """Where the moving variables range."""
        domain = self.universe
        for n, (lo, hi) in enumerate(question.ranges):
            v = self.function(Var(f"v{n}"))
            domain = domain.intersect(self.function(lo).le_set(v)).intersect(v.le_set(self.function(hi)))
        for condition in question.conditions:
            domain = domain.intersect(self.set(condition))
        return domain

    def function(self, e: Expr) -> isl.PwAff:
        """An integer expression."""
        found = self._functions.get(e)
        if found is None:
            found = self._functions[e] = self._translate(e)
        return found

    def set(self, e: Expr) -> isl.Set:
        """Where a condition holds."""
        if isinstance(e, ir.And):
            return self.set(e.a).intersect(self.set(e.b))
        if isinstance(e, ir.Or):
            return self.set(e.a).union(self.set(e.b))
        if isinstance(e, ir.Not):
            return self.set(e.a).complement()
        if isinstance(e, ir.Const):
            return self.universe if e.value else self.universe.complement()
        assert isinstance(e, ir.Compare), f"expected a condition, found {type(e).__name__}"
        return _COMPARISONS[type(e)](self.function(e.a), self.function(e.b))

    def value(self, number: int) -> isl.Val:
        return isl.Val.int_from_si(self.context, number)

    def _translate(self, e: Expr) -> isl.PwAff:
        form = linear(e)
        total = isl.PwAff.from_aff(isl.Aff.val_on_domain(self.space, self.value(form.constant)))
        for term, factor in form.terms.items():
            total = total.add(self._term(term).scale_val(self.value(factor)))
        return total

    def _term(self, e: Expr) -> isl.PwAff:
        if isinstance(e, Var):
            kind = isl.dim_type.param if e.name[0] == "p" else isl.dim_type.set
            return isl.PwAff.var_on_domain(self.space, kind, int(e.name[1:]))
        return _TERMS[type(e)](self, e)

    def _quotient(self, e: ir.Div) -> isl.PwAff:
        """Euclidean: a / -b is -(a / b)."""
        divisor = _literal(e.b)
        floor = self.function(e.a).scale_down_val(self.value(abs(divisor))).floor()
        return floor if divisor > 0 else floor.neg()

    def _remainder(self, e: ir.Mod) -> isl.PwAff:
        return self.function(e.a).mod_val(self.value(abs(_literal(e.b))))

    def _select(self, e: ir.Select) -> isl.PwAff:
        holds = self.set(e.condition)
        yes = self.function(e.a).intersect_domain(holds)
        no = self.function(e.b).intersect_domain(holds.complement())
        return yes.union_add(no)


def _literal(e: Expr) -> int:
    assert isinstance(e, ir.Const), f"expected a literal, found {type(e).__name__}"
    return int(e.value)


_TERMS: Mapping[type[Node], Callable[[Affine, Any], isl.PwAff]] = {
    ir.Div: Affine._quotient,
    ir.Mod: Affine._remainder,
    ir.Select: Affine._select,
    ir.Min: lambda self, e: self.function(e.a).min(self.function(e.b)),
    ir.Max: lambda self, e: self.function(e.a).max(self.function(e.b)),
}

_COMPARISONS: Mapping[type[Node], Callable[[isl.PwAff, isl.PwAff], isl.Set]] = {
    ir.EQ: isl.PwAff.eq_set,
    ir.NE: isl.PwAff.ne_set,
    ir.LT: isl.PwAff.lt_set,
    ir.LE: isl.PwAff.le_set,
    ir.GT: isl.PwAff.gt_set,
    ir.GE: isl.PwAff.ge_set,
}
