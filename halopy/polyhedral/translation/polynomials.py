"""Integer expressions as polynomials in atoms, so that equal addresses are the same value.

    (y - m)*(w + 1) + x - 3     ->     y*w + y - m*w - m + x - 3

Atoms are variables and what is no sum or product: quotients by numbers, minima and maxima, and what is opaque here.
Each is written in one way only: numbers and what is common leave minima, multiples leave quotients, and remainders
are what quotients leave over. Index arithmetic does not overflow, by the promise of its type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from math import gcd
from typing import Any, TypeAlias

from ...dtypes import INT32
from ...ir import expr as ir
from ...ir.expr import FALSE, TRUE, Const, Expr, Var, const, const_value
from ...ir.node import Node
from ...ir.order import order_key
from ...ir.simplify import simplify

Monomial: TypeAlias = tuple[Expr, ...]  # a product of atoms; without any, the number 1
Polynomial: TypeAlias = Mapping[Monomial, int]  # coefficients, never 0

ZERO: Polynomial = {}
ONE: Monomial = ()
_MOST_TERMS = 400


class TooLong(Exception):
    """A product has too many terms."""


def number(value: int) -> Polynomial:
    return {ONE: value} if value else ZERO


def constant(p: Polynomial) -> int | None:
    """The number that it is; None for one with atoms."""
    return 0 if not p else p[ONE] if len(p) == 1 and ONE in p else None


def plus(a: Polynomial, b: Polynomial, factor: int = 1) -> Polynomial:
    """a + b * factor"""
    if not b or not factor:
        return a
    total = dict(a)
    for term, c in b.items():
        added = total.get(term, 0) + c * factor
        if added:
            total[term] = added
        else:
            total.pop(term, None)
    return total


def minus(a: Polynomial, b: Polynomial) -> Polynomial:
    return plus(a, b, -1)


def scaled(p: Polynomial, factor: int) -> Polynomial:
    return {term: c * factor for term, c in p.items()} if factor else ZERO


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    if len(a) * len(b) > _MOST_TERMS:
        raise TooLong
    total: dict[Monomial, int] = {}
    for one, c in a.items():
        for other, d in b.items():
            term = tuple(sorted((*one, *other), key=id)) if one and other else one or other
            added = total.get(term, 0) + c * d
            if added:
                total[term] = added
            else:
                total.pop(term, None)
    return total


_LIMIT = 1 << 15
_written: dict[frozenset[tuple[Monomial, int]], Expr] = {}  # may be emptied at any time


def written(p: Polynomial) -> Expr:
    """The polynomial as an expression; equal ones are one."""
    key = frozenset(p.items())
    found = _written.get(key)
    if found is None:
        if len(_written) > _LIMIT:
            _written.clear()
        found = _written[key] = _write(p)
    return found


def _write(p: Polynomial) -> Expr:
    products = sorted(((_product(term), c) for term, c in p.items() if term), key=lambda pair: order_key(pair[0]))
    parts = [e if c == 1 else ir.Mul(e, const(c)) for e, c in products]
    if p.get(ONE) or not parts:
        parts.append(const(p.get(ONE, 0)))
    return reduce(ir.Add, parts)


def _product(term: Monomial) -> Expr:
    return reduce(ir.Mul, sorted(term, key=order_key))


class Scope:
    """What names stand for, and expressions in terms of that.

    `values` may be any: polynomials for integers that index, expressions for the rest (canonical ones, or vectors).
    """

    def __init__(self, values: Mapping[str, Polynomial | Expr]) -> None:
        self.values = values
        self._polynomials: dict[Expr, Polynomial] = {}
        self._expressions: dict[Expr, Expr] = {}

    def under(self, values: Mapping[str, Polynomial | Expr]) -> Scope:
        """With further names."""
        return Scope({**self.values, **values})

    def integer(self, e: Expr) -> Polynomial:
        """An integer that indexes, or could."""
        found = self._polynomials.get(e)
        if found is None:
            rule = _RULES.get(type(e))
            found = self._polynomials[e] = self._opaque(e) if rule is None else rule(self, e)
        return found

    def expression(self, e: Expr) -> Expr:
        """Any scalar in canonical form."""
        if e.dtype.is_index_like:
            return written(self.integer(e))
        found = self._expressions.get(e)
        if found is None:
            found = self._expressions[e] = self.condition(e) if e.dtype.is_bool else self._rebuilt(e)
        return found

    def condition(self, e: Expr) -> Expr:
        """A bool: comparisons of integers as p >= 0, p == 0 or p != 0."""
        if isinstance(e, ir.And | ir.Or):
            return _logic(type(e), self.condition(e.a), self.condition(e.b))
        if isinstance(e, ir.Not):
            return negation(self.condition(e.a))
        if isinstance(e, ir.Compare) and e.a.dtype.is_index_like:
            return comparison(type(e), minus(self.integer(e.b), self.integer(e.a)))
        if isinstance(e, ir.Call) and e.name in _TRANSPARENT:
            return self.condition(e.args[0])
        return self._rebuilt(e)

    def _rebuilt(self, e: Expr) -> Expr:
        if isinstance(e, Var):
            value = self.values.get(e.name, e)
            return value if isinstance(value, Expr) else ir.Cast(e.dtype, written(value))
        if isinstance(e, ir.Let):
            return self.under({e.name: self.value(e.value)}).expression(e.body)
        if isinstance(e, ir.Call) and e.name in _TRANSPARENT:
            return self.expression(e.args[0])
        if isinstance(e, ir.Call) and e.name == "if_then_else":
            return self._rebuilt(ir.Select(*e.args))
        if isinstance(e, ir.Select):
            chosen = const_value(condition := self.condition(e.condition))
            a, b = self.expression(e.a), self.expression(e.b)
            return ir.Select(condition, a, b) if chosen is None and a is not b else a if a is b or chosen else b
        fields = [self._field(value) for value in e.fields()]
        rebuilt: Expr = type(e)(*fields)
        return in_order(rebuilt)

    def _field(self, value: Any) -> Any:
        if isinstance(value, Expr):
            return self.expression(value)
        return tuple(map(self._field, value)) if isinstance(value, tuple) else value

    def value(self, e: Expr) -> Polynomial | Expr:
        """What a name stands for that is bound to it."""
        return self.integer(e) if e.dtype.is_index_like else self.expression(e)

    def _opaque(self, e: Expr) -> Polynomial:
        """What memory says is computed in the simplest way: one text has it as it was written."""
        return {(self._rebuilt(simplify(e) if e.has(ir.Load) else e),): 1}

    def _variable(self, e: Var) -> Polynomial:
        value = self.values.get(e.name)
        if value is None:
            return {(Var(e.name, INT32),): 1}
        return {(value,): 1} if isinstance(value, Expr) else value

    def _quotient(self, e: ir.Div) -> Polynomial:
        divisor = const_value(e.b)
        if divisor is None or divisor <= 0:
            return self._opaque(e)
        return quotient(self.integer(e.a), int(divisor))

    def _remainder(self, e: ir.Mod) -> Polynomial:
        divisor = const_value(e.b)
        if divisor is None or divisor <= 0:
            return self._opaque(e)
        p = self.integer(e.a)
        return plus(p, quotient(p, int(divisor)), -int(divisor))

    def _extremum(self, e: ir.Min | ir.Max) -> Polynomial:
        return extremum(type(e), (self.integer(e.a), self.integer(e.b)))

    def _selected(self, e: ir.Select) -> Polynomial:
        a, b = self.integer(e.a), self.integer(e.b)
        condition = self.condition(e.condition)
        if a == b or condition is TRUE:
            return a
        return b if condition is FALSE else {(ir.Select(condition, written(a), written(b)),): 1}

    def _product(self, e: ir.Mul) -> Polynomial:
        try:
            return times(self.integer(e.a), self.integer(e.b))
        except TooLong:
            return self._opaque(e)

    def _cast(self, e: ir.Cast) -> Polynomial:
        return self.integer(e.a) if e.a.dtype.is_index_like else self._opaque(e)

    def _call(self, e: ir.Call) -> Polynomial:
        if e.name in _TRANSPARENT:
            return self.integer(e.args[0])
        return self._selected(ir.Select(*e.args)) if e.name == "if_then_else" else self._opaque(e)

    def _let(self, e: ir.Let) -> Polynomial:
        return self.under({e.name: self.value(e.value)}).integer(e.body)


_TRANSPARENT = ("likely", "likely_if_innermost")
_RULES: Mapping[type[Node], Callable[[Scope, Any], Polynomial]] = {
    Const: lambda _, e: number(int(e.value)),
    Var: Scope._variable,
    ir.Add: lambda scope, e: plus(scope.integer(e.a), scope.integer(e.b)),
    ir.Sub: lambda scope, e: minus(scope.integer(e.a), scope.integer(e.b)),
    ir.Mul: Scope._product,
    ir.Div: Scope._quotient,
    ir.Mod: Scope._remainder,
    ir.Min: Scope._extremum,
    ir.Max: Scope._extremum,
    ir.Select: Scope._selected,
    ir.Cast: Scope._cast,
    ir.Call: Scope._call,
    ir.Let: Scope._let,
}


def quotient(p: Polynomial, divisor: int) -> Polynomial:
    """Rounded down, by a positive number: (4*x + 9)/4 is x + 2 + 1/4, of which 1/4 is nothing."""
    shares = {term: (c if term == ONE else c + (divisor - 1) // 2) // divisor for term, c in p.items()}
    whole = {term: c for term, c in shares.items() if c}
    rest = {term: c - shares[term] * divisor for term, c in p.items() if c != shares[term] * divisor}
    if not any(rest):
        return whole
    left = rest.pop(ONE, 0)
    common = gcd(divisor, *rest.values())
    divisor, rest = divisor // common, {term: c // common for term, c in rest.items()}
    left //= common
    inner = _only_atom(rest)
    if isinstance(inner, ir.Div) and (by := const_value(inner.b)):  # (e/a + k)/b  ->  (e + k*a)/(a*b)
        return plus(whole, quotient(plus(polynomial(inner.a), number(left * int(by))), int(by) * divisor))
    if divisor == 1:
        return plus(whole, plus(rest, number(left)))
    return plus(whole, {(ir.Div(written(plus(rest, number(left))), const(divisor)),): 1})


def _only_atom(p: Polynomial) -> Expr | None:
    """The atom that it is."""
    if len(p) != 1:
        return None
    ((term, c),) = p.items()
    return term[0] if c == 1 and len(term) == 1 else None


def extremum(kind: type[ir.Min] | type[ir.Max], operands: Iterable[Polynomial]) -> Polynomial:
    """The least or greatest of several; numbers and terms that all have stand outside."""
    flat: dict[frozenset[tuple[Monomial, int]], Polynomial] = {}
    for operand in (inner for p in operands for inner in _operands(kind, p)):
        rest = frozenset((term, c) for term, c in operand.items() if term)
        other = flat.get(rest)
        if other is None or (operand.get(ONE, 0) < other.get(ONE, 0)) == (kind is ir.Min):
            flat[rest] = operand
    several = list(flat.values())
    if len(several) == 1:
        return several[0]
    first, *others = several
    common = {term: c for term, c in first.items() if term and all(o.get(term) == c for o in others)}
    common = dict(plus(common, number(min(o.get(ONE, 0) for o in several))))
    parts = sorted((written(minus(o, common)) for o in several), key=order_key)
    return plus({(reduce(kind, parts),): 1}, common)


def _operands(kind: type[ir.Min] | type[ir.Max], p: Polynomial) -> list[Polynomial]:
    """min(a, b) + c  ->  a + c, b + c"""
    for term, c in p.items():
        if c == 1 and len(term) == 1 and type(term[0]) is kind:
            rest = {t: k for t, k in p.items() if t is not term}
            return [plus(polynomial(e), rest) for e in ir.chained(kind, term[0])]
    return [p]


def comparison(kind: type[ir.Compare], gap: Polynomial) -> Expr:
    """0 kind gap"""
    if kind is ir.EQ or kind is ir.NE:
        return _equality(kind, gap)
    signed = gap if kind in (ir.LT, ir.LE) else scaled(gap, -1)
    return at_least_zero(plus(signed, number(-1)) if kind in (ir.LT, ir.GT) else signed)


def at_least_zero(p: Polynomial) -> Expr:
    known = constant(p)
    if known is not None:
        return TRUE if known >= 0 else FALSE
    common = gcd(*(c for term, c in p.items() if term))
    return ir.GE(written({term: c // common for term, c in p.items() if c // common}), const(0))


def _equality(kind: type[ir.Compare], gap: Polynomial) -> Expr:
    known = constant(gap)
    if known is not None:
        return TRUE if (known == 0) == (kind is ir.EQ) else FALSE
    leading = min((term for term in gap if term), key=lambda term: order_key(_product(term)))
    return kind(written(gap if gap[leading] > 0 else scaled(gap, -1)), const(0))


def negation(condition: Expr) -> Expr:
    """The opposite, in canonical form."""
    if isinstance(condition, Const):
        return FALSE if condition.value else TRUE
    if isinstance(condition, ir.Not):
        return condition.a
    if isinstance(condition, ir.And | ir.Or):
        opposite = ir.Or if isinstance(condition, ir.And) else ir.And
        return _logic(opposite, negation(condition.a), negation(condition.b))
    if isinstance(condition, ir.GE) and condition.a.dtype.is_index_like:
        return at_least_zero(plus(scaled(polynomial(condition.a), -1), number(-1)))
    if isinstance(condition, ir.EQ | ir.NE) and condition.a.dtype.is_index_like:
        return (ir.NE if isinstance(condition, ir.EQ) else ir.EQ)(condition.a, condition.b)
    return ir.Not(condition)


def _logic(kind: type[ir.And] | type[ir.Or], a: Expr, b: Expr) -> Expr:
    absorbing, neutral = (FALSE, TRUE) if kind is ir.And else (TRUE, FALSE)
    if a is absorbing or b is absorbing:
        return absorbing
    if a is neutral or a is b:
        return b
    return a if b is neutral else kind(a, b)


_ANY_GROUPS = (ir.Add, ir.Mul, ir.Min, ir.Max)  # of integers
_ANY_ORDER = (ir.Add, ir.Mul, ir.EQ, ir.NE, ir.And, ir.Or)
_CALLS_IN_ANY_ORDER = frozenset(
    {"multiply_add", "fma", "absd", "bitwise_and", "bitwise_or", "bitwise_xor", "saturating_add", "widening_add"}
    | {"widening_mul", "halving_add", "rounding_halving_add"}
)  # of the first two operands


def in_any_order(e: Expr) -> bool:
    """Whether its first two operands may change places, bit for bit."""
    is_extreme = isinstance(e, ir.Min | ir.Max) and e.dtype.is_integer
    return is_extreme or isinstance(e, _ANY_ORDER) or (isinstance(e, ir.Call) and e.name in _CALLS_IN_ANY_ORDER)


def in_order(e: Expr) -> Expr:
    """With the operands of what may be commuted or, of integers, grouped otherwise, in one order: b*a  ->  a*b."""
    if isinstance(e, _ANY_GROUPS) and e.dtype.is_integer:
        return reduce(type(e), sorted(ir.chained(type(e), e), key=order_key))
    if not in_any_order(e):
        return e
    if isinstance(e, ir.Call):
        first, second = sorted(e.args[:2], key=order_key)
        return ir.Call(e.name, (first, second, *e.args[2:]), e.dtype)
    assert isinstance(e, ir.Binary), "expected an operator"
    return type(e)(*sorted((e.a, e.b), key=order_key))


_known: dict[Expr, Polynomial] = {}  # of expressions that are canonical already; may be emptied at any time


def polynomial(e: Expr) -> Polynomial:
    """Of an integer in canonical form."""
    if len(_known) > _LIMIT:
        _known.clear()
    found = _known.get(e)
    if found is None:
        found = _known[e] = Scope({}).integer(e)
    return found
