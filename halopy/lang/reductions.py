"""Reductions inside an expression: `sum(f[x + r])` is a new Func with an update over r, read at x.

    def sum(e):              sum_f[x] = 0
        ...              ->  sum_f[x] += e         # over the RDom that e uses
                             sum_f[x]

The free Vars of e are its arguments. A given RDom selects among several: other reduction variables
in e count as free. In each function, `rdom` may be left out: `sum(e)`, `sum(rdom, e)`, either with a name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..dtypes import INT32
from ..errors import DefinitionError
from ..ir import expr as nodes
from ..ir.expr import const
from ..ir.refs import DomainRef
from ..source import caller
from .expressions import operators
from .expressions.conversion import show
from .expressions.expr import Expr, ToExpr, to_node
from .expressions.leaves import leaves, replace_leaves
from .expressions.types import Type
from .expressions.var import Var
from .func import Func
from .intrinsics import select
from .rdom import RDom, only_domain

__all__ = ["argmax", "argmin", "maximum", "minimum", "product", "sum"]


def sum(rdom: RDom | ToExpr | None = None, expr: ToExpr | str | None = None, name: str = "sum") -> Expr:
    """The sum of the expression over its reduction domain, in its own type (it wraps there)."""
    reduction = _Reduction.of("sum", rdom, expr, name)
    return reduction.fold(const(0, reduction.value.dtype), lambda f, e: operators.binary(nodes.Add, f, e))


def product(rdom: RDom | ToExpr | None = None, expr: ToExpr | str | None = None, name: str = "product") -> Expr:
    """The product of the expression over its reduction domain."""
    reduction = _Reduction.of("product", rdom, expr, name)
    return reduction.fold(const(1, reduction.value.dtype), lambda f, e: operators.binary(nodes.Mul, f, e))


def maximum(rdom: RDom | ToExpr | None = None, expr: ToExpr | str | None = None, name: str = "maximum") -> Expr:
    """The greatest value of the expression over its reduction domain."""
    reduction = _Reduction.of("maximum", rdom, expr, name)
    return reduction.fold(_least(reduction.value), lambda f, e: operators.binary(nodes.Max, f, e))


def minimum(rdom: RDom | ToExpr | None = None, expr: ToExpr | str | None = None, name: str = "minimum") -> Expr:
    """The least value of the expression over its reduction domain."""
    reduction = _Reduction.of("minimum", rdom, expr, name)
    return reduction.fold(_greatest(reduction.value), lambda f, e: operators.binary(nodes.Min, f, e))


def argmax(
    rdom: RDom | ToExpr | None = None, expr: ToExpr | str | None = None, name: str = "argmax"
) -> tuple[Expr, ...]:
    """(r.x, r.y, ..., value) where the expression is greatest; the first such place."""
    reduction = _Reduction.of("argmax", rdom, expr, name)
    return reduction.search(_least(reduction.value), nodes.GT)


def argmin(
    rdom: RDom | ToExpr | None = None, expr: ToExpr | str | None = None, name: str = "argmin"
) -> tuple[Expr, ...]:
    """(r.x, r.y, ..., value) where the expression is least; the first such place."""
    reduction = _Reduction.of("argmin", rdom, expr, name)
    return reduction.search(_greatest(reduction.value), nodes.LT)


def _least(e: nodes.Expr) -> nodes.Expr:
    return Type.of(e.dtype).min().node


def _greatest(e: nodes.Expr) -> nodes.Expr:
    return Type.of(e.dtype).max().node


@dataclass(frozen=True, slots=True)
class _Reduction:
    """`value` over `domain`, for all `variables`; read at `places`."""

    name: str
    value: nodes.Expr
    domain: DomainRef
    variables: tuple[Var, ...]
    places: tuple[Expr, ...]

    @classmethod
    def of(cls, kind: str, rdom: object, expr: object, name: str) -> _Reduction:
        if isinstance(expr, str):
            return cls.of(kind, rdom, None, expr)
        if expr is None:
            rdom, expr = None, rdom
        value = to_node(expr)
        domain = rdom.domain() if isinstance(rdom, RDom) else only_domain([value])
        if domain is None or not isinstance(rdom, RDom | None):
            raise DefinitionError(
                f"hl.{kind} of `{show(value)}` over no reduction domain",
                location=caller(),
                accepted=f"an expression with an RDom, such as hl.{kind}(f[x + r]), or hl.{kind}(r, f[x + r])",
            )
        value, variables, places = _free_variables(value, domain)
        return cls(name, value, domain, variables, places)

    def fold(self, start: nodes.Expr, step: Callable[[nodes.Expr, nodes.Expr], nodes.Expr]) -> Expr:
        """A Func that starts there and takes one step for each value."""
        func = Func(self.name)
        func[self.variables] = Expr(start)
        func[self.variables] = Expr(step(to_node(func[self.variables]), self.value))
        return Expr(to_node(func[self.places]))

    def search(self, start: nodes.Expr, better: type[nodes.Binary]) -> tuple[Expr, ...]:
        """A Func of the place and the value of the best one so far."""
        func = Func(self.name)
        place = [Expr(nodes.RVarAccess(self.domain, i)) for i in range(len(self.domain.mins))]
        func[self.variables] = (*(Expr(const(0, INT32)) for _ in place), Expr(start))
        best = tuple(Expr(to_node(element)) for element in func[self.variables])
        is_better = Expr(operators.binary(better, self.value, best[-1].node))
        func[self.variables] = select(is_better, (*place, Expr(self.value)), best)
        return tuple(Expr(to_node(element)) for element in func[self.places])


def _free_variables(value: nodes.Expr, domain: DomainRef) -> tuple[nodes.Expr, tuple[Var, ...], tuple[Expr, ...]]:
    """What else than the domain the value depends on: the value over new Vars for reduction variables, all its
    Vars in order of appearance, and what they stand for where the reduction is read.
    """
    variables: dict[nodes.Expr, Var] = {}
    for e in (value, domain.predicate):
        for leaf in leaves(e, nodes.Var, nodes.RVarAccess) if e is not None else ():
            if isinstance(leaf, nodes.Var):
                variables.setdefault(leaf, Var(leaf.name))
            elif leaf.ref is not domain:
                variables.setdefault(leaf, Var())
    freed = replace_leaves(value, nodes.RVarAccess, lambda r: to_node(variables[r]) if r in variables else r)
    return freed, tuple(variables.values()), tuple(map(Expr, variables))
