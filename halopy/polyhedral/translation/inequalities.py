"""Whether linear inequalities contradict each other: quick for few of them, and sure only where it says so.

    x - 8*y >= 0,  8*y + 7 - x >= 0,  3 - y >= 0,  x - 32 >= 0         do: no x and y meet all

Variables are eliminated one by one, each lower end set against each upper one (Fourier and Motzkin), and ends are
rounded to integers. Quotients, minima and maxima are variables of which it is known where they lie.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import gcd
from typing import TypeAlias

from ...ir import expr as ir
from ...ir.expr import FALSE, Expr, const_value
from .polynomials import ONE, Monomial, Polynomial, minus, negation, number, plus, polynomial, scaled

TOO_LONG = "it would take too long"  # why something is not proved
FULL = 10_000_000  # operations for one program, where nobody says less
_ROW = 4  # operations that a row counts as
_MOST = 60  # inequalities at a time
_MOST_ROWS = 30_000  # that are made for one question
MOST_CASES = 60  # that are looked at one by one
FEW_CASES = 6
_Bound: TypeAlias = tuple[Polynomial, int]  # terms, and the number added to them
_Rows: TypeAlias = dict[frozenset[tuple[Monomial, int]], _Bound]  # by terms, which stand in the order they came in


def contradict(conditions: Iterable[Expr], most_cases: int = MOST_CASES) -> bool:
    """Whether conditions in canonical form surely cannot all hold."""
    if BUDGET.is_spent():
        return False
    question = tuple(conditions), most_cases
    found, operations = _contradict(*question)
    BUDGET.ask(question, operations)
    return found


@lru_cache(maxsize=1 << 13)
def _contradict(conditions: tuple[Expr, ...], most_cases: int) -> tuple[bool, int]:
    """The answer, and how many operations it takes."""
    rows: list[Polynomial] = []
    told: set[Expr] = set()
    choices: list[list[Expr]] = []
    for c in conditions:
        if c is FALSE or _opposite(c) in told:
            return True, _ROW
        told.add(c)
        if isinstance(c, ir.GE) and c.a.dtype.is_index_like:
            rows.append(polynomial(c.a))
        elif isinstance(c, ir.EQ) and c.a.dtype.is_index_like:
            rows += [polynomial(c.a), scaled(polynomial(c.a), -1)]
        elif isinstance(c, ir.Or):
            choices.append(ir.chained(ir.Or, c))
    cases = _Cases(most_cases)
    return cases.contradict(rows, choices), _ROW * (1 + _MOST_ROWS - cases.rows)


def _opposite(c: Expr) -> Expr:
    if isinstance(c, ir.Not):
        return c.a
    if isinstance(c, ir.EQ | ir.NE):
        return (ir.NE if isinstance(c, ir.EQ) else ir.EQ)(c.a, c.b)
    return ir.Not(c)


class Budget(threading.local):
    """Operations for one program, of each thread; when they are used up, nothing more is seen."""

    left = 0

    def __init__(self) -> None:
        self._asked = set[object]()

    def renew(self, operations: int) -> None:
        self.left = operations
        self._asked.clear()

    def ask(self, question: object, operations: int) -> None:
        """Spend so many on a question that is new for this program, even if the answer is known from another one."""
        self.spend(_ROW if question in self._asked else operations)
        self._asked.add(question)

    def spend(self, operations: int) -> None:
        self.left -= operations

    def is_spent(self) -> bool:
        return self.left <= 0


BUDGET = Budget()


class _Cases:
    """Looks at cases, as long as there are not too many: of a minimum, each of its operands may be it."""

    def __init__(self, most: int) -> None:
        self.left, self.rows = most, _MOST_ROWS

    def contradict(self, rows: Sequence[Polynomial], choices: Sequence[Sequence[Expr]]) -> bool:
        known = [*rows, *_about_terms(rows)]
        self.left -= 1
        elimination = _Elimination(self.rows)
        is_empty = elimination.is_empty(known) or self._is_empty_with_products(elimination, known)
        self.rows = elimination.left
        if is_empty or self.left <= 0 or self.rows <= 0:
            return is_empty
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

    def _is_empty_with_products(self, elimination: _Elimination, rows: Sequence[Polynomial]) -> bool:
        """With (a - 1)*(b - 1) >= 0 of quotients that are at least 1."""
        found: list[Polynomial] = []
        for term in dict.fromkeys(term for row in rows for term in row if len(term) == 2):
            if all(isinstance(atom, ir.Div) for atom in term):
                factors: list[Polynomial] = [{(atom,): 1} for atom in term]
                about = _about_terms(factors)
                if all(elimination.is_empty([*rows, *about, scaled(factor, -1)]) for factor in factors):
                    one, other = factors
                    found += [*about, plus(minus(minus({term: 1}, one), other), number(1))]
        return bool(found) and elimination.is_empty([*rows, *found])


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


class _Elimination:
    """Sets ends of one term after the other against each other, as long as not too many rows are made."""

    def __init__(self, most: int) -> None:
        self.left = most
        self._rows: _Rows = {}

    def is_empty(self, rows: Iterable[Polynomial]) -> bool:
        """Whether no values of the terms make all rows 0 or more."""
        if not all(map(self._add, rows)):
            return True
        while (equal := _equality(self._rows)) is not None:  # exact, also for integers
            term, value = equal
            several, self._rows = self._rows, {}
            if not all(self._add(_replaced(plus(row, number(n)), term, value)) for row, n in several.values()):
                return True
        while self._rows and self.left > 0:
            lows, highs = self._taken(term := _cheapest(row for row, _ in self._rows.values()))
            if len(self._rows) + len(lows) * len(highs) > _MOST:
                return False
            if not all(self._add(_without(term, *low, *high)) for low in lows for high in highs):
                return True
        return False

    def _taken(self, term: Monomial) -> tuple[list[_Bound], list[_Bound]]:
        """The rows that bound a term from below and from above, which are no longer among the rest."""
        lows: list[_Bound] = []
        highs: list[_Bound] = []
        for key, bound in list(self._rows.items()):
            if term in bound[0]:
                (lows if bound[0][term] > 0 else highs).append(bound)
                del self._rows[key]
        return lows, highs

    def _add(self, row: Polynomial) -> bool:
        """Keeps the row, as strict as integers allow. False where it cannot be met."""
        self.left -= 1
        terms = {term: c for term, c in row.items() if term}
        constant = row.get(ONE, 0)
        if not terms:
            return constant >= 0
        common = gcd(*terms.values())
        if common > 1:
            terms = {term: c // common for term, c in terms.items()}
            constant //= common
        key = frozenset(terms.items())
        if key not in self._rows or constant < self._rows[key][1]:
            self._rows[key] = terms, constant
        return True


def _equality(rows: _Rows) -> tuple[Monomial, Polynomial] | None:
    """A term, and what it is equal to, as two rows say."""
    for row, n in rows.values():
        opposite = rows.get(frozenset((term, -c) for term, c in row.items()))
        if opposite is not None and opposite[1] == -n:
            for term, c in row.items():
                if c in (1, -1):
                    rest = {t: k for t, k in row.items() if t != term}
                    return term, scaled(plus(rest, number(n)), -c)
    return None


def _cheapest(rows: Iterable[Polynomial]) -> Monomial:
    """The term to eliminate that leaves the fewest rows."""
    ups: dict[Monomial, int] = {}
    downs: dict[Monomial, int] = {}
    for row in rows:
        for term, c in row.items():
            side = ups if c > 0 else downs
            side[term] = side.get(term, 0) + 1
    return min({**ups, **downs}, key=lambda t: (u := ups.get(t, 0)) * (d := downs.get(t, 0)) - u - d)


def _without(term: Monomial, low: Polynomial, a: int, high: Polynomial, b: int) -> Polynomial:
    """The sum of multiples of two rows in which the term is gone."""
    up, down = low[term], -high[term]
    common = gcd(up, down)
    up, down = up // common, down // common
    total = plus(scaled(low, down), high, up)
    return plus(total, number(a * down + b * up))
