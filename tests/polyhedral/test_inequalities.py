"""What is said to follow from inequalities holds wherever they do, and what tiles and windows need is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from halopy.ir import build
from halopy.ir.expr import Expr, Var, const, const_value
from halopy.ir.rewrite import substitute
from halopy.ir.simplify import simplify
from halopy.polyhedral.validation.budget import Budget
from halopy.polyhedral.validation.inequalities import Facts

ORDER = ("n", "m", "t", "x", "y", "c")
n, m, t, x, y, c = (Var(name) for name in ORDER)
MOVING = (n, x, y)
REACH = range(-3, 4)


class Named:
    """Names in the order in which they are bound; `t` stands for something."""

    def __init__(self, meaning: Mapping[str, Expr]) -> None:
        self._meaning = meaning

    def rank(self, name: str) -> int:
        return ORDER.index(name)

    def meaning(self, name: str) -> Expr | None:
        return self._meaning.get(name)

    def is_near(self, name: str) -> bool:
        return name != "t"


def numbers(depth: int, atoms: some.SearchStrategy[Expr]) -> some.SearchStrategy[Expr]:
    if depth == 0:
        return atoms
    inner = numbers(depth - 1, atoms)
    pairs = [some.builds(make, inner, inner) for make in (build.add, build.sub, build.minimum, build.maximum)]
    factors, divisors = some.integers(-3, 3).map(const), some.integers(2, 4).map(const)
    return some.one_of(
        atoms,
        *pairs,
        some.builds(build.mul, inner, factors),
        some.builds(build.div, inner, divisors),
        some.builds(build.mod, inner, divisors),
        some.builds(build.select, conditions(inner), inner, inner),
    )


def conditions(sides: some.SearchStrategy[Expr]) -> some.SearchStrategy[Expr]:
    compare = (build.le, build.lt, build.ge, build.gt, build.eq, build.ne)
    return some.one_of(*(some.builds(make, sides, sides) for make in compare))


LITERALS = some.integers(-4, 4).map(const)
BELOW = some.one_of(some.sampled_from([n, x]), LITERALS)
ATOMS = some.one_of(some.sampled_from([n, x, y, t]), LITERALS)


def points(meaning: Expr) -> Iterator[dict[str, Expr]]:
    for values in product(REACH, repeat=len(MOVING)):
        at: dict[str, Expr] = {v.name: const(value) for v, value in zip(MOVING, values, strict=True)}
        yield at | {"t": simplify(substitute(meaning, at))}


@settings(max_examples=150, deadline=None)
@given(numbers(1, BELOW), some.lists(conditions(numbers(2, ATOMS)), max_size=3), conditions(numbers(2, ATOMS)))
def test_what_follows_holds_wherever_the_facts_do(meaning: Expr, known: list[Expr], wanted: Expr) -> None:
    box = [bound for v in MOVING for bound in (build.le(REACH[0], v), build.le(v, REACH[-1]))]
    if not Facts(Named({"t": meaning}), [*box, *known], Budget()).imply(wanted):
        return
    for at in points(meaning):
        if all(const_value(simplify(substitute(fact, at))) for fact in known):
            assert const_value(simplify(substitute(wanted, at)))


def tile(e: Expr) -> Expr:
    """Where tiles of 8 start that are shifted inwards at the end."""
    return build.minimum(build.mul(e, 8), build.sub(build.maximum(n, 8), 8))


IN_TILE = [build.le(0, x), build.lt(x, build.div(build.add(n, 7), 8)), build.le(0, y), build.lt(y, 8)]
INDEX = build.add(tile(x), y)
WITHIN = [build.le(0, c), build.lt(c, n)]
NEXT = build.select(build.lt(n, x), build.add(x, 2), x)  # the first new row of a window of three


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (IN_TILE, build.le(0, INDEX)),
        (IN_TILE, build.lt(INDEX, build.maximum(n, 8))),
        ([*IN_TILE, build.ge(n, 8)], build.lt(INDEX, n)),
        (WITHIN, build.lt(build.div(c, 8), build.div(build.add(n, 7), 8))),
        (WITHIN, build.lt(build.sub(c, tile(build.div(c, 8))), 8)),
        (WITHIN, build.ge(build.sub(c, tile(build.div(c, 8))), 0)),
        ([build.le(0, y), build.lt(y, 12)], build.lt(build.div(y, 4), 3)),
        ([build.le(n, x)], build.le(build.sub(build.add(x, 2), NEXT), 2)),
        ([build.le(n, x), build.le(x, y)], build.le(NEXT, substitute(NEXT, {"x": y}))),
        ([build.le(build.maximum(n, m), 7)], build.lt(m, 8)),
        ([build.eq(t, 3)], build.lt(x, build.add(x, t))),
    ],
    ids=lambda value: str(value) if isinstance(value, Expr) else "",
)
def test_what_tiles_and_windows_need_is_found(known: list[Expr], wanted: Expr) -> None:
    assert Facts(Named({}), known, Budget()).imply(wanted)
    assert not Facts(Named({}), known, Budget()).imply(build.logical_not(wanted))


@pytest.mark.parametrize("missing", [IN_TILE[0], *IN_TILE[2:]], ids=str)
def test_without_one_of_the_facts_it_is_not(missing: Expr) -> None:
    both = build.logical_and(build.le(0, INDEX), build.lt(INDEX, build.maximum(n, 8)))
    assert Facts(Named({}), IN_TILE, Budget()).imply(both)
    assert not Facts(Named({}), [fact for fact in IN_TILE if fact is not missing], Budget()).imply(both)
