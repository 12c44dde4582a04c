"""What a value costs to compute, counted in simple operations.

Arithmetic on positions alone is free: loops and vectors turn it into addresses and steady steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..dtypes import DType
from ..ir import expr as ir
from ..ir.expr import Const, Expr, Read, Var
from ..ir.function import Definition
from ..ir.node import walk
from ..ir.rewrite import free_vars

_GATHER = 8  # a load of each lane by itself
_DIVISION, _DIVISION_BY_CONSTANT = 5, 2
_FREE_CALLS = frozenset({"likely", "likely_if_innermost", "strict_float", "promise_clamped", "unsafe_promise_clamped"})
_SLOW_CALLS = frozenset(
    "sqrt exp log sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf pow atan2 hypot fmod".split()
)
_SLOW = 20
_LANES = 8  # that share what does not depend on them


def operations(definition: Definition, rows: Collection[str] = (), along: str | None = None) -> int:
    """Of one iteration of a stage, its stores not counted.

    Where `rows` are looked up, all lanes are one load. What does not depend on `along` is computed once for its lanes.
    """
    return cost((*definition.index, *definition.values), rows, along)


def cost(roots: Iterable[Expr], rows: Collection[str] = (), along: str | None = None) -> int:
    """Of evaluating the expressions once; what they share is done once."""
    seen: set[Expr] = set()
    total = shared = 0
    for root in roots:
        for node in walk(root):
            if isinstance(node, Expr) and node not in seen:
                seen.add(node)
                own = 1 if isinstance(node, Read) and node.name in rows else _own(node)
                if own and along is not None and along not in free_vars(node):
                    shared += own
                else:
                    total += own
    return total + shared // _LANES


def _own(node: Expr) -> int:
    if isinstance(node, Const | Var | ir.Let):
        return 0
    if isinstance(node, Read):
        return _GATHER if any(i.has(Read) for i in node.index) else 1
    if isinstance(node, ir.Call) and node.name in _SLOW_CALLS:
        return _SLOW
    if _is_position(node) or (isinstance(node, ir.Call) and node.name in _FREE_CALLS):
        return 0
    if isinstance(node, ir.Div | ir.Mod):
        return _DIVISION_BY_CONSTANT if isinstance(node.b, Const) else _DIVISION
    return 1


def _is_position(node: Expr) -> bool:
    """Whether the value is an integer or a condition that depends on no data."""
    return not node.dtype.is_float and not node.has(Read)


def widest(definition: Definition, dtypes: Iterable[DType]) -> DType:
    """The widest type that a stage computes with, positions not counted."""
    found = list(dtypes)
    for root in definition.values:
        found += [n.dtype for n in walk(root) if isinstance(n, Expr) and (n.dtype.is_float or n.has(Read))]
    return max((d.element for d in found), key=lambda d: (d.bytes, d.is_float))
