"""`skew` counts a loop as it goes along another one: other orders become legal, and values stay what they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule, ScheduleError

from .lang.messages import without_place

x, y, xo, yo, xi, yi, z = hl.vars("x y xo yo xi yi z")
rxo, ryo, rxi, ryi, q = (hl.RVar(n) for n in "rxo ryo rxi ryi q".split())
T = hl.TailStrategy
SIZES = [(37, 23), (9, 31), (4, 3), (3, 3)]


def smoothed(width: int, height: int, dtype: hl.Type) -> tuple[hl.Func, hl.RDom]:
    """Gauss-Seidel: each element needs its neighbours' new and old values."""
    f = hl.Func("u")
    f[x, y] = hl.cast(dtype, (x * 7 + y * 13) % 50)
    r = hl.RDom([(1, width - 2), (1, height - 2)], "r")
    f[r.x, r.y] = (f[r.x - 1, r.y] + f[r.x + 1, r.y] + f[r.x, r.y - 1] + f[r.x, r.y + 1]) / 4
    return f, r


def check(f: hl.Func, sizes: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(np.asarray(f.realize(list(sizes))), np.asarray(f.reference(list(sizes))))


Directives = Callable[[hl.Stage, hl.RDom], object]
WAVEFRONTS: dict[str, Directives] = {
    "threads": lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y),
    "lanes": lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).vectorize(r.y, 4),
    "both": lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y, 8).vectorize(r.y.__class__("r$y.t"), 4),
    "the other loop": lambda s, r: s.skew(r.y, r.x, 1).parallel(r.x),
    "steeper": lambda s, r: s.skew(r.x, r.y, 3).reorder(r.y, r.x).parallel(r.y),
    "tiles": lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 8, 4)
    .skew(rxo, ryo, 1).reorder(rxi, ryi, ryo, rxo).parallel(ryo),
    "tiles of a wavefront": lambda s, r: s.skew(r.x, r.y, 1).tile(r.x, r.y, rxo, ryo, rxi, ryi, 6, 5),
    "twice": lambda s, r: s.skew(r.x, r.y, 1).skew(r.y, r.x, 2),
    "back and forth": lambda s, r: s.skew(r.x, r.y, 2).skew(r.x, r.y, -2),
    "unrolled": lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).unroll(r.y, 3),
    "fused": lambda s, r: s.skew(r.x, r.y, 1).fuse(r.x, r.y, q),
}  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", WAVEFRONTS)
def test_skewed_loops_compute_what_the_algorithm_says(name: str, sizes: tuple[int, int]) -> None:
    for dtype in (hl.Int(32), hl.UInt(8)):
        f, r = smoothed(*sizes, dtype)
        WAVEFRONTS[name](f.update(0), r)
        check(f, sizes)


@pytest.mark.parametrize("name", WAVEFRONTS)
def test_skewed_loops_are_proved(name: str) -> None:
    f, r = smoothed(9, 31, hl.Int(32))
    WAVEFRONTS[name](f.update(0), r)
    proof = f.verify()
    assert proof.status != "refuted"  # what is printed for skewed loops is not always proved
    assert [str(o) for o in proof.obligations if o.status != "proved" and o.kind != "printed"] == []


def test_a_wavefront_needs_the_skew() -> None:
    f, r = smoothed(9, 9, hl.Int(32))
    with pytest.raises(IllegalSchedule):
        f.update(0).reorder(r.y, r.x).parallel(r.y)
    with pytest.raises(IllegalSchedule):
        f.update(0).skew(r.x, r.y, -1).reorder(r.y, r.x)
    f, r = smoothed(9, 9, hl.Int(32))
    with pytest.raises(IllegalSchedule, match="would come after it"):
        f.update(0).reorder(r.y, r.x).skew(r.x, r.y, -1)
    f.update(0).skew(r.x, r.y, 1)


@pytest.mark.parametrize("sizes", [(20, 12), (21, 7), (5, 1)])
def test_sizes_may_be_known_only_when_the_pipeline_runs(sizes: tuple[int, int]) -> None:
    width, height = hl.Param(hl.Int(32), "width"), hl.Param(hl.Int(32), "height")
    f = hl.Func("f")
    f[x, y] = x + y * 3
    r = hl.RDom([(1, width - 1), (1, height - 1)], "r")
    f[r.x, r.y] += f[r.x - 1, r.y] + f[r.x, r.y - 1] * 3 - f[r.x - 1, r.y - 1]
    f.update(0).skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)
    width.set(sizes[0])
    height.set(sizes[1])
    check(f, sizes)


@pytest.mark.parametrize("tail", [T.Auto, T.GuardWithIf, T.RoundUp, T.ShiftInwards])
@pytest.mark.parametrize("factor", [1, 2, -1])
def test_pure_loops_may_be_skewed_too(tail: hl.TailStrategy, factor: int) -> None:
    f, g, h = hl.funcs("f g h")
    f[x, y] = x * x + y
    g[x, y] = f[x - 1, y] + f[x + 1, y + 1]
    h[x, y] = g[x, y] + g[x, y + 1]
    g.compute_root().skew(x, y, factor).reorder(y, x).split(x, xo, xi, 4, tail).vectorize(xi)
    f.compute_at(g, xo)
    check(h, (13, 9))


def test_producers_are_computed_inside_skewed_loops() -> None:
    for at in (0, 1):
        f, g = hl.Func("f"), hl.Func("g")
        f[x, y] = x * 5 + y
        g[x, y] = f[x, y]
        r = hl.RDom([(1, 14), (1, 8)], "r")
        g[r.x, r.y] = g[r.x - 1, r.y] + g[r.x, r.y - 1] + f[r.x + 1, r.y]
        g.update(0).skew(r.x, r.y, 1).reorder(r.y, r.x)
        f.clone_in(g).compute_root()
        check(g, (15, 9))
        f, g = hl.Func("f"), hl.Func("g")
        f[x, y] = x * 5 + y
        g[x, y] = 0
        g[r.x, r.y] = g[r.x - 1, r.y] + g[r.x, r.y - 1] + f[r.x + 1, r.y]
        g.update(0).skew(r.x, r.y, 1).reorder(r.y, r.x)
        f.compute_at(g, (r.x, r.y)[at])
        check(g, (15, 9))


def test_a_loop_over_a_pure_variable_may_go_along_a_reduction() -> None:
    f, r = hl.Func("f"), hl.RDom([(1, 6)], "r")
    f[x, y] = x + y
    f[x, r.x] = f[x, r.x - 1] * 2 + x
    f.update(0).skew(x, r.x, 1).reorder(r.x, x)
    with pytest.raises(IllegalSchedule):
        f.update(0).parallel(x)
    check(f, (11, 7))


def test_the_loop_nest_shows_the_iterations(capfd: pytest.CaptureFixture[str]) -> None:
    f, r = smoothed(9, 7, hl.Int(32))
    f.update(0).skew(r.x, r.y, 2).reorder(r.y, r.x).parallel(r.y)
    f.print_loop_nest()
    assert "for r in [3, 17]:\n    parallel r in [1, 5]:\n" in capfd.readouterr().err


def test_a_schedule_with_skewed_loops_is_data() -> None:
    f, r = smoothed(9, 7, hl.Int(32))
    f.update(0).skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)
    text = hl.Pipeline(f).schedule.to_json()
    g, _ = smoothed(9, 7, hl.Int(32))
    hl.Pipeline(g).apply_schedule(hl.Schedule.from_json(text))
    assert hl.Pipeline(g).schedule.to_json() == text
    assert "u.update(0).skew(r_x, r_y, 1)" in hl.Schedule.from_json(text).to_python()
    check(g, (9, 7))
    unskewed = text.replace('"factor": 1', '"factor": -1').replace('"factor":1', '"factor":-1')
    assert unskewed != text
    h, _ = smoothed(9, 7, hl.Int(32))
    with pytest.raises(ScheduleError):
        hl.Pipeline(h).apply_schedule(hl.Schedule.from_json(unskewed))


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        (lambda s, r: s.skew(r.x, r.x, 1), "cannot be skewed by itself"),
        (lambda s, r: s.skew(r.x, r.y, 0), "the factor is 0"),
        (lambda s, r: s.skew(r.x, r.y, 1 << 20), "accepted here: a factor from 1 to 4096"),
        (lambda s, r: s.skew(r.x, r.y, 1.5), "the factor is 1.5, of type float"),
        (lambda s, _: s.skew(q, q, 1), "u.update(0) has no loop `q`"),
        (lambda s, r: s.unroll(r.x).skew(r.x, r.y, 1), "accepted here: skew() first"),
    ],
)
def test_what_cannot_be_skewed_is_refused(directive: Directives, message: str) -> None:
    f, r = smoothed(9, 9, hl.Int(32))
    with pytest.raises(ScheduleError) as refused:
        directive(f.update(0), r)
    assert message in without_place(refused.value)


def test_rfactor_comes_before_skew() -> None:
    def total() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(0, 8), (0, 6)], "r")
        f[x] = 0
        f[x] += r.x * r.y
        return f, r

    f, r = total()
    f.update(0).skew(r.x, r.y, 1)
    with pytest.raises(ScheduleError, match=r"rfactor\(\) before skew\(\)"):
        f.update(0).rfactor(r.x, z)
    f, r = total()
    f.update(0).rfactor(r.x, z).compute_root().update(0).skew(z, r.y, 1)
    check(f, (3,))
