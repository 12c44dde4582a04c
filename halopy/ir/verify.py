"""Check that a statement is well formed; run between passes in tests."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from ..dtypes import BOOL, DType
from ..errors import InternalError
from . import expr as ir
from . import stmt as st
from .expr import Expr
from .intrinsics import ARITY
from .node import Node, walk
from .rewrite import free_vars
from .stmt import Stmt


def verify(root: Stmt | Expr, symbols: Container[str] | None = None) -> None:
    """Raise InternalError where types do not fit, a name is bound twice in one nest, or is not bound at all.

    `symbols` are the names that may occur free; None lets any.
    """
    for node in walk(root):
        verify_node(node)
    _check_names(root, symbols)


def verify_node(node: Node) -> None:
    """Raise InternalError where the types of one node do not fit, whatever is below it."""
    rule = _RULES.get(type(node))
    if rule is not None:
        rule(node)


def _demand(holds: object, node: Node, what: str) -> None:
    if not holds:
        raise InternalError(f"ill-formed {type(node).__name__}: {what}", reason=str(node).splitlines()[:4])


def _scalar_index(e: Expr, node: Node, what: str) -> None:
    _demand(e.dtype.is_index_like and e.dtype.lanes == 1, node, f"{what} is {e.dtype}, not a scalar int32")


def _check_names(root: Node, symbols: Container[str] | None) -> None:
    """Walk with the names bound on the way down; an expression only where it may hold a new fact."""
    todo: list[tuple[Node, frozenset[str]]] = [(root, frozenset())]
    while todo:
        node, bound = todo.pop()
        if isinstance(node, st.For | st.LetStmt | ir.Let):
            _demand(node.name not in bound, node, f"the name `{node.name}` is bound already")
            outside = (node.min, node.extent) if isinstance(node, st.For) else (node.value,)
            todo.extend((e, bound) for e in outside)
            todo.append((node.body, bound | {node.name}))
        elif isinstance(node, Stmt) or node.kinds & ir.Let.bit:
            todo.extend((child, bound) for child in node.children())
            if isinstance(node, ir.Var):
                _check_bound(node, {node.name}, bound, symbols)
        else:
            _check_bound(node, free_vars(node), bound, symbols)


def _check_bound(node: Node, names: Any, bound: frozenset[str], symbols: Container[str] | None) -> None:
    if symbols is not None:
        for name in names:
            _demand(name in bound or name in symbols, node, f"`{name}` is not defined here")


def _const(e: ir.Const) -> None:
    _demand(e.dtype.lanes == 1, e, f"a literal has one lane, not {e.dtype.lanes}")
    if e.dtype.is_integer:
        fits = isinstance(e.value, int) and e.dtype.can_hold(e.value)
        _demand(fits, e, f"{e.value} does not fit {e.dtype}")


def _binary(e: ir.Binary) -> None:
    _demand(e.a.dtype is e.b.dtype, e, f"operands are {e.a.dtype} and {e.b.dtype}")


def _logic(e: ir.Binary) -> None:
    _binary(e)
    _demand(e.a.dtype.is_bool, e, f"operands are {e.a.dtype}, not bool")


def _not(e: ir.Not) -> None:
    _demand(e.a.dtype.is_bool, e, f"operand is {e.a.dtype}, not bool")


def _select(e: ir.Select) -> None:
    _demand(e.a.dtype is e.b.dtype, e, f"choices are {e.a.dtype} and {e.b.dtype}")
    wanted = BOOL.with_lanes(e.a.dtype.lanes)
    _demand(e.condition.dtype is wanted, e, f"condition is {e.condition.dtype}, not {wanted}")


def _cast(e: ir.Cast) -> None:
    _demand(e.a.dtype.lanes == e.dtype.lanes, e, f"casts {e.a.dtype} to {e.dtype}")


def _call(e: ir.Call) -> None:
    arity = ARITY.get(e.name)
    _demand(arity is not None, e, f"`{e.name}` is no intrinsic")
    _demand(arity == len(e.args), e, f"`{e.name}` takes {arity} arguments, got {len(e.args)}")
    for a in e.args:
        _demand(a.dtype.lanes == e.dtype.lanes, e, f"an argument is {a.dtype}, the result {e.dtype}")


def _effect(e: ir.Effect) -> None:
    for a in (*e.args, *([] if e.where is None else [e.where])):
        _demand(a.dtype.lanes == e.dtype.lanes, e, f"an argument is {a.dtype}, the value {e.dtype}")
    _demand(e.where is None or e.where.dtype.is_bool, e, "`where` is no condition")


def _index(node: Node, index: Expr, value: DType, predicate: Expr | None) -> None:
    _demand(index.dtype.is_index_like, node, f"index is {index.dtype}")
    _demand(index.dtype.lanes == value.lanes, node, f"index is {index.dtype}, value {value}")
    if predicate is not None:
        wanted = BOOL.with_lanes(value.lanes)
        _demand(predicate.dtype is wanted, node, f"predicate is {predicate.dtype}, not {wanted}")


def _ramp(e: ir.Ramp) -> None:
    _demand(e.base.dtype is e.stride.dtype, e, f"base is {e.base.dtype}, stride {e.stride.dtype}")
    _demand(e.lanes > 1, e, f"{e.lanes} lanes")


def _broadcast(e: ir.Broadcast) -> None:
    _demand(e.lanes > 1, e, f"{e.lanes} lanes")


def _shuffle(e: ir.Shuffle) -> None:
    lanes = sum(v.dtype.lanes for v in e.vectors)
    _demand(e.vectors and e.indices, e, "nothing to shuffle")
    _demand(all(v.dtype.element is e.dtype.element for v in e.vectors), e, "vectors of different types")
    _demand(all(0 <= i < lanes for i in e.indices), e, f"an index lies outside {lanes} lanes")


def _reduce(e: ir.VectorReduce) -> None:
    _demand(e.op in ("add", "mul", "min", "max", "and", "or"), e, f"unknown operator {e.op}")
    lanes = e.value.dtype.lanes
    _demand(lanes % e.lanes == 0, e, f"{lanes} lanes do not fall into {e.lanes} groups")


def _read(e: ir.Read) -> None:
    for i in e.index:
        _demand(i.dtype.is_integer, e, f"an index is {i.dtype}")


def _for(s: st.For) -> None:
    _scalar_index(s.min, s, "min")
    _scalar_index(s.extent, s, "extent")


def _block(s: st.Block) -> None:
    _demand(not any(isinstance(part, st.Block) for part in s.stmts), s, "a block inside a block")
    _demand(len(s.stmts) != 1, s, "a block of one statement")


def _condition(s: st.If | st.Assert) -> None:
    _demand(s.condition.dtype is BOOL, s, f"condition is {s.condition.dtype}")


def _realize(s: st.Realize) -> None:
    for low, extent in s.bounds:
        _scalar_index(low, s, "min")
        _scalar_index(extent, s, "extent")


def _counted(s: st.Publish | st.Await) -> None:
    if s.value is not None:
        _scalar_index(s.value, s, "value")


_RULES: dict[type[Node], Callable[[Any], None]] = {
    ir.Const: _const,
    **dict.fromkeys((ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.Min, ir.Max, *ir.COMPARISONS), _binary),
    ir.And: _logic,
    ir.Or: _logic,
    ir.Not: _not,
    ir.Select: _select,
    ir.Cast: _cast,
    ir.Call: _call,
    ir.Effect: _effect,
    ir.Read: _read,
    ir.Load: lambda e: _index(e, e.index, e.dtype, e.predicate),
    ir.Ramp: _ramp,
    ir.Broadcast: _broadcast,
    ir.Shuffle: _shuffle,
    ir.VectorReduce: _reduce,
    st.For: _for,
    st.Block: _block,
    st.If: _condition,
    st.Assert: _condition,
    st.Realize: _realize,
    **dict.fromkeys((st.Publish, st.Await), _counted),
    st.Allocate: lambda s: _scalar_index(s.size, s, "size"),
    st.Store: lambda s: _index(s, s.index, s.value.dtype, s.predicate),
}
