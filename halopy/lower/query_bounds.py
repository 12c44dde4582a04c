"""What a pipeline asks of its buffers, without computing anything.

    f(x, y) = image(x + 1, y)        image: x in [f.min.0 + 1, f.min.0 + f.extent.0]  y in [...]
    f.vectorize(x, 8, RoundUp)  ->   f.extent.0 is a multiple of 8

`query_bounds` finds the same expressions that the run-time checks compare; `Query.ask` evaluates them for numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..ir.expr import Expr, const_value, is_const
from ..ir.program import Program
from ..ir.rewrite import free_vars, substitute
from ..ir.simplify import simplify
from ..ir.stmt import Assert, Block, ErrorSite, LetStmt, Stmt
from ..schedule.nest import FuncSchedule
from .answers_now import Answers, AskFunction
from .build_loop_nests import build_loop_nests
from .check_buffers import constraint_checks
from .place_functions import place_functions
from .regions import Regions


@dataclass(slots=True)
class Needs:
    """What is needed of shapes, as numbers.

    `regions`: least and greatest place, by (buffer, dimension). `growth`: how many more places a split wants, by the
    symbol of an extent.
    """

    regions: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    growth: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """The checks of a program, to be asked for the shapes that would pass them."""

    checks: Stmt
    constraints: tuple[Assert, ...]

    def ask(self, known: Mapping[str, Expr], ask_function: AskFunction) -> Needs:
        """The needs where the symbols for shapes and scalars are these constants; functions of extern stages are
        asked."""
        needs = Needs()
        for check, values, holds, symbols in _evaluated(self.checks, dict(known), ask_function):
            if check.site is ErrorSite.REGION_TOO_SMALL:
                key = (check.names[0], int(check.names[1]))
                low, high = needs.regions.get(key, (values[0], values[1]))
                needs.regions[key] = (min(low, values[0]), max(high, values[1]))
            elif not holds:
                _grow(needs, values[0], values[1], symbols)
        return needs

    def promised(self, known: Mapping[str, Expr]) -> dict[tuple[str, str, int], int]:
        """What shapes are promised to be, by (buffer, property, dimension), where the symbols are these constants."""
        promises = (check for check in self.constraints if len(check.names) == 3)
        return {(c.names[0], c.names[1], int(c.names[2])): _number(c.args[1], known) for c in promises}


def query_bounds(program: Program, schedules: Mapping[str, FuncSchedule]) -> Query:
    """The query of a program as scheduled, of which specializations stand apart and placements were checked."""
    stmt = build_loop_nests(Regions(place_functions(program, schedules)))
    constraints = tuple(check for check in constraint_checks(program) if isinstance(check, Assert))
    return Query(stmt, constraints)


def known_at_root(stmt: Stmt, known: dict[str, Expr]) -> dict[str, Expr]:
    """What is known, with the symbols outside all loops that are constants then."""
    todo = [stmt]
    while todo:
        stmt = todo.pop()
        if isinstance(stmt, Block):
            todo += reversed(stmt.stmts)
        elif isinstance(stmt, LetStmt):
            value = simplify(substitute(stmt.value, known))
            if is_const(value):
                known[stmt.name] = value
            todo.append(stmt.body)
    return known


_ASKED = (ErrorSite.REGION_TOO_SMALL, ErrorSite.SPLIT_TOO_SMALL)


def _evaluated(
    stmt: Stmt, known: dict[str, Expr], ask_function: AskFunction
) -> Iterator[tuple[Assert, list[int], bool, frozenset[str]]]:
    """The checks outside loops: their numbers, whether they hold, and the symbols that the second number is about."""
    meaning: dict[str, frozenset[str]] = {}  # of symbols that are let-bound
    answers = Answers(known, ask_function)
    todo = [stmt]
    while todo:
        stmt = todo.pop()
        if isinstance(stmt, Block):
            todo += reversed(stmt.stmts)
        elif isinstance(stmt, LetStmt):
            value = answers.of(simplify(substitute(stmt.value, known)))
            meaning[stmt.name] = _symbols(stmt.value, meaning)
            if is_const(value):
                known[stmt.name] = value
            todo.append(stmt.body)
        elif isinstance(stmt, Assert) and stmt.site in _ASKED:
            values = [_number(e, known) for e in stmt.args]
            yield stmt, values, bool(_number(stmt.condition, known)), _symbols(stmt.args[1], meaning)


def _symbols(e: Expr, meaning: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(symbol for name in free_vars(e) for symbol in meaning.get(name, {name}))


def _number(e: Expr, known: Mapping[str, Expr]) -> int:
    value = const_value(simplify(substitute(e, known)))
    assert value is not None, f"shapes are known before a pipeline runs, unlike {e}"
    return int(value)


def _grow(needs: Needs, factor: int, extent: int, symbols: frozenset[str]) -> None:
    """A split wants a multiple of its factor, or at least the factor: the next such extent is tried."""
    missing = factor - extent if extent < factor else -extent % factor
    for symbol in symbols:
        if ".extent." in symbol and missing:
            needs.growth[symbol] = max(needs.growth.get(symbol, 0), missing)
