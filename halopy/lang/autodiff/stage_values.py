"""A definition as it is differentiated: no lets, no effects, and every value a value.

f[r] = select(c, e, undef)    ->    f[r] = select(c, e, f[r])
"""

from __future__ import annotations

from functools import partial

from ...ir.effects import without_effects
from ...ir.expr import Call, Expr, FuncAccess, Let
from ...ir.function import Definition
from ...ir.map_definitions import map_definition
from ...ir.rewrite import Rewriter, substitute
from ..expressions.leaves import replace_leaves
from ..func_contents import FuncContents


def plain(definition: Definition) -> Definition:
    """Without lets and effects."""
    return map_definition(definition, lambda e: _WithoutLets()(without_effects(e)))


def plain_stage(func: FuncContents, stage: int) -> Definition:
    """`plain`; what an update leaves as it was is read from there."""
    definition = plain(func.defined_function.definitions[stage])
    if stage == 0:
        return definition
    values = tuple(
        replace_leaves(value, Call, partial(_kept_if_undefined, FuncAccess(func, definition.index, e, value.dtype)))
        if value.has(Call)
        else value
        for e, value in enumerate(definition.values)
    )
    return Definition(definition.index, values, definition.rdom, definition.location)


def _kept_if_undefined(own: Expr, call: Call) -> Expr:
    return own if call.name == "undef" else call


class _WithoutLets(Rewriter):
    only = (Let,)

    def rewrite_Let(self, let: Let) -> Expr:
        result: Expr = self(substitute(let.body, {let.name: let.value}))
        return result
