"""Expressions as a table of nodes: each stands after the nodes it is made of, once, however often it is used.

    x*2 + x*2    ->    ["Var","x","int32"]  ["Const",2,"int32"]  ["Mul",0,1]  ["Add",2,2]

Neither writing nor reading recurses, and a table has no cycles.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...dtypes import INT32, DType
from ...errors import SerializationError
from ...ir import expr as ir
from ...ir.groups import GROUP
from ...ir.node import Node
from ...ir.services import Trace
from ...ir.verify import verify_node
from ...schedule.memoized import TAG
from ...target_features import TargetArch, TargetFeature, TargetOS
from .document import Json
from .fields import Codec, Places, Tables, codec, expect, hints
from .malformed import Malformed, inside

# What definitions and directives are made of. Reads and vectors of memory are made by lowering only.
CLASSES: dict[str, type[ir.Expr]] = {
    cls.__name__: cls
    for cls in (
        ir.Const, ir.Var, ir.Param, ir.FuncAccess, ir.ImageAccess, ir.ImageProperty, ir.TargetQuery,
        ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.Min, ir.Max, *ir.COMPARISONS, ir.And, ir.Or, ir.Not,
        ir.Select, ir.Cast, ir.Call, ir.Let, ir.Effect, ir.Broadcast,
    )
}  # fmt: skip
_QUESTIONS: dict[str, type | None] = {
    "arch_is": TargetArch,
    "os_is": TargetOS,
    "has_feature": TargetFeature,
    "natural_vector_size": DType,
    "bits": None,
}


@cache
def _codecs(cls: type[ir.Expr]) -> tuple[Codec, ...]:
    return tuple(codec(hints(cls)[name]) for name in cls._fields)


def write_nodes(root: ir.Expr, known: dict[Node, int], table: list[Json], places: Places) -> int:
    """Add the expression's nodes that the table does not have, and give the place of the root."""
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
            continue
        missing = [child for child in node.children() if child not in known]
        if missing:
            stack.extend(missing)
            continue
        table.append(_written(node, places))
        known[stack.pop()] = len(table) - 1
    return known[root]


def _written(node: Node, places: Places) -> Json:
    cls = type(node)
    if not isinstance(node, ir.Expr) or CLASSES.get(cls.__name__) is not cls:
        raise SerializationError(f"an expression with a {cls.__name__} cannot be serialized")
    pairs = zip(_codecs(cls), node.fields(), strict=True)
    return [cls.__name__, *(field.write(value, places) for field, value in pairs)]


def read_node(data: Json, tables: Tables) -> ir.Expr:
    """One node, whose parts are in the tables already. Raises Malformed where its types do not fit."""
    if not expect(data, list) or not isinstance(data[0], str) or data[0] not in CLASSES:
        raise Malformed(f"`{str(data[:1])[:40]}` begins no expression")
    cls = CLASSES[data[0]]
    codecs = _codecs(cls)
    if len(data) != len(codecs) + 1:
        raise Malformed(f"{cls.__name__} has {len(codecs)} fields, not {len(data) - 1}")
    fields = []
    for name, field, content in zip(cls._fields, codecs, data[1:], strict=True):
        with inside(name):
            fields.append(field.read(content, tables))
    _check(cls, dict(zip(cls._fields, fields, strict=True)))
    node: ir.Expr = cls(*fields)
    if not _is_group(node):
        with inside():
            verify_node(node)
    return node


def _is_group(node: ir.Expr) -> bool:
    """Whether the node is several values at once, or a value with what keys it, which lowering takes apart."""
    if not isinstance(node, ir.Call) or node.name not in (GROUP, TAG):
        return False
    if node.name == TAG:
        if not node.args or node.args[0].dtype is not node.dtype or any(e.dtype.lanes > 1 for e in node.args):
            raise Malformed("a memoize_tag without a value, or of another type")
        return True
    if not node.args or any(e.dtype is not node.dtype for e in node.args):
        raise Malformed("a group without values, or with values of different types")
    return True


def _check(cls: type[ir.Expr], fields: dict[str, Any]) -> None:
    """What the node's own construction relies on."""
    if cls is ir.Const:
        dtype: DType = fields["dtype"]
        if (not dtype.is_integer and not dtype.is_float) or dtype.is_float is not isinstance(fields["value"], float):
            raise Malformed(f"{fields['value']!r} is no literal of type {dtype!r}")
    elif cls in (ir.ImageAccess, ir.ImageProperty):
        _check_image(fields)
    elif cls is ir.Broadcast and not 1 < fields["lanes"] * fields["value"].dtype.lanes <= 1 << 12:
        raise Malformed(f"a vector of {fields['lanes']} times {fields['value'].dtype!r}")
    elif cls is ir.Effect:
        _check_effect(fields)
    elif cls is ir.TargetQuery:
        wanted = _QUESTIONS.get(fields["question"], object)
        if wanted is object or type(fields["subject"]) is not (wanted or type(None)):
            raise Malformed(f"`{fields['question'][:40]}` of a {type(fields['subject']).__name__} is no question")


def _check_image(fields: dict[str, Any]) -> None:
    ref = fields["ref"]
    if "index" in fields:
        if ref.output is not None or len(fields["index"]) != ref.rank:
            raise Malformed(f"`{ref.name}` of {ref.rank} dimensions is read with {len(fields['index'])} indices")
        check_coordinates(fields["index"])
    elif fields["property"] not in ("min", "extent", "stride") or not 0 <= fields["dim"] < ref.rank:
        raise Malformed(f"`{ref.name}` has no {fields['property'][:40]} of dimension {fields['dim']}")


def _check_effect(fields: dict[str, Any]) -> None:
    service, args = fields["service"], fields["args"]
    if isinstance(service, Trace) or len(service.texts) != len(args) + 1:
        raise Malformed("a service with other texts and numbers than belong together")
    if any("\0" in text for text in service.texts):
        raise Malformed("a text with a NUL character")


def check_coordinates(index: tuple[ir.Expr, ...]) -> None:
    """Raises Malformed unless all are single int32."""
    for e in index:
        if e.dtype is not INT32:
            raise Malformed(f"an index of type {e.dtype!r}, not int32")
