"""Sizes and conditions of directives as Python text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...dtypes import BOOL, INT32, Code, DType
from ...errors import SerializationError
from ...ir import expr as ir
from ...ir.node import Node

_LONGEST = 10_000
_OPERATORS: dict[type[Node], str] = {
    ir.Add: "+", ir.Sub: "-", ir.Mul: "*", ir.Div: "/", ir.Mod: "%", ir.And: "&", ir.Or: "|",
    ir.EQ: "==", ir.NE: "!=", ir.LT: "<", ir.LE: "<=", ir.GT: ">", ir.GE: ">=",
}  # fmt: skip
_TYPES = {Code.INT: "Int", Code.UINT: "UInt", Code.FLOAT: "Float", Code.BFLOAT: "BFloat"}


def type_text(dtype: DType) -> str:
    """`hl.UInt(8)`"""
    return "hl.Bool()" if dtype is BOOL else f"hl.{_TYPES[dtype.code]}({dtype.bits})"


def size_text(e: ir.Expr, name_of: Callable[[Any], str]) -> str:
    """The expression as a user would write it; `name_of` gives a Param's or input's name there.

    Raises SerializationError for what a size is seldom made of.
    """
    done: dict[Node, str] = {}
    stack: list[Node] = [e]
    while stack:
        node = stack[-1]
        missing = [child for child in node.children() if child not in done]
        if node in done or not missing:
            done.setdefault(stack.pop(), _text(node, done, name_of))
        stack.extend(missing)
    text = done[e]
    return text[1:-1] if text.startswith("(") else text


def _text(node: Node, done: Mapping[Node, str], name_of: Callable[[Any], str]) -> str:
    parts = [done[child] for child in node.children()]
    if sum(map(len, parts)) > _LONGEST:
        raise SerializationError("a size of the schedule is too long for a line of Python")
    if type(node) in _OPERATORS:
        return f"({parts[0]} {_OPERATORS[type(node)]} {parts[1]})"
    match node:
        case ir.Const():
            return _literal(node)
        case ir.Param():
            return name_of(node.ref)
        case ir.ImageProperty():
            return f"{name_of(node.ref)}.dim({node.dim}).{node.property}()"
        case ir.TargetQuery():
            return _question(node)
        case ir.Min() | ir.Max():
            return f"hl.{type(node).__name__.lower()}({parts[0]}, {parts[1]})"
        case ir.Not():
            return f"~{parts[0]}"
        case ir.Select():
            return f"hl.select({', '.join(parts)})"
        case ir.Cast():
            return f"hl.cast({type_text(node.dtype)}, {parts[0]})"
    raise SerializationError(f"a size of the schedule, `{str(node)[:80]}`, has no Python form here")


def _literal(node: ir.Const) -> str:
    value = repr(bool(node.value)) if node.dtype is BOOL else f'float("{node.value}")' if node.dtype.is_float else None
    plain = repr(node.value) if value is None else value
    return plain if node.dtype is INT32 else f"hl.cast({type_text(node.dtype)}, {plain})"


def _question(node: ir.TargetQuery) -> str:
    subject = node.subject
    about = type_text(subject) if isinstance(subject, DType) else ""
    if subject is not None and not isinstance(subject, DType):
        about = f"hl.{type(subject).__name__}.{subject.name}"
    return f"hl.target_{node.question}({about})"
