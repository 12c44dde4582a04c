"""A short text that differs for functions that compute different values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from .function import Function
from .node import Node
from .program import expressions


def fingerprint(functions: Iterable[Function]) -> str:
    """Of some functions with all their definitions, in this order."""
    digest = hashlib.blake2b(digest_size=16)
    known: dict[Node, str] = {}
    for f in functions:
        digest.update(repr((f.name, f.args, list(map(str, f.dtypes)))).encode())
        for d in f.all_definitions():
            shape = [len(d.index), len(d.values), [v.name for v in d.rdom.vars] if d.rdom else None]
            digest.update(repr((shape, bool(d.rdom and d.rdom.predicate is not None))).encode())
        for root in expressions(f):
            digest.update(_of_node(root, known).encode())
    return digest.hexdigest()


def _of_node(root: Node, known: dict[Node, str]) -> str:
    stack = [root]
    while stack:
        below = [child for child in stack[-1].children() if child not in known]
        if below:
            stack.extend(below)
        else:
            node = stack.pop()
            known[node] = _digest((type(node).__name__, *(_of_field(field, known) for field in node.fields())))
    return known[root]


def _of_field(field: Any, known: dict[Node, str]) -> Any:
    if isinstance(field, Node):
        return known[field]
    if type(field) is tuple:
        return tuple(_of_field(item, known) for item in field)
    return field if isinstance(field, int | float | str | None) else str(field)


def _digest(parts: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
