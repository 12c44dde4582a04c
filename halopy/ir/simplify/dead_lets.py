"""Remove lets whose name nothing uses, and whose value has no effect.

let a = n + 1
let b = a*2         ->    out[0] = n
out[0] = n
"""

from __future__ import annotations

from typing import Any

from ..expr import Effect, Expr, Let, Var
from ..node import Node, walk
from ..rewrite import Rewriter, free_vars
from ..stmt import LetStmt, Stmt


def drop_dead_lets(node: Any) -> Any:
    """The node without them. Names of lets are taken as unique."""
    if not node.kinds & (Let.bit | LetStmt.bit):
        return node
    uses: dict[str, set[str]] = {}
    for n in walk(node):
        if isinstance(n, Let | LetStmt):
            uses.setdefault(n.name, set()).update(free_vars(n.value))
    return _DropDeadLets(_live(node, uses))(node)


def _live(node: Node, uses: dict[str, set[str]]) -> set[str]:
    """Names used outside the values of lets, or by the value of a let that is used."""
    live: set[str] = set()
    todo = _used_outside_values(node) + [n.name for n in walk(node) if isinstance(n, LetStmt) and n.value.has(Effect)]
    while todo:
        name = todo.pop()
        if name not in live:
            live.add(name)
            todo.extend(uses.get(name, ()))
    return live


def _used_outside_values(root: Node) -> list[str]:
    names: list[str] = []
    seen: set[Node] = {root}
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Var):
            names.append(node.name)
        for child in (node.body,) if isinstance(node, Let | LetStmt) else node.children():
            if child not in seen:
                seen.add(child)
                stack.append(child)
    return names


class _DropDeadLets(Rewriter):
    only = (Let, LetStmt)

    def __init__(self, live: set[str]) -> None:
        super().__init__()
        self.live = live

    def rewrite_Let(self, let: Let) -> Expr:
        return self.rebuild(let) if let.name in self.live else self(let.body)  # type: ignore[no-any-return]

    def rewrite_LetStmt(self, let: LetStmt) -> Stmt:
        return self.rebuild(let) if let.name in self.live else self(let.body)  # type: ignore[no-any-return]
