"""Compute lanes that read every second element apart from those between, so that each read is dense.

    in[ramp(b, 1, 8)/2]                    ->   interleaved  in[ramp(b/2, 1, 4)],  in[ramp((b + 1)/2, 1, 4)]

    select(ramp(b, 1, 8) % 2 == 0, p, q)   ->   interleaved  select(x4(b % 2 == 0), p', q'),
                                                             select(x4((b + 1) % 2 == 0), p", q")

where p and q read at ramp(b, 1, 8)/2 too. So it is for quotients and remainders by other numbers: lanes k, k + c,
k + 2*c … are one vector. All lanes read what they read before, wherever b is, so nothing outside is touched. Operators
on vectors of which one is not read so (in[ramp(b, 1, 8)] + in[ramp(b, 1, 8)/2]) take the lanes interleaved.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from ..ir import build
from ..ir.depth import STEP, stepping_stones
from ..ir.expr import (
    Binary,
    Broadcast,
    Call,
    Cast,
    Div,
    Effect,
    Expr,
    Load,
    Mod,
    Not,
    Ramp,
    Select,
    Shuffle,
    const_value,
)
from ..ir.fold import is_exact
from ..ir.node import Node, mask
from ..ir.rewrite import Rewriter, substitute
from ..ir.simplify import simplify
from ..ir.stmt import For, LetStmt, Stmt, Store
from . import lanes
from .widen import cast_lanes

_MOST = 8  # vectors that are interleaved
_LONGEST_STRIDE = 4  # whose elements are picked from dense loads
_ANY = 1  # the period of what can be taken apart in any way at no cost


def split_lanes(stmt: Stmt) -> Stmt:
    split: Stmt = _SplitLanes({})(stmt)
    return split


class _SplitLanes(Rewriter):
    """`values` are the index variables bound around, to see what divides them."""

    only = (Div, Mod)

    def __init__(self, values: Mapping[str, Expr]) -> None:
        super().__init__()
        self.values = values
        self.periods = _Periods()

    def rewrite_For(self, loop: For) -> Stmt:
        """What is bound further outside is one number for all iterations: there is nothing to be seen in it."""
        body = _SplitLanes({})(loop.body)
        return loop if body is loop.body else loop.with_(body=body)

    def rewrite_LetStmt(self, stmt: LetStmt) -> Stmt:
        value, values = self(stmt.value), self.values
        if stmt.value.dtype.is_index_like and stmt.value.dtype.lanes == 1 and not stmt.value.has(Load, Effect, Call):
            values = {**values, stmt.name: substitute(stmt.value, values)}
        body = _SplitLanes(values)(stmt.body)
        return stmt if value is stmt.value and body is stmt.body else LetStmt(stmt.name, value, body)

    def rewrite_Store(self, store: Store) -> Stmt:
        value = self(store.value)
        return store if value is store.value else store.with_(value=value)

    def rebuild(self, node: Node) -> Node:
        if isinstance(node, Expr) and node.dtype.lanes > 1 and node.has(Load):
            period = self.periods(node)
            if period is not None and period > 1:
                return _interleaved(node, period, self.values)
        rebuilt: Node = super().rebuild(node)
        return rebuilt


def _interleaved(e: Expr, period: int, values: Mapping[str, Expr]) -> Expr:
    parts = tuple(_Part(k, period, values)(e) for k in range(period))
    starts = [sum(part.dtype.lanes for part in parts[:k]) for k in range(period)]
    return Shuffle(parts, tuple(starts[i % period] + i // period for i in range(e.dtype.lanes)))


_LANEWISE = (Binary, Not, Cast, Select, Call)
_VARIED = mask(Ramp, Load)


class _Periods:
    """The number of vectors that an expression is best taken apart in: lane k goes to the one numbered k % period.

    None for what is better left as it is; 1 (`_ANY`) for what costs the same in any case.
    """

    def __init__(self) -> None:
        self._memo: dict[Expr, int | None] = {}
        self._depth = 0

    def __call__(self, e: Expr) -> int | None:
        if e.dtype.lanes == 1 or not e.kinds & _VARIED:
            return _ANY if _is_plain(e) else None
        if e not in self._memo:
            self._depth += 1
            if self._depth % STEP == 0:
                depth, self._depth = self._depth, 0
                for stone in stepping_stones(e, self._memo, kinds=_VARIED):
                    self(stone)  # type: ignore[arg-type]  # below expressions are expressions
                self._depth = depth
            self._memo[e] = self._period(e)
            self._depth -= 1
        return self._memo[e]

    def _period(self, e: Expr) -> int | None:
        if isinstance(e, Broadcast | Ramp):
            return _ANY if _is_plain(e) else None
        if isinstance(e, Load):
            return self._of_load(e)
        if isinstance(e, Call) and not is_exact(e.name):
            return None  # dear: not to be done for half a register
        if not isinstance(e, _LANEWISE) or any(operand.dtype.lanes != e.dtype.lanes for operand in _operands(e)):
            return None
        if isinstance(e, Div | Mod) and e.dtype.is_index_like and type(e.a) is Ramp:
            return _period_of_quotient(e)
        return self._common(*_operands(e))

    def _of_load(self, load: Load) -> int | None:
        operands = (load.index,) if load.predicate is None else (load.index, load.predicate)
        period = self._common(*operands)
        if period == _ANY:
            return _ANY if type(load.index) is Broadcast and load.predicate is None else None
        return period if period is not None and _is_dense(_Part(0, period, {})(load.index)) else None

    def _common(self, *operands: Expr) -> int | None:
        found = {self(operand) for operand in operands} - {_ANY}
        if len(found) > 1:
            return None
        return found.pop() if found else _ANY


def _operands(e: Expr) -> list[Expr]:
    return [child for child in e.children() if isinstance(child, Expr)]


def _is_plain(e: Expr) -> bool:
    """Whether the lanes are those of a scalar, or go up evenly from one."""
    if isinstance(e, Broadcast):
        return e.value.dtype.lanes == 1
    return isinstance(e, Ramp) and e.base.dtype.lanes == 1


def _period_of_quotient(e: Div | Mod) -> int | None:
    assert isinstance(e.a, Ramp)
    stride, divisor = const_value(e.a.stride), const_value(e.b)
    if stride is None or divisor is None or divisor < 2 or not _is_plain(e.a):
        return None
    period = int(divisor) // gcd(int(stride), int(divisor))
    return period if 1 < period <= _MOST and 2 * period <= e.dtype.lanes else None


def _is_dense(index: Expr) -> bool:
    """Whether a vector is loaded from these places without asking for each lane."""
    if isinstance(index, Broadcast):
        return True
    stride = const_value(index.stride) if isinstance(index, Ramp) else None
    return stride is not None and abs(stride) <= _LONGEST_STRIDE


class _Part(Rewriter):
    """Lanes `first`, first + step, first + 2*step … of a vector that has this period."""

    only = ()

    def __init__(self, first: int, step: int, values: Mapping[str, Expr]) -> None:
        super().__init__()
        self.first, self.step, self.values = first, step, values

    def _lanes(self, e: Expr) -> int:
        return len(range(self.first, e.dtype.lanes, self.step))

    def rebuild(self, node: Node) -> Node:
        assert isinstance(node, Expr)
        if node.dtype.lanes == 1:
            return node
        if isinstance(node, Div | Mod):
            return self._quotient(node)
        if isinstance(node, Binary):
            return lanes.binary(type(node), self(node.a), self(node.b))
        if isinstance(node, Not):
            return build.logical_not(self(node.a))
        if isinstance(node, Cast):
            return cast_lanes(node.dtype.with_lanes(self._lanes(node)), self(node.a))
        if isinstance(node, Select):
            return build.select(self(node.condition), self(node.a), self(node.b))
        assert isinstance(node, Call), f"a lanewise node was expected, {type(node).__name__} found"
        return build.call(node.name, tuple(map(self, node.args)), node.dtype.with_lanes(self._lanes(node)))

    def _quotient(self, node: Binary) -> Expr:
        """Where all lanes divide alike, the scalar is what is divided, and what divides it leaves."""
        wide = lanes.binary(type(node), self(node.a), self(node.b))
        if isinstance(wide, Ramp):
            return lanes.ramp(self._simple(wide.base), wide.stride, wide.lanes)
        if isinstance(wide, Broadcast):
            return build.broadcast(self._simple(wide.value), wide.lanes)
        return wide

    def _simple(self, quotient: Expr) -> Expr:
        simple: Expr = simplify(substitute(quotient, self.values))
        return simple

    def rewrite_Broadcast(self, node: Broadcast) -> Expr:
        return build.broadcast(node.value, self._lanes(node))

    def rewrite_Ramp(self, node: Ramp) -> Expr:
        base = build.add(node.base, build.mul(node.stride, self.first))
        return lanes.ramp(base, build.mul(node.stride, self.step), self._lanes(node))

    def rewrite_Load(self, node: Load) -> Expr:
        predicate = None if node.predicate is None else self(node.predicate)
        return Load(node.buffer, self(node.index), node.dtype.with_lanes(self._lanes(node)), predicate)
