"""Groups of adjacent lanes combined into one, by halving."""

from __future__ import annotations

from ...ir.expr import Add, And, Binary, Expr, Max, Min, Mul, Or, Shuffle, VectorReduce
from .context import Context
from .types import Value

_OPERATORS: dict[str, type[Binary]] = {"add": Add, "mul": Mul, "min": Min, "max": Max, "and": And, "or": Or}


def print_reduce(context: Context, node: VectorReduce) -> Value:
    """The C of a reduction: as a tree of operations on ever shorter vectors."""
    return context.value(reduction_tree(context, node))


def reduction_tree(context: Context, node: VectorReduce) -> Expr:
    """The reduction as shuffles and operators. Lanes of one group lie `count` apart after each step."""
    operator = _combine(node.op)
    value, groups = node.value, node.lanes
    each = value.dtype.lanes // groups
    if groups > 1:  # bring the k-th members of all groups together
        context.keep(value)
        members: list[Expr] = [Shuffle((value,), tuple(range(k, value.dtype.lanes, each))) for k in range(each)]
        return _tree(operator, members)
    while each > 1:
        context.keep(value)
        half = each // 2
        low = Shuffle((value,), tuple(range(half)))
        high = Shuffle((value,), tuple(range(half, 2 * half)))
        combined: Expr = operator(low, high)
        if each % 2:  # the odd lane joins the first
            last = Shuffle((value,), (each - 1,))
            combined = _join_odd(operator, combined, last, half)
        value, each = combined, half
    return value


def _join_odd(operator: type[Binary], combined: Expr, last: Expr, half: int) -> Expr:
    if half == 1:
        return operator(combined, last)
    first = operator(Shuffle((combined,), (0,)), last)
    return Shuffle((first, combined), (0, *range(2, half + 1)))


def _combine(op: str) -> type[Binary]:
    return _OPERATORS[op]


def _tree(operator: type[Binary], members: list[Expr]) -> Expr:
    while len(members) > 1:
        pairs = [operator(a, b) for a, b in zip(members[::2], members[1::2], strict=False)]
        members = pairs + members[len(pairs) * 2 :]
    return members[0]
