"""Round products of floats together with the sums that they are added to.

    f(x) = a(x)*b(x) + c(x)     ->     f(x) = multiply_add(a(x), b(x), c(x))

After inlining, so that an inlined product counts; while places are named by coordinates, so that indices can be told
from values and all schedules without other inlining compute the same bits. Funcs that an index depends on are left as
they are, and so are the sums of atomic updates: those are put together in another order anyway, by rules about sums.
"""

from __future__ import annotations

from collections.abc import Collection

from ..ir.contraction import contracted
from ..ir.expr import Add, Expr
from ..ir.rewrite import ScopedRewriter
from ..ir.stmt import Atomic, Provide, Stmt


def contract_products(stmt: Stmt, exact: Collection[str]) -> Stmt:
    """`exact` names the Funcs whose values an index depends on."""
    changed: Stmt = _ContractProducts(exact)(stmt)
    return changed


class _ContractProducts(ScopedRewriter):
    only = (Provide,)

    def __init__(self, exact: Collection[str]) -> None:
        super().__init__()
        self.exact = exact
        self.in_atomic = False

    def rewrite_Atomic(self, stmt: Atomic) -> Stmt:
        self.in_atomic = True
        new: Stmt = self.rebuild(stmt)
        self.in_atomic = False
        return new

    def rewrite_Provide(self, provide: Provide) -> Stmt:
        if provide.name in self.exact:
            return provide
        rule = _operands_contracted if self.in_atomic else contracted
        values = tuple(map(rule, provide.values))
        return provide if values == provide.values else provide.with_(values=values)


def _operands_contracted(value: Expr) -> Expr:
    """A sum with only what is added contracted."""
    if not isinstance(value, Add):
        return contracted(value)
    return Add(_operands_contracted(value.a), _operands_contracted(value.b))
