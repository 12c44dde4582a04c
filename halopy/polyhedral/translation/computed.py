"""Expressions of statements computed in numbers, as they are defined: integers wrap, floats are rounded in each step.

An integer is an `int`, a float an array of rank 0, a vector an array of its lanes. Each distinct node is computed once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from ...arithmetic.operators import apply, literal
from ...arithmetic.values import Array, as_values, carrier
from ...dtypes import DType
from ...errors import InternalError
from ...ir import expr as ir
from ...ir.expr import Expr
from ...ir.node import Node
from ...ir.services import Dump, Fail, Print, Trace

Number: TypeAlias = Any  # an int, or an array


class Ended(Exception):
    """Something cannot be computed, or would take too long."""


class Memory(Protocol):
    """What expressions are computed from."""

    names: dict[str, Number]

    def load(self, buffer: str, index: Number, dtype: DType, is_strict: bool) -> Number:
        """Elements; where it `is_strict`, raises for places outside of memory, elsewhere gives something for them."""


_Rule: TypeAlias = Callable[..., Number]  # takes the memory, then the operands


@dataclass(frozen=True, slots=True)
class Computed:
    """The steps that compute some expressions, operands before their users; `roots` are those asked for."""

    steps: tuple[tuple[_Rule, tuple[int, ...]], ...]
    roots: tuple[int, ...]
    cost: int  # how many simple steps take as long

    def __call__(self, memory: Memory) -> list[Number]:
        values: list[Number] = []
        for rule, operands in self.steps:
            values.append(rule(memory, *[values[n] for n in operands]))
        return [values[n] for n in self.roots]


def computed(roots: Sequence[Expr], is_strict: bool = True) -> Computed:
    """How to compute expressions. With `is_strict`, loads that no choice leaves out have to be inside of memory."""
    strict = _loads_always(roots) if is_strict else set()
    places: dict[Expr, int] = {}
    steps: list[tuple[_Rule, tuple[int, ...]]] = []
    for node, operands in _children_first(roots):
        if isinstance(node, ir.Let) and len(operands) == 1:
            steps.append((_binding(node.name), (places[node.value],)))
            continue
        places[node] = len(steps)
        steps.append((_rule(node, node in strict), tuple(places[e] for e in operands)))
    return Computed(tuple(steps), tuple(places[e] for e in roots), sum(map(_cost, places)))


def _cost(node: Expr) -> int:
    """Arrays take longer than numbers, and rounding once is done in many steps."""
    if isinstance(node, ir.Call):
        return 20 if node.name in ("fma", "multiply_add") else 10
    return 1 if _is_int(node) or isinstance(node, ir.Const) else 5


def _operands(node: Expr) -> tuple[Expr, ...]:
    return tuple(e for e in node.children() if isinstance(e, Expr))


def _children_first(roots: Iterable[Expr]) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """Each distinct node with its operands. A Let comes twice, first with its value alone, before its body is seen."""
    done: set[Expr] = set()
    for root in roots:
        stack = [(root, 0)]
        while stack:
            node, position = stack.pop()
            if node in done:
                continue
            operands = _operands(node)
            if isinstance(node, ir.Let) and position == 1:
                yield node, (node.value,)
            if position < len(operands):
                stack += [(node, position + 1), (operands[position], 0)]
            else:
                done.add(node)
                yield node, operands


def _loads_always(roots: Iterable[Expr]) -> set[Expr]:
    """Loads that are not only in one side of choices."""
    seen: set[Node] = set()
    todo: list[Node] = list(roots)
    while todo:
        node = todo.pop()
        if node in seen or not node.has(ir.Load):
            continue
        seen.add(node)
        is_choice = isinstance(node, ir.Select) or (isinstance(node, ir.Call) and node.name == "if_then_else")
        todo += node.children()[:1] if is_choice else node.children()
    return {node for node in seen if isinstance(node, ir.Load)}


def _rule(node: Expr, is_strict: bool) -> _Rule:
    if isinstance(node, ir.Load):
        return _loading(node, is_strict)
    own = _RULES.get(type(node))
    if own is not None:
        rule: _Rule = own(node)
        return rule
    if node.dtype.lanes == 1 and node.dtype.is_integer and all(_is_int(e) for e in _operands(node)):
        on_numbers = _on_numbers(node)
        if on_numbers is not None:
            return on_numbers
    return _on_arrays(node)


def _is_int(e: Expr) -> bool:
    return e.dtype.lanes == 1 and e.dtype.is_integer


def _on_numbers(node: Expr) -> _Rule | None:
    """Of integers without lanes, which most indices are."""
    if isinstance(node, ir.Select):
        return lambda _, condition, a, b: a if condition else b
    if isinstance(node, ir.Not):
        return lambda _, a: not a
    if isinstance(node, ir.Cast):
        return (lambda _, a: a != 0) if node.dtype.is_bool else (lambda _, a, wrap=node.dtype.wrap: wrap(int(a)))
    f = _OF_NUMBERS.get(type(node))
    if f is None:
        return None
    if isinstance(node, ir.Compare | ir.And | ir.Or | ir.Min | ir.Max):
        return lambda _, a, b: f(a, b)
    if node.dtype.is_bool:
        return None
    low, high, wrap = node.dtype.min, node.dtype.max, node.dtype.wrap

    def wrapped(_: Memory, a: int, b: int) -> int:
        value = f(a, b)
        return value if low <= value <= high else wrap(value)

    return wrapped


def _quotient(a: int, b: int) -> int:
    return 0 if b == 0 else a // b if b > 0 else -(a // -b)


def _remainder(a: int, b: int) -> int:
    return 0 if b == 0 else a % abs(b)


_OF_NUMBERS: Mapping[type[Expr], Callable[[Any, Any], Any]] = {
    ir.Add: operator.add,
    ir.Sub: operator.sub,
    ir.Mul: operator.mul,
    ir.Div: _quotient,
    ir.Mod: _remainder,
    ir.Min: min,
    ir.Max: max,
    ir.And: lambda a, b: bool(a and b),
    ir.Or: lambda a, b: bool(a or b),
    ir.EQ: operator.eq,
    ir.NE: operator.ne,
    ir.LT: operator.lt,
    ir.LE: operator.le,
    ir.GT: operator.gt,
    ir.GE: operator.ge,
}


def as_array(value: Number, dtype: DType) -> Array:
    """A number as the oracle's operators take it."""
    return value if isinstance(value, np.ndarray) else as_values(np.array(value), dtype)


def as_number(value: Array, dtype: DType) -> Number:
    """What is computed, as it is passed on."""
    if dtype.lanes > 1:
        return np.broadcast_to(value, (dtype.lanes,))
    return int(value) if dtype.is_integer else np.asarray(value)


def _on_arrays(node: Expr) -> _Rule:
    types = [e.dtype.element for e in _operands(node)]
    dtype = node.dtype

    def rule(_: Memory, *operands: Number) -> Number:
        arrays = [as_array(value, t) for value, t in zip(operands, types, strict=True)]
        try:
            return as_number(apply(node, arrays), dtype)
        except InternalError as unknown:
            raise Ended from unknown

    return rule


def _loading(node: ir.Load, is_strict: bool) -> _Rule:
    buffer, dtype = node.buffer, node.dtype.element
    if node.predicate is None:
        return lambda memory, index: memory.load(buffer, index, dtype, is_strict)

    def rule(memory: Memory, index: Number, active: Number) -> Number:
        if node.dtype.lanes == 1:
            return memory.load(buffer, index, dtype, is_strict) if active else as_number(np.zeros((), int), dtype)
        found = np.zeros(node.dtype.lanes, carrier(dtype))
        mask = np.asarray(active, np.bool_)
        if mask.any():
            found[mask] = memory.load(buffer, index[mask], dtype, is_strict)
        return found

    return rule


def _binding(name: str) -> _Rule:
    def bind(memory: Memory, value: Number) -> Number:
        memory.names[name] = value
        return value

    return bind


def _variable(node: Any) -> _Rule:
    return lambda memory, name=node.name: memory.names[name]


def _constant(node: Any) -> _Rule:
    value = int(node.value) if node.dtype.is_integer else literal(node)
    return lambda _: value


def _ramp(node: Any) -> _Rule:
    turns = np.arange(node.lanes)[:, None]

    def rule(_: Memory, base: Number, stride: Number) -> Number:
        return as_values((np.atleast_1d(base) + turns * np.atleast_1d(stride)).reshape(-1), node.dtype.element)

    return rule


def _broadcast(node: Any) -> _Rule:
    return lambda _, value: np.tile(as_array(value, node.dtype.element), node.lanes)


def _shuffle(node: Any) -> _Rule:
    indices = np.array(node.indices)

    def rule(_: Memory, *vectors: Number) -> Number:
        lanes = np.concatenate([np.atleast_1d(as_array(v, node.dtype.element)) for v in vectors])
        return as_number(lanes[indices].reshape(-1 if node.dtype.lanes > 1 else ()), node.dtype)

    return rule


def _reduce(node: Any) -> _Rule:
    f, dtype = _REDUCTIONS[node.op], node.dtype

    def rule(_: Memory, value: Array) -> Number:
        found = f(value.reshape(dtype.lanes, -1), axis=1, **({} if dtype.is_bool else {"dtype": value.dtype}))
        return as_number(as_values(found if dtype.lanes > 1 else found[0], dtype.element), dtype)

    return rule


_REDUCTIONS: Mapping[str, Callable[..., Array]] = {
    "add": np.add.reduce,
    "mul": np.multiply.reduce,
    "min": np.minimum.reduce,
    "max": np.maximum.reduce,
    "and": np.logical_and.reduce,
    "or": np.logical_or.reduce,
}


def _effect(node: Any) -> _Rule:
    """Printing changes no value; what fails ends the run, and of other services nothing is known."""

    def rule(_: Memory, value: Number, *rest: Number) -> Number:
        if isinstance(node.service, Fail) and (node.where is None or np.any(rest[-1])):
            raise Ended
        return value

    if not isinstance(node.service, Print | Fail | Trace | Dump):
        raise Ended
    return rule


_RULES: Mapping[type[Expr], Callable[[Any], _Rule]] = {
    ir.Var: _variable,
    ir.Const: _constant,
    ir.Let: lambda _: lambda _memory, _value, body: body,
    ir.Ramp: _ramp,
    ir.Broadcast: _broadcast,
    ir.Shuffle: _shuffle,
    ir.VectorReduce: _reduce,
    ir.Effect: _effect,
}
