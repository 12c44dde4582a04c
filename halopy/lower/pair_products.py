"""Add products of 16-bit integers two at a time, as machines do in one instruction.

    int32(a)*int32(b) + int32(c)*int32(d)             ->   sum_of_products(a, b, c, d)

    int32(a)*int32(b) + int32(c)*int32(d) + int32(e)*int32(f) + int32(g)
                                                      ->   sum_of_products(a, b, c, d) + sum_of_products(e, f, g, 1)

on vectors, for a, b, c … of at most 16 bits. Instead of widening each factor, and a multiplication for each product.
Sums in int32 wrap, so their order is free; factors that meet the same partners elsewhere are paired alike, so that
bringing them together is done once.
"""

from __future__ import annotations

from ..dtypes import Code, DType
from ..ir import build
from ..ir.expr import Add, Broadcast, Call, Cast, Expr, Mul, const, const_value
from ..ir.ranges import Ranges
from ..ir.rewrite import Rewriter
from ..ir.stmt import Stmt

_LEAST = 8  # lanes


def pair_products(stmt: Stmt) -> Stmt:
    paired: Stmt = _PairProducts()(stmt)
    return paired


_Product = tuple[Expr, Expr]


class _PairProducts(Rewriter):
    only = (Mul,)

    def __init__(self) -> None:
        super().__init__()
        self.ranges = Ranges({})
        self.met: dict[Expr, int] = {}  # first factors, in the order in which they were met

    def rewrite_Add(self, node: Add) -> Expr:
        found = self._paired(node) if _is_candidate(node.dtype) else None
        rewritten: Expr = self.rebuild(node) if found is None else found
        return rewritten

    def _paired(self, node: Add) -> Expr | None:
        products: list[_Product] = []
        singles: list[Expr] = []
        others: list[Expr] = []
        for term in _terms(node):
            product = self._product(term)
            if product is not None:
                products.append(product)
            else:
                single = self._narrowed(term)
                others.append(self(term)) if single is None else singles.append(single)
        if len(products) < 2:
            return None
        products.sort(key=lambda product: self.met.setdefault(product[0], len(self.met)))
        if len(products) % 2:
            last = products.pop()
            if singles:
                single = singles.pop()
                products += [last, (const(1, single.dtype), single)]
            else:
                others.append(_wide(*last, node.dtype))
        pairs = [
            Call("sum_of_products", (*one, *two), node.dtype)
            for one, two in zip(products[::2], products[1::2], strict=True)
        ]
        total: Expr = pairs[0]
        for term in (*pairs[1:], *(Cast(node.dtype, single) for single in singles), *others):
            total = build.add(total, term)
        return total

    def _product(self, term: Expr) -> _Product | None:
        """Both factors in 16 bits, the one that differs between lanes first."""
        if not isinstance(term, Mul):
            return None
        a, b = self._narrowed(term.a), self._narrowed(term.b)
        if a is None or b is None:
            return None
        return (b, a) if _is_same_in_all_lanes(a) else (a, b)

    def _narrowed(self, e: Expr) -> Expr | None:
        """The expression in int16 whose value `e` has, if it is only widened from there."""
        dtype = e.dtype.with_bits(16).with_code(Code.INT)
        value = const_value(e)
        if value is not None:
            return const(value, dtype) if dtype.can_hold(int(value)) else None
        if isinstance(e, Broadcast) and e.value.dtype.lanes == 1:
            inner = self._narrowed(e.value)
            return None if inner is None else build.broadcast(inner, e.lanes)
        if not isinstance(e, Cast) or not e.a.dtype.is_integer or e.a.dtype.is_bool or e.a.dtype.bits > 16:
            return None
        low, high = self.ranges.of(e.a)
        if low is None or high is None or not (dtype.can_hold(int(low)) and dtype.can_hold(int(high))):
            return None
        found: Expr = self(e.a)
        return found if found.dtype is dtype else Cast(dtype, found)


def _is_candidate(dtype: DType) -> bool:
    return dtype.is_int and dtype.bits == 32 and dtype.lanes >= _LEAST


def _is_same_in_all_lanes(e: Expr) -> bool:
    return isinstance(e, Broadcast) or const_value(e) is not None


def _terms(e: Expr) -> list[Expr]:
    terms, stack = [], [e]
    while stack:
        term = stack.pop()
        if isinstance(term, Add):
            stack += [term.b, term.a]
        else:
            terms.append(term)
    return terms


def _wide(a: Expr, b: Expr, dtype: DType) -> Expr:
    return Mul(Cast(dtype, a), Cast(dtype, b))
