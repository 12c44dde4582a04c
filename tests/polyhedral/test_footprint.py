"""Footprints hold every index, and exactly those bounds where the index is affine in several occurrences."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halopy.dtypes import BOOL, INT32, UINT32
from halopy.ir.expr import (
    EQ,
    GE,
    LE,
    LT,
    Add,
    And,
    Call,
    Cast,
    Const,
    Div,
    Expr,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Read,
    Select,
    Sub,
    Var,
)
from halopy.ir.interval import Interval, bounds_of
from halopy.polyhedral import extremes, isl_limits
from halopy.polyhedral.footprint import footprint
from halopy.reference.tape import Tape

x, y = Var("x"), Var("y")
a, b, c, d = (Var(n) for n in "abcd")
SCOPE = {"x": Interval(a, b), "y": Interval(c, d)}
ENDS = [(-7, -7), (-5, 3), (0, 0), (0, 1), (1, 6), (3, 11)]


def k(value: int) -> Expr:
    return Const(value, INT32)


def values_of(e: Expr, points: Mapping[str, object]) -> np.ndarray:
    arrays = {name: np.asarray(v, np.int32) for name, v in points.items()}

    def read(node: Read, index: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(index[0] * 3 % 5, np.int32)

    return Tape([e]).run(arrays, read)[0]


def number(e: Expr | None, symbols: Mapping[str, int]) -> int | None:
    return None if e is None else int(values_of(e, symbols))


def enumerate_box(e: Expr, symbols: Mapping[str, int], predicate: Expr | None) -> np.ndarray:
    grid = np.meshgrid(
        np.arange(symbols["a"], symbols["b"] + 1), np.arange(symbols["c"], symbols["d"] + 1), indexing="ij"
    )
    points = {"x": grid[0].ravel(), "y": grid[1].ravel(), **symbols}
    found = np.broadcast_to(values_of(e, points), points["x"].shape)
    if predicate is None:
        return found
    return found[np.broadcast_to(values_of(predicate, points), found.shape)]


def check(e: Expr, predicate: Expr | None = None, exact: bool = True) -> None:
    """Compare the footprint of `e` with enumeration over small concrete boxes."""
    ((lo, hi),) = footprint([e], SCOPE, predicate)
    for (low_x, high_x), (low_y, high_y) in itertools.product(ENDS, ENDS):
        symbols = {"a": low_x, "b": high_x, "c": low_y, "d": high_y}
        values = enumerate_box(e, symbols, predicate)
        if values.size == 0:
            continue
        got = number(lo, symbols), number(hi, symbols)
        least, greatest = int(values.min()), int(values.max())
        assert (got[0] is None or got[0] <= least) and (got[1] is None or got[1] >= greatest), (
            f"{e} over {symbols}: [{lo}, {hi}] = {got} does not hold {(least, greatest)}"
        )
        if exact:
            assert got == (least, greatest), f"{e} over {symbols}: [{lo}, {hi}] = {got}, exact {(least, greatest)}"


@pytest.mark.parametrize(
    "index",
    [
        Sub(x, Mod(x, k(2))),
        Add(Mul(Div(x, k(2)), k(2)), Mod(x, k(2))),
        Sub(Mul(x, k(2)), x),
        Add(Min(x, y), x),
        Sub(Max(x, y), Min(x, y)),
        Sub(Add(x, y), Mul(y, k(2))),
        Add(Div(x, k(2)), Mod(x, k(1))),
        Sub(x, Mul(Div(x, k(4)), k(3))),
        Add(Max(Min(x, k(4)), k(0)), x),
        Select(LT(x, k(2)), x, Sub(k(10), x)),
        Select(LT(x, y), y, x),
        Sub(Call("shift_left", (x, k(1)), INT32), Call("bitwise_and", (x, k(1)), INT32)),
        Add(Cast(INT32, Call("abs", (x,), UINT32)), x),
        Add(Div(x, k(-3)), Mul(x, k(2))),
        Add(Call("likely", (x,), INT32), Min(x, k(3))),
    ],
    ids=str,
)
def test_a_correlated_index_gets_its_exact_interval(index):
    check(index)


@pytest.mark.parametrize(
    ("index", "predicate"),
    [
        (x, LE(x, y)),
        (y, LE(x, y)),
        (Add(x, y), LT(Add(x, y), k(5))),
        (x, And(LE(x, y), LE(k(0), x))),
        (x, Or(LT(x, k(0)), LT(k(4), x))),
        (Sub(y, x), And(LE(x, y), LE(y, Add(x, k(2))))),
        (x, Not(LT(x, k(1)))),
        (x, EQ(x, y)),
        (x, EQ(Mod(x, k(2)), k(0))),
        (Mul(x, k(3)), And(GE(x, k(0)), LT(Read("data", (x,), 0, INT32), k(2)))),
    ],
    ids=str,
)
def test_a_predicate_narrows_the_interval(index, predicate):
    check(index, predicate, exact=not predicate.has(Read))


def test_the_interval_of_a_pair_is_the_variable_itself():
    assert footprint([Add(Mul(Div(x, k(2)), k(2)), Mod(x, k(2)))], SCOPE) == [Interval(a, b)]


def test_a_triangle_is_bounded_by_the_lesser_end():
    assert str(footprint([x], SCOPE, LE(x, y))[0].hi) == str(Min(b, d))


def test_single_occurrences_never_ask_isl(monkeypatch):
    monkeypatch.setattr("halopy.polyhedral.footprint._extremes", lambda question: pytest.fail("isl was asked"))
    index = Max(Min(Add(Mul(x, k(2)), y), k(9)), k(0))
    assert footprint([index, Sub(Mul(x, k(2)), x)], SCOPE) == [bounds_of(index, SCOPE), Interval(a, b)]
    assert footprint([x], SCOPE, LT(y, k(3))) == [Interval(a, b)]


def test_a_symbol_product_stays_a_symbol():
    n, stride = Var("n"), Var("stride")
    index = Sub(Add(Mul(n, stride), x), Mod(x, k(2)))
    ((lo, hi),) = footprint([index], {"x": Interval(k(0), Sub(Var("w"), k(1)))})
    symbols = {"n": 3, "stride": -7, "w": 8}
    assert (number(lo, symbols), number(hi, symbols)) == (-21, -21 + 6)


def test_a_data_dependent_index_keeps_its_interval():
    data = Read("data", (x,), 0, INT32)
    index = Add(Max(Min(data, k(7)), k(0)), Sub(x, Mod(x, k(2))))
    assert footprint([index], SCOPE) == [bounds_of(index, SCOPE)]


def test_an_unbounded_variable_keeps_its_interval():
    index = Sub(x, Mod(x, k(2)))
    assert footprint([index], {"x": Interval(a, None)}) == [bounds_of(index, {"x": Interval(a, None)})]


def test_a_question_that_takes_too_long_falls_back_to_intervals(monkeypatch):
    extremes.extremes.cache_clear()
    index = Sub(x, Mod(x, k(6)))
    monkeypatch.setattr(extremes, "ask", lambda question: isl_limits.ask(question, 50))
    assert footprint([index], SCOPE) == [bounds_of(index, SCOPE)]
    extremes.extremes.cache_clear()


def test_a_hard_question_ends_soon():
    hard = x
    for divisor in (3, 5, 7, 11, 13, 17):
        hard = Add(Mul(Div(Add(hard, y), k(divisor)), k(2)), Mod(Sub(hard, y), k(divisor + 1)))
    start = time.perf_counter()
    footprint([hard], SCOPE, LE(Mod(x, k(5)), Mod(y, k(7))))
    assert time.perf_counter() - start < 5


def test_a_question_is_asked_once_whatever_its_names():
    extremes.extremes.cache_clear()
    for name in ("u", "v", "w"):
        v = Var(name)
        index = Sub(Add(v, Var(f"{name}.offset")), Mod(v, k(2)))
        footprint([index], {name: Interval(Var(f"{name}.lo"), Var(f"{name}.hi"))})
    assert extremes.extremes.cache_info().misses == 1


leaves = st.sampled_from([x, y, k(0), k(1), k(-3), k(5)])


def grow(e: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    literals = st.integers(-4, 5).filter(bool).map(k)
    return st.one_of(
        st.builds(Add, e, e),
        st.builds(Sub, e, e),
        st.builds(Mul, e, literals),
        st.builds(Div, e, literals),
        st.builds(Mod, e, literals),
        st.builds(Min, e, e),
        st.builds(Max, e, e),
        st.builds(Select, st.builds(LT, e, e), e, e),
    )


indices = st.recursive(leaves, grow, max_leaves=6)
predicates = (
    st.none()
    | st.builds(LE, indices, indices)
    | st.builds(And, st.builds(LT, indices, indices), st.builds(LE, indices, indices))
)


@given(indices, predicates)
@settings(max_examples=120, deadline=None)
def test_a_footprint_holds_every_index(index, predicate):
    assert index.dtype is INT32 and (predicate is None or predicate.dtype is BOOL)
    check(index, predicate, exact=False)


@given(
    st.recursive(
        st.sampled_from([x, y, k(2)]),
        lambda e: st.one_of(
            st.builds(Add, e, e),
            st.builds(Sub, e, e),
            st.builds(Min, e, e),
            st.builds(Mul, e, st.integers(-2, 2).map(k)),
        ),
        max_leaves=4,
    )
)
@settings(max_examples=60, deadline=None)
def test_sums_and_minima_get_their_exact_interval(index):
    check(index)
