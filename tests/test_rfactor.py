"""Factored reductions: whatever loops the intermediate Func keeps, and however it is scheduled, the answer stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule, ScheduleError

from .lang.messages import without_place

x, y, z, u, v, w, ui, vi, t = hl.vars("x y z u v w ui vi t")
rxo, rxi, ryo, ryi, rf = (hl.RVar(n) for n in ("rxo", "rxi", "ryo", "ryi", "rf"))
PICTURE = np.random.default_rng(5).integers(0, 256, (13, 21)).astype(np.uint8)
TYPES = [hl.Int(8), hl.Int(16), hl.Int(32), hl.Int(64), hl.UInt(8), hl.UInt(16), hl.UInt(32), hl.UInt(64)]
FLOATS = [hl.Float(32), hl.Float(64)]
Build = Callable[[], tuple[hl.Func, hl.RDom]]
Apply = Callable[[hl.Func, hl.RDom], object]


def agrees(build: Build, apply: Apply, sizes: Any = (), **tolerance: float) -> None:
    """The factored Func computes what the Func computes unscheduled, by the oracle; and so does its own oracle."""
    plain, _ = build()
    factored, r = build()
    apply(factored, r)
    expected, got = plain.reference(list(sizes)), factored.realize(list(sizes))
    own = factored.reference(list(sizes))
    for a, b, c in zip(*(v if isinstance(v, tuple | list) else [v] for v in (expected, got, own)), strict=True):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), **(tolerance or {"rtol": 0}))
        np.testing.assert_allclose(np.asarray(c), np.asarray(a), **(tolerance or {"rtol": 0}))


def picture() -> hl.Buffer:
    return hl.Buffer(PICTURE)


OPERATORS: dict[str, Callable[[hl.Expr, hl.Expr], hl.Expr]] = {
    "sum": lambda a, b: a + b,
    "sum from the left": lambda a, b: b + a,
    "product": lambda a, b: a * (b | 1),
    "max": lambda a, b: hl.max(a, b),
    "min": lambda a, b: hl.min(b, a),
    "and": lambda a, b: a & (b | 37),
    "or": lambda a, b: a | (b & 9),
    "xor": lambda a, b: a ^ b,
    "greater by select": lambda a, b: hl.select(a > b, a, b),
    "lesser by select": lambda a, b: hl.select(b <= a, b, a),
}


def reduced(dtype: hl.Type, operator: str) -> Build:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 21), (0, 13)], "r")
        f[x] = hl.cast(dtype, x + 90)
        f[x] = OPERATORS[operator](f[x], hl.cast(dtype, picture()[r.x, r.y] + x))
        return f, r

    return build


def rows(f: hl.Func, r: hl.RDom) -> object:
    return f.update().rfactor(r.y, u).compute_root()


def lanes(f: hl.Func, r: hl.RDom) -> object:
    i = f.update().split(r.x, rxo, rxi, 8).rfactor(rxi, u).compute_root().vectorize(u, 8)
    return i.update().vectorize(u, 8)


def strips(f: hl.Func, r: hl.RDom) -> object:
    return f.update().split(r.y, ryo, ryi, 3).rfactor(ryo, u).compute_root().update().parallel(u)


@pytest.mark.parametrize(
    ("operator", "dtype"),
    [(name, TYPES[(3 * n + k) % 8]) for n, name in enumerate(OPERATORS) for k in ((0, 4) if n < 4 else (n % 2,))],
    ids=str,
)
def test_every_operator_and_integer_type_keeps_its_bits(operator: str, dtype: hl.Type) -> None:
    agrees(reduced(dtype, operator), lanes, [3])


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("operator", ["sum", "max", "min", "greater by select"])
def test_floats_are_regrouped(operator: str, dtype: hl.Type) -> None:
    agrees(reduced(dtype, operator), lanes, [3], rtol=1e-5)


@pytest.mark.parametrize("combine", [lambda a, b: a & b, lambda a, b: b | a], ids=["and", "or"])
def test_bools_are_combined(combine: Callable[[Any, Any], hl.Expr]) -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 21)], "r")
        f[x] = x > 1
        f[x] = combine(f[x], picture()[r, x] > 100)
        return f, r

    agrees(build, lambda f, r: f.update().split(r, rxo, rxi, 5).rfactor(rxo, u).compute_root(), [4])


SCHEDULES: dict[str, Apply] = {
    "rows": rows,
    "lanes": lanes,
    "strips": strips,
    "inline": lambda f, r: f.update().rfactor(r.y, u),
    "both": lambda f, r: f.update().rfactor([(r.x, u), (r.y, v)]).compute_root().update().tile(u, v, ui, vi, 4, 4),
    "named in the other order": lambda f, r: f.update().rfactor([(r.y, v), (r.x, u)]).compute_root(),
    "at a loop of the merge": lambda f, r: f.update().rfactor(r.y, u).compute_at(f, hl.RVar("r$y")),
    "reordered": lambda f, r: f.update().reorder(r.y, r.x, x).rfactor(r.y, u).compute_root().update().vectorize(u, 4),
    "fused": lambda f, r: f.update().fuse(r.x, r.y, rf).split(rf, rxo, rxi, 16).rfactor(rxo, u).compute_root(),
    "tiles": lambda f, r: (
        f.update().tile([r.x, r.y], [rxo, ryo], [rxi, ryi], [4, 5]).rfactor([(rxi, u), (ryi, v)]).compute_root()
    ),
    "odd lanes": lambda f, r: f.update().split(r.x, rxo, rxi, 7).rfactor(rxi, u).compute_root().vectorize(u, 3),
    "rounded up": lambda f, r: f.update().rfactor(r.y, u).compute_root().align_bounds(u, 8).update().unroll(u, 4),
    "pure loops": lambda f, r: (
        f.update().split(x, x, ui, 2, hl.TailStrategy.GuardWithIf).parallel(x).rfactor(r.y, u).compute_root()
    ),
    "an outer split twice": lambda f, r: (
        f.update().split(r.x, rxo, rxi, 2).split(rxo, rxo, ryi, 3).rfactor([(rxo, u), (rxi, v)]).compute_root()
    ),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_of_both_keeps_the_answer(schedule: str) -> None:
    agrees(reduced(hl.Int(32), "sum"), SCHEDULES[schedule], [5])
    agrees(reduced(hl.UInt(8), "max"), SCHEDULES[schedule], [1])


def test_the_intermediate_func_may_be_factored_again() -> None:
    def apply(f: hl.Func, r: hl.RDom) -> None:
        one = f.update().split(r.x, rxo, rxi, 8).rfactor(rxo, u)
        rxio, rxii = hl.RVar("rxio"), hl.RVar("rxii")
        two = one.update().split(rxi, rxio, rxii, 4).rfactor(rxii, v)
        two.compute_at(one, u).update().vectorize(v, 4)
        one.compute_root().update().parallel(u)

    agrees(reduced(hl.Int(16), "sum"), apply, [4])


def test_the_merge_may_be_factored_again() -> None:
    def apply(f: hl.Func, r: hl.RDom) -> None:
        one = f.update().reorder(r.y, r.x).split(r.x, rxo, rxi, 2).rfactor([(rxo, u), (r.y, v)])
        f.update().split(r.y, ryo, ryi, 2).rfactor([(rxo, u), (ryo, v)]).compute_root()
        one.compute_root()

    agrees(reduced(hl.Int(32), "sum"), apply, [4])


def test_a_histogram_is_counted_per_row() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("hist"), hl.RDom(picture(), "r")
        f[x] = 0
        f[hl.cast(hl.Int(32), picture()[r.x, r.y]) % 16] += 1
        return f, r

    for apply in (rows, strips, SCHEDULES["both"], lanes):
        agrees(build, apply, [16])
    agrees(build, lambda f, r: f.update().rfactor(r.y, u).compute_root().update().parallel(u), [7])


def test_a_predicate_moves_to_the_intermediate_func() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(2, 9), (1, 11), (0, 12)], "r")
        r.where(r.x < r.y)
        r.where(r.x + 2 * r.y <= r.z + 9)
        f[x, y] = 1
        f[r.x, r.y] += picture()[r.x, r.z] * (r.y + 1)
        return f, r

    def tiled(f: hl.Func, r: hl.RDom) -> None:
        i = f.update().rfactor([(r.y, u), (r.x, v)]).compute_root()
        i.tile(u, v, ui, vi, 2, 2).fuse(u, v, t).parallel(t)
        i.update().unroll(r.z, 2)

    for apply in (tiled, rows, lanes, lambda f, r: f.update().rfactor(r.z, u).compute_root()):
        agrees(build, apply, [14, 14])


def test_tuples_are_combined_element_by_element() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 21), (0, 13)], "r")
        e = hl.cast(hl.Int(32), picture()[r.x, r.y])
        f[x, y] = (1, 250, 7)
        f[x, y] = (f[x, y][0] + e + 3, hl.min(f[x, y][1], e + x), f[x, y][2])
        return f, r

    def tiled(f: hl.Func, r: hl.RDom) -> None:
        f.reorder(y, x)
        f.update().tile(x, y, ui, vi, 4, 4)
        one = f.update().rfactor(r.y, u)
        one.update().split(r.x, rxo, rxi, 2).rfactor(rxo, v).compute_at(one, rxo)
        one.compute_root().update().parallel(u, 2)

    for apply in (tiled, rows, lanes, strips):
        agrees(build, apply, [8, 8])


def test_complex_numbers_are_multiplied_in_parts() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 21), (0, 3)], "r")
        a, b = picture()[r.x, r.y] + x, picture()[r.x, r.y + 4] - x
        a, b = hl.cast(hl.Int(32), a), hl.cast(hl.Int(32), b)
        f[x] = (10, 20)
        f[x] = (f[x][0] * a - f[x][1] * b, f[x][0] * b + f[x][1] * a)
        return f, r

    for apply in (rows, lanes, strips):
        agrees(build, apply, [6])


def best(better: Callable[[Any, Any], hl.Expr], start: int) -> Build:
    """The place of the best value, many of which are equal."""

    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 21), (0, 13)], "r")
        e = hl.cast(hl.Int(32), picture()[r.x, r.y] % 4)
        f[x] = (-1, start, -1)
        take = better(e, f[x][1])
        f[x] = (hl.select(take, r.x, f[x][0]), hl.select(take, e, f[x][1]), hl.select(take, r.y, f[x][2]))
        return f, r

    return build


def columns(f: hl.Func, r: hl.RDom) -> object:
    return f.update().split(r.x, rxo, rxi, 4).rfactor([(r.y, u), (rxo, v)]).compute_root()


@pytest.mark.parametrize(("apply", "start"), [(rows, -5), (strips, 0), (columns, 3), (columns, 9)])
def test_of_equally_good_values_the_same_one_is_found(apply: Apply, start: int) -> None:
    agrees(best(lambda e, old: e > old, start), apply, [2])
    agrees(best(lambda e, old: e < old, start), apply, [2])
    agrees(best(lambda e, old: e >= old, start), apply, [2])
    agrees(best(lambda e, old: old >= e, start), apply, [2])


def test_loops_between_are_kept_where_ties_make_the_order_matter() -> None:
    f, r = best(lambda e, old: e > old, 0)()
    with pytest.raises(IllegalSchedule) as refused:
        f.update().rfactor(r.x, u)
    assert without_place(refused.value) == (
        "f.update(0).rfactor(r.x, u)\n"
        "  loop `r$x` stands inside `r$y`, which the intermediate Func would run first\n"
        "  the operator is associative, but not commutative: of equally good values the order decides\n"
        "  accepted here: rfactor() of `r$y` as well; or allow_race_conditions() first, if it does not matter which of "
        "equally good values is found"
    )
    i = f.update().allow_race_conditions().rfactor(r.x, u).compute_root()
    place, value, _row = (np.asarray(a) for a in f.realize([1]))
    assert value[0] == 3 and (PICTURE[:, place[0]] % 4 == 3).any()
    assert i.name() == "f_intm"


def test_greatest_with_numbers_that_are_none_keep_them() -> None:
    data = np.random.default_rng(3).random((4, 16)).astype(np.float32)
    data[0, 0] = data[1, 15] = data[2, 8] = np.nan
    for either in (lambda a, b: a | b, lambda a, b: b | a):

        def build(either: Any = either) -> tuple[hl.Func, hl.RDom]:
            f, r = hl.Func("f"), hl.RDom([(0, 16)], "r")
            e = hl.Buffer(data)[r, y]
            f[y] = hl.Float(32).min()
            f[y] = hl.select(either(f[y] > e, hl.is_nan(f[y])), f[y], e)
            return f, r

        agrees(build, lambda f, r: f.update().split(r, rxo, rxi, 8).rfactor(rxi, u).compute_root(), [4])


def test_sums_inside_a_maximum_are_found() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        g, r = hl.Func("g"), hl.RDom([(10, 20), (3, 10)], "r")
        e = hl.cast(hl.Int(32), picture()[r.x - 10, r.y])
        g[x, y] = 40
        g[r.x, r.y] = hl.max(g[r.x, r.y] + e - 100, g[r.x, r.y])
        g.reorder_storage(y, x)
        return g, r

    def apply(g: hl.Func, r: hl.RDom) -> None:
        i = g.update().rfactor(r.y, u).compute_root().vectorize(u, 8)
        i.update().vectorize(r.x, 2)

    agrees(build, apply, [32, 20])


def test_all_loops_may_be_the_intermediate_funcs() -> None:
    agrees(reduced(hl.UInt(8), "sum"), lambda f, r: f.update().rfactor([]).compute_root(), [4])
    agrees(reduced(hl.Int(32), "max"), lambda f, r: f.update().rfactor(preserved=[]).compute_at(f, x), [4])
    agrees(best(lambda e, old: e > old, 2), lambda f, r: f.update().rfactor([]).compute_root(), [4])


def test_reductions_of_one_func_share_a_loop_once_they_are_funcs() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 13)], "r")
        f[()] = 0
        f[()] += hl.i32(picture()[r, 3])
        f[()] += hl.i32(picture()[4, r])
        return f, r

    def apply(f: hl.Func, r: hl.RDom) -> None:
        one, two = (f.update(n).rfactor([]).compute_root() for n in (0, 1))
        one.update().compute_with(two.update(), r.x)

    agrees(build, apply)


def test_pairs_are_given_by_name_or_place() -> None:
    for form in (
        lambda s, r: s.rfactor(r.y, u),
        lambda s, r: s.rfactor(r=r.y, v=u),
        lambda s, r: s.rfactor([(r.y, u)]),
        lambda s, r: s.rfactor(preserved=[(r.y, u)]),
    ):
        agrees(reduced(hl.Int(16), "sum"), lambda f, r, form=form: form(f.update(), r).compute_root(), [3])  # type: ignore[misc]


def test_an_element_may_be_assigned_to_itself() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        g, r = hl.Func("g"), hl.RDom([(0, 10), (0, 10)], "r")
        g[x, y] = x + y
        g[r.x, r.y] = g[r.x, r.y]
        return g, r

    agrees(build, rows, [10, 10])


@pytest.mark.parametrize(("n", "m"), [(0, 5), (16, 5)])
def test_extents_that_are_known_late(n: int, m: int) -> None:
    size, count = hl.Param(hl.Int(32), "size", n), hl.Param(hl.Int(32), "count", m)

    def build(better: Callable[[Any, Any], hl.Expr]) -> Build:
        def made() -> tuple[hl.Func, hl.RDom]:
            f, r = hl.Func("f"), hl.RDom([(2, size), (1, count)], "r")
            e = hl.cast(hl.UInt(8), picture()[r.x, r.y])
            f[x] = (hl.cast(hl.UInt(8), 3), 17)
            take = better(e, f[x][0])
            f[x] = (hl.select(take, e, f[x][0]), hl.select(take, r.x * 100 + r.y, f[x][1]))
            return f, r

        return made

    for better in (lambda e, old: e < old, lambda e, old: e <= old):
        agrees(build(better), rows, [2])
        agrees(build(better), strips, [2])
        agrees(build(better), columns, [2])


def test_wrappers_stand_between_the_intermediate_func_and_what_it_reads() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(5, 10), (5, 10), (5, 10)], "r")
        f[x, y, z] = x + y * 2 + z * 3
        g[x, y, z] = 1
        g[r.x, r.y, r.z] += f[r.x, r.y, r.z]
        g.update().reorder(r.y, r.x).fuse(r.x, r.y, rf).reorder(r.z, rf)
        build.f = f  # type: ignore[attr-defined]
        return g, r

    def apply(g: hl.Func, r: hl.RDom) -> None:
        i = g.update().rfactor(r.z, u)
        i.update().split(rf, rxo, rxi, 2)
        i.compute_at(g, r.z)
        build.f.in_(i).compute_root()  # type: ignore[attr-defined]
        build.f.compute_root()  # type: ignore[attr-defined]

    agrees(build, apply, [17, 17, 17])


def refusal(directive: Callable[[], object]) -> str:
    with pytest.raises(ScheduleError) as refused:
        directive()
    return without_place(refused.value)


def test_what_is_not_associative_is_refused() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 9)], "r")
    f[x] = 0
    f[x] -= r
    f[x] = f[x] * 2 + r
    f[x] = r
    f[3] = hl.max(f[3], f[r])
    for stage in range(4):
        text = refusal(lambda stage=stage: f.update(stage).rfactor(r, u))  # type: ignore[misc]
        assert text.startswith(
            f"f.update({stage}).rfactor(r, u)\n  no associative operator is seen in the update of f,"
        )


def test_loops_of_both_kinds_fused_are_refused() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 5), (0, 5), (0, 5)], "r")
    f[x, y] = 0
    f[x, y] += r.x + r.y + r.z
    f.update().fuse(r.x, r.y, rxi).fuse(r.z, y, rf)
    assert refusal(lambda: f.update().rfactor(rxi, z)) == (
        "f.update(0).rfactor(rxi, z)\n  loops `r$z` and `y` were fused, one of them over a pure variable"
    )


def test_names_are_checked() -> None:
    f, r = reduced(hl.Int(32), "sum")()
    update = f.update()
    assert "the name `x` is already used in f" in refusal(lambda: update.rfactor(r.x, x))
    assert "the name `u` is already used in f" in refusal(lambda: update.rfactor([(r.x, u), (r.y, u)]))
    assert "loop `r$x` is named twice" in refusal(lambda: update.rfactor([(r.x, u), (r.x, v)]))
    assert "`rxo` is no reduction loop of f, or has been consumed" in refusal(lambda: update.rfactor(rxo, u))
    assert "are no RVar and Var" in refusal(lambda: update.rfactor(x, u))
    assert "this is a pure definition" in refusal(lambda: hl.Stage(f).rfactor(r.x, u))
    update.split(r.x, rxo, rxi, 4)
    assert "`r$x` is no reduction loop of f, or has been consumed" in refusal(lambda: update.rfactor(r.x, u))
    assert update.rfactor([(rxo, u), (r.y, v)]).args()[1:] != []


def test_equally_good_last_values_need_every_iteration() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 9), (0, 7)], "r")
    r.where(r.x * r.y < 20)
    f[x] = (0, 0)
    f[x] = (hl.max(f[x][0], r.x), hl.select(f[x][0] > r.x, f[x][1], r.y))
    assert "of equally good values the last one counts" in refusal(lambda: f.update().rfactor(r.y, u))


def test_an_update_of_a_diagonal_is_factored_over_all_of_its_loops() -> None:
    def build() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(-2, 3)])
        f[x, y] = 0
        f[x, hl.clamp(x, 0, 5)] = hl.max(f[x, hl.clamp(x, 0, 5)], r.x)
        return f, r

    agrees(build, lambda f, r: f.update().rfactor(r.x, u), [7, 8])
