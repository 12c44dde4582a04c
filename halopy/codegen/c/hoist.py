"""Which scratch memory may be taken once, outside a loop, instead of in each iteration.

    parallel for y                                 parallel region, per thread:
        let n = w + 2                                  t = allocate w + 2
            allocate t[n]                 ->           for y
                ...                                        let n = w + 2: ...

Needs a size made of names from outside the loop, lets inside it looked through. Memory of a nested
parallel loop stays inside that loop: each thread has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...ir.expr import Call, Effect, Expr, Load
from ...ir.node import Node, mask
from ...ir.rewrite import free_vars, substitute
from ...ir.stmt import Allocate, For, LetStmt, LoopKind, Stmt

_ALLOCATE = mask(Allocate)
_DEEPEST = 50
_IMPURE = mask(Load, Call, Effect)


def hoistable(loop: For) -> list[tuple[Allocate, Expr]]:
    """The allocations in the loop that may stand before it, with their sizes in terms of what is known there."""
    if not loop.body.kinds & _ALLOCATE:
        return []
    found: dict[str, tuple[Allocate, Expr] | None] = {}
    for allocate, bound, lets in _allocations(loop):
        size = _resolved(allocate.size, lets)
        names = free_vars(size)
        movable = not size.kinds & _IMPURE and names.isdisjoint(bound) and names.isdisjoint(lets)
        entry = (allocate, size) if movable else None
        # Copies of a loop body may share memory where they agree on it.
        found[allocate.buffer] = entry if _agree(found.get(allocate.buffer, entry), entry) else None
    return [entry for entry in found.values() if entry is not None]


def _agree(one: tuple[Allocate, Expr] | None, other: tuple[Allocate, Expr] | None) -> bool:
    if one is None or other is None:
        return False
    return one[1] is other[1] and one[0].dtype is other[0].dtype and one[0].memory is other[0].memory


def _allocations(loop: For) -> Iterator[tuple[Allocate, frozenset[str], Mapping[str, Expr]]]:
    """Each allocation below with the loop variables and the lets around it."""
    todo: list[tuple[Node, frozenset[str], Mapping[str, Expr]]] = [(loop.body, frozenset((loop.name,)), {})]
    while todo:
        node, bound, lets = todo.pop()
        if not node.kinds & _ALLOCATE:
            continue
        if isinstance(node, For):
            if node.kind is LoopKind.PARALLEL:
                continue
            bound = bound | {node.name}
        elif isinstance(node, LetStmt):
            lets = {**lets, node.name: node.value}
            bound = bound - {node.name}
        elif isinstance(node, Allocate):
            yield node, bound, lets
        todo.extend((child, bound, lets) for child in node.children() if isinstance(child, Stmt))


def _resolved(size: Expr, lets: Mapping[str, Expr]) -> Expr:
    """The size with the lets around it put in; some are left where lets nest too deeply, or shadow each other."""
    for _ in range(_DEEPEST):
        names = [name for name in free_vars(size) if name in lets]
        if not names:
            break
        size = substitute(size, {name: lets[name] for name in names})
    return size
