"""What the order of reduction iterations means for a stage, decided from its definition alone.

These are the quick answers that a directive needs at once: sure when they say "free", cautious
otherwise. What they doubt, `polyhedral.legality` decides from dependences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..ir.expr import (
    EQ,
    NE,
    Add,
    And,
    Call,
    Compare,
    Const,
    Expr,
    FuncAccess,
    Max,
    Min,
    Mul,
    Or,
    Read,
    Select,
    Sub,
    Var,
)
from ..ir.function import Definition, Function, ReductionVar
from ..ir.groups import groups_in
from ..ir.node import walk
from ..ir.refs import FunctionRef
from ..ir.rewrite import free_vars

_COMMUTING = (Add, Mul, Min, Max, And, Or)
_COMMUTING_CALLS = frozenset({"bitwise_and", "bitwise_or", "bitwise_xor"})


@dataclass(frozen=True, slots=True)
class SelfRead:
    """A stage reads its own Func: element `element` at `index`."""

    index: tuple[Expr, ...]
    element: int


def self_reads(definition: Definition, function: Function, ref: FunctionRef | None = None) -> list[SelfRead]:
    """Reads of the Func that the definition belongs to, in user-level (`ref`) or named form."""
    found: dict[SelfRead, None] = {}
    predicate = definition.rdom.predicate if definition.rdom else None
    roots = (*definition.index, *definition.values, *(() if predicate is None else (predicate,)))
    for root in roots:
        if root.has(FuncAccess, Read):
            for node in walk(root):
                read = own_read(node, function, ref)
                if read is not None:
                    found.setdefault(read)
    return list(found)


def own_read(node: object, function: Function, ref: FunctionRef | None) -> SelfRead | None:
    """What the node reads of the Func itself; None where it is no such read."""
    if isinstance(node, FuncAccess) and node.ref is ref:
        return SelfRead(node.index, node.element)
    if isinstance(node, Read) and ref is None and node.name == function.name:
        return SelfRead(node.index, node.element)
    return None


def is_order_free(definition: Definition, function: Function, ref: FunctionRef | None = None) -> bool:
    """Whether reduction iterations may run in any order, one at a time, with the same result.

    True where every iteration stores what does not depend on the reduction, and where every value
    is `f[index] op e` for a commuting, associative op and an e that does not read f.
    """
    if groups_in(definition.values):
        return False  # two iterations may write different elements to one place
    reads = self_reads(definition, function, ref)
    if not reads:
        rvars = {v.name for v in definition.rdom.vars} if definition.rdom else set()
        return not any(free_vars(value) & rvars for value in definition.values)
    return all(_accumulates(value, at, definition, function, ref) for at, value in enumerate(definition.values))


def _accumulates(value: Expr, element: int, d: Definition, function: Function, ref: FunctionRef | None) -> bool:
    operands: Sequence[Expr]
    if isinstance(value, _COMMUTING):
        operands = (value.a, value.b)
    elif isinstance(value, Call) and value.name in _COMMUTING_CALLS:
        operands = value.args
    elif isinstance(value, Select) and isinstance(value.condition, Compare):
        # The greater or lesser of two, written as a choice.
        operands = (value.a, value.b)
        if {value.condition.a, value.condition.b} != {value.a, value.b} or isinstance(value.condition, EQ | NE):
            return False
    elif isinstance(value, Sub):
        operands = (value.a, value.b)
        if not _is_own_element(value.a, element, d, function, ref):
            return False
    else:
        return False
    mine = [e for e in operands if _is_own_element(e, element, d, function, ref)]
    others = [e for e in operands if not _is_own_element(e, element, d, function, ref)]
    index_reads = self_reads(Definition(d.index, ()), function, ref)
    return len(mine) == 1 and not index_reads and not self_reads(Definition((), tuple(others), d.rdom), function, ref)


def _is_own_element(e: Expr, element: int, d: Definition, function: Function, ref: FunctionRef | None) -> bool:
    read = own_read(e, function, ref)
    return read is not None and read == SelfRead(d.index, element)


def ordered_variables(definition: Definition, function: Function, ref: FunctionRef | None = None) -> set[str]:
    """Reduction variables for which two iterations may touch one element, one of them writing it."""
    if definition.rdom is None:
        return set()
    reads = self_reads(definition, function, ref)
    rvars = definition.rdom.vars
    return {
        v.name for v in rvars if not any(_separates(v, at, definition, reads) for at in range(len(definition.index)))
    }


def _separates(v: ReductionVar, at: int, definition: Definition, reads: Sequence[SelfRead]) -> bool:
    """Whether index `at` alone keeps different iterations of `v` on different elements.

    written:  a*v + c           read:  a*v + d,  with d == c, or d - c no multiple of a,
                                                 or the two ranges apart
    """
    written = _linear(definition.index[at], v.name)
    if written is None:
        return False
    return all(
        read.index[at] is definition.index[at] or _apart(written, _linear(read.index[at], v.name), v) for read in reads
    )


def _apart(written: tuple[int, int], read: tuple[int, int] | None, v: ReductionVar) -> bool:
    if read is None or read[0] != written[0]:
        return False
    factor, distance = written[0], read[1] - written[1]
    if distance == 0 or distance % factor:
        return True
    return isinstance(v.extent, Const) and abs(distance) >= abs(factor) * v.extent.value


def _linear(e: Expr, name: str) -> tuple[int, int] | None:
    """(a, c) with e == a*name + c, a != 0, for an e without other variables."""
    form = _affine(e, name)
    return form if form is not None and form[0] != 0 else None


def _affine(e: Expr, name: str) -> tuple[int, int] | None:
    if isinstance(e, Const):
        return 0, int(e.value)
    if isinstance(e, Var):
        return (1, 0) if e.name == name else None
    if not isinstance(e, Add | Sub | Mul):
        return None
    a, b = _affine(e.a, name), _affine(e.b, name)
    if a is None or b is None:
        return None
    if isinstance(e, Add):
        return a[0] + b[0], a[1] + b[1]
    if isinstance(e, Sub):
        return a[0] - b[0], a[1] - b[1]
    if a[0] and b[0]:
        return None
    return a[0] * b[1] + b[0] * a[1], a[1] * b[1]
