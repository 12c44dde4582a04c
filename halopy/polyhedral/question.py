"""What is asked of isl, as a value without names, so that equal questions are asked once.

    index   (x/2)*2 + n*k - 1      x in [n, n + w - 1]      n*k and the rest that stands still: symbols
    asks    (v0/2)*2 + p0 - 1      v0 in [p1, p1 + p2 - 1]

The canonical form knows only: symbols and moving variables, sums, products, Euclidean quotients and
remainders by literals, min, max, select, comparisons and logic. What it cannot say is NotAffine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..dtypes import INT32
from ..ir import build
from ..ir import expr as ir
from ..ir.expr import Expr, Var, const, const_value
from ..ir.interval import Interval
from ..ir.linear import LinearForm, expr_of, linear
from ..ir.node import Node, mask
from ..ir.rewrite import free_vars, substitute
from .roots import roots

LARGEST = 120  # nodes of one index; beyond that, no question
_DATA = mask(ir.Read, ir.Load, ir.Ramp, ir.Broadcast)


class NotAffine(Exception):
    """The expression is outside the canonical form."""


@dataclass(frozen=True, slots=True)
class Question:
    """The least and greatest `index` while v0, v1, … lie in `ranges` and all `conditions` hold.

    p0, p1, … are symbols, that many, of any integer value.
    """

    index: Expr
    ranges: tuple[tuple[Expr, Expr], ...]
    conditions: tuple[Expr, ...]
    symbols: int


class Symbols:
    """The expressions that p0, p1, … stand for, and the variables that v0, v1, … stand for."""

    def __init__(self, moving: Iterable[str], shared: Symbols | None = None) -> None:
        """With `shared`, symbols that are known there and here."""
        self.moving = {name: Var(f"v{n}", INT32) for n, name in enumerate(moving)}
        self._symbols: dict[Expr, Var] = {} if shared is None else shared._symbols
        self.known: dict[Expr, Expr] = {}  # canonical forms: parts that are shared are translated once

    def __len__(self) -> int:
        return len(self._symbols)

    @property
    def expressions(self) -> list[Expr]:
        """What p0, p1, ... stand for."""
        return list(self._symbols)

    def of(self, e: Expr) -> Expr:
        """The symbol for an expression that stands still."""
        return self._symbols.setdefault(e, Var(f"p{len(self._symbols)}", INT32))

    def restore(self, e: Expr) -> Expr:
        """An answer in the user's names."""
        result: Expr = substitute(e, {v.name: original for original, v in self._symbols.items()})
        return result

    def stands_still(self, e: Expr) -> bool:
        return self.moving.keys().isdisjoint(free_vars(e))


def question_of(
    index: Expr, scope: Mapping[str, Interval], moving: Iterable[str], conditions: Sequence[Expr]
) -> tuple[Question, Symbols]:
    """The question and its names. Raises NotAffine; conditions that are not affine are left out (a superset)."""
    symbols = Symbols(moving)
    ranges = []
    for name in symbols.moving:
        lo, hi = scope[name]
        if lo is None or hi is None:
            raise NotAffine(f"{name} is unbounded")
        ranges.append((canonical(lo, symbols), canonical(hi, symbols)))
    asked = canonical(index, symbols)
    affine = [told for c in (*conditions, *(r for c in conditions for r in roots(c))) for told in _told(c, symbols)]
    return Question(asked, tuple(ranges), tuple(affine), len(symbols)), symbols


def _told(condition: Expr, symbols: Symbols) -> list[Expr]:
    try:
        return [canonical(condition, symbols)]
    except NotAffine:
        return []


def canonical(e: Expr, symbols: Symbols) -> Expr:
    """The canonical form of an int32 or bool expression."""
    if e.kinds & _DATA or e.dtype.lanes != 1:
        raise NotAffine("depends on data")
    if e.dtype.is_bool:
        return _condition(e, symbols)
    if not e.dtype.is_index_like:
        raise NotAffine("may wrap")
    found = symbols.known.get(e)
    if found is None:
        form = linear(e)
        total = LinearForm({}, form.constant)
        for term, factor in form.terms.items():
            total = total.plus(linear(_term(term, symbols)), factor)
        found = symbols.known[e] = expr_of(total, INT32)
    return found


def can_say(e: Expr, symbols: Symbols) -> bool:
    """Whether a term has a canonical form of its own, apart from being a symbol."""
    rule = _TERMS.get(type(e))
    try:
        return rule is not None and rule(e, symbols) is not None
    except NotAffine:
        return False


def _term(e: Expr, symbols: Symbols) -> Expr:
    if type(e) is Var and e.name in symbols.moving:
        return symbols.moving[e.name]
    if symbols.stands_still(e):
        return symbols.of(e)
    rule = _TERMS.get(type(e))
    if rule is None:
        raise NotAffine(f"{type(e).__name__} of what moves")
    return rule(e, symbols)


def _condition(e: Expr, symbols: Symbols) -> Expr:
    if isinstance(e, ir.Compare):
        return type(e)(*(_distance(side, symbols) or canonical(side, symbols) for side in (e.a, e.b)))
    if isinstance(e, ir.And | ir.Or):
        return type(e)(_condition(e.a, symbols), _condition(e.b, symbols))
    if isinstance(e, ir.Not):
        return ir.Not(_condition(e.a, symbols))
    if isinstance(e, ir.Const):
        return e
    if isinstance(e, ir.Call) and e.name in _TRANSPARENT:
        return _condition(e.args[0], symbols)
    raise NotAffine(f"{type(e).__name__} as a condition")


def _distance(e: Expr, symbols: Symbols) -> Expr | None:
    """|a - b|, which is compared as the unsigned number that it is, and such literals; None for anything else."""
    if isinstance(e, ir.Call) and e.name in ("abs", "absd") and e.args[0].dtype.is_index_like:
        args = [canonical(a, symbols) for a in e.args]
        difference = build.sub(args[0], args[1] if len(args) > 1 else 0)
        return ir.Max(difference, build.sub(0, difference))
    literal = const_value(e) if e.dtype.is_uint and e.dtype.bits == 32 else None
    return const(int(literal)) if literal is not None and literal < 1 << 31 else None


def _by_literal(e: ir.Binary, symbols: Symbols) -> Expr:
    divisor = const_value(e.b)
    if divisor is None:
        raise NotAffine("the divisor is not a literal")
    return const(0) if divisor == 0 else type(e)(canonical(e.a, symbols), const(divisor))


def _scaled(e: ir.Mul, symbols: Symbols) -> Expr:
    """A product whose literal comes first, as the user may write it."""
    factor = const_value(e.a)
    if factor is None:
        raise NotAffine("a product of what moves")
    return expr_of(linear(canonical(e.b, symbols)).times(int(factor)), INT32)


def _extremum(e: ir.Binary, symbols: Symbols) -> Expr:
    return type(e)(canonical(e.a, symbols), canonical(e.b, symbols))


def _select(condition: Expr, a: Expr, b: Expr, symbols: Symbols) -> Expr:
    return ir.Select(_condition(condition, symbols), canonical(a, symbols), canonical(b, symbols))


def _cast(e: ir.Cast, symbols: Symbols) -> Expr:
    """Between int32 and int64; and from the unsigned type of |a|, which int32 holds."""
    distance = _distance(e.a, symbols) if isinstance(e.a, ir.Call) else None
    return canonical(e.a, symbols) if distance is None else distance


def _call(e: ir.Call, symbols: Symbols) -> Expr:
    if e.name in _TRANSPARENT:
        return canonical(e.args[0], symbols)
    if e.name in ("promise_clamped", "unsafe_promise_clamped"):
        a, low, high = (canonical(arg, symbols) for arg in e.args)
        return ir.Max(ir.Min(a, high), low)
    if e.name == "if_then_else":
        condition, yes, no = e.args
        return _select(condition, yes, no, symbols)
    by = const_value(e.args[-1])
    if by is not None and e.name in _BY_LITERAL:
        return _BY_LITERAL[e.name](canonical(e.args[0], symbols), int(by))
    raise NotAffine(e.name)


def _shifted_right(a: Expr, by: int) -> Expr:
    if not 0 <= by < 31:
        raise NotAffine("a shift out of range")
    return ir.Div(a, const(1 << by))


def _shifted_left(a: Expr, by: int) -> Expr:
    if not 0 <= by < 31:
        raise NotAffine("a shift out of range")
    return expr_of(linear(a).times(1 << by), INT32)


def _masked(a: Expr, mask_bits: int) -> Expr:
    if not 0 <= mask_bits < 1 << 30 or mask_bits & (mask_bits + 1):
        raise NotAffine("a mask that is no remainder")
    return ir.Mod(a, const(mask_bits + 1))


_TRANSPARENT = ("likely", "likely_if_innermost")
_BY_LITERAL: Mapping[str, Callable[[Expr, int], Expr]] = {
    "shift_right": _shifted_right,
    "shift_left": _shifted_left,
    "bitwise_and": _masked,
}
_TERMS: Mapping[type[Node], Callable[[Any, Symbols], Expr]] = {
    ir.Mul: _scaled,
    ir.Div: _by_literal,
    ir.Mod: _by_literal,
    ir.Min: _extremum,
    ir.Max: _extremum,
    ir.Select: lambda e, symbols: _select(e.condition, e.a, e.b, symbols),
    ir.Cast: _cast,
    ir.Call: _call,
    ir.Let: lambda e, symbols: canonical(substitute(e.body, {e.name: e.value}), symbols),
}
