"""Simplify expressions bottom-up, each distinct node once.

Every node class has its rule, which gets simplified operands. A rule that builds something new
builds it through `make`, so its result is simplified too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import expr as ir
from ..build import broadcast, ramp
from ..depth import STEP, stepping_stones
from ..expr import Broadcast, Expr, const, const_value
from ..node import NodeMeta
from ..ranges import Ranges
from ..rewrite import free_vars
from ..scope import Interval
from . import tables
from .calls import make_call, make_cast
from .comparisons import make_compare
from .extrema import make_extremum
from .facts import Facts
from .logic import make_logic, make_not
from .quotients import make_div, make_mod
from .sums import make_float, make_product, make_sum, simplify_sum


class Simplifier:
    """Simplifies expressions under facts. `memo` maps what was simplified under these facts to its result."""

    def __init__(self, facts: Facts, memo: dict[Expr, Expr] | None = None) -> None:
        self.facts = facts
        self.memo: dict[Expr, Expr] = {} if memo is None else memo
        self._depth = 0

    @property
    def ranges(self) -> Ranges:
        return self.facts.ranges

    def __call__(self, e: Expr) -> Expr:
        found = self.memo.get(e)
        if found is None:
            self._depth += 1
            if self._depth % STEP == 0:
                depth, self._depth = self._depth, 0
                for stone in stepping_stones(e, self.memo, _SUMS):
                    if isinstance(stone, Expr):
                        self(stone)
                self._depth = depth
            found = self._visit(e)
            self.memo[e] = found
            self.memo[found] = found
            self._depth -= 1
        return found

    def _visit(self, e: Expr) -> Expr:
        if e.kinds & _EFFECTS and isinstance(e, ir.Binary) and not _is_zero(e):
            return type(e)(self(e.a), self(e.b))  # services are called in the order written
        rule = _VISIT.get(type(e))
        result = rebuild(self, e) if rule is None else rule(self, e)
        return self.facts.known.get(result, result) if result.dtype.is_bool else result

    def make(self, operator: NodeMeta, *operands: Expr) -> Expr:
        """The simplified node over operands that are simplified already."""
        rule = _MAKE.get(operator)
        return operator(*operands) if rule is None else rule(self, operator, *operands)


def _is_zero(e: ir.Binary) -> bool:
    return type(e) is ir.Mul and e.dtype.is_integer and 0 in (const_value(e.a), const_value(e.b))


_SUMS = (ir.Add, ir.Sub)
_EFFECTS = ir.Effect.bit


def rebuild(s: Simplifier, e: Any) -> Expr:
    """The node over simplified operands, without a rule of its own."""
    fields = []
    for value in e.fields():
        if isinstance(value, Expr):
            value = s(value)
        elif type(value) is tuple:
            value = tuple(s(v) if isinstance(v, Expr) else v for v in value)
        fields.append(value)
    return type(e)(*fields)  # type: ignore[no-any-return]


def _binary(s: Simplifier, e: ir.Binary) -> Expr:
    return s.make(type(e), s(e.a), s(e.b))


def _var(s: Simplifier, e: ir.Var) -> Expr:
    return s.facts.values.get(e.name, e)


def _select(s: Simplifier, e: ir.Select) -> Expr:
    return make_select(s, ir.Select, s(e.condition), s(e.a), s(e.b))


def make_select(s: Simplifier, _operator: NodeMeta, condition: Expr, a: Expr, b: Expr) -> Expr:
    c = const_value(condition)
    if c is not None:
        return a if c else b
    if a is b:
        return a
    if a.dtype.is_bool:
        return _select_of_bools(s, condition, a, b)
    if type(condition) is type(a) is type(b) is Broadcast and condition.lanes == a.lanes == b.lanes:
        return broadcast(make_select(s, ir.Select, condition.value, a.value, b.value), a.lanes)
    return tables.SELECT.apply((condition, a, b), s) or ir.Select(condition, a, b)


def _select_of_bools(s: Simplifier, condition: Expr, a: Expr, b: Expr) -> Expr:
    x, y = const_value(a), const_value(b)
    if x is not None:
        return s.make(ir.Or, condition, b) if x else s.make(ir.And, s.make(ir.Not, condition), b)
    if y is not None:
        return s.make(ir.Or, s.make(ir.Not, condition), a) if y else s.make(ir.And, condition, a)
    return tables.SELECT.apply((condition, a, b), s) or ir.Select(condition, a, b)


def _load(s: Simplifier, e: ir.Load) -> Expr:
    predicate = None if e.predicate is None else s(e.predicate)
    if predicate is not None and (known := const_value(predicate)) is not None:
        if not known:
            return const(0, e.dtype)
        predicate = None
    index = s(e.index)
    if type(index) is Broadcast and predicate is None and index.value.dtype.lanes == 1:
        return broadcast(ir.Load(e.buffer, index.value, e.dtype.element), index.lanes)
    return ir.Load(e.buffer, index, e.dtype, predicate)


def _effect(s: Simplifier, e: ir.Effect) -> Expr:
    where = None if e.where is None else s(e.where)
    if where is not None and (known := const_value(where)) is not None:
        if not known:
            return s(e.value)
        where = None
    return ir.Effect(e.service, s(e.value), tuple(map(s, e.args)), where)


def _let(s: Simplifier, e: ir.Let) -> Expr:
    """Literals and variables are put in the place of the name; other values give its range."""
    value = s(e.value)
    s = Simplifier(s.facts.copy())  # with a memo of its own: below, the name is bound
    s.facts.values.pop(e.name, None)
    if is_trivial(value):
        s.facts.values[e.name] = value
        return s(e.body)
    bind_value(s.facts, e.name, value)
    body = s(e.body)
    return ir.Let(e.name, value, body) if body.kinds & ir.Var.bit and e.name in free_vars(body) else body


def bind_value(facts: Facts, name: str, value: Expr) -> None:
    """The name stands for a value: its range, and for index arithmetic the value itself."""
    facts.numbers[name] = facts.ranges.of(value)
    if value.has(ir.Effect):
        facts.intervals.pop(name, None)
    elif value.dtype.is_index_like and value.dtype.lanes == 1:
        facts.intervals[name] = Interval(value, value)


def is_trivial(value: Expr) -> bool:
    """Whether a let of this value only renames it."""
    return const_value(value) is not None or type(value) is ir.Var


def _ramp(s: Simplifier, e: ir.Ramp) -> Expr:
    return ramp(s(e.base), s(e.stride), e.lanes)


def _broadcast(s: Simplifier, e: Broadcast) -> Expr:
    return broadcast(s(e.value), e.lanes)


def _reduce(s: Simplifier, e: ir.VectorReduce) -> Expr:
    value = s(e.value)
    if e.lanes == value.dtype.lanes:
        return value
    if type(value) is Broadcast and value.value.dtype.lanes == 1 and e.op in ("min", "max", "and", "or"):
        return broadcast(value.value, e.lanes)
    return ir.VectorReduce(e.op, value, e.lanes)


def _shuffle(s: Simplifier, e: ir.Shuffle) -> Expr:
    vectors = tuple(s(v) for v in e.vectors)
    lanes = sum(v.dtype.lanes for v in vectors)
    if len(vectors) == 1 and e.indices == tuple(range(lanes)):
        return vectors[0]
    if len(vectors) == 1 and type(vectors[0]) is Broadcast and vectors[0].value.dtype.lanes == 1:
        return broadcast(vectors[0].value, len(e.indices))
    return ir.Shuffle(vectors, e.indices)


_Visit = Callable[[Simplifier, Any], Expr]

_VISIT: dict[type, _Visit] = {
    ir.Const: lambda _s, e: e,
    ir.Var: _var,
    ir.Add: simplify_sum,
    ir.Sub: simplify_sum,
    ir.Mul: simplify_sum,
    **dict.fromkeys((ir.Div, ir.Mod, ir.Min, ir.Max, ir.And, ir.Or, *ir.COMPARISONS), _binary),
    ir.Not: lambda s, e: make_not(s, ir.Not, s(e.a)),
    ir.Select: _select,
    ir.Cast: lambda s, e: make_cast(s, e.dtype, s(e.a)),
    ir.Call: lambda s, e: make_call(s, e, tuple(s(a) for a in e.args)),
    ir.Effect: _effect,
    ir.Let: _let,
    ir.Load: _load,
    ir.Ramp: _ramp,
    ir.Broadcast: _broadcast,
    ir.VectorReduce: _reduce,
    ir.Shuffle: _shuffle,
}


def _product(s: Simplifier, _operator: NodeMeta, a: Expr, b: Expr) -> Expr:
    return make_float(s, ir.Mul, a, b) if a.dtype.is_float else make_product(s, a, b)


_MAKE: dict[NodeMeta, Callable[..., Expr]] = {
    ir.Add: make_sum,
    ir.Sub: make_sum,
    ir.Mul: _product,
    ir.Div: lambda s, _o, a, b: make_div(s, a, b),
    ir.Mod: lambda s, _o, a, b: make_mod(s, a, b),
    ir.Min: make_extremum,
    ir.Max: make_extremum,
    **dict.fromkeys(ir.COMPARISONS, make_compare),
    ir.And: make_logic,
    ir.Or: make_logic,
    ir.Not: make_not,
    ir.Select: make_select,
}
