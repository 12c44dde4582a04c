"""A proof says where floats are combined in another order than the algorithm's; of integers nothing is to be said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule

x, y, u = hl.vars("x y u")
ko, ki = hl.RVar("ko"), hl.RVar("ki")
Directives = Callable[[hl.Func, hl.RDom], object]


def product(dtype: hl.Type) -> tuple[hl.Func, hl.RDom]:
    numbers = np.random.default_rng(1).integers(0, 9, (8, 13)).astype(np.int32)
    a, b = hl.Buffer(numbers), hl.Buffer(np.ascontiguousarray(numbers.T))
    c, k = hl.Func("c"), hl.RDom([(0, 13)], "k")
    c[x, y] = hl.cast(dtype, 0)
    c[x, y] += hl.cast(dtype, a[k, y]) * hl.cast(dtype, b[x, k])
    return c, k


def two_steps(c: hl.Func, k: hl.RDom) -> None:
    c.update().split(k, ko, ki, 4).rfactor(ki, u).compute_at(c, y).update().vectorize(u, 4)


ANOTHER_ORDER: dict[str, Directives] = {
    "lanes": lambda c, k: c.update().atomic().vectorize(k, 4),
    "threads": lambda c, k: c.update().atomic().parallel(k),
    "interchanged": lambda c, k: c.update().split(k, ko, ki, 4).reorder(ko, ki),
    "factored": two_steps,
}
SAME_ORDER: dict[str, Directives] = {
    "as written": lambda _c, _k: None,
    "split, reordered, unrolled": lambda c, k: c.update().split(k, ko, ki, 4).reorder(ki, x, y, ko).unroll(ki),
    "pure loops at once": lambda c, k: c.update().reorder(x, k, y).vectorize(x, 4).parallel(y),
}


@pytest.mark.parametrize("name", [*ANOTHER_ORDER, *SAME_ORDER])
def test_sums_of_floats_in_another_order_are_marked(name: str) -> None:
    for dtype in (hl.Float(32), hl.Int(32)):
        c, k = product(dtype)
        (ANOTHER_ORDER | SAME_ORDER)[name](c, k)
        proof = c.verify()
        assert proof.status == "proved"
        marked = name in ANOTHER_ORDER and dtype == hl.Float(32)
        assert proof.is_reassociated == marked
        assert ("up to the order in which floats are combined" in str(proof)) == marked
        assert [o.status for o in proof.of_kind("associativity")] == ["proved"] * marked
        assert str(proof).count("floats are combined in another order: not bit for bit") == marked
        np.testing.assert_array_equal(np.asarray(c.realize([8, 8])), np.asarray(c.reference([8, 8])))


def test_lanes_and_threads_that_sum_one_element_need_atomic() -> None:
    for dtype in (hl.Float(32), hl.Int(32)):
        for directive in (lambda c, k: c.update().vectorize(k, 4), lambda c, k: c.update().parallel(k)):
            c, k = product(dtype)
            with pytest.raises(IllegalSchedule) as refused:
                directive(c, k)
            at = refused.value.witness
            assert (dict(at.source.variables), dict(at.sink.variables)) == (
                {"k.x": 0, "x": 0, "y": 0},
                {"k.x": 1, "x": 0, "y": 0},
            )
            assert refused.value.repair.startswith("atomic().")


def test_the_greatest_of_floats_is_the_same_but_for_what_has_no_order() -> None:
    m, r = hl.Func("m"), hl.RDom([(0, 16)], "r")
    m[x] = hl.f32(0)
    m[x] = hl.max(m[x], hl.cast(hl.Float(32), (r * 7 + x) % 11))
    m.update().atomic().vectorize(r, 8)
    (found,) = m.verify().of_kind("associativity")
    assert (found.stages, found.status) == (("m.update(0)",), "proved")
    assert "the same in any order, but for NaNs" in found.reason


def test_a_race_that_the_user_allows_is_not_said_to_be_another_order() -> None:
    c, k = product(hl.Float(32))
    c.update().allow_race_conditions().parallel(k)
    proof = c.verify()
    assert proof.status == "not proved"
    assert not proof.of_kind("associativity")
