"""A total order of nodes that is the same in every run: it follows structure, not memory addresses."""

from __future__ import annotations

from zlib import crc32

from .expr import Add, Cast, Const, Expr, Load, Ramp, Read, Sub, Var
from .node import Node
from .refs import DomainRef, FunctionRef, ImageRef, ScalarRef

Key = tuple[int, str, int, tuple[int, ...]]

_LIMIT = 1 << 17
_digests: dict[Node, int] = {}
_keys: dict[Expr, Key] = {}


def order_key(e: Expr) -> Key:
    """Sorts compound terms before variables, variables by name, and reads of neighbours by where they lie.

    Neighbours that are read in the order of their addresses are what a processor's prefetcher expects.
    """
    key = _keys.get(e)
    if key is None:
        if len(_keys) > _LIMIT:
            _keys.clear()
        key = _keys[e] = _key(e)
    return key


def _key(e: Expr) -> Key:
    if type(e) is Var:
        return 1, e.name, digest(e), ()
    access = e
    while isinstance(access, Cast):
        access = access.a
    if isinstance(access, Read):
        rests, offsets = zip(*map(_split_offset, access.index), strict=True) if access.index else ((), ())
        return (
            0,
            access.name,
            crc32(f"{type(e).__name__}{access.element}{[*map(digest, rests)]}".encode()),
            offsets[::-1],
        )
    if isinstance(access, Load):
        index = access.index
        rest, offset = _split_offset(index.base if isinstance(index, Ramp) else index)
        return 0, access.buffer, crc32(f"{type(e).__name__}{digest(rest)}".encode()), (offset,)
    return 0, type(e).__name__, digest(e), ()


def _split_offset(index: Expr) -> tuple[Expr, int]:
    """An index as a sum that ends with a number."""
    if isinstance(index, Add | Sub) and isinstance(index.b, Const) and index.dtype.lanes == 1:
        number = int(index.b.value)
        return index.a, number if isinstance(index, Add) else -number
    return index, 0


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
