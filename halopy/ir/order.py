"""A total order of nodes that is the same in every run: it follows structure, not memory addresses."""

from __future__ import annotations

from zlib import crc32

from .expr import Expr, Read, Var
from .node import Node
from .refs import DomainRef, FunctionRef, ImageRef, ScalarRef

Key = tuple[int, str, int]

_LIMIT = 1 << 17
_digests: dict[Node, int] = {}
_keys: dict[Expr, Key] = {}


def order_key(e: Expr) -> Key:
    """Sorts compound terms before variables, and variables by name."""
    key = _keys.get(e)
    if key is None:
        if len(_keys) > _LIMIT:
            _keys.clear()
        name = e.name if isinstance(e, Var | Read) else type(e).__name__
        key = _keys[e] = (int(type(e) is Var), name, digest(e))
    return key


def digest(root: Node) -> int:
    """A checksum of the structure below."""
    found = _digests.get(root)
    if found is not None:
        return found
    if len(_digests) > _LIMIT:
        _digests.clear()
    stack = [root]
    while stack:
        node = stack[-1]
        missing = [child for child in node.children() if child not in _digests]
        if missing:
            stack.extend(missing)
        else:
            _digests[node] = crc32(f"{type(node).__name__}{[_part(f) for f in node.fields()]}".encode())
            stack.pop()
    return _digests[root]


def _part(field: object) -> object:
    if isinstance(field, Node):
        return _digests[field]
    if type(field) is tuple:
        return [_part(item) for item in field]
    return field.name if isinstance(field, FunctionRef | ImageRef | ScalarRef | DomainRef) else field
