"""isl's piecewise affine functions of parameters, back as expressions.

A function that is everywhere the greatest (or the least) of its pieces becomes max (or min) of
them; any other becomes select over conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import islpy as isl

from ..dtypes import INT32
from ..ir import build
from ..ir.expr import Expr, Var, const

MOST_PIECES = 4
MOST_OPERATIONS = 24


def expr_of(function: isl.PwAff, where: isl.Set) -> Expr | None:
    """The function as an expression that is right inside `where`; None where that would be long."""
    function = function.gist(where).coalesce()
    pieces = [aff for _, aff in function.get_pieces()]
    if not 1 <= len(pieces) <= MOST_PIECES:
        return None
    builder = isl.AstBuild.from_context(where)
    if len(pieces) > 1:
        combined = _extremum(function, pieces, where, builder)
        if combined is not None:
            return combined
    return _short(builder.expr_from_pw_aff(function))


def _extremum(function: isl.PwAff, pieces: list[isl.Aff], where: isl.Set, builder: isl.AstBuild) -> Expr | None:
    """max or min of the pieces, where that is the function."""
    functions = [isl.PwAff.from_aff(a) for a in pieces]
    inside = function.intersect_domain(where)
    for combine, make in ((isl.PwAff.max, build.maximum), (isl.PwAff.min, build.minimum)):
        if reduce(combine, functions).intersect_domain(where).is_equal(inside):
            parts = [_short(builder.expr_from_pw_aff(f)) for f in functions]
            known = [p for p in parts if p is not None]
            return reduce(make, known) if len(known) == len(parts) else None
    return None


def _short(e: isl.AstExpr) -> Expr | None:
    return _convert(e) if _operations(e) <= MOST_OPERATIONS else None


def _operations(e: isl.AstExpr) -> int:
    """How many operations there are; too many where a literal does not fit."""
    kind = isl.ast_expr_type(e.get_type())
    if kind is isl.ast_expr_type.int:
        return 0 if INT32.can_hold(_literal(e)) else MOST_OPERATIONS + 1
    if kind is not isl.ast_expr_type.op:
        return 0
    return 1 + sum(_operations(e.get_op_arg(k)) for k in range(e.get_op_n_arg()))


def _literal(e: isl.AstExpr) -> int:
    """Read without allocating: `to_str` gives None, and no error, once the operation limit is hit."""
    return e.get_val().get_num_si()


def _convert(e: isl.AstExpr) -> Expr:
    kind = isl.ast_expr_type(e.get_type())
    if kind is isl.ast_expr_type.int:
        return const(_literal(e))
    if kind is isl.ast_expr_type.id:
        return Var(e.get_id().get_name())
    operands = [_convert(e.get_op_arg(k)) for k in range(e.get_op_n_arg())]
    return _combine(isl.ast_expr_op_type(e.get_op_type()), operands)


def _combine(operator: isl.ast_expr_op_type, operands: list[Expr]) -> Expr:
    """One operation of isl's syntax tree; min and max take any number of operands."""
    if operator in _NARY:
        return reduce(_NARY[operator], operands)
    return _FIXED[operator](*operands)


_op = isl.ast_expr_op_type
_NARY: Mapping[isl.ast_expr_op_type, Callable[[Expr, Expr], Expr]] = {_op.max: build.maximum, _op.min: build.minimum}
_FIXED: Mapping[isl.ast_expr_op_type, Callable[..., Expr]] = {
    _op.minus: lambda a: build.sub(0, a),
    _op.add: build.add,
    _op.sub: build.sub,
    _op.mul: build.mul,
    _op.div: build.div,  # exact
    _op.fdiv_q: build.div,  # rounds down; divisors are positive
    _op.pdiv_q: build.div,  # of what is not negative
    _op.pdiv_r: build.mod,
    _op.zdiv_r: build.mod,  # only compared with 0
    _op.cond: build.select,
    _op.select: build.select,
    _op.__members__["and_"]: build.logical_and,
    _op.and_then: build.logical_and,
    _op.__members__["or_"]: build.logical_or,
    _op.or_else: build.logical_or,
    _op.eq: build.eq,
    _op.le: build.le,
    _op.lt: build.lt,
    _op.ge: build.ge,
    _op.gt: build.gt,
}
