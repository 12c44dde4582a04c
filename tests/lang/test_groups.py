"""`scatter` and `gather`: updates that read and write several places at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

from .conftest import by_reference
from .messages import without_place

x, y = hl.Var("x"), hl.Var("y")
GUARDED = hl.TailStrategy.GuardWithIf
Build = Callable[[Any], Any]  # a module -> a Func


def check(func: hl.Func, *sizes: int) -> list[np.ndarray[Any, Any]]:
    """The values, after comparing with the oracle."""
    result = func.realize(list(sizes))
    ours = [np.array(b) for b in (result if isinstance(result, tuple | list) else [result])]
    for a, b in zip(ours, by_reference(func, *sizes), strict=True):
        np.testing.assert_array_equal(a, b)
    return ours


def ramp(h: Any) -> Any:
    f, v = h.Func("f"), h.Var("x")
    f[v] = v * 10
    return f


def _exchange(h: Any) -> Any:
    f = ramp(h)
    f[h.scatter([3, 5])] = f[h.gather([5, 3])]
    return f


def _rotate_while_adding(h: Any) -> Any:
    f = ramp(h)
    f[h.scatter([0, 1, 2])] = f[h.gather([1, 2, 0])] * h.gather([1, 10, 100]) + 7
    return f


def _equal_places(h: Any) -> Any:
    f, v = h.Func("f"), h.Var("x")
    f[v] = 0
    f[h.scatter([2, 2])] = h.gather([3, 5])
    return f


def _only_places(h: Any) -> Any:
    f = ramp(h)
    f[h.scatter([0, 1, 2, 3])] = 5
    return f


def _only_values(h: Any) -> Any:
    f = ramp(h)
    f[3] = h.gather([1, 9])
    return f


def _first_definition(h: Any) -> Any:
    f, v = h.Func("f"), h.Var("x")
    f[v] = h.gather([1, v])
    return f


def _chosen_groups(h: Any) -> Any:
    f = ramp(h)
    p = f[0] == 0
    places = h.select(p, h.scatter([3, 5, 5]), h.scatter([1, 2, 3]))
    f[places] = f[h.select(p, h.gather([5, 3, 3]), h.gather([2, 3, 1]))]
    return f


def _along_a_reduction(h: Any) -> Any:
    f, r = ramp(h), h.RDom([(0, 6)])
    f[h.scatter([r, r + 1])] = f[h.gather([r + 1, r])] + h.gather([1, 2])
    return f


def _places_of_its_own_values(h: Any) -> Any:
    f, v = h.Func("f"), h.Var("x")
    f[v] = (v * 5 + 3) % 7
    a, b = h.clamp(f[0], 0, 6), h.clamp(f[1], 0, 6)
    f[h.scatter([0, 1, a, b])] = f[h.gather([a, b, 0, 1])]
    return f


def _through_another_func(h: Any) -> Any:
    f, g, v = ramp(h), h.Func("g"), h.Var("x")
    g[v] = v * v + 1
    f[h.scatter([1, 4])] = g[h.gather([6, 2])] + f[h.gather([4, 1])]
    return f


def _two_dimensions(h: Any) -> Any:
    f, v, w = h.Func("f"), h.Var("x"), h.Var("y")
    f[v, w] = v + 100 * w
    f[h.scatter([0, 1]), h.scatter([2, 0])] = 2 * f[h.gather([1, 0]), h.gather([0, 2])]
    return f


ONE_DIMENSION: dict[str, Build] = {
    "exchange": _exchange, "rotate": _rotate_while_adding, "equal places": _equal_places, "places": _only_places,
    "values": _only_values, "first definition": _first_definition, "chosen": _chosen_groups,
    "reduction": _along_a_reduction, "own values": _places_of_its_own_values, "through a Func": _through_another_func,
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_DIMENSION)
def test_groups_agree_with_halide_and_the_oracle(name: str):
    halide = pytest.importorskip("halide")
    (ours,) = check(ONE_DIMENSION[name](hl), 8)
    np.testing.assert_array_equal(ours, np.array(ONE_DIMENSION[name](halide).realize([8])))


def test_several_indices_may_be_groups():
    halide = pytest.importorskip("halide")
    (ours,) = check(_two_dimensions(hl), 5, 4)
    np.testing.assert_array_equal(ours, np.array(_two_dimensions(halide).realize([5, 4])))


def test_arguments_may_stand_alone_or_in_a_list():
    f, g = ramp(hl), ramp(hl)
    f[hl.scatter(3, 5)] = hl.gather(1, 2)
    g[hl.scatter([3, 5])] = hl.gather((1, 2))
    np.testing.assert_array_equal(check(f, 7), check(g, 7))


NETWORK = [
    (0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (1, 2), (5, 6), (0, 4), (3, 7), (1, 5), (2, 6),
    (1, 4), (3, 6), (2, 4), (3, 5), (3, 4),
]  # fmt: skip

SCHEDULES: dict[str, Callable[[hl.Func], Any]] = {
    "plain": lambda f: None,
    "vectors": lambda f: f.vectorize(x, 8).update().vectorize(x, 8, GUARDED),
    "odd vectors": lambda f: f.update().vectorize(x, 5, GUARDED),
    "parallel": lambda f: f.parallel(x, 16).update().parallel(x),
    "guarded": lambda f: f.update().split(x, hl.Var("xo"), hl.Var("xi"), 6, GUARDED).unroll(
        hl.Var("xi")
    ),
}  # fmt: skip


@pytest.mark.parametrize("width", [32, 37])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_sorting_network_sorts_columns_for_any_schedule(name: str, dtype: type, width: int):
    array = np.random.default_rng(3).integers(0, 200, (8, width)).astype(dtype)
    links = hl.Buffer(np.array(NETWORK, np.int32))
    f, values, r = hl.Func("sorted"), hl.Buffer(array), hl.RDom([(0, len(NETWORK))])
    low, high = (hl.unsafe_promise_clamped(links[k, r], 0, 7) for k in (0, 1))
    f[x, y] = values[x, y]
    f[x, hl.scatter(low, high)] = hl.gather(hl.min(f[x, low], f[x, high]), hl.max(f[x, low], f[x, high]))
    SCHEDULES[name](f)
    np.testing.assert_array_equal(np.array(f.realize([width, 8])), np.sort(array, axis=0))


@pytest.mark.parametrize("size", [16, 17])
def test_a_square_is_rotated_in_place(size: int):
    array = np.random.default_rng(1).integers(0, 255, (size, size), dtype=np.uint8)
    f, r = hl.Func("f"), hl.RDom([(0, (size + 1) // 2), (0, size // 2)])
    f[x, y] = hl.Buffer(array)[x, y]
    last = size - 1
    xs, ys = [r.x, last - r.y, last - r.x, r.y], [r.y, r.x, last - r.y, last - r.x]
    f[hl.scatter(xs[1:] + xs[:1]), hl.scatter(ys[1:] + ys[:1])] = f[hl.gather(xs), hl.gather(ys)]
    np.testing.assert_array_equal(np.array(f.realize([size, size])), np.rot90(array, -1))


@pytest.mark.parametrize("count", [2, 9, 20])
def test_tuples_are_exchanged_as_a_whole(count: int):
    f, r = hl.Func("f"), hl.RDom([(0, count - 1), (0, count - 1)])
    f[x] = (13 - x % 10, hl.u8(x * 17))
    r.where(r.x < count - 1 - r.y)
    a, b = f[r.x], f[r.x + 1]
    r.where((a[0] > b[0]) | ((a[0] == b[0]) & (a[1] > b[1])))
    f[hl.scatter(r.x, r.x + 1)] = f[hl.gather(r.x + 1, r.x)]
    keys, values = check(f, count)
    pairs = list(zip(keys.tolist(), values.tolist(), strict=True))
    assert pairs == sorted((13 - k % 10, k * 17 % 256) for k in range(count))


@pytest.mark.parametrize("place", ["root", "at", "inlined reader"])
def test_the_region_of_a_group_is_computed_wherever_it_is(place: str):
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    g[x, y] = x * 3 + y
    f[x, y] = x + y * 2
    f[x, hl.scatter(-4, 9)] = g[x - hl.gather(7, -3), hl.gather(20, -20)] + f[x, hl.gather(9, 30)]
    h[x, y] = f[x, y] + f[x, -4]
    if place == "at":
        f.compute_at(h, y)
        g.compute_at(f, x)
    elif place == "root":
        f.compute_root().update().vectorize(x, 4)
        g.compute_root()
    check(h, 11, 7)


def test_traced_groups_store_each_element():
    f = _exchange(hl)
    f.trace_stores()
    with hl.trace() as events:
        f.realize([8])
    stores = [(e.coordinates[0], e.values[0]) for e in events if e.event is hl.TraceKind.STORE]
    assert stores[8:] == [((3,), 50), ((5,), 30)]


def test_groups_fit_together_or_are_refused():
    def refused(define: Callable[[hl.Func], object]) -> str:
        f = ramp(hl)
        with pytest.raises(hl.DefinitionError) as error:
            define(f)
        assert f.num_update_definitions() == 0
        return without_place(error.value).splitlines()[0]

    def differ(f: hl.Func) -> None:
        f[hl.scatter(0, 1)] = hl.gather(1, 2, 3)

    def nest(f: hl.Func) -> None:
        f[hl.scatter(0, 1)] = hl.gather(hl.gather(1, 2), 3)

    def select_points(f: hl.Func) -> None:
        r = hl.RDom([(0, 3)])
        r.where(r > hl.gather(0, 1))
        f[hl.scatter(0, 1)] = r + 0

    assert refused(differ) == "Func `f`: scatters and gathers of different sizes: 2 and 3"
    assert refused(nest) == "Func `f`: a scatter or gather stands inside another"
    assert refused(select_points).startswith("Func `f`: the predicate of its RDom has a group")
    assert refused(lambda f: hl.gather()) == "hl.gather of nothing"
    assert refused(lambda f: hl.RDom([(0, hl.gather(1, 2))])).startswith("a scatter or gather stands outside")
    with pytest.raises(hl.TypeMismatch, match=r"hl\.gather of different types"):
        hl.gather(hl.u8(1), hl.f32(2))


def test_a_reduction_that_scatters_different_values_is_not_parallel():
    f, r = ramp(hl), hl.RDom([(0, 6)])
    f[hl.scatter(r, r + 1)] = hl.gather(1, 2)
    with pytest.raises(hl.ScheduleError):
        f.update().parallel(r)
    f.update().unroll(r)
    check(f, 8)
