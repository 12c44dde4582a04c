"""Symbolic intervals: the least and greatest value of an expression while some variables move.

    bounds_of(x*2 + y, {"x": [0, n - 1]})   ->   [y, n*2 + y - 2]

Ends are expressions in what does not move. Always a superset; exact where each moving variable
occurs once or only in a sum. int32 and int64 arithmetic is assumed not to overflow; of narrower
types the whole range is given where a value may wrap. Floating-point symbols are taken as finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import DType
from . import build
from . import expr as ir
from .depth import STEP, stepping_stones
from .expr import FALSE, TRUE, Expr, const, const_value
from .fold import Number
from .interval_ends import (
    MONOTONE,
    distance,
    is_always_a_number,
    magnitude,
    monotone,
    numbers_only,
    ordered,
    quotient_by_any_sign,
)
from .linear import LinearForm, expr_of, linear
from .ranges import Ranges, type_range
from .rewrite import substitute
from .scope import EVERYTHING, Interval, Scope, numeric
from .signs import Signs
from .simplify import simplify

__all__ = ["EVERYTHING", "Interval", "Scope", "bounds_of", "constant_bounds", "intersect", "provably", "union"]


def bounds_of(e: Expr, scope: Scope) -> Interval:
    """Bounds of `e` while each Var named in `scope` takes any value of its interval.

    Other variables are symbols. The intervals in `scope` speak of symbols only.
    """
    points = {name: i.lo for name, i in scope.items() if i.lo is not None and i.lo is i.hi}
    e = substitute(e, points)  # what stands still is a symbol: its remainders and quotients are known exactly
    lo, hi = _Bounds(scope, Ranges(numeric(scope)))(e)
    return Interval(lo and simplify(lo), hi and simplify(hi))


def constant_bounds(e: Expr, scope: Scope | None = None) -> tuple[int | None, int | None]:
    """Numbers that bound an integer expression; None where there is none."""
    variables = numeric(scope or {})
    ranges = Ranges(variables)
    lo, hi = ranges.of(e)
    if e.dtype.is_index_like and (lo is None or hi is None or scope):
        # A min or max may cancel against what is added to it.
        signs, form = Signs(variables, scope or {}, ranges), linear(e)
        most, least = signs.greatest(form), signs.greatest(form.times(-1))
        lo = lo if least is None else -least if lo is None else max(lo, -least)
        hi = hi if most is None else most if hi is None else min(hi, most)
    return (None if lo is None else int(lo)), (None if hi is None else int(hi))


def provably(condition: Expr, scope: Scope | None = None) -> bool:
    """Whether a bool expression is true for all values of its variables. False says nothing."""
    return const_value(simplify(condition, scope)) == 1


def union(a: Interval, b: Interval) -> Interval:
    """The least interval around both."""
    return Interval(
        None if a.lo is None or b.lo is None else build.minimum(a.lo, b.lo),
        None if a.hi is None or b.hi is None else build.maximum(a.hi, b.hi),
    )


def intersect(a: Interval, b: Interval) -> Interval:
    """What lies in both; may be empty."""
    lo = a.lo if b.lo is None else b.lo if a.lo is None else build.maximum(a.lo, b.lo)
    hi = a.hi if b.hi is None else b.hi if a.hi is None else build.minimum(a.hi, b.hi)
    return Interval(lo, hi)


class _Bounds:
    """One call's worth of symbolic bounds, remembered per node."""

    def __init__(self, scope: Scope, ranges: Ranges) -> None:
        self.scope = scope
        self.ranges = ranges
        self._memo: dict[Expr, Interval] = {}
        self._depth = 0

    def __call__(self, e: Expr) -> Interval:
        found = self._memo.get(e)
        if found is None:
            self._depth += 1
            if self._depth % STEP == 0:
                depth, self._depth = self._depth, 0
                for stone in stepping_stones(e, self._memo, (ir.Add, ir.Sub)):
                    if isinstance(stone, Expr):
                        self(stone)
                self._depth = depth
            rule = _RULES.get(type(e))
            if not e.kinds & _MOVING:
                found = Interval(e, e) if e.dtype.lanes == 1 else self.numbers(e)
            else:
                found = self.numbers(e) if rule is None else rule(self, e)
            self._memo[e] = found
            self._depth -= 1
        return found

    def numbers(self, e: Expr) -> Interval:
        """Numeric bounds, where symbols would not help."""
        lo, hi = self.ranges.of(e)
        dtype = e.dtype.element
        return Interval(_literal(lo, dtype), _literal(hi, dtype))

    def is_fixed(self, e: Expr) -> bool:
        """Whether no moving variable reaches `e`."""
        i = self(e)
        return i.lo is e and i.hi is e

    def sign(self, e: Expr) -> int:
        """1 where e >= 0 is known, -1 where e <= 0 is, else 0."""
        lo, hi = self.ranges.of(e)
        return 1 if lo is not None and lo >= 0 else -1 if hi is not None and hi <= 0 else 0


def _literal(end: Number | None, dtype: DType) -> Expr | None:
    """The end of a range; None for what only arithmetic that overflows would reach."""
    if end is None or (dtype.is_integer and not dtype.can_hold(int(end))):
        return None
    return const(end, dtype)


_MOVING = ir.Var.bit | ir.Read.bit | ir.Load.bit | ir.Ramp.bit


def _sum(self: _Bounds, e: Any) -> Interval:
    dtype = e.dtype.element
    if dtype.is_float:
        return _float_sum(self, e)
    form = linear(e)
    if e in form.terms:
        return _product(self, e)
    if not dtype.is_index_like and not _fits(self, e, form):
        return self.numbers(e)
    spread = _spread(self, form, e.dtype) if dtype.is_index_like else None
    if spread is not None:
        return spread
    lo: LinearForm | None = LinearForm({}, form.constant)
    hi: LinearForm | None = lo
    fixed = True
    for term, c in form.terms.items():
        low, high = self(term)
        fixed = fixed and low is term and high is term
        low, high = (low, high) if c > 0 else (high, low)
        lo = None if lo is None or low is None else lo.plus(linear(low), c)
        hi = None if hi is None or high is None else hi.plus(linear(high), c)
    if fixed and e.dtype.lanes == 1:
        same = expr_of(form, dtype)  # not e: what cancels in it may move
        return Interval(same, same)
    return Interval(_end(lo, dtype), _end(hi, dtype))


def _spread(self: _Bounds, form: LinearForm, dtype: DType) -> Interval | None:
    """The bounds of s + max(a, b) as those of max(s + a, s + b), where s cancels in one of them."""
    for term, c in form.terms.items():
        if isinstance(term, ir.Max | ir.Min) and not self.is_fixed(term):
            rest = form.plus(LinearForm({term: -c}))
            operands = linear(term.a).times(c), linear(term.b).times(c)
            if any(o.terms.get(t, 0) * k < 0 for o in operands for t, k in rest.terms.items()):
                a, b = (self(expr_of(rest.plus(o), dtype)) for o in operands)
                if None in a or None in b:
                    return None
                combine = build.maximum if isinstance(term, ir.Max) == (c > 0) else build.minimum
                return Interval(combine(a.lo, b.lo), combine(a.hi, b.hi))  # type: ignore[arg-type]
    return None


def _end(form: LinearForm | None, dtype: DType) -> Expr | None:
    """The sum; None for one that only arithmetic that overflows would reach."""
    if form is None or (dtype.is_index_like and not dtype.can_hold(form.constant)):
        return None
    return expr_of(form, dtype)


def _fits(self: _Bounds, e: Expr, form: LinearForm) -> bool:
    """Whether the sum cannot wrap, or does not move."""
    if all(self.is_fixed(term) for term in form.terms):
        return True
    lo, hi = self.ranges.of_form(form.terms, form.constant)
    return lo is not None and hi is not None and e.dtype.can_hold(int(lo)) and e.dtype.can_hold(int(hi))


def _product(self: _Bounds, e: ir.Mul) -> Interval:
    a, b = self(e.a), self(e.b)
    if a.lo is e.a and a.hi is e.a and b.lo is e.b and b.hi is e.b:
        return Interval(e, e)
    if not e.dtype.is_index_like and not e.dtype.is_float and self.ranges.of(e) == type_range(e.dtype):
        return self.numbers(e)
    if a.lo is a.hi and a.lo is not None:
        a, b, fixed, moving = b, a, e.a, e.b
    else:
        fixed, moving = e.b, e.a
    if b.lo is b.hi and b.lo is not None:
        return _times(a, b.lo, self.sign(fixed))
    if self.sign(fixed) > 0 and self.sign(moving) > 0:
        return Interval(
            None if a.lo is None or b.lo is None else build.mul(a.lo, b.lo),
            None if a.hi is None or b.hi is None else build.mul(a.hi, b.hi),
        )
    if None in a or None in b:
        return self.numbers(e)
    products = [build.mul(x, y) for x in a for y in b if x is not None and y is not None]
    return Interval(_fold(build.minimum, products), _fold(build.maximum, products))


def _fold(combine: Callable[[Expr, Expr], Expr], items: list[Expr]) -> Expr:
    total = items[0]
    for item in items[1:]:
        total = combine(total, item)
    return total


def _times(a: Interval, factor: Expr, sign: int) -> Interval:
    lo = None if a.lo is None else build.mul(a.lo, factor)
    hi = None if a.hi is None else build.mul(a.hi, factor)
    if sign > 0:
        return Interval(lo, hi)
    if sign < 0:
        return Interval(hi, lo)
    if lo is None or hi is None:
        return EVERYTHING
    return ordered(lo, hi)


def _float_sum(self: _Bounds, e: Any) -> Interval:
    a, b = self(e.a), self(e.b)
    if a.lo is e.a is a.hi and b.lo is e.b is b.hi:
        return Interval(e, e)
    if type(e) is ir.Mul:
        moving, fixed = (b, a) if a.lo is a.hi else (a, b)
        factor = fixed.lo
        if factor is not None and factor is fixed.hi and None not in moving and _single(self, factor):
            c = const_value(factor)
            return _times(moving, factor, 0 if c is None or c != c else 1 if c >= 0 else -1)
        if a.lo and a.hi and b.lo and b.hi and self.sign(e.a) > 0 and self.sign(e.b) > 0 and is_always_a_number(e):
            return numbers_only(Interval(build.mul(a.lo, b.lo), build.mul(a.hi, b.hi)))
        return self.numbers(e)
    if None in a or None in b:
        return EVERYTHING
    low, high = (b.lo, b.hi) if type(e) is ir.Add else (b.hi, b.lo)
    operator: Any = type(e)
    make = build.BINARY[operator]
    assert a.lo and a.hi and low and high, "checked above"
    return numbers_only(Interval(make(a.lo, low), make(a.hi, high)))


def _single(self: _Bounds, e: Expr) -> bool:
    return const_value(e) is not None or self.is_fixed(e)


def _div(self: _Bounds, e: ir.Div) -> Interval:
    a, b = self(e.a), self(e.b)
    if a.lo is e.a is a.hi and b.lo is e.b is b.hi:
        return Interval(e, e)
    lo, hi = self.ranges.of(e.b)
    has_sign = (lo is not None and lo > 0) or (hi is not None and hi < 0)
    if e.dtype.is_float and not has_sign and b.lo is e.b is b.hi and None not in a:
        return quotient_by_any_sign(a, e.b)
    if b.lo is None or b.lo is not b.hi or not has_sign:
        return _div_by_moving(self, e, a, b)
    if e.dtype.is_float and None in a:
        return EVERYTHING
    low = None if a.lo is None else build.div(a.lo, b.lo)
    high = None if a.hi is None else build.div(a.hi, b.lo)
    if not e.dtype.is_index_like and not e.dtype.is_float and hi is not None and hi < 0:
        return self.numbers(e)
    return Interval(low, high) if lo is not None and lo > 0 else Interval(high, low)


def _div_by_moving(self: _Bounds, e: ir.Div, a: Interval, b: Interval) -> Interval:
    """|a / b| <= |a|; more is known where neither is negative."""
    if e.dtype.is_float or not e.dtype.is_index_like:
        return self.numbers(e)
    lowest = self.ranges.of(e.b)[0]
    if self.sign(e.a) > 0 and lowest is not None and lowest > 0:
        low = const(0, e.dtype.element) if a.lo is None or b.hi is None else build.div(a.lo, b.hi)
        least = build.maximum(int(lowest) if b.lo is None else b.lo, const(int(lowest), e.dtype.element))
        return Interval(low, None if a.hi is None else build.div(a.hi, least))
    if a.lo is None or a.hi is None or e.dtype.min in (const_value(a.lo), const_value(a.hi)):
        return self.numbers(e)
    low, high = build.minimum(a.lo, build.sub(0, a.hi)), build.maximum(a.hi, build.sub(0, a.lo))
    return intersect(Interval(build.minimum(low, 0), build.maximum(high, 0)), self.numbers(e))


def _mod(self: _Bounds, e: ir.Mod) -> Interval:
    a, b = self(e.a), self(e.b)
    if a.lo is e.a is a.hi and b.lo is e.b is b.hi:
        return Interval(e, e)
    found = self.numbers(e)
    if e.dtype.is_float:
        return found
    divisor = const_value(e.b)
    if divisor and divisor > 0 and a.lo is not None and a.hi is not None and e.dtype.is_index_like:
        return _mod_of_run(a.lo, a.hi, int(divisor)) or found
    if b.hi is not None and e.dtype.is_index_like and const_value(found.hi or e) is None:
        zero = const(0, e.dtype.element)
        size = b.hi if self.sign(e.b) > 0 or b.lo is None else build.maximum(b.hi, build.sub(0, b.lo))
        return Interval(zero, build.maximum(build.sub(size, 1), 0)) if self.sign(e.b) > 0 or b.lo else found
    return found


def _mod_of_run(lo: Expr, hi: Expr, divisor: int) -> Interval | None:
    """Where the whole interval lies in one period."""
    gap = linear(hi).plus(linear(lo), -1)
    base = linear(lo)
    if gap.terms or any(c % divisor for c in base.terms.values()):
        return None
    start = base.constant % divisor
    if gap.constant < 0 or start + gap.constant >= divisor:
        return None
    return Interval(const(start, lo.dtype), const(start + gap.constant, lo.dtype))


def _extremum(self: _Bounds, e: Any) -> Interval:
    a, b = self(e.a), self(e.b)
    if a.lo is e.a is a.hi and b.lo is e.b is b.hi:
        return Interval(e, e)
    if e.dtype.is_float and b == EVERYTHING:
        return EVERYTHING
    if type(e) is ir.Min:
        return Interval(union(a, b).lo, intersect(a, b).hi)
    return Interval(intersect(a, b).lo, union(a, b).hi)


def _choose(self: _Bounds, e: Expr, condition: Expr, yes: Expr, no: Expr) -> Interval:
    c, a, b = self(condition), self(yes), self(no)
    if c.lo is condition is c.hi and a.lo is yes is a.hi and b.lo is no is b.hi:
        return Interval(e, e)
    if c.lo is not None and const_value(c.lo) == 1:
        return a
    if c.hi is not None and const_value(c.hi) == 0:
        return b
    if e.dtype.is_float and EVERYTHING in (a, b):
        return EVERYTHING
    if c.lo is not None and c.lo is c.hi:
        return Interval(
            None if a.lo is None or b.lo is None else build.select(c.lo, a.lo, b.lo),
            None if a.hi is None or b.hi is None else build.select(c.lo, a.hi, b.hi),
        )
    return union(a, b)


def _cast(self: _Bounds, e: ir.Cast) -> Interval:
    a = self(e.a)
    if a.lo is e.a is a.hi:
        return Interval(e, e)
    source, target = e.a.dtype.element, e.dtype.element
    if not _keeps_order(self, e, source, target):
        return self.numbers(e)
    lo, hi = (None if end is None else build.cast(target, end) for end in a)
    if (source.is_float and target.is_integer and a != EVERYTHING) or not target.is_index_like:
        known = self.numbers(e)
        return Interval(lo or known.lo, hi or known.hi)
    return Interval(lo, hi)


def _keeps_order(self: _Bounds, e: ir.Cast, source: DType, target: DType) -> bool:
    """Whether the cast is monotone on all values that can occur."""
    if source.is_float or target.is_float:
        return not target.is_bool
    if target.is_bool:
        return source.is_uint
    if source.is_index_like and target.is_index_like:
        return True
    if isinstance(e.a, ir.Call) and e.a.name in ("abs", "absd") and e.a.args[0].dtype.is_index_like:
        return target.is_index_like  # distances do not overflow either
    lo, hi = self.ranges.of(e.a)
    lo, hi = (source.min if lo is None else lo), (source.max if hi is None else hi)
    return target.can_hold(int(lo)) and target.can_hold(int(hi))


def _compare(self: _Bounds, e: Any) -> Interval:
    a, b = self(e.a), self(e.b)
    if e.dtype.lanes == 1 and a.lo is e.a is a.hi and b.lo is e.b is b.hi:
        return Interval(e, e)
    found = self.ranges.of(e)
    if found == (0, 1) and e.a.dtype.is_index_like:
        gap = linear(e.a).plus(linear(e.b), -1)
        low, high = self(expr_of(gap, e.a.dtype))
        zero = const(0, e.a.dtype.element)
        signs = Ranges({"lo": (_number(low, 0), _number(high, 1))})
        found = signs.of(type(e)(ir.Var("lo", zero.dtype), zero))
    return Interval(TRUE if found[0] else FALSE, TRUE if found[1] else FALSE)


def _number(end: Expr | None, side: int) -> int | float | None:
    return None if end is None else Ranges({}).of(end)[side]


def _logic(self: _Bounds, e: Any) -> Interval:
    a, b = self(e.a), self(e.b)
    operator: Any = type(e)
    make = build.BINARY[operator]
    return Interval(make(a.lo or FALSE, b.lo or FALSE), make(a.hi or TRUE, b.hi or TRUE))


def _not(self: _Bounds, e: ir.Not) -> Interval:
    lo, hi = self(e.a)
    return Interval(build.logical_not(hi or TRUE), build.logical_not(lo or FALSE))


def _let(self: _Bounds, e: ir.Let) -> Interval:
    value = self(e.value)
    scope = {**self.scope, e.name: value}
    return _Bounds(scope, Ranges({**self.ranges.variables, e.name: self.ranges.of(e.value)}))(e.body)


def _var(self: _Bounds, e: ir.Var) -> Interval:
    found = self.scope.get(e.name)
    if found is not None:
        return found
    return Interval(e, e) if e.dtype.lanes == 1 else self.numbers(e)


def _ramp(self: _Bounds, e: ir.Ramp) -> Interval:
    if not e.dtype.is_index_like or e.base.dtype.lanes != 1:
        return self.numbers(e)
    lane = ir.Var(f"lane of {e.lanes}", e.base.dtype)
    dtype = e.base.dtype
    inner = {**self.scope, lane.name: Interval(const(0, dtype), const(e.lanes - 1, dtype))}
    ranges = Ranges({**self.ranges.variables, lane.name: (0, e.lanes - 1)})
    return _Bounds(inner, ranges)(build.add(e.base, build.mul(lane, e.stride)))


def _shuffle(self: _Bounds, e: ir.Shuffle) -> Interval:
    total = self(e.vectors[0])
    for v in e.vectors[1:]:
        other = self(v)
        total = EVERYTHING if e.dtype.is_float and EVERYTHING in (total, other) else union(total, other)
    return total


def _reduce(self: _Bounds, e: ir.VectorReduce) -> Interval:
    return self(e.value) if e.op in ("min", "max", "and", "or") else self.numbers(e)


def _call(self: _Bounds, e: ir.Call) -> Interval:
    args = [self(a) for a in e.args]
    if e.dtype.lanes == 1 and all(i.lo is a is i.hi for a, i in zip(e.args, args, strict=True)):
        return Interval(e, e)
    if e.name in ("likely", "likely_if_innermost", "strict_float"):
        return args[0]
    if e.name in ("promise_clamped", "unsafe_promise_clamped"):
        return intersect(args[0], Interval(args[1].lo, args[2].hi)) if e.dtype.is_integer else args[0]
    if e.name == "if_then_else":
        return _choose(self, e, *e.args)
    if e.name in MONOTONE and not any(None in i for i in args):
        return monotone(e, args)
    if e.name == "sqrt" and self.sign(e.args[0]) > 0 and None not in args[0]:
        return Interval(*(build.call(e.name, (end,), e.dtype.element) for end in args[0] if end is not None))
    if e.name == "shift_right" and self.sign(e.args[1]) > 0 and const_value(e.args[1]) is not None:
        by = e.args[1] if e.args[1].dtype.lanes == 1 else const(const_value(e.args[1]) or 0, e.args[1].dtype.element)
        ends = (None if end is None else build.call(e.name, (end, by), e.dtype.element) for end in args[0])
        return Interval(*ends)
    if e.name == "shift_left" and e.dtype.is_index_like and const_value(e.args[1]) in range(e.dtype.bits - 1):
        return _times(args[0], const(1 << int(const_value(e.args[1]) or 0), e.dtype.element), 1)
    if e.name == "abs" and (
        e.args[0].dtype.is_index_like or (e.dtype.is_float and None not in args[0] and is_always_a_number(e))
    ):
        return magnitude(e, args[0], self.sign(e.args[0]))
    if e.name == "absd" and e.args[0].dtype.is_index_like:
        return distance(e, *args)
    return self.numbers(e)


_RULES: dict[type, Callable[[_Bounds, Any], Interval]] = {
    ir.Var: _var,
    ir.Add: _sum,
    ir.Sub: _sum,
    ir.Mul: _sum,
    ir.Div: _div,
    ir.Mod: _mod,
    ir.Min: _extremum,
    ir.Max: _extremum,
    **dict.fromkeys(ir.COMPARISONS, _compare),
    ir.And: _logic,
    ir.Or: _logic,
    ir.Not: _not,
    ir.Select: lambda self, e: _choose(self, e, e.condition, e.a, e.b),
    ir.Cast: _cast,
    ir.Let: _let,
    ir.Ramp: _ramp,
    ir.Broadcast: lambda self, e: self(e.value),
    ir.Shuffle: _shuffle,
    ir.VectorReduce: _reduce,
    ir.Call: _call,
}
