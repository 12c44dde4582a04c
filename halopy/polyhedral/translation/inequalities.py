"""Whether linear inequalities contradict each other: quick for few of them, and sure only where it says so.

    x - 8*y >= 0,  8*y + 7 - x >= 0,  3 - y >= 0,  x - 32 >= 0         do: no x and y meet all

Variables are eliminated one by one, each lower end set against each upper one (Fourier and Motzkin), and ends are
rounded to integers. Quotients, minima and maxima are variables of which it is known where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import gcd

from ...ir import expr as ir
from ...ir.expr import FALSE, Expr, const_value
from .polynomials import ONE, Monomial, Polynomial, minus, negation, number, plus, polynomial, scaled

_MOST_SECONDS = 20.0  # for one program, where nobody says less
_MOST = 60  # inequalities at a time
MOST_CASES = 60  # that are looked at one by one
FEW_CASES = 6
_Row = dict[Monomial, int]
_Rows = dict[frozenset[tuple[Monomial, int]], int]  # the constant of each


def contradict(conditions: Iterable[Expr], most_cases: int = MOST_CASES) -> bool:
    """Whether conditions in canonical form surely cannot all hold."""
    return not BUDGET.is_spent() and _contradict(tuple(conditions), most_cases)


@lru_cache(maxsize=1 << 13)
def _contradict(conditions: tuple[Expr, ...], most_cases: int) -> bool:
    rows: list[Polynomial] = []
    told: set[Expr] = set()
    choices: list[list[Expr]] = []
    for c in conditions:
        if c is FALSE or _opposite(c) in told:
            return True
        told.add(c)
        if isinstance(c, ir.GE) and c.a.dtype.is_index_like:
            rows.append(polynomial(c.a))
        elif isinstance(c, ir.EQ) and c.a.dtype.is_index_like:
            rows += [polynomial(c.a), scaled(polynomial(c.a), -1)]
        elif isinstance(c, ir.Or):
            choices.append(ir.chained(ir.Or, c))
    return _Cases(most_cases).contradict(rows, choices)


def _opposite(c: Expr) -> Expr:
    if isinstance(c, ir.Not):
        return c.a
    if isinstance(c, ir.EQ | ir.NE):
        return (ir.NE if isinstance(c, ir.EQ) else ir.EQ)(c.a, c.b)
    return ir.Not(c)


class Budget:
    """The processor time for one program; when it is used up, nothing more is seen."""

    def __init__(self) -> None:
        self.end = 0.0

    def renew(self, seconds: float | None) -> None:
        self.end = time.process_time() + (_MOST_SECONDS if seconds is None else seconds)

    def is_spent(self) -> bool:
        return time.process_time() > self.end


BUDGET = Budget()


class _Cases:
    """Looks at cases, as long as there are not too many: of a minimum, each of its operands may be it."""

    def __init__(self, most: int) -> None:
        self.left = most

    def contradict(self, rows: Sequence[Polynomial], choices: Sequence[Sequence[Expr]]) -> bool:
        known = [*rows, *_about_terms(rows)]
        self.left -= 1
        if BUDGET.is_spent():
            return False
        if _is_empty(known):
            return True
        if self.left <= 0:
            return False
        for term in _undecided(known):
            atom = term[0]
            if isinstance(atom, ir.Select):
                sides = (atom.condition, atom.a), (negation(atom.condition), atom.b)
                rows_of = ([_replaced(row, term, polynomial(e)) for row in known] + _rows_of(c) for c, e in sides)
                return all(self.contradict(rows, choices) for rows in rows_of)
            operands = [polynomial(e) for e in ir.chained(type(term[0]), term[0])]  # type: ignore[arg-type]
            return all(self.contradict([_replaced(row, term, p) for row in known], choices) for p in operands)
        if choices:
            first, *others = choices
            return all(self.contradict([*rows, *_rows_of(c)], others) for c in first)
        return False


def _undecided(rows: Iterable[Polynomial]) -> list[Monomial]:
    """Choices, and minima and maxima of which it is asked that one of the operands be great: max(a, b) - x >= 0."""
    terms = ((term, ir.Max if c > 0 else ir.Min) for row in rows for term, c in row.items() if len(term) == 1)
    return list(dict.fromkeys(term for term, kind in terms if type(term[0]) in (kind, ir.Select)))


def _rows_of(c: Expr) -> list[Polynomial]:
    if isinstance(c, ir.And):
        return [*_rows_of(c.a), *_rows_of(c.b)]
    if isinstance(c, ir.GE) and c.a.dtype.is_index_like:
        return [polynomial(c.a)]
    if isinstance(c, ir.EQ) and c.a.dtype.is_index_like:
        return [polynomial(c.a), scaled(polynomial(c.a), -1)]
    return [number(-1)] if c is FALSE else []


def _replaced(row: Polynomial, term: Monomial, value: Polynomial) -> Polynomial:
    factor = row.get(term)
    return plus({t: c for t, c in row.items() if t != term}, value, factor) if factor else row


def _about_terms(rows: Sequence[Polynomial]) -> list[Polynomial]:
    """Where quotients, minima and maxima lie; also those inside."""
    found: list[Polynomial] = []
    seen: set[Monomial] = set()
    todo = [term for row in rows for term in row]
    while todo:
        term = todo.pop()
        if term in seen or len(term) != 1:
            continue
        seen.add(term)
        atom, new = term[0], list[Polynomial]()
        value: Polynomial = {term: 1}
        if isinstance(atom, ir.Div) and atom.dtype.is_index_like and (by := const_value(atom.b)):
            rest = minus(polynomial(atom.a), scaled(value, int(by)))
            new = [rest, minus(number(int(by) - 1), rest)]
        elif isinstance(atom, ir.Min | ir.Max):
            operands = [polynomial(e) for e in ir.chained(type(atom), atom)]
            new = [minus(p, value) if isinstance(atom, ir.Min) else minus(value, p) for p in operands]
        elif isinstance(atom, ir.Mod) and atom.dtype.is_index_like and not const_value(atom.b):
            new = [value]
        found += new
        todo += [t for row in new for t in row]
    return found


def _is_empty(rows: Iterable[Polynomial]) -> bool:
    """Whether no values of the terms make all rows 0 or more."""
    left: _Rows = {}
    if not all(_add(left, row) for row in rows):
        return True
    while (equal := _equality(left)) is not None:  # exact, also for integers
        term, value = equal
        rows, left = [_replaced({**dict(key), ONE: n}, term, value) for key, n in left.items()], {}
        if not all(_add(left, row) for row in rows):
            return True
    while left:
        best = _cheapest(left)
        lows: list[tuple[_Row, int]] = []
        highs: list[tuple[_Row, int]] = []
        for key in list(left):
            row = dict(key)
            if best in row:
                (lows if row[best] > 0 else highs).append((row, left.pop(key)))
        if len(left) + len(lows) * len(highs) > _MOST:
            return False
        for low, a in lows:
            for high, b in highs:
                if not _add(left, _without(best, low, a, high, b)):
                    return True
    return False


def _equality(rows: _Rows) -> tuple[Monomial, Polynomial] | None:
    """A term, and what it is equal to, as two rows say."""
    for key, n in rows.items():
        if rows.get(frozenset((term, -c) for term, c in key)) == -n:
            for term, c in key:
                if c in (1, -1):
                    rest = {t: k for t, k in key if t != term}
                    return term, scaled(plus(rest, number(n)), -c)
    return None


def _cheapest(rows: _Rows) -> Monomial:
    """The term to eliminate that leaves the fewest rows."""
    ups: dict[Monomial, int] = {}
    downs: dict[Monomial, int] = {}
    for key in rows:
        for term, c in key:
            side = ups if c > 0 else downs
            side[term] = side.get(term, 0) + 1
    return min({**ups, **downs}, key=lambda t: (u := ups.get(t, 0)) * (d := downs.get(t, 0)) - u - d)


def _without(term: Monomial, low: _Row, a: int, high: _Row, b: int) -> Polynomial:
    """The sum of multiples of two rows in which the term is gone."""
    up, down = low[term], -high[term]
    common = gcd(up, down)
    up, down = up // common, down // common
    total = plus(scaled(low, down), high, up)
    return plus(total, number(a * down + b * up))


def _add(rows: _Rows, row: Polynomial) -> bool:
    """Keeps the row, as strict as integers allow. False where it cannot be met."""
    terms = {term: c for term, c in row.items() if term}
    constant = row.get(ONE, 0)
    if not terms:
        return constant >= 0
    common = gcd(*terms.values())
    key = frozenset((term, c // common) for term, c in terms.items())
    constant //= common
    if key not in rows or constant < rows[key]:
        rows[key] = constant
    return True
