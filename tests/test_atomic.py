"""Updates that take turns: however iterations that meet in one element are run at once, the answer stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule

from .lang.messages import without_place

x, y, u, xi = hl.vars("x y u xi")
rxo, rxi, rf = (hl.RVar(n) for n in ("rxo", "rxi", "rf"))
T = hl.TailStrategy
PICTURE = np.random.default_rng(6).integers(0, 256, (203, 101)).astype(np.uint8)
TYPES = [hl.Int(8), hl.Int(16), hl.Int(32), hl.Int(64), hl.UInt(8), hl.UInt(16), hl.UInt(32), hl.UInt(64)]
FLOATS = [hl.Float(16), hl.Float(32), hl.Float(64)]
TIMES = 5
Build = Callable[[], tuple[hl.Func, hl.RDom]]
Apply = Callable[[hl.Stage, hl.RDom], object]


@pytest.fixture(autouse=True)
def more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HL_NUM_THREADS", "4")


def agrees(build: Build, apply: Apply, sizes: Any, override: bool = False, **tolerance: float) -> str:
    """Each of several runs gives what the oracle gives. Answers the kernel's text."""
    f, r = build()
    apply(f.update().atomic(override), r)
    expected = f.reference(list(sizes))
    for _ in range(TIMES):
        got = f.realize(list(sizes))
        for a, b in zip(*(v if isinstance(v, tuple | list) else [v] for v in (expected, got)), strict=True):
            np.testing.assert_allclose(np.asarray(b), np.asarray(a), **(tolerance or {"rtol": 0}))
    return str(f.pipeline().compiled().kernel().text)


def picture() -> hl.Buffer:
    return hl.Buffer(PICTURE)


OPERATORS: dict[str, Callable[[Any, Any], hl.Expr]] = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "product": lambda a, b: a * (b | 1),
    "max": lambda a, b: hl.max(b, a),
    "min": lambda a, b: hl.min(a, b),
    "and": lambda a, b: a & (b | 37),
    "or": lambda a, b: a | (b & 9),
    "xor": lambda a, b: b ^ a,
    "greater by select": lambda a, b: hl.select(a > b, a, b),
}


def binned(dtype: hl.Type, operator: str, bins: int = 7) -> Build:
    """Many iterations meet in few elements."""

    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r")
        f[x] = hl.cast(dtype, x + 90)
        e = hl.cast(hl.Int(32), picture()[r.x, r.y])
        f[e % bins] = OPERATORS[operator](f[e % bins], hl.cast(dtype, e % 5))
        return f, r

    return build


def rows(stage: hl.Stage, r: hl.RDom) -> object:
    return stage.parallel(r.y)


def rows_of_lanes(stage: hl.Stage, r: hl.RDom) -> object:
    return stage.parallel(r.y).vectorize(r.x, 8)


@pytest.mark.parametrize(
    ("operator", "dtype"),
    [(name, TYPES[(3 * n + k) % 8]) for n, name in enumerate(OPERATORS) for k in ((0, 4) if n < 3 else (n % 2,))],
    ids=str,
)
def test_every_operator_and_integer_type_keeps_its_bits_in_threads(operator: str, dtype: hl.Type) -> None:
    text = agrees(binned(dtype, operator), rows, [7])
    assert "__atomic_fetch_" in text or "__atomic_compare_exchange" in text


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("operator", ["sum", "max"])
def test_floats_are_updated_in_threads(operator: str, dtype: hl.Type) -> None:
    tolerance = 0.2 if dtype.bits() == 16 and operator == "sum" else 1e-5
    agrees(binned(dtype, operator), rows, [7], rtol=tolerance)


SCHEDULES: dict[str, Apply] = {
    "rows": rows,
    "rows of lanes": rows_of_lanes,
    "lanes": lambda s, r: s.vectorize(r.x, 8),
    "columns": lambda s, r: s.reorder(r.y, r.x).parallel(r.x).unroll(r.y, 3),
    "strips": lambda s, r: s.parallel(r.y, 7),
    "both": lambda s, r: s.parallel(r.x).parallel(r.y),
    "fused": lambda s, r: s.fuse(r.x, r.y, rf).parallel(rf, 100),
    "split": lambda s, r: s.split(r.x, rxo, rxi, 16).parallel(rxo).vectorize(rxi),
    "fused lanes": lambda s, r: s.fuse(r.x, r.y, rf).split(rf, rxo, rxi, 24).parallel(rxo).vectorize(rxi, 8),
    "predicated": lambda s, r: s.split(r.x, rxo, rxi, 8, T.Predicate).vectorize(rxi).parallel(r.y),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_of_a_histogram_counts_all(schedule: str) -> None:
    agrees(binned(hl.Int(32), "sum"), SCHEDULES[schedule], [7])
    agrees(binned(hl.UInt(8), "max", 1), SCHEDULES[schedule], [3])


def dot(dtype: hl.Type) -> Build:
    """All iterations meet in one element, for each x."""

    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r")
        r.where((r.x + r.y) % 3 != 0)
        f[x] = hl.cast(dtype, x)
        f[x] += hl.cast(dtype, picture()[r.x, r.y]) * hl.cast(dtype, r.x + x)
        return f, r

    return build


@pytest.mark.parametrize("dtype", [hl.Int(16), hl.UInt(32), hl.Float(32)], ids=str)
def test_lanes_that_hit_one_element_are_combined(dtype: hl.Type) -> None:
    tolerance = {"rtol": 1e-4} if dtype.is_float() else {}
    for schedule in ("rows", "rows of lanes", "lanes", "strips", "split"):
        agrees(dot(dtype), SCHEDULES[schedule], [3], **tolerance)
    agrees(dot(dtype), lambda s, r: s.parallel(r.y).vectorize(x, 4, T.GuardWithIf), [9], **tolerance)
    agrees(dot(dtype), lambda s, r: s.reorder(x, r.x, r.y).parallel(r.y).unroll(x, 2, T.GuardWithIf), [5], **tolerance)


def test_sums_of_floats_are_combined_across_lanes_where_the_schedule_allows_it() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 96), (0, 203)], "r")
        f[x] = 0.0
        f[x] += hl.cast(hl.Float(32), picture()[r.x, r.y])
        return f, r

    text = agrees(build, lambda s, r: s.vectorize(r.x, 16), [2], rtol=1e-5)
    assert "f32x16" in text
    agrees(build, lambda s, r: s.vectorize(r.x, 16).parallel(r.y), [2], rtol=1e-5)
    agrees(build, lambda s, r: s.vectorize(r.x, 16).vectorize(x, 2, T.GuardWithIf), [5], rtol=1e-5)


def test_tuples_take_turns_as_a_whole() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r")
        e = hl.cast(hl.Int(32), picture()[r.x, r.y])
        f[x] = (1, 250, hl.cast(hl.UInt(8), 1))
        g = f[e % 5]
        f[e % 5] = (g[0] + e, hl.min(g[1], e), g[2] ^ hl.cast(hl.UInt(8), e))
        return f, r

    for schedule in ("rows", "rows of lanes", "lanes", "strips"):
        agrees(build, SCHEDULES[schedule], [5])


def test_no_update_is_lost_where_threads_meet_often() -> None:
    image = np.random.default_rng(8).integers(0, 5, (1003, 1001)).astype(np.uint8)
    f, r = hl.Func("f"), hl.RDom([(0, 1001), (0, 1003)], "r")
    e = hl.cast(hl.Int(32), hl.Buffer(image)[r.x, r.y]) % 5
    f[x] = (0, 0.0)
    f[e] = (f[e][0] + e + 1, f[e][1] + 1)
    f.update().atomic().parallel(r.y)
    counts = np.bincount(image.ravel())
    for _ in range(10):
        sums, ones = f.realize([5])
        np.testing.assert_array_equal(np.asarray(sums), counts * np.arange(1, 6))
        np.testing.assert_array_equal(np.asarray(ones), counts)


def test_elements_of_a_tuple_that_swap_take_turns_as_a_whole() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 202)], "r")
        f[x] = (0, 0)
        f[r.x % 3] = (f[r.x % 3][1] + 1, f[r.x % 3][0] + r.y - r.y + 1)
        return f, r

    def checked(f: hl.Func) -> None:
        expected = [np.asarray(a) for a in f.reference([3])]
        for _ in range(TIMES):
            for a, b in zip(expected, f.realize([3]), strict=True):
                np.testing.assert_array_equal(np.asarray(b), a)

    f, r = build()
    f.update().atomic(True).parallel(r.y)
    checked(f)
    f, r = build()
    f.update().atomic(override_associativity_test=True).parallel(r.y, 8).vectorize(r.x, 4)
    checked(f)


def test_complex_products_take_turns() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r")
        a, b = (hl.cast(hl.Int(32), picture()[r.x, r.y] + k) for k in (0, 1))
        f[x] = (10, 20)
        f[x] = (f[x][0] * a - f[x][1] * b, f[x][0] * b + f[x][1] * a)
        return f, r

    for schedule in ("rows", "strips", "rows of lanes"):
        agrees(build, SCHEDULES[schedule], [2])


def test_bools_take_turns() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r")
        e = hl.cast(hl.Int(32), picture()[r.x, r.y])
        f[x] = x == 1
        f[e % 9] = f[e % 9] | (e == 200)
        return f, r

    agrees(build, rows_of_lanes, [9])


def test_strides_that_may_be_zero_take_turns() -> None:
    stride = hl.Param(hl.Int(32), "stride", 0)

    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r")
        f[x] = 0
        f[r.x * stride] += picture()[r.x, r.y]
        return f, r

    for value in (0, 1, 3):
        stride.set(value)
        agrees(build, lambda s, r: s.vectorize(r.x, 8), [303])


def test_other_funcs_are_computed_inside_the_loops() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 90), (0, 203)], "r")
        g[x, y] = hl.cast(hl.Int(32), picture()[x, y]) + picture()[x + 3, y]
        f[x] = 0
        f[g[r.x, r.y] % 11] += g[r.x + 1, r.y]
        g.compute_at(f, r.y).vectorize(x, 8)
        return f, r

    agrees(build, rows, [11])


def test_versions_and_factored_updates_keep_taking_turns() -> None:
    f, r = binned(hl.Int(32), "sum")()
    n = hl.Param(hl.Int(32), "n", 3)
    f.update().atomic().specialize(n == 3).parallel(r.y)
    f.update().vectorize(r.x, 8)
    expected = np.asarray(f.reference([7]))
    for value in (3, 4):
        n.set(value)
        np.testing.assert_array_equal(np.asarray(f.realize([7])), expected)
    f, r = binned(hl.Int(32), "sum")()
    i = f.update().atomic().rfactor(r.y, u).compute_root()
    i.update().parallel(r.x)
    f.update().parallel(hl.RVar("r$y"))
    np.testing.assert_array_equal(np.asarray(f.realize([7])), expected)


def test_events_of_updates_are_told_once_each() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 40)], "r")
    f[x] = 0
    f[r % 3] += r
    f.update().atomic().parallel(r)
    f.trace_stores()
    expected = np.asarray(f.reference([3]))
    with hl.trace() as events:
        np.testing.assert_array_equal(np.asarray(f.realize([3])), expected)
    stores = [e for e in events if e.event.name.lower() == "store"]
    assert len(stores) == 3 + 40


def test_what_fails_inside_gives_its_turn_back() -> None:
    f, r, bad = hl.Func("f"), hl.RDom([(0, 101), (0, 203)], "r"), hl.Param(hl.Int(32), "bad", 50)
    f[x] = (0, 0)
    e = hl.require(r.x != bad, r.y, "r.x is bad")
    f[x] = (f[x][0] + e, f[x][1] + 1)
    f.update().atomic().parallel(r.y)
    with pytest.raises(hl.HalideError, match="bad"):
        f.realize([2])
    bad.set(-1)
    assert np.asarray(f.realize([2])[1]).tolist() == [101 * 203] * 2


def refusal(directive: Callable[[], object]) -> str:
    with pytest.raises(IllegalSchedule) as refused:
        directive()
    return without_place(refused.value)


def test_without_atomic_the_loops_are_refused() -> None:
    f, r = binned(hl.Int(32), "sum")()
    assert "atomic() first" in refusal(lambda: f.update().parallel(r.y))
    f.update().atomic().parallel(r.y)


def test_updates_that_are_not_associative_need_an_override() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 9)], "r")
    f[x] = 0
    f[r % 3] = f[r % 3] * 2 + r
    assert refusal(lambda: f.update().atomic().parallel(r)) == (
        "f.update(0).parallel(r): iteration (r.x=3) reads f(0), written by iteration (r.x=0), which may take its turn "
        "after it; no associative operator is seen in the update, so its result may depend on the order of iterations. "
        "Legal instead: serial(r).\n"
        "  accepted here: a serial or unrolled loop; or atomic(True), if any of the results will do"
    )
    f.update().atomic(True).parallel(r)
    f.realize([3])


def test_ties_keep_lanes_in_order_and_threads_apart() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 101)], "r")
        e = picture()[r, x] % 4
        f[x] = (-1, hl.cast(hl.UInt(8), 0))
        f[x] = (hl.select(e > f[x][1], r, f[x][0]), hl.select(e > f[x][1], e, f[x][1]))
        return f, r

    f, r = build()
    assert "the first or last one counts" in refusal(lambda: f.update().atomic().parallel(r))
    agrees(build, lambda s, r: s.vectorize(r, 8), [9])


def test_reads_of_other_elements_are_refused() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 100)], "r")
    f[x] = 0
    f[hl.clamp(f[r], 0, 100)] = f[r] + 1
    g[x] = 0
    g[r] = g[r - 1] + 1
    for func in (f, g):
        text = refusal(lambda func=func: func.update().atomic(True).parallel(r))  # type: ignore[misc]
        assert "may be writing" in text
        assert "\n  accepted here: a serial or unrolled loop" in text
        assert "egal instead: serial(r)" in text


def test_loops_whose_iterations_do_not_meet_need_no_turns() -> None:
    def sums() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(1, 12), (1, 10)], "r")
        f[x, y] = x + y
        f[r.x, r.y] = f[r.x - 1, r.y] + f[r.x, r.y - 1]
        return f, r

    agrees(sums, lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y), [14, 12])
    f, r = sums()
    with pytest.raises(hl.IllegalSchedule) as refused:
        f.update().atomic().parallel(r.y)
    assert refused.value.witness is not None
    assert refused.value.repair == "skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)"
