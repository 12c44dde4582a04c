"""Walk and rebuild expressions and statements, each distinct node once.

    class _UnrollLoops(Rewriter):
        only = (For,)                       # nodes without a For below come back untouched
        def rewrite_For(self, loop: For) -> Stmt: ...

`Rewriter` memoises by node, so a method may depend on its node alone. What depends on the
surroundings (enclosing loops, lets) is a `ScopedRewriter`, which does not memoise. Unchanged
in, the same object out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from .depth import STEP, stepping_stones
from .expr import Expr, Let, Var
from .node import Node, NodeMeta, mask
from .stmt import Block, For, LetStmt, Stmt, block


class ScopedRewriter:
    """Dispatches `rewrite_<Class>`; rebuilds what has no method. Visits shared nodes once per occurrence."""

    only: ClassVar[tuple[NodeMeta, ...]] = ()
    _only_mask: ClassVar[int] = -1
    _methods: ClassVar[dict[type[Node], str]] = {}

    def __init_subclass__(cls) -> None:
        cls._only_mask = mask(*cls.only) if cls.only else -1

    def __init__(self) -> None:
        self._dispatch: dict[type[Node], Callable[[Any], Any]] = {}

    def __call__(self, node: Any) -> Any:
        if not node.kinds & self._only_mask:
            return node
        return self._visit(node)

    def _visit(self, node: Any) -> Any:
        cls = type(node)
        method = self._dispatch.get(cls)
        if method is None:
            method = self._dispatch[cls] = getattr(self, f"rewrite_{cls.__name__}", self.rebuild)
        return method(node)

    def rebuild(self, node: Any) -> Any:
        """The node with its children rewritten; itself where no child changed."""
        changed = False
        fields = []
        for value in node.fields():
            new = self._field(value)
            changed = changed or new is not value
            fields.append(new)
        if not changed:
            return node
        return block(*fields[0]) if type(node) is Block else type(node)(*fields)

    def _field(self, value: Any) -> Any:
        if isinstance(value, Node):
            return self(value)
        if type(value) is tuple:
            items = tuple(self._field(item) for item in value)
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        return value


class Rewriter(ScopedRewriter):
    """A ScopedRewriter that visits each distinct node once and shares the results."""

    def __init__(self) -> None:
        super().__init__()
        self._memo: dict[Node, Any] = {}
        self._depth = 0

    def __call__(self, node: Any) -> Any:
        if not node.kinds & self._only_mask:
            return node
        done = self._memo.get(node)
        if done is None:
            self._depth += 1
            if self._depth % STEP == 0:
                depth, self._depth = self._depth, 0
                for stone in stepping_stones(node, self._memo, kinds=self._only_mask):
                    self(stone)
                self._depth = depth
            done = self._memo[node] = self._visit(node)
            self._depth -= 1
        return done


class _Substitute(Rewriter):
    only = (Var,)

    def __init__(self, values: Mapping[str, Expr]) -> None:
        super().__init__()
        self.values = values

    def rewrite_Var(self, var: Var) -> Expr:
        return self.values.get(var.name, var)

    def rewrite_Let(self, let: Let) -> Expr:
        return Let(let.name, self(let.value), self._under(let.name, let.body))

    def rewrite_LetStmt(self, let: LetStmt) -> Stmt:
        return LetStmt(let.name, self(let.value), self._under(let.name, let.body))

    def rewrite_For(self, loop: For) -> Stmt:
        low, extent = self(loop.min), self(loop.extent)
        return For(loop.name, low, extent, loop.kind, self._under(loop.name, loop.body), loop.partition)

    def _under(self, name: str, body: Any) -> Any:
        if name not in self.values:
            return self(body)
        return substitute(body, {k: v for k, v in self.values.items() if k != name})


def substitute(node: Any, values: Mapping[str, Expr]) -> Any:
    """Replace free variables by name. Names bound inside `node` are left alone."""
    return _Substitute(values)(node) if values else node


def free_vars(node: Node) -> frozenset[str]:
    """Names of all Vars below (bound ones included; loop and let names are unique in lowered code)."""
    names: set[str] = set()
    seen: set[Node] = {node}
    stack: list[Node] = [node]
    while stack:
        top = stack.pop()
        if type(top) is Var:
            names.add(top.name)
            continue
        for child in top.children():
            if child.kinds & Var.bit and child not in seen:
                seen.add(child)
                stack.append(child)
    return frozenset(names)
