"""Constructors that fold constants and drop what does nothing, in constant time.

    add(x, 0) -> x      mul(x, 1) -> x      minimum(3, 5) -> 3      select(TRUE, a, b) -> a

One of two operands may be an int, which takes the type of the other. Only the top of the
operands is looked at; `ir.simplify` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from ..dtypes import BOOL, INT32, DType
from . import expr as ir
from .expr import Broadcast, Cast, Const, Expr, const, const_value
from .fold import fold_binary, fold_call, fold_cast, is_exact
from .node import NodeMeta, mask

Operand = Expr | int


def as_expr(value: Operand, dtype: DType = INT32) -> Expr:
    """An int as a literal of `dtype`; an expression as it is."""
    return value if isinstance(value, Expr) else const(value, dtype)


def _pair(a: Operand, b: Operand) -> tuple[Expr, Expr]:
    if isinstance(a, Expr):
        return a, (b if isinstance(b, Expr) else const(b, a.dtype))
    return const(a, b.dtype if isinstance(b, Expr) else INT32), as_expr(b)


def _folded(operator: NodeMeta, a: Expr, b: Expr) -> Expr | None:
    """The literal that two literals give."""
    x, y = const_value(a), const_value(b)
    if x is None or y is None:
        return None
    value = fold_binary(operator, x, y, a.dtype.element)
    return const(value, _result_type(operator, a.dtype))


def _result_type(operator: NodeMeta, dtype: DType) -> DType:
    return BOOL.with_lanes(dtype.lanes) if issubclass(operator, ir.Compare) else dtype


def add(a: Operand, b: Operand) -> Expr:
    a, b = _pair(a, b)
    if type(a) is Const and type(b) is not Const:
        a, b = b, a
    if type(b) is Const and b.dtype.is_integer:
        if b.value == 0:
            return a
        if type(a) is ir.Add and type(a.b) is Const:
            return add(a.a, const(a.b.value + b.value, b.dtype))
    return _folded(ir.Add, a, b) or ir.Add(a, b)


def sub(a: Operand, b: Operand) -> Expr:
    a, b = _pair(a, b)
    if a.dtype.is_integer:
        if a is b:
            return const(0, a.dtype)
        if type(b) is Const:
            if b.value == 0:
                return a
            if a.dtype.is_int:
                return add(a, const(-b.value, b.dtype))
        if type(a) is ir.Add:
            if a.a is b:
                return a.b
            if a.b is b:
                return a.a
    return _folded(ir.Sub, a, b) or ir.Sub(a, b)


def mul(a: Operand, b: Operand) -> Expr:
    a, b = _pair(a, b)
    if type(a) is Const and type(b) is not Const:
        a, b = b, a
    x = const_value(b)
    if x == 1:
        return a
    if x == 0 and a.dtype.is_integer:
        return b
    return _folded(ir.Mul, a, b) or ir.Mul(a, b)


def div(a: Operand, b: Operand) -> Expr:
    a, b = _pair(a, b)
    if const_value(b) == 1:
        return a
    return _folded(ir.Div, a, b) or ir.Div(a, b)


def mod(a: Operand, b: Operand) -> Expr:
    a, b = _pair(a, b)
    if a.dtype.is_integer and const_value(b) == 1:
        return const(0, a.dtype)
    return _folded(ir.Mod, a, b) or ir.Mod(a, b)


def minimum(a: Operand, b: Operand) -> Expr:
    return _extremum(ir.Min, *_pair(a, b))


def maximum(a: Operand, b: Operand) -> Expr:
    return _extremum(ir.Max, *_pair(a, b))


def _extremum(operator: NodeMeta, a: Expr, b: Expr) -> Expr:
    if a is b:
        return a
    if type(a) is Const and a.dtype.is_integer and type(b) is not Const:
        a, b = b, a
    if type(b) is Const:
        if type(a) is Const:
            return const(fold_binary(operator, a.value, b.value, a.dtype), a.dtype)
        if type(a) is operator and type(a.b) is Const:
            return _extremum(operator, a.a, const(fold_binary(operator, a.b.value, b.value, b.dtype), b.dtype))
        return operator(a, b)  # type: ignore[no-any-return]
    if a.dtype.is_integer:
        if type(a) is operator and (a.a is b or a.b is b):
            return a
        if type(b) is operator and (b.a is a or b.b is a):
            return b
    return _shifted_extremum(operator, a, b) or _folded(operator, a, b) or operator(a, b)


def _shifted_extremum(operator: NodeMeta, a: Expr, b: Expr) -> Expr | None:
    """min(x + 3, x + 5) is x + 3 where x + 5 does not overflow."""
    if not a.dtype.is_index_like:
        return None
    base_a, shift_a = _base(a)
    base_b, shift_b = _base(b)
    if base_a is not base_b:
        return None
    return a if (shift_a < shift_b) == (operator is ir.Min) else b


_DATA = mask(ir.Load, ir.Read, ir.FuncAccess, ir.ImageAccess)


def _base(e: Expr) -> tuple[Expr, int]:
    """What is shifted and by how much; a value from memory counts as it is, since its sum may wrap."""
    if type(e) is ir.Add and type(e.b) is Const and not e.kinds & _DATA:
        return e.a, int(e.b.value)
    return e, 0


def clamp(e: Expr, low: Operand, high: Operand) -> Expr:
    """max(min(e, high), low)."""
    return maximum(minimum(e, high), low)


def _compare(operator: NodeMeta, on_equal: bool | None) -> Callable[[Operand, Operand], Expr]:
    """A comparison's constructor; `on_equal` is its answer where both sides are one integer."""

    def make(a: Operand, b: Operand) -> Expr:
        a, b = _pair(a, b)
        if a is b and a.dtype.is_integer:
            return const(bool(on_equal), BOOL.with_lanes(a.dtype.lanes))
        folded = _folded(operator, a, b)
        if folded is None and a.dtype.is_index_like:
            base_a, shift_a = _base(a)
            base_b, shift_b = _base(b)
            if base_a is base_b:
                value = fold_binary(operator, shift_a, shift_b, a.dtype.element)
                return const(value, BOOL.with_lanes(a.dtype.lanes))
        return folded or operator(a, b)

    make.__name__ = operator.__name__.lower()
    return make


eq = _compare(ir.EQ, True)
ne = _compare(ir.NE, False)
lt = _compare(ir.LT, False)
le = _compare(ir.LE, True)
gt = _compare(ir.GT, False)
ge = _compare(ir.GE, True)


def logical_and(a: Expr, b: Expr) -> Expr:
    x, y = const_value(a), const_value(b)
    if x is not None:
        return b if x else a
    if y is not None:
        return a if y else b
    return a if a is b else ir.And(a, b)


def logical_or(a: Expr, b: Expr) -> Expr:
    x, y = const_value(a), const_value(b)
    if x is not None:
        return a if x else b
    if y is not None:
        return b if y else a
    return a if a is b else ir.Or(a, b)


def logical_not(a: Expr) -> Expr:
    x = const_value(a)
    if x is not None:
        return const(not x, a.dtype)
    if type(a) is ir.Not:
        return a.a
    opposite = _OPPOSITE.get(type(a))
    if opposite is not None and isinstance(a, ir.Compare) and (a.a.dtype.is_integer or opposite in (ir.EQ, ir.NE)):
        return opposite(a.a, a.b)  # type: ignore[no-any-return]
    return ir.Not(a)


_OPPOSITE: dict[type, NodeMeta] = {
    ir.EQ: ir.NE, ir.NE: ir.EQ, ir.LT: ir.GE, ir.GE: ir.LT, ir.GT: ir.LE, ir.LE: ir.GT,
}  # fmt: skip


def select(condition: Expr, a: Operand, b: Operand) -> Expr:
    a, b = _pair(a, b)
    c = const_value(condition)
    if c is not None:
        return a if c else b
    return a if a is b else ir.Select(condition, a, b)


def cast(dtype: DType, e: Expr) -> Expr:
    """`e` as `dtype`, whose lanes are those of `e`."""
    if e.dtype is dtype:
        return e
    if type(e) is Const:
        return const(fold_cast(e.value, e.dtype, dtype), dtype)
    if type(e) is Broadcast:
        return Broadcast(cast(dtype.with_lanes(e.value.dtype.lanes), e.value), e.lanes)
    return Cast(dtype, e)


def call(name: str, args: tuple[Expr, ...], dtype: DType) -> Expr:
    """A call, folded where all arguments are literals and every machine gives the same bits."""
    if is_exact(name):
        values = [const_value(a) for a in args]
        known = [v for v in values if v is not None]
        if len(known) == len(values):
            value = fold_call(name, known, [a.dtype.element for a in args], dtype.element)
            assert value is not None, f"{name} is exact, so it folds"
            return const(value, dtype)
    return ir.Call(name, args, dtype)


def ramp(base: Expr, stride: Operand, lanes: int) -> Expr:
    stride = as_expr(stride, base.dtype)
    if lanes == 1:
        return base
    if const_value(stride) == 0 and base.dtype.is_integer:
        return broadcast(base, lanes)
    return ir.Ramp(base, stride, lanes)


def broadcast(value: Expr, lanes: int) -> Expr:
    if lanes == 1:
        return value
    if type(value) is Broadcast:
        return Broadcast(value.value, value.lanes * lanes)
    return Broadcast(value, lanes)


def let(name: str, value: Expr, body: Expr) -> Expr:
    """`body` with `name` standing for `value`; without the let where `body` uses no Var."""
    return ir.Let(name, value, body) if body.kinds & ir.Var.bit else body


BINARY: dict[NodeMeta, Callable[[Expr, Expr], Expr]] = {
    ir.Add: add, ir.Sub: sub, ir.Mul: mul, ir.Div: div, ir.Mod: mod, ir.Min: minimum, ir.Max: maximum,
    ir.EQ: eq, ir.NE: ne, ir.LT: lt, ir.LE: le, ir.GT: gt, ir.GE: ge, ir.And: logical_and, ir.Or: logical_or,
}  # fmt: skip


def binary(operator: NodeMeta, a: Expr, b: Expr) -> Expr:
    """The constructor above that belongs to a node class."""
    return BINARY[operator](a, b)
