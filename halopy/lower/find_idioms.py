"""Vector arithmetic on small integers in fewer instructions: in the narrow type, where it is narrowed in the end.

    uint8((uint16(a) + uint16(b) + 1)/2)         ->   rounding_halving_add(a, b)
    uint8((uint16(a) + uint16(b))/2)             ->   halving_add(a, b)
    uint8(min(uint16(a) + uint16(b), 255))       ->   saturating_add(a, b)
    uint8(max(int16(a) - int16(b), 0))           ->   saturating_sub(a, b)
    uint8(abs(int16(a) - int16(b)))              ->   absd(a, b)
    uint8(max(min(a, 255), 0))                   ->   saturating_cast(a)
    uint16(uint32(a)*uint32(b) >> 16)            ->   mul_shift_right(a, b, 16)
    (uint16(a) + uint16(b) + 1)/2                ->   uint16(rounding_halving_add(a, b))
    (uint16(a) + uint16(b))/3                    ->   high half of (uint16(a) + uint16(b))*21846
    select(a < b, b, a)                          ->   max(b, a)
    max(min(int32(f), 6), 0)                     ->   int32(min(max(f, 0.0f), 6.0f))

Twice as many lanes fit a register, and a quotient whose dividend is small needs no shift after its product. What waits
for the greatest so far need not wait for a comparison. A float in an integer's range becomes one in one instruction.
Same bits for all values; but for the last, scalars are left as they are.
"""

from __future__ import annotations

from ..dtypes import Code, DType
from ..ir import build
from ..ir.expr import (
    GE,
    GT,
    LE,
    LT,
    Add,
    Broadcast,
    Call,
    Cast,
    Div,
    Expr,
    Max,
    Min,
    Mul,
    Select,
    Sub,
    const,
    const_value,
)
from ..ir.ranges import Ranges
from ..ir.rewrite import Rewriter
from ..ir.stmt import Stmt


def find_idioms(stmt: Stmt) -> Stmt:
    narrowed: Stmt = _FindIdioms()(stmt)
    return narrowed


class _FindIdioms(Rewriter):
    only = (Cast, Div, Select, Max, Min)

    def __init__(self) -> None:
        super().__init__()
        self.ranges = Ranges({})

    def rewrite_Div(self, node: Div) -> Expr:
        found = _high_product(node, self.ranges) or _mean(node)
        rewritten: Expr = self.rebuild(node if found is None else found)
        return rewritten

    def rewrite_Select(self, node: Select) -> Expr:
        found = _extremum(node)
        rewritten: Expr = self.rebuild(node if found is None else found)
        return rewritten

    def rewrite_Max(self, node: Max) -> Expr:
        found = _clamped_float(node)
        rewritten: Expr = self.rebuild(node) if found is None else self(found)
        return rewritten

    rewrite_Min = rewrite_Max

    def rewrite_Cast(self, node: Cast) -> Expr:
        found = (_idiom(node) or _high_half(node) or _clamped_to_type(node, self.ranges)) if _narrows(node) else None
        rewritten: Expr = self.rebuild(node) if found is None else self(found)
        return rewritten


def _narrows(node: Cast) -> bool:
    source, target = node.a.dtype, node.dtype
    if target.lanes == 1 or target.is_bool or not (source.is_integer and target.is_integer):
        return False
    return target.bits < source.bits


def _idiom(node: Cast) -> Expr | None:
    """The same value computed in the narrow type; what the cast takes is within its range."""
    return _halving(node) or _saturating(node) or _difference(node)


def _high_product(node: Div, ranges: Ranges) -> Expr | None:
    """a/c in uint16 as the high half of a product, where that is exact for all values that `a` may have.

    With m = ceil(2**16 / c) and e = m*c - 2**16:  a*m / 2**16 = a/c + a*e / (c * 2**16),
    which reaches no further integer where a*e < 2**16.
    """
    dtype, divisor = node.dtype, const_value(node.b)
    if dtype.lanes == 1 or not dtype.is_uint or dtype.bits != 16 or divisor is None or divisor < 2:
        return None
    c = int(divisor)
    factor, most = -(-(1 << 16) // c), ranges.of(node.a)[1]
    if c & (c - 1) == 0 or most is None or most * (factor * c - (1 << 16)) >= 1 << 16:
        return None
    return Call("mul_shift_right", (node.a, const(factor, dtype), const(16, dtype)), dtype)


def _high_half(node: Cast) -> Expr | None:
    """The high 16 bits of a product of 16-bit numbers, or fewer of them."""
    inner = _unwidened(node.a)
    product, shift = _shifted_right(inner)
    if not isinstance(product, Mul) or node.dtype.bits != 16 or inner.dtype.bits != 32 or not 16 <= shift < 32:
        return None
    dtype = inner.dtype.with_bits(16)
    a, b = _pair(product.a, product.b, dtype)
    if a is None or b is None:
        return None
    high = Call("mul_shift_right", (a, b, const(shift, dtype)), dtype)
    return high if dtype is node.dtype else Cast(node.dtype, high)


def _shifted_right(e: Expr) -> tuple[Expr | None, int]:
    """What is divided by a power of two, and which."""
    if isinstance(e, Div) and (divisor := const_value(e.b)) is not None and divisor > 0:
        return (e.a, int(divisor).bit_length() - 1) if int(divisor) & (int(divisor) - 1) == 0 else (None, 0)
    if isinstance(e, Call) and e.name == "shift_right" and (amount := const_value(e.args[1])) is not None:
        return e.args[0], int(amount)
    return None, 0


def _mean(node: Div) -> Expr | None:
    """(a + b + 1)/2 of numbers that half the width holds: there it is one instruction."""
    dtype = node.dtype
    if dtype.lanes == 1 or not dtype.is_integer or dtype.bits not in (16, 32):
        return None
    found = _halving(Cast(dtype.with_bits(dtype.bits // 2).with_code(Code.UINT), node))
    return Cast(dtype, found) if isinstance(found, Call) and found.name == "rounding_halving_add" else None


def _extremum(node: Select) -> Expr | None:
    """The one of two that is greater, or less; of floats that compare as neither, the second, as Max and Min take."""
    test = node.condition
    if node.dtype.lanes == 1 or node.dtype.is_bool or not isinstance(test, LT | GT | LE | GE):
        return None
    if isinstance(test, LE | GE) and not node.dtype.is_integer:
        return None  # which zero is taken, or whether a NaN is, differs
    straight = test.a is node.a and test.b is node.b
    if not straight and not (test.a is node.b and test.b is node.a):
        return None
    takes_less = isinstance(test, LT | LE) == straight
    return Min(node.a, node.b) if takes_less else Max(node.a, node.b)


def _clamped_float(node: Max | Min) -> Expr | None:
    """A float clamped before it becomes an integer instead of after; NaN is 0 afterwards, and the lower end before."""
    inner = node.a
    if not isinstance(inner, Max | Min) or type(inner) is type(node) or not isinstance(inner.a, Cast):
        return None
    ends = [const_value(e.b) for e in ((node, inner) if isinstance(node, Max) else (inner, node))]
    value = inner.a.a
    if not (value.dtype.is_float and value.dtype.bits in (32, 64)):
        return None
    low, high = ends
    if (
        low is None
        or high is None
        or not 0 <= low <= high
        or not all(_is_exact(end, value.dtype) for end in (low, high))
    ):
        return None
    floats = [const(float(end), value.dtype) for end in (low, high)]
    return Cast(node.dtype, Min(Max(value, floats[0]), floats[1]))


def _is_exact(number: int | float, dtype: DType) -> bool:
    return abs(number) <= (1 << (24 if dtype.bits == 32 else 53))


def narrow(e: Expr, dtype: DType) -> Expr | None:
    """The expression of this narrower type whose value `e` has, if there is one."""
    value = const_value(e)
    if value is not None:
        return const(value, dtype) if dtype.can_hold(int(value)) else None
    if isinstance(e, Broadcast):
        inner = narrow(e.value, dtype.with_lanes(e.value.dtype.lanes))
        return None if inner is None else build.broadcast(inner, e.lanes)
    inside = _unwidened(e, dtype)
    if inside.dtype is dtype:
        return inside
    return narrow(inside, dtype) if inside is not e else _idiom(Cast(dtype, e))


def _unwidened(e: Expr, down_to: DType | None = None) -> Expr:
    """What is only converted to types that hold all values of its own; no further than the type `down_to`."""
    while isinstance(e, Cast) and e.dtype is not down_to:
        source = e.a.dtype
        if source.is_bool or not (source.is_integer and e.dtype.is_integer):
            break
        if not (e.dtype.can_hold(source.min) and e.dtype.can_hold(source.max)):
            break
        e = e.a
    return e


def _halving(node: Cast) -> Expr | None:
    """(a + b)/2 and (a + b + 1)/2, in a type in which the sum does not wrap."""
    total = _half_of(_unwidened(node.a))
    if not isinstance(total, Add) or total.dtype.bits <= node.dtype.bits:
        return None
    a, b = _pair(total.a, total.b, node.dtype)
    if a is not None and b is not None:
        return Call("halving_add", (a, b), node.dtype)
    if const_value(total.b) != 1 or not isinstance(total.a, Add):
        return None
    a, b = _pair(total.a.a, total.a.b, node.dtype)
    return Call("rounding_halving_add", (a, b), node.dtype) if a is not None and b is not None else None


def _half_of(e: Expr) -> Expr | None:
    if isinstance(e, Div) and const_value(e.b) == 2:
        return e.a
    if isinstance(e, Call) and e.name == "shift_right" and const_value(e.args[1]) == 1:
        return e.args[0]
    return None


def _pair(a: Expr, b: Expr, dtype: DType) -> tuple[Expr | None, Expr | None]:
    return narrow(a, dtype), narrow(b, dtype)


def _saturating(node: Cast) -> Expr | None:
    """Sums and differences clamped to the range of the narrow type, where they can leave it."""
    inner, low, high = _clamped(node.a)
    if not isinstance(inner, Add | Sub) or inner.dtype.bits <= node.dtype.bits:
        return None
    if isinstance(inner, Sub) and inner.dtype.is_uint:
        return None  # it wraps below zero
    dtype = node.dtype
    a, b = _pair(inner.a, inner.b, dtype)
    if a is None or b is None:
        return None
    may_exceed = isinstance(inner, Add) or dtype.is_int
    may_fall_below = isinstance(inner, Sub) or dtype.is_int
    if (may_exceed and high != dtype.max) or (may_fall_below and low != dtype.min):
        return None
    if (high is not None and high < dtype.max) or (low is not None and low > dtype.min):
        return None
    name = "saturating_add" if isinstance(inner, Add) else "saturating_sub"
    return Call(name, (a, b), dtype)


def _clamped_to_type(node: Cast, ranges: Ranges) -> Expr | None:
    """What is clamped to the range of the narrow type, and no further."""
    inner, low, high = _clamped(node.a)
    if not inner.dtype.is_integer or inner.dtype.bits <= node.dtype.bits or high != node.dtype.max:
        return None
    least = ranges.of(inner)[0] if low is None else low
    reaches = least is not None and (least >= node.dtype.min if low is None else low == node.dtype.min)
    return Call("saturating_cast", (inner,), node.dtype) if reaches else None


def _clamped(e: Expr) -> tuple[Expr, int | None, int | None]:
    """What is clamped, from below, from above."""
    low: int | None = None
    high: int | None = None
    e = _unwidened(e)
    while isinstance(e, Min | Max) and (limit := const_value(e.b)) is not None:
        if isinstance(e, Min):
            if high is not None:
                break
            high = int(limit)
        else:
            if low is not None:
                break
            low = int(limit)
        e = _unwidened(e.a)
    return e, low, high


def _difference(node: Cast) -> Expr | None:
    """|a - b|, taken in a type that holds the difference."""
    call = _unwidened(node.a)
    if not (isinstance(call, Call) and call.name == "abs" and node.dtype.is_uint):
        return None
    inner = _unwidened(call.args[0])
    if not (isinstance(inner, Sub) and inner.dtype.is_int and inner.dtype.bits > node.dtype.bits):
        return None
    for dtype in (node.dtype, node.dtype.with_code(Code.INT)):
        a, b = _pair(inner.a, inner.b, dtype)
        if a is not None and b is not None:
            return Call("absd", (a, b), node.dtype)
    return None
