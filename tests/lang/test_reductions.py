"""Reductions inside expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import halopy as hl

Check = Callable[..., None]
NAMES = ["sum", "product", "maximum", "minimum"]


def noise(m: Any) -> Any:
    """A Func of small numbers without order."""
    f, x, y = m.Func("noise"), m.Var("x"), m.Var("y")
    f[x, y] = m.i32((x * 37 + y * 101 + x * y * 13) % 23) - 11
    return f


@pytest.mark.parametrize("name", NAMES)
def test_a_reduction_runs_over_its_whole_domain(name: str, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        f, g, x, y = noise(m), m.Func("g"), m.Var("x"), m.Var("y")
        r = m.RDom([(-1, 3), (0, 2)])
        g[x, y] = getattr(m, name)(f[x + r.x, y + r.y])
        return g

    same_as_halide(build, 7, 5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [("UInt", 8), ("Int", 16), ("Float", 32)])
def test_a_reduction_computes_in_the_type_of_its_expression(
    name: str, dtype: tuple[str, int], same_as_halide: Check
) -> None:
    def build(m: Any) -> Any:
        f, g, x, y = noise(m), m.Func("g"), m.Var("x"), m.Var("y")
        r = m.RDom([(0, 4)])
        g[x, y] = getattr(m, name)(m.cast(getattr(m, dtype[0])(dtype[1]), f[x + r, y]))
        return g

    same_as_halide(build, 7, 5)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_first_of_equal_extremes_wins(name: str, same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        f, g, x = noise(m), m.Func("g"), m.Var("x")
        r = m.RDom([(0, 6), (2, 5)])
        found = getattr(m, name)(f[x + r.x, r.y] / 8)
        assert isinstance(found, tuple) and len(found) == 3
        g[x] = found
        return g

    same_as_halide(build, 9)


def test_a_predicate_leaves_places_out(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        f, g, x, y = noise(m), m.Func("g"), m.Var("x"), m.Var("y")
        r = m.RDom([(-3, 7), (-3, 7)])
        r.where(r.x * r.x + r.y * r.y <= 9)
        r.where(r.x != r.y)
        g[x, y] = m.sum(f[x + r.x, y + r.y])
        return g

    same_as_halide(build, 5, 4)


def test_a_given_domain_makes_other_reduction_variables_free(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        f, g, x = noise(m), m.Func("g"), m.Var("x")
        inner, outer = m.RDom([(0, 3)], "inner"), m.RDom([(0, 4)], "outer")
        g[x] = 0
        g[x] += m.sum(inner, f[x + inner, outer], "inner_sum") * outer
        return g

    same_as_halide(build, 6)


def test_reductions_nest(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        f, g, x = noise(m), m.Func("g"), m.Var("x")
        columns, rows = m.RDom([(0, 3)]), m.RDom([(0, 4)])
        g[x] = m.maximum(rows, m.sum(columns, f[x + columns, rows]))
        return g

    same_as_halide(build, 6)


def test_a_domain_that_the_expression_does_not_use_is_not_iterated(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        g, x = m.Func("g"), m.Var("x")
        g[x] = m.sum(m.RDom([(0, 9)]), x + 1)
        return g

    same_as_halide(build, 4)


def test_free_variables_become_arguments_in_order_of_appearance() -> None:
    x, y, z = hl.vars("x y z")
    r = hl.RDom([(0, 3)])
    total = hl.sum(z * r + x * y * z, "total")
    assert str(total.node) == "total(z, x, y)"


def test_arguments_may_be_given_by_name() -> None:
    r = hl.RDom([(0, 3)])
    forms = [hl.sum(expr=r + 1, name="s"), hl.sum(r + 1, "s"), hl.sum(rdom=r, expr=r + 1, name="s")]
    assert [str(form.node) for form in forms] == ["s()"] * 3


def test_an_expression_without_a_domain_is_refused() -> None:
    with pytest.raises(hl.HalideError, match=r"hl.sum of `\(x \+ 1\)` over no reduction domain"):
        hl.sum(hl.Var("x") + 1)


def test_two_domains_in_one_reduction_are_refused() -> None:
    a, b = hl.RDom([(0, 3)], "a"), hl.RDom([(0, 3)], "b")
    with pytest.raises(hl.HalideError, match=r"two domains in one definition: a and b\$x"):
        hl.sum(a + b)
