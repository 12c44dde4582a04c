"""What is read before the statement that needs it: nothing may be stored there meanwhile.

let shared = in[x]
out[x] = shared            `in` is not stored to between its read and the last use of `shared`
out[x + w] = shared
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...ir.expr import Effect, Expr, Load
from ...ir.node import find
from ...ir.stmt import LetStmt, Store
from ..validation.names import names_in
from .paths import Leaf, Loop, Name


def doubt(leaves: Sequence[Leaf], order: int, early: frozenset[str]) -> str:
    """Why a leaf may use what is out of date; empty where it does not. `early` are names only the printed text has."""
    leaf = leaves[order]
    for at, let in _used(leaves, order, early):
        read = {load.buffer for load in find(let.value, Load)}
        for other in leaves[at + 1 : _end(leaves, order, let)]:
            node = other.node
            if (isinstance(node, Store) and node.buffer in read) or (read and node.has(Effect)):
                return f"what {let.name} reads may be stored to before it is used in {leaf.node}"
    return ""


def expressions(leaf: Leaf, early: frozenset[str]) -> list[Expr]:
    """Those of a leaf, and what was read early for them."""
    found = [child for child in leaf.node.children() if isinstance(child, Expr)]
    names = {name for e in found for name in names_in(e)}
    for step in reversed(leaf.path):
        if isinstance(step, Name) and step.name in early and step.name in names:
            found.append(step.value)
            names |= names_in(step.value)
    return found


def _used(leaves: Sequence[Leaf], order: int, early: frozenset[str]) -> Iterator[tuple[int, LetStmt]]:
    """Lets by which the leaf reads early, and where they stand."""
    values = {step.name: step.value for step in leaves[order].path if isinstance(step, Name) and step.name in early}
    if not values:
        return
    needed = expressions(leaves[order], early)
    for at in range(order - 1, -1, -1):
        node = leaves[at].node
        if isinstance(node, LetStmt) and values.get(node.name) is node.value and node.value in needed:
            del values[node.name]
            yield at, node


def _end(leaves: Sequence[Leaf], order: int, let: LetStmt) -> int:
    """Where the text ends that runs between the let and a leaf, maybe in an earlier iteration."""
    path = leaves[order].path
    inside = path[next(n for n, step in enumerate(path) if isinstance(step, Name) and step.name == let.name) :]
    loop = next((step for step in inside if isinstance(step, Loop)), None)
    if loop is None:
        return order
    return max(n for n, leaf in enumerate(leaves) if loop in leaf.path) + 1
