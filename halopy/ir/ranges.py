"""Numeric ranges of expressions: the least and greatest value that each can have.

A range is (lo, hi), inclusive, None where unbounded. A vector's range covers all lanes. int32 and
int64 arithmetic is assumed not to overflow; other integers that may wrap get their type's range.
A float range with a known end also says that the value is no NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..dtypes import DType
from . import expr as ir
from .depth import STEP, stepping_stones
from .expr import Expr, round_to
from .fold import Number, ends_of_multiply_add, fold_call, fold_cast
from .linear import linear
from .services import AskedEnd, Recall, Trace

Range = tuple[Number | None, Number | None]
UNBOUNDED: Range = (None, None)
_SUMS = (ir.Add, ir.Sub)


class Ranges:
    """Ranges of expressions, remembered per node, given those of some variables."""

    def __init__(self, variables: Mapping[str, Range]) -> None:
        self.variables = variables
        self._memo: dict[Expr, Range] = {}
        self._depth = 0

    def of(self, e: Expr) -> Range:
        if type(e) is ir.Const:
            return (e.value, e.value) if e.value == e.value else UNBOUNDED
        found = self._memo.get(e)
        if found is None:
            self._depth += 1
            if self._depth % STEP == 0:
                depth, self._depth = self._depth, 0
                for stone in stepping_stones(e, self._memo, _SUMS):
                    if isinstance(stone, Expr):
                        self.of(stone)
                self._depth = depth
            rule = _RULES.get(type(e))
            found = self._memo[e] = type_range(e.dtype) if rule is None else rule(self, e)
            self._depth -= 1
        return found

    def of_form(self, terms: Mapping[Expr, int], constant: int) -> Range:
        """The range of a sum of terms times coefficients, in exact arithmetic."""
        lo: Number | None = constant
        hi: Number | None = constant
        for term, c in terms.items():
            low, high = _scaled(self.of(term), c)
            lo = None if lo is None or low is None else lo + low
            hi = None if hi is None or high is None else hi + high
            if lo is None and hi is None:
                break
        return lo, hi

    def forget(self) -> None:
        """Drop what was remembered, after `variables` changed."""
        self._memo.clear()


def type_range(dtype: DType) -> Range:
    """What a value of the type can be; unbounded for floats and for integers that index."""
    if dtype.is_float or dtype.is_index_like or not dtype.is_integer:
        return UNBOUNDED
    return dtype.min, dtype.max


def fit(r: Range, dtype: DType) -> Range:
    """The range of exact results, or the type's where some of them would wrap."""
    if dtype.is_index_like:
        return r
    lo, hi = r
    if lo is None or hi is None or lo < dtype.min or hi > dtype.max:
        return type_range(dtype)
    return r


def union(a: Range, b: Range) -> Range:
    return (
        None if a[0] is None or b[0] is None else min(a[0], b[0]),
        None if a[1] is None or b[1] is None else max(a[1], b[1]),
    )


def intersect(a: Range, b: Range) -> Range:
    lo = a[0] if b[0] is None else b[0] if a[0] is None else max(a[0], b[0])
    hi = a[1] if b[1] is None else b[1] if a[1] is None else min(a[1], b[1])
    return lo, hi


def _rounded(r: Range, dtype: DType) -> Range:
    """Ends of exact float results as the type rounds them; unbounded unless both are finite."""
    lo, hi = r
    if lo is None or hi is None:
        return UNBOUNDED
    lo, hi = round_to(lo, dtype), round_to(hi, dtype)
    return (lo, hi) if lo > -1e300 and hi < 1e300 and abs(lo) != float("inf") != abs(hi) else UNBOUNDED


def _scaled(r: Range, c: Number) -> Range:
    lo, hi = (None if r[0] is None else r[0] * c), (None if r[1] is None else r[1] * c)
    return (lo, hi) if c >= 0 else (hi, lo)


def _sum(self: Ranges, e: Any) -> Range:
    dtype = e.dtype.element
    if dtype.is_float:
        return _float_arithmetic(self, e)
    form = linear(e)
    if e in form.terms:
        return fit(_product(self.of(e.a), self.of(e.b)), dtype)
    return fit(self.of_form(form.terms, form.constant), dtype)


def _float_arithmetic(self: Ranges, e: ir.Binary) -> Range:
    (al, ah), (bl, bh) = self.of(e.a), self.of(e.b)
    if al is None or ah is None or bl is None or bh is None:
        return UNBOUNDED
    if type(e) is ir.Add:
        ends = al + bl, ah + bh
    elif type(e) is ir.Sub:
        ends = al - bh, ah - bl
    elif type(e) is ir.Mul:
        products = al * bl, al * bh, ah * bl, ah * bh
        ends = min(products), max(products)
    elif bl == bh and bl != 0:
        quotients = al / bl, ah / bl
        ends = min(quotients), max(quotients)
    else:
        return UNBOUNDED
    return _rounded(ends, e.dtype.element)


def _product(a: Range, b: Range) -> Range:
    if None not in a and None not in b:
        products = [x * y for x in a for y in b if x is not None and y is not None]
        return min(products), max(products)
    a, b = (a, b) if a[0] is not None and a[0] >= 0 else (b, a)
    if a[0] is None or a[0] < 0:
        return UNBOUNDED
    if b[0] is not None and b[0] >= 0:
        return a[0] * b[0], None
    return None, (0 if b[1] is not None and b[1] <= 0 else None)


def _div(self: Ranges, e: ir.Div) -> Range:
    if e.dtype.is_float:
        return _float_arithmetic(self, e)
    (al, ah), (bl, bh) = self.of(e.a), self.of(e.b)
    return fit(quotient((al, ah), (bl, bh)), e.dtype.element)


def quotient(a: Range, b: Range) -> Range:
    """The range of Euclidean quotients."""
    (al, ah), (bl, bh) = a, b
    if bl is not None and bl > 0:
        lo = None if al is None else al // bl if al < 0 else 0 if bh is None else al // bh
        hi = None if ah is None else ah // bl if ah >= 0 else -1 if bh is None else ah // bh
        return lo, hi
    if bh is not None and bh < 0:
        lo, hi = quotient(a, (-bh, None if bl is None else -bl))
        return (None if hi is None else -hi), (None if lo is None else -lo)
    if al is None or ah is None:
        return UNBOUNDED
    size = max(abs(al), abs(ah))
    return (-size if bl is None or bl < 0 or al < 0 else 0), size


def _mod(self: Ranges, e: ir.Mod) -> Range:
    if e.dtype.is_float:
        return UNBOUNDED
    (al, ah), (bl, bh) = self.of(e.a), self.of(e.b)
    if bl is not None and bl == bh and bl > 0 and al is not None and ah is not None and al // bl == ah // bl:
        return al % bl, ah % bl
    sizes = None if bl is None or bh is None else max(abs(bl), abs(bh), 1) - 1
    if al is not None and al >= 0 and ah is not None:
        sizes = ah if sizes is None else min(ah, sizes)
    return 0, sizes


def _min(self: Ranges, e: ir.Min) -> Range:
    a, b = self.of(e.a), self.of(e.b)
    if e.dtype.is_float and b == UNBOUNDED:
        return UNBOUNDED
    return union(a, b)[0], intersect(a, b)[1]


def _max(self: Ranges, e: ir.Max) -> Range:
    a, b = self.of(e.a), self.of(e.b)
    if e.dtype.is_float and b == UNBOUNDED:
        return UNBOUNDED
    return intersect(a, b)[0], union(a, b)[1]


def _select(self: Ranges, e: ir.Select) -> Range:
    return _chosen(self, e.condition, e.a, e.b)


def _chosen(self: Ranges, condition: Expr, a: Expr, b: Expr) -> Range:
    c = self.of(condition)
    if c == (1, 1):
        return self.of(a)
    if c == (0, 0):
        return self.of(b)
    return _known_union(self.of(a), self.of(b), a.dtype)


def _known_union(a: Range, b: Range, dtype: DType) -> Range:
    """The union; for floats a half-known one must not hide that one side may be NaN."""
    if dtype.is_float and UNBOUNDED in (a, b):
        return UNBOUNDED
    return union(a, b)


def _cast(self: Ranges, e: ir.Cast) -> Range:
    lo, hi = self.of(e.a)
    source, target = e.a.dtype.element, e.dtype.element
    if target.is_bool:
        if (lo, hi) == (0, 0):
            return 0, 0
        positive = (lo is not None and lo > 0) or (hi is not None and hi < 0)
        return (1 if positive else 0), 1
    if target.is_integer and source.is_integer:
        if source.is_index_like and target.is_index_like:
            return lo, hi
        whole = (source.min if lo is None else lo), (source.max if hi is None else hi)
        if target.can_hold(int(whole[0])) and target.can_hold(int(whole[1])):
            return whole
        return type_range(target)
    if target.is_integer:
        return _truncated((lo, hi), source, target)
    if target.is_float and source.is_integer:
        lo, hi = (source.min if lo is None else lo), (source.max if hi is None else hi)
        return _rounded((fold_cast(lo, source, target), fold_cast(hi, source, target)), target)
    return _rounded((lo, hi), target)


def _truncated(r: Range, source: DType, target: DType) -> Range:
    lo, hi = r
    if r == UNBOUNDED or not source.is_float:
        return type_range(target)
    low = target.min if lo is None else fold_cast(lo, source, target)
    high = target.max if hi is None else fold_cast(hi, source, target)
    if target.is_index_like:
        return (None if lo is None else low), (None if hi is None else high)
    return low, high


def _compare(decide: Callable[[Range, Range], bool | None]) -> Callable[[Ranges, Any], Range]:
    def rule(self: Ranges, e: ir.Binary) -> Range:
        a, b = self.of(e.a), self.of(e.b)
        known = decide(a, b)
        if known is None and e.a.dtype.is_index_like:
            # What both sides share cancels: x + 1 > x.
            gap = linear(e.a).plus(linear(e.b), -1)
            if len(gap.terms) <= 4:
                known = decide(self.of_form(gap.terms, gap.constant), (0, 0))
        return (0, 1) if known is None else (int(known), int(known))

    return rule


def _less(a: Range, b: Range) -> bool | None:
    if a[1] is not None and b[0] is not None and a[1] < b[0]:
        return True
    if a[0] is not None and b[1] is not None and a[0] >= b[1]:
        return False
    return None


def _equal(a: Range, b: Range) -> bool | None:
    if None not in a and a[0] == a[1] and a == b:
        return True
    return False if _less(a, b) or _less(b, a) else None


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _and(self: Ranges, e: ir.And) -> Range:
    (al, ah), (bl, bh) = self.of(e.a), self.of(e.b)
    return int(bool(al and bl)), int(bool(ah and bh))


def _or(self: Ranges, e: ir.Or) -> Range:
    (al, ah), (bl, bh) = self.of(e.a), self.of(e.b)
    return int(bool(al or bl)), int(bool(ah or bh))


def _not(self: Ranges, e: ir.Not) -> Range:
    lo, hi = self.of(e.a)
    return int(not hi), int(not lo)


def _let(self: Ranges, e: ir.Let) -> Range:
    return Ranges({**self.variables, e.name: self.of(e.value)}).of(e.body)


def _ramp(self: Ranges, e: ir.Ramp) -> Range:
    (bl, bh), stride = self.of(e.base), self.of(e.stride)
    if e.dtype.is_float:
        return UNBOUNDED
    low, high = _product(stride, (0, e.lanes - 1))
    return fit((
        None if bl is None or low is None else bl + low,
        None if bh is None or high is None else bh + high,
    ), e.dtype.element)  # fmt: skip


def _shuffle(self: Ranges, e: ir.Shuffle) -> Range:
    total = self.of(e.vectors[0])
    for v in e.vectors[1:]:
        total = _known_union(total, self.of(v), e.dtype)
    return total


def _reduce(self: Ranges, e: ir.VectorReduce) -> Range:
    if e.op in ("min", "max", "and", "or"):
        return self.of(e.value)
    if e.op == "add" and e.dtype.is_integer:
        return fit(_scaled(self.of(e.value), e.value.dtype.lanes // e.lanes), e.dtype.element)
    return type_range(e.dtype)


def _call(self: Ranges, e: ir.Call) -> Range:
    from_args = _CALLS.get(e.name)
    return type_range(e.dtype) if from_args is None else from_args(self, e)


def _var(self: Ranges, e: ir.Var) -> Range:
    return self.variables.get(e.name) or type_range(e.dtype)


def _abs(self: Ranges, e: ir.Call) -> Range:
    lo, hi = self.of(e.args[0])
    if lo is not None and lo >= 0:
        return lo, hi
    if lo is None or hi is None:
        return (0, None) if e.dtype.is_float and (lo, hi) != UNBOUNDED else type_range(e.dtype)
    return (0 if hi >= 0 else -hi), max(-lo, hi)


def _absd(self: Ranges, e: ir.Call) -> Range:
    (al, ah), (bl, bh) = self.of(e.args[0]), self.of(e.args[1])
    if al is None or ah is None or bl is None or bh is None or e.dtype.is_float:
        return type_range(e.dtype)
    return max(0, al - bh, bl - ah), max(ah - bl, bh - al)


def _bits(_self: Ranges, e: ir.Call) -> Range:
    return 0, e.args[0].dtype.bits


def _bitwise_and(self: Ranges, e: ir.Call) -> Range:
    (al, ah), (bl, bh) = self.of(e.args[0]), self.of(e.args[1])
    masks = [hi for lo, hi in ((al, ah), (bl, bh)) if lo is not None and lo >= 0]
    if not masks:
        return type_range(e.dtype)
    known = [hi for hi in masks if hi is not None]
    return 0, (min(known) if known else None)


def _bitwise_or(self: Ranges, e: ir.Call) -> Range:
    (al, ah), (bl, bh) = self.of(e.args[0]), self.of(e.args[1])
    if al is None or bl is None or al < 0 or bl < 0 or ah is None or bh is None:
        return type_range(e.dtype)
    lo = max(al, bl) if e.name == "bitwise_or" else 0
    return lo, (1 << max(int(ah).bit_length(), int(bh).bit_length())) - 1


def _shift_right(self: Ranges, e: ir.Call) -> Range:
    (al, ah), (bl, bh) = self.of(e.args[0]), self.of(e.args[1])
    if bl is None or bl < 0:
        return type_range(e.dtype)
    least, most = int(bl), (None if bh is None else int(bh))
    lo = None if al is None else int(al) >> least if al < 0 else 0 if most is None else int(al) >> most
    hi = None if ah is None else int(ah) >> least if ah >= 0 else -1 if most is None else int(ah) >> most
    return fit((lo, hi), e.dtype.element)


def _shift_left(self: Ranges, e: ir.Call) -> Range:
    a, (bl, bh) = self.of(e.args[0]), self.of(e.args[1])
    if bl is None or bl < 0 or bh is None or bh >= e.dtype.bits:
        return type_range(e.dtype)
    return fit(_product(a, (1 << int(bl), 1 << int(bh))), e.dtype.element)


def _monotone(*directions: int) -> Callable[[Ranges, ir.Call], Range]:
    """A call that grows with each argument of direction 1 and falls with those of -1."""

    def rule(self: Ranges, e: ir.Call) -> Range:
        ends = [self.of(a) for a in e.args]
        if any(None in r for r in ends):
            return type_range(e.dtype)
        types = [a.dtype.element for a in e.args]
        lows = [r[0 if d > 0 else 1] or 0 for r, d in zip(ends, directions, strict=True)]
        highs = [r[1 if d > 0 else 0] or 0 for r, d in zip(ends, directions, strict=True)]
        from_fold = fold_call(e.name, lows, types, e.dtype.element), fold_call(e.name, highs, types, e.dtype.element)
        return _rounded(from_fold, e.dtype.element) if e.dtype.is_float else from_fold

    return rule


def _first(self: Ranges, e: ir.Call) -> Range:
    return self.of(e.args[0])


def _promised(self: Ranges, e: ir.Call) -> Range:
    value, low, high = (self.of(a) for a in e.args)
    if e.dtype.is_float:
        return value
    return intersect(value, (low[0], high[1]))


def _multiply_add(self: Ranges, e: ir.Call) -> Range:
    ends = ends_of_multiply_add(map(self.of, e.args), e.dtype.element)
    return UNBOUNDED if ends is None else _rounded(ends, e.dtype.element)


_CALLS: dict[str, Callable[[Ranges, ir.Call], Range]] = {
    "multiply_add": _multiply_add,
    "likely": _first,
    "likely_if_innermost": _first,
    "strict_float": _first,
    "promise_clamped": _promised,
    "unsafe_promise_clamped": _promised,
    "if_then_else": lambda self, e: _chosen(self, *e.args),
    "return_second": lambda self, e: self.of(e.args[1]),
    "abs": _abs,
    "absd": _absd,
    "popcount": _bits,
    "count_leading_zeros": _bits,
    "count_trailing_zeros": _bits,
    "bitwise_and": _bitwise_and,
    "bitwise_or": _bitwise_or,
    "bitwise_xor": _bitwise_or,
    "shift_right": _shift_right,
    "shift_left": _shift_left,
    "bitwise_not": _monotone(-1),
    "saturating_cast": _monotone(1),
    "saturating_add": _monotone(1, 1),
    "saturating_sub": _monotone(1, -1),
    "widening_add": _monotone(1, 1),
    "widening_sub": _monotone(1, -1),
    "halving_add": _monotone(1, 1),
    "rounding_halving_add": _monotone(1, 1),
    "floor": _monotone(1),
    "ceil": _monotone(1),
    "round": _monotone(1),
    "trunc": _monotone(1),
}


def _is_passed_on(e: ir.Effect) -> bool:
    """Whether the effect's value is the one inside; other events give their number."""
    if isinstance(e.service, Trace):
        return e.service.has_value
    return not isinstance(e.service, Recall | AskedEnd)


_RULES: dict[type, Callable[[Ranges, Any], Range]] = {
    ir.Var: _var,
    ir.Add: _sum,
    ir.Sub: _sum,
    ir.Mul: _sum,
    ir.Div: _div,
    ir.Mod: _mod,
    ir.Min: _min,
    ir.Max: _max,
    ir.LT: _compare(_less),
    ir.GE: _compare(lambda a, b: _negated(_less(a, b))),
    ir.GT: _compare(lambda a, b: _less(b, a)),
    ir.LE: _compare(lambda a, b: _negated(_less(b, a))),
    ir.EQ: _compare(_equal),
    ir.NE: _compare(lambda a, b: _negated(_equal(a, b))),
    ir.And: _and,
    ir.Or: _or,
    ir.Not: _not,
    ir.Select: _select,
    ir.Cast: _cast,
    ir.Let: _let,
    ir.Ramp: _ramp,
    ir.Broadcast: lambda self, e: self.of(e.value),
    ir.Effect: lambda self, e: self.of(e.value) if _is_passed_on(e) else type_range(e.dtype),
    ir.Shuffle: _shuffle,
    ir.VectorReduce: _reduce,
    ir.Call: _call,
}
