"""Replace each UNROLLED loop by one copy of its body per iteration.

    unrolled (xi, 0, 2) {                    out[xo*2] = in[xo*2]
      out[xo*2 + xi] = in[xo*2 + xi]    ->   out[xo*2 + 1] = in[xo*2 + 1]
    }

Needs constant extents; a ScheduleError names the loop that has none. Leaves no UNROLLED loop behind.
Loops and lets inside the second and later copies get new names: `y` becomes `y'1`, `y'2`, … (what
stands before the first `'` is the name that the schedule knows).
"""

from __future__ import annotations

from ..errors import ScheduleError
from ..ir.build import add, let
from ..ir.expr import Expr, Let, Var, const_value
from ..ir.node import Node, find
from ..ir.rewrite import Rewriter
from ..ir.simplify import simplify
from ..ir.stmt import For, LetStmt, LoopKind, Stmt, block
from .folding import FoldingRewriter


def unroll_loops(stmt: Stmt) -> Stmt:
    if not has_loop(stmt, LoopKind.UNROLLED):
        return stmt
    unrolled: Stmt = _UnrollLoops()(stmt)
    return unrolled


class _UnrollLoops(Rewriter):
    only = (For,)

    def rewrite_For(self, loop: For) -> Stmt:
        body = self(loop.body)
        if loop.kind is not LoopKind.UNROLLED:
            return loop if body is loop.body else loop.with_(body=body)
        bound = _bound_names(body)
        return block(*(_copy(body, loop, bound, i) for i in range(constant_extent(loop))))


def has_loop(stmt: Stmt, kind: LoopKind) -> bool:
    """Whether a loop of that kind is in the statement."""
    return any(loop.kind is kind for loop in find(stmt, For))


def constant_extent(loop: For) -> int:
    """The trip count of a loop that is unrolled or vectorised. Raises ScheduleError where it is not one number."""
    extent = const_value(simplify(loop.extent))
    if extent is None:
        raise ScheduleError(
            f"loop {loop.name} is {loop.kind.value}, but its extent {loop.extent} is not a constant",
            accepted="a loop that a split by a constant factor made, or bound to a constant extent",
        )
    return max(int(extent), 0)


def _bound_names(body: Stmt) -> list[str]:
    """Names of loops and lets inside `body`."""
    names = [loop.name for loop in find(body, For)]
    names += [let.name for let in find(body, LetStmt)]
    names += [let.name for let in find(body, Let)]
    return list(dict.fromkeys(names))


def _copy(body: Stmt, loop: For, bound: list[str], i: int) -> Stmt:
    renamed = {name: f"{name}'{i}" for name in bound} if i else {}
    copy: Stmt = _Copy({loop.name: add(loop.min, i)}, renamed)(body)
    return copy


class _Copy(FoldingRewriter):
    """Replaces Vars by values, and bound names by new ones."""

    only = (Var, For, LetStmt, Let)

    def __init__(self, values: dict[str, Expr], renamed: dict[str, str]) -> None:
        super().__init__()
        self.values = values
        self.renamed = renamed

    def rewrite_Var(self, var: Var) -> Expr:
        value = self.values.get(var.name)
        if value is not None:
            return value
        name = self.renamed.get(var.name)
        return Var(name, var.dtype) if name else var

    def rewrite_For(self, loop: For) -> Stmt:
        name, low, extent = self._new(loop.name), self(loop.min), self(loop.extent)
        return For(name, low, extent, loop.kind, self(loop.body), loop.partition)

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        return LetStmt(self._new(stmt.name), self(stmt.value), self(stmt.body))

    def rewrite_Let(self, node: Let) -> Node:
        return let(self._new(node.name), self(node.value), self(node.body))

    def _new(self, name: str) -> str:
        return self.renamed.get(name, name)
