"""Factored versions of an update: each condition has its own way to reduce, and the answer stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, z, u, v, w, t = hl.vars("x y z u v w t")
rxo, rxi = hl.RVar("rxo"), hl.RVar("rxi")
PICTURE = np.random.default_rng(8).integers(0, 256, (13, 21)).astype(np.uint8)
pytestmark = pytest.mark.filterwarnings("ignore:.*has no schedule")


def reduced() -> tuple[hl.Func, hl.RDom, hl.Param]:
    f, r = hl.Func("f"), hl.RDom([(0, 21), (0, 13)], "r")
    f[x, y] = x + 2 * y
    f[x, y] += hl.i32(hl.Buffer(PICTURE)[r.x, r.y]) * (x - y)
    return f, r, hl.Param(hl.Int(32), "p", 0)


def agrees(f: hl.Func, p: hl.Param, values: tuple[int, ...] = (0, 1, 2)) -> None:
    expected = reduced()[0].reference([5, 4])
    for value in values:
        p.set(value)
        np.testing.assert_array_equal(np.asarray(f.realize([5, 4])), np.asarray(expected))
        np.testing.assert_array_equal(np.asarray(f.reference([5, 4])), np.asarray(expected))


Factor = Callable[[hl.Func, hl.RDom, hl.Param], object]


def one_version(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    i = f.update().specialize(p > 0).rfactor(r.y, u).compute_root().vectorize(u, 8)
    i.update().vectorize(u, 4, hl.TailStrategy.GuardWithIf)


def all_but_one(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    f.update().specialize(p == 1).reorder(r.y, r.x).vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    f.update().rfactor(r.y, u).compute_root().update().parallel(u)


def each_its_own_way(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    f.update().specialize(p == 1).rfactor([(r.y, u), (r.x, v)]).compute_root().update().vectorize(u)
    f.update().specialize(p == 2).split(r.x, rxo, rxi, 4).rfactor(rxi, u).compute_root().update().vectorize(u, 4)
    f.update().rfactor([]).compute_at(f, y)


def versions_of_versions(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    some = f.update().specialize(p > 0)
    some.specialize(p == 1).rfactor(r.x, u).compute_root()
    some.rfactor(r.y, u).compute_root()


def versions_of_the_intermediate(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    i = f.update().specialize(p > 0).rfactor(r.y, u).compute_root()
    i.update().split(r.x, rxo, rxi, 2)
    i.update().specialize(p == 1).rfactor(rxi, v).compute_root()
    i.update().specialize(p != 1).rfactor(rxo, v).compute_at(i, u)
    f.update().rfactor(r.x, u).compute_root().update().vectorize(u)


def factored_again(f: hl.Func, r: hl.RDom, p: hl.Param) -> None:
    some = f.update().specialize(p > 0)
    some.rfactor([(r.x, u), (r.y, v)]).compute_root()
    some.rfactor(r.x, w).compute_root()


FACTORED = [
    one_version,
    all_but_one,
    each_its_own_way,
    versions_of_versions,
    versions_of_the_intermediate,
    factored_again,
]


@pytest.mark.parametrize("factor", FACTORED)
def test_every_version_reduces_to_the_same(factor: Factor) -> None:
    f, r, p = reduced()
    factor(f, r, p)
    agrees(f, p)


@pytest.mark.parametrize("factor", FACTORED)
def test_factored_versions_are_data_too(factor: Factor) -> None:
    f, r, p = reduced()
    factor(f, r, p)
    data = hl.serialize_pipeline(hl.Pipeline(f))
    again = hl.deserialize_pipeline(data, {"p": p.parameter()})
    assert hl.serialize_pipeline(again) == data
    expected = reduced()[0].reference([5, 4])
    for value in (0, 1, 2):
        p.set(value)
        np.testing.assert_array_equal(np.asarray(again.realize([5, 4])), np.asarray(expected))


def test_a_version_of_a_tuple_is_factored_where_a_predicate_holds() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(5, 9), (5, 7)], "r")
        r.where(r.x * r.x + r.y <= 90)
        e = hl.i32(hl.Buffer(PICTURE)[r.x, r.y])
        f[x] = (1, 300)
        f[x] = (f[x][0] * (e | 1), hl.min(f[x][1], e + x))
        return f, r

    (f, r), q = build(), hl.Param(hl.Bool(), "q", True)
    f.update().specialize(q).rfactor(r.y, u).compute_root().update().parallel(u, 2)
    for value in (True, False):
        q.set(value)
        for a, b in zip(f.realize([4]), build()[0].reference([4]), strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_what_only_another_version_reads_is_not_computed() -> None:
    f, r, p = reduced()
    i = f.update().specialize(p > 0).rfactor(r.y, u).compute_root()
    i.trace_stores()
    for value, is_stored in ((0, False), (1, True)):
        p.set(value)
        with hl.trace() as events:
            f.realize([3, 2])
        assert any(e.event is hl.TraceKind.STORE for e in events) is is_stored
