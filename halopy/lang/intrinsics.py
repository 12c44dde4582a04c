"""Choosing and marking values: `select`, `mux`, `min`, `max`, `clamp`, `abs`, `likely`, `undef`, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Protocol, TypeAlias, overload, runtime_checkable

from ..dtypes import BOOL, Code
from ..errors import DefinitionError, TypeMismatch
from ..ir import expr as nodes
from ..source import caller
from .advise import advise
from .expressions import operators
from .expressions.conversion import cast, lossless_cast, typed
from .expressions.expr import Expr, ExprLike, ToExpr, to_expr, to_node
from .expressions.types import Type, to_dtype

__all__ = [
    "abs", "absd", "clamp", "likely", "likely_if_innermost", "logical_and", "logical_not", "logical_or", "max", "min",
    "mux", "select", "strict_float", "undef", "unsafe_promise_clamped",
]  # fmt: skip


def min(*values: ToExpr) -> Expr:
    """The least of two or more values, in their common type."""
    return _extremum("min", nodes.Min, values)


def max(*values: ToExpr) -> Expr:
    """The greatest of two or more values, in their common type."""
    return _extremum("max", nodes.Max, values)


def _extremum(name: str, node: type[nodes.Binary], values: Sequence[ToExpr]) -> Expr:
    if len(values) < 2:
        raise DefinitionError(f"hl.{name} of {len(values)} values", location=caller(), accepted="two or more values")
    first_to_last = [to_node(value) for value in values]
    return Expr(reduce(lambda rest, value: operators.binary(node, value, rest), reversed(first_to_last)))


def clamp(value: ToExpr, min: ToExpr, max: ToExpr) -> Expr:
    """The value, held within [min, max]; the bounds must fit its type."""
    e = to_node(value)
    low, high = _fitting_bound("clamp", e, min), _fitting_bound("clamp", e, max)
    return Expr(nodes.Max(nodes.Min(e, high), low))


def unsafe_promise_clamped(value: ToExpr, min: ToExpr, max: ToExpr) -> Expr:
    """The value, promised without a check to lie in [min, max]; an undefined bound promises nothing."""
    e = to_node(value)
    of_type = Type.of(e.dtype)
    low = _fitting_bound("unsafe_promise_clamped", e, min if _is_defined(min) else of_type.min())
    high = _fitting_bound("unsafe_promise_clamped", e, max if _is_defined(max) else of_type.max())
    return Expr(nodes.Call("unsafe_promise_clamped", (e, low, high), e.dtype))


def _is_defined(value: ToExpr) -> bool:
    return not isinstance(value, Expr) or value.defined()


def _fitting_bound(what: str, e: nodes.Expr, bound: ToExpr) -> nodes.Expr:
    fitting = lossless_cast(e.dtype, to_node(bound))
    if fitting is None:
        raise TypeMismatch(
            f"hl.{what}: the bound {typed(to_node(bound))} does not fit {typed(e)}",
            location=caller(),
            accepted=f"bounds of type {e.dtype} or a narrower one; convert with hl.cast",
        )
    return fitting


def abs(value: ToExpr) -> Expr:
    """The magnitude: of a signed integer as the unsigned type of the same width, so that it always fits."""
    e = to_node(value)
    if e.dtype.is_uint:
        advise(f"hl.abs of {typed(e)} has no effect: it is never negative")
        return Expr(e)
    dtype = e.dtype.with_code(Code.UINT) if e.dtype.is_int else e.dtype
    return Expr(nodes.Call("abs", (e,), dtype))


def absd(a: ToExpr, b: ToExpr) -> Expr:
    """The distance |a - b|, without overflow: integers give the unsigned type."""
    x, y = operators.match_types(to_node(a), to_node(b))
    if x.dtype.is_float:
        return abs(Expr(nodes.Sub(x, y)))
    return Expr(nodes.Call("absd", (x, y), x.dtype.with_code(Code.UINT)))


@runtime_checkable
class TupleLike(Protocol):
    """Several values at one place: hl.Tuple, or f[x] of a tuple-valued Func."""

    def size(self) -> int: ...

    def __getitem__(self, element: int, /) -> ExprLike: ...


Choice: TypeAlias = "ToExpr | tuple[ToExpr, ...] | list[ToExpr] | TupleLike"


@overload
def select(condition: ToExpr, value: ToExpr, /, *rest: ToExpr) -> Expr: ...


@overload
def select(condition: Choice, value: Choice, /, *rest: Choice) -> Expr | tuple[Expr, ...]: ...


def select(*args: Choice) -> Expr | tuple[Expr, ...]:
    """`select(c0, v0, c1, v1, ..., otherwise)`: the value after the first condition that holds.

    All values have one type, except that integer literals take it. Tuples are chosen as a whole by one
    condition, or element by element by a tuple of conditions.
    """
    if len(args) < 3 or len(args) % 2 == 0:
        raise DefinitionError(
            f"hl.select of {len(args)} arguments",
            location=caller(),
            accepted="condition, value, ..., value otherwise: 3, 5, 7, ... arguments",
        )
    elements = [_elements(arg) for arg in args]
    if all(e is None for e in elements):
        return _choose_chain(list(map(to_node, args)))
    return _select_tuples(args, elements)


def _elements(value: Choice) -> tuple[Expr, ...] | None:
    """The values of a tuple; None for a single value."""
    if isinstance(value, tuple | list):
        return tuple(map(to_expr, value))
    if isinstance(value, TupleLike) and (value.size() > 1 or not isinstance(value, ExprLike)):
        return tuple(to_expr(value[i]) for i in range(value.size()))
    return None


def _select_tuples(args: Sequence[Choice], elements: Sequence[tuple[Expr, ...] | None]) -> tuple[Expr, ...]:
    values = [e for i, e in enumerate(elements) if i % 2 == 1 or i == len(elements) - 1]
    conditions = elements[0:-1:2]
    sizes = {len(e) for e in (*values, *conditions) if e is not None}
    wrong = ""
    if None in values:
        wrong = "select() on Tuples may not mix Expr and Tuple for the values."
    elif len({c is None for c in conditions}) != 1:
        wrong = "select() on Tuples may not mix Expr and Tuple for the condition elements."
    elif len(sizes) != 1:
        wrong = "select() on Tuples requires all Tuples to have identical sizes."
    if wrong:
        raise DefinitionError(
            wrong,
            location=caller(),
            accepted="all values tuples of one size; all conditions single, or all tuples of that size",
        )
    (size,) = sizes
    columns = [e or [to_expr(arg)] * size for e, arg in zip(elements, args, strict=True)]
    return tuple(_choose_chain([column.node for column in row]) for row in zip(*columns, strict=True))


def _choose_chain(args: Sequence[nodes.Expr]) -> Expr:
    chosen = args[-1]
    for position in range(len(args) - 2, 0, -2):
        chosen = _choose(args[position - 1], args[position], chosen)
    return Expr(chosen)


def _choose(condition: nodes.Expr, a: nodes.Expr, b: nodes.Expr) -> nodes.Expr:
    if _is_int_literal(condition):
        condition = cast(BOOL, condition)
    if _is_int_literal(a):
        a = cast(b.dtype, a)
    if _is_int_literal(b):
        b = cast(a.dtype, b)
    if not condition.dtype.is_bool:
        raise TypeMismatch(
            f"the condition of a select is {typed(condition)}", location=caller(), accepted="a boolean: e != 0"
        )
    if a.dtype is not b.dtype:
        raise TypeMismatch(
            f"the values of a select differ in type: {typed(a)} and {typed(b)}",
            location=caller(),
            accepted="one type; convert with hl.cast",
        )
    if a.dtype.lanes != condition.dtype.lanes:
        condition, _ = operators.match_lanes(condition, a)
    return nodes.Select(condition, a, b)


def _is_int_literal(e: nodes.Expr) -> bool:
    return isinstance(e, nodes.Const) and e.dtype.is_int


def mux(index: ToExpr, values: Iterable[Choice] | TupleLike) -> Expr | tuple[Expr, ...]:
    """The value numbered `index`; the last one for any other index. Tuples are chosen as a whole."""
    choices = _elements(values) if isinstance(values, TupleLike) else list(values)
    if not choices:
        raise DefinitionError("hl.mux of no values", location=caller(), accepted="at least one value")
    tuples = [_elements(choice) for choice in choices]
    if all(t is None for t in tuples):
        return _mux(to_expr(index), list(map(to_expr, choices)))
    columns = [t for t in tuples if t is not None]
    if len(columns) != len(tuples) or len({len(t) for t in columns}) != 1:
        raise DefinitionError("hl.mux mixes tuples with single values, or of different sizes", location=caller())
    return tuple(_mux(to_expr(index), column) for column in zip(*columns, strict=True))


def _mux(index: Expr, values: Sequence[Expr]) -> Expr:
    dtypes = [v.node.dtype for v in values]
    if any(dtype is not dtypes[0] for dtype in dtypes):
        raise TypeMismatch(
            f"the values of a mux differ in type: {', '.join(map(str, dict.fromkeys(dtypes)))}",
            location=caller(),
            accepted="one type; convert with hl.cast",
        )
    chosen = values[-1].node
    for position in range(len(values) - 2, -1, -1):
        chosen = nodes.Select((index == position).node, values[position].node, chosen)
    return Expr(chosen)


def logical_not(value: ToExpr) -> Expr:
    """The negation of a boolean."""
    return to_expr(value).logical_not()


def logical_and(a: ToExpr, b: ToExpr) -> Expr:
    """Both of two booleans."""
    return _logical("and", nodes.And, a, b)


def logical_or(a: ToExpr, b: ToExpr) -> Expr:
    """At least one of two booleans."""
    return _logical("or", nodes.Or, a, b)


def _logical(name: str, node: Callable[[nodes.Expr, nodes.Expr], nodes.Expr], a: ToExpr, b: ToExpr) -> Expr:
    x, y = to_node(a), to_node(b)
    for operand in (x, y):
        if not operand.dtype.is_bool:
            raise TypeMismatch(f"logical {name} of {typed(operand)}", location=caller(), accepted="booleans: e != 0")
    return Expr(node(*operators.match_lanes(x, y)))


def likely(value: ToExpr) -> Expr:
    """The value, which is the usual outcome of the min, max or select around it: loops are split to make it so."""
    return _marked("likely", value)


def likely_if_innermost(value: ToExpr) -> Expr:
    """Like `likely`, but only in innermost loops."""
    return _marked("likely_if_innermost", value)


def strict_float(value: ToExpr) -> Expr:
    """The value, computed as written: nothing in it is reassociated or contracted."""
    return _marked("strict_float", value)


def _marked(name: str, value: ToExpr) -> Expr:
    e = to_node(value)
    return Expr(nodes.Call(name, (e,), e.dtype))


def undef(type: Type) -> Expr:
    """No value: a definition that stores it leaves the place as it was."""
    return Expr(nodes.Call("undef", (), to_dtype(type)))
