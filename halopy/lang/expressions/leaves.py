"""Find and replace leaves of user-level expressions of any depth: no recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...ir.expr import Expr
from ...ir.node import Node, NodeMeta, mask


def leaves(root: Expr, *kinds: NodeMeta) -> Iterator[Any]:
    """The distinct nodes of those kinds, from left to right as they are written."""
    wanted = mask(*kinds)
    seen: set[Node] = set()
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if node in seen or not node.kinds & wanted:
            continue
        seen.add(node)
        if isinstance(node, kinds):
            yield node
        stack.extend(reversed(tuple(node.children())))


def replace_leaves(root: Expr, kind: NodeMeta, replacement: Callable[[Any], Expr]) -> Expr:
    """The expression with each node of that kind replaced; itself where there is none."""
    wanted = mask(kind)
    done: dict[Node, Node] = {}
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
        elif not node.kinds & wanted:
            done[stack.pop()] = node
        elif isinstance(node, kind):
            done[stack.pop()] = replacement(node)
        else:
            missing = [child for child in node.children() if child not in done]
            if missing:
                stack.extend(missing)
            else:
                done[stack.pop()] = type(node)(*(_replaced(field, done) for field in node.fields()))
    result = done[root]
    assert isinstance(result, Expr), "replacing leaves of an expression gives one"
    return result


def _replaced(field: object, done: dict[Node, Node]) -> object:
    if isinstance(field, Node):
        return done[field]
    return tuple(_replaced(item, done) for item in field) if type(field) is tuple else field
