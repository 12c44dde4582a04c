"""`lerp`: blending two values by a weight, exactly rounded for integers.

    lerp(zero, one, w) = zero * (1 - w) + one * w

An integer weight means w / (the greatest value of its type), so that 0 and that value are the ends.
"""

from __future__ import annotations

from ...dtypes import FLOAT32, FLOAT64, Code, DType
from ...errors import TypeMismatch
from ...ir import expr as nodes
from ...ir.expr import const
from ...source import caller
from ..intrinsics import select
from .conversion import cast, typed
from .expr import Expr, ToExpr, to_node
from .integer_functions import widening_mul

__all__ = ["lerp"]


def lerp(zero: ToExpr, one: ToExpr, weight: ToExpr) -> Expr:
    """zero where the weight is 0, one where it is 1 (or the greatest value of its unsigned type)."""
    a, b, w = to_node(zero), to_node(one), to_node(weight)
    if isinstance(a, nodes.Const) and a.dtype.is_int:
        a = cast(b.dtype, a)
    if isinstance(b, nodes.Const) and b.dtype.is_int:
        b = cast(a.dtype, b)
    _check(a, b, w)
    if a.dtype.is_bool:
        return _choose(a, b, w)
    if a.dtype.is_float:
        return _blend_floats(Expr(a), Expr(b), _float_weight(a.dtype, w))
    return _blend_integers(a, b, w)


def _check(a: nodes.Expr, b: nodes.Expr, w: nodes.Expr) -> None:
    if a.dtype is not b.dtype:
        raise TypeMismatch(
            f"hl.lerp between {typed(a)} and {typed(b)}", location=caller(), accepted="two values of one type"
        )
    if not (w.dtype.is_uint or w.dtype.is_float):
        raise TypeMismatch(
            f"hl.lerp with the weight {typed(w)}", location=caller(), accepted="an unsigned integer, or a float"
        )
    if not a.dtype.is_float and a.dtype.bits > 32:
        raise TypeMismatch(f"hl.lerp of {typed(a)}", location=caller(), accepted="floats, or up to 32 bits")
    if isinstance(w, nodes.Const) and w.dtype.is_float and not a.dtype.is_float and not 0 <= w.value <= 1:
        raise TypeMismatch(
            f"hl.lerp between integers with the weight {w.value}", location=caller(), accepted="weights from 0 to 1"
        )


def _choose(a: nodes.Expr, b: nodes.Expr, w: nodes.Expr) -> Expr:
    half = const(0.5 if w.dtype.is_float else w.dtype.max // 2, FLOAT32 if w.dtype.is_float else w.dtype)
    return select(Expr(w) > Expr(half), Expr(b), Expr(a))


def _float_weight(dtype: DType, w: nodes.Expr) -> Expr:
    if w.dtype.is_float:
        return Expr(w)
    return Expr(cast(dtype, w)) / Expr(const(float(w.dtype.max), dtype))


def _blend_floats(a: Expr, b: Expr, w: Expr) -> Expr:
    dtype = a.node.dtype
    blended = a * (Expr(const(1.0, dtype)) - w) + b * w
    return Expr(cast(dtype, blended.node))


def _blend_integers(a: nodes.Expr, b: nodes.Expr, w: nodes.Expr) -> Expr:
    """In the unsigned type, counted from the least value; the division rounds to the nearest."""
    unsigned = a.dtype.with_code(Code.UINT)
    least = Expr(cast(unsigned, const(a.dtype.min, a.dtype)))
    greatest = Expr(const(unsigned.max, unsigned))
    weight = _integer_weight(unsigned, w)
    from_least = [Expr(cast(unsigned, e)) - least if a.dtype.is_int else Expr(e) for e in (a, b)]
    total = widening_mul(from_least[0], greatest - weight) + widening_mul(from_least[1], weight)
    divisor, half = (Expr(const(value, total.node.dtype)) for value in (unsigned.max, unsigned.max // 2))
    blended = Expr(cast(unsigned, ((total + half) / divisor).node))
    return Expr(cast(a.dtype, (blended + least if a.dtype.is_int else blended).node))


def _integer_weight(unsigned: DType, w: nodes.Expr) -> Expr:
    """The weight rescaled from its own range to that of the unsigned type."""
    if w.dtype.is_float:
        if unsigned.bits == 32:  # float32 cannot hold the greatest value
            return Expr(cast(unsigned, (Expr(cast(FLOAT64, w)) * Expr(const(float(unsigned.max), FLOAT64))).node))
        return Expr(cast(unsigned, (Expr(const(unsigned.max, unsigned)) * Expr(w)).node))
    if w.dtype.bits <= unsigned.bits:
        return Expr(cast(unsigned, w)) * Expr(const(unsigned.max // w.dtype.max, unsigned))
    return Expr(cast(unsigned, (Expr(w) / Expr(const(w.dtype.max // unsigned.max, w.dtype))).node))
