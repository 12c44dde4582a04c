"""A set of expressions, flattened once into steps, evaluated many times over different arrays.

No recursion, so an expression may be tens of thousands of nodes deep; each distinct node is
computed once, and its array is dropped after its last use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..arithmetic.operators import apply, literal
from ..arithmetic.values import Array
from ..ir.expr import Const, Expr, Let, Read, Var
from ..ir.node import walk

ReadElement = Callable[[Read, Sequence[Array]], Array]


@dataclass(frozen=True, slots=True)
class _Step:
    node: Expr
    operands: tuple[Expr, ...]
    dead_after: tuple[Expr, ...]


class Tape:
    """Evaluates `roots` for given arrays of the free variables and a way to read Funcs and images."""

    def __init__(self, roots: Sequence[Expr]) -> None:
        self.roots = tuple(roots)
        self._steps = tuple(_with_last_uses(list(_children_first(self.roots)), self.roots))

    def run(self, variables: Mapping[str, Array], read: ReadElement) -> list[Array]:
        """One array per root. The arrays broadcast against each other; they are not broadcast here."""
        values: dict[Expr, Array] = {}
        bound: dict[str, Array] = {}
        with np.errstate(all="ignore"):
            for step in self._steps:
                node = step.node
                operands = [values[o] for o in step.operands]
                if type(node) is Read:
                    values[node] = read(node, operands)
                elif type(node) is Var:
                    values[node] = bound[node.name] if node.name in bound else variables[node.name]
                elif type(node) is Const:
                    values[node] = literal(node)
                elif type(node) is Let:
                    if step.operands[0] is node.value and len(operands) == 1:
                        bound[node.name] = operands[0]
                    else:
                        values[node] = operands[1]
                else:
                    values[node] = apply(node, operands)
                for gone in step.dead_after:
                    del values[gone]
        return [values[r] for r in self.roots]


def _operands(node: Expr) -> tuple[Expr, ...]:
    return tuple(c for c in node.children() if isinstance(c, Expr))


def _children_first(roots: Sequence[Expr]) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """Each distinct node with its operands, operands before users.

    A Let appears twice: with its value alone, which binds the name before the body is visited, and with both.
    Names of Lets are unique.
    """
    done: set[Expr] = set()
    for root in roots:
        stack: list[tuple[Expr, int]] = [(root, 0)]
        while stack:
            node, position = stack.pop()
            if node in done:
                continue
            operands = _operands(node)
            if isinstance(node, Let) and position == 1:
                yield node, (node.value,)
            if position < len(operands):
                stack.append((node, position + 1))
                stack.append((operands[position], 0))
            else:
                done.add(node)
                yield node, operands


def _with_last_uses(steps: list[tuple[Expr, tuple[Expr, ...]]], roots: tuple[Expr, ...]) -> Iterator[_Step]:
    last: dict[Expr, int] = {}
    for position, (_, operands) in enumerate(steps):
        for operand in operands:
            last[operand] = position
    dead: dict[int, list[Expr]] = {}
    kept = set(roots)
    for node, position in last.items():
        if node not in kept:
            dead.setdefault(position, []).append(node)
    for position, (node, operands) in enumerate(steps):
        yield _Step(node, operands, tuple(dead.get(position, ())))


def free_names(roots: Sequence[Expr]) -> frozenset[str]:
    """Names of all Vars in the expressions."""
    return frozenset(n.name for root in roots for n in walk(root) if type(n) is Var)


def reads_of(roots: Sequence[Expr]) -> list[Read]:
    """All distinct Reads in the expressions, those inside indexes included."""
    found: dict[Read, None] = {}
    for root in roots:
        for node in walk(root):
            if type(node) is Read:
                found.setdefault(node)
    return list(found)
