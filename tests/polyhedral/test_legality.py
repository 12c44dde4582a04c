"""Loops of an update are accepted where its dependences allow them, and refused with two iterations otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule

from ..lang.messages import without_place
from .enumeration import Stage, check_witness, is_legal

x, y = hl.vars("x y")
rxo, ryo, rxi, ryi, q = (hl.RVar(n) for n in "rxo ryo rxi ryi q".split())
WIDTH, HEIGHT = 7, 6
Case = tuple[hl.Func, hl.RDom]
Directive = Callable[[hl.Stage, hl.RDom], object]


def grid(name: str, *ranges: tuple[int, int]) -> Case:
    f = hl.Func(name)
    f[x, y] = x * 3 + y * 5
    return f, hl.RDom(list(ranges), "r")


def summed_area() -> Case:
    f, r = grid("sat", (1, WIDTH - 1), (1, HEIGHT - 1))
    f[r.x, r.y] = f[r.x, r.y] + f[r.x - 1, r.y] + f[r.x, r.y - 1] - f[r.x - 1, r.y - 1]
    return f, r


def edit_distance() -> Case:
    f, r = grid("d", (1, WIDTH - 1), (1, HEIGHT - 1))
    same = hl.select((r.x * 5) % 3 == (r.y * 7) % 3, 0, 1)
    f[r.x, r.y] = hl.min(f[r.x - 1, r.y] + 1, f[r.x, r.y - 1] + 1, f[r.x - 1, r.y - 1] + same)
    return f, r


def gauss_seidel() -> Case:
    f, r = grid("u", (1, WIDTH - 2), (1, HEIGHT - 2))
    f[r.x, r.y] = (f[r.x - 1, r.y] + f[r.x + 1, r.y] + f[r.x, r.y - 1] + f[r.x, r.y + 1]) / 4
    return f, r


def red_black() -> Case:
    f, r = grid("u", (1, WIDTH - 2), (1, HEIGHT - 2))
    r.where((r.x + r.y) % 2 == 0)
    f[r.x, r.y] = (f[r.x - 1, r.y] + f[r.x + 1, r.y] + f[r.x, r.y - 1] + f[r.x, r.y + 1]) / 4
    return f, r


def jacobi() -> Case:
    f, r = grid("u", (1, WIDTH - 2), (1, HEIGHT - 1))
    f[r.x, r.y] = f[r.x - 1, r.y - 1] + f[r.x, r.y - 1] * 2 + f[r.x + 1, r.y - 1]
    return f, r


def triangular_solve() -> Case:
    f, r = grid("s", (0, WIDTH), (0, WIDTH))
    r.where(r.x < r.y)
    f[r.y, 0] = f[r.y, 0] - (r.x * 3 + r.y) * f[r.x, 0]
    return f, r


def even_odd() -> Case:
    f, r = grid("e", (0, WIDTH - 1), (0, HEIGHT))
    f[r.x / 2 * 2 + 1, r.y] = f[r.x / 2 * 2, r.y] + 1
    return f, r


def prefix_sum() -> Case:
    f, r = grid("p", (1, WIDTH - 1), (0, HEIGHT))
    f[r.x, r.y] = f[r.x, r.y] + f[r.x - 1, r.y]
    return f, r


def line(name: str = "f", extent: hl.Expr | int = WIDTH) -> Case:
    f = hl.Func(name)
    f[x] = x
    return f, hl.RDom([(0, extent)], "r")


def doubled() -> Case:
    f, r = line("f", 4)
    f[2 * r.x] = f[2 * r.x] * 3 + 1
    return f, r


def modulo() -> Case:
    f, r = line("f", 9)
    f[r.x % 7] = r.x
    return f, r


def reversal() -> Case:
    f, r = line()
    f[r.x] = f[WIDTH - 1 - r.x]
    return f, r


def floyd_warshall() -> Case:
    f, r = hl.Func("d"), hl.RDom([(0, 4), (0, 4), (0, 4)], "r")
    f[x, y] = (x * 7 + y * 3) % 11
    f[r.x, r.y] = hl.min(f[r.x, r.y], f[r.z, r.y] + f[r.x, r.z])
    return f, r


def two_fields() -> Case:
    """An electric field in row 0 and a magnetic one in row 1, which leap over each other in time."""
    f, r = grid("eh", (1, WIDTH - 2), (0, 2), (0, 3))
    other = 1 - r.y
    f[r.x, r.y] += f[r.x + r.y, other] - f[r.x + r.y - 1, other]
    return f, r


def in_time() -> Case:
    """Red and black cells in turn, sweep after sweep."""
    f, r = grid("u", (1, WIDTH - 2), (1, HEIGHT - 2), (0, 4))
    r.where((r.x + r.y + r.z) % 2 == 0)
    f[r.x, r.y] = (f[r.x - 1, r.y] + f[r.x + 1, r.y] + f[r.x, r.y - 1] + f[r.x, r.y + 1]) / 4
    return f, r


def skewed_tiles(s: hl.Stage, r: hl.RDom) -> hl.Stage:
    return s.skew(r.x, r.y, 1).tile(r.x, r.y, rxo, ryo, rxi, ryi, 4, 2)


CASES: dict[str, tuple[Callable[[], Case], Directive, bool]] = {
    "summed area, interchanged": (summed_area, lambda s, r: s.reorder(r.y, r.x), True),
    "summed area, tiled": (summed_area, lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 4, 3), True),
    "summed area, y in parallel": (summed_area, lambda s, r: s.parallel(r.y), False),
    "summed area, x in parallel": (summed_area, lambda s, r: s.parallel(r.x), False),
    "edit distance, interchanged": (edit_distance, lambda s, r: s.reorder(r.y, r.x), True),
    "edit distance, tiled": (edit_distance, lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 4, 4), True),
    "edit distance, y in parallel": (edit_distance, lambda s, r: s.parallel(r.y), False),
    "Gauss-Seidel, interchanged": (gauss_seidel, lambda s, r: s.reorder(r.y, r.x), True),
    "Gauss-Seidel, tiled": (gauss_seidel, lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 2, 2), True),
    "Gauss-Seidel, x in parallel": (gauss_seidel, lambda s, r: s.parallel(r.x), False),
    "Gauss-Seidel, as a wavefront": (
        gauss_seidel, lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y), True
    ),
    "Gauss-Seidel, skewed the wrong way": (gauss_seidel, lambda s, r: s.skew(r.x, r.y, -1).reorder(r.y, r.x), False),
    "Gauss-Seidel, skewed and not interchanged": (
        gauss_seidel, lambda s, r: s.skew(r.x, r.y, 1).parallel(r.y), False
    ),
    "summed area, as a wavefront of tiles": (
        summed_area,
        lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 3, 2).skew(rxo, ryo, 1)
        .reorder(rxi, ryi, ryo, rxo).parallel(ryo),
        True,
    ),
    "Jacobi over time, skewed and tiled": (
        jacobi, lambda s, r: s.skew(r.x, r.y, 1).tile(r.x, r.y, rxo, ryo, rxi, ryi, 3, 2), True
    ),
    "Jacobi over time, skewed tiles in a wavefront": (
        jacobi,
        lambda s, r: s.skew(r.x, r.y, 1).tile(r.x, r.y, rxo, ryo, rxi, ryi, 3, 2)
        .skew(rxo, ryo, 1).reorder(rxi, ryi, ryo, rxo).parallel(ryo),
        True,
    ),
    "red half, both in parallel": (red_black, lambda s, r: s.parallel(r.y).vectorize(r.x, 4), True),
    "red half, fused in parallel": (red_black, lambda s, r: s.fuse(r.x, r.y, q).parallel(q), True),
    "Jacobi over time, space in parallel": (jacobi, lambda s, r: s.parallel(r.x), True),
    "Jacobi over time, space in vectors": (jacobi, lambda s, r: s.vectorize(r.x, 4), True),
    "Jacobi over time, time in parallel": (jacobi, lambda s, r: s.parallel(r.y), False),
    "Jacobi over time, tiled": (jacobi, lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 2, 2), False),
    "Jacobi over time, interchanged": (jacobi, lambda s, r: s.reorder(r.y, r.x), False),
    "triangular solve, rows in parallel": (triangular_solve, lambda s, r: s.parallel(r.y), False),
    "triangular solve, by columns": (triangular_solve, lambda s, r: s.reorder(r.y, r.x), True),
    "triangular solve, by columns in parallel": (
        triangular_solve, lambda s, r: s.reorder(r.y, r.x).parallel(r.y), True
    ),
    "even to odd, rows in parallel": (even_odd, lambda s, r: s.parallel(r.y), True),
    "even to odd, columns in parallel": (even_odd, lambda s, r: s.parallel(r.x), False),
    "even to odd, pairs in parallel": (even_odd, lambda s, r: s.split(r.x, rxo, rxi, 2).parallel(rxo), True),
    "even to odd, triples in parallel": (even_odd, lambda s, r: s.split(r.x, rxo, rxi, 3).parallel(rxo), False),
    "prefix sum, the other way in parallel": (prefix_sum, lambda s, r: s.parallel(r.y), True),
    "prefix sum, the other way in vectors": (prefix_sum, lambda s, r: s.reorder(r.y, r.x).vectorize(r.y, 2), True),
    "prefix sum, along it in parallel": (prefix_sum, lambda s, r: s.parallel(r.x), False),
    "prefix sum, along it in vectors": (prefix_sum, lambda s, r: s.vectorize(r.x, 2), False),
    "every other element, in parallel": (doubled, lambda s, r: s.parallel(r.x), True),
    "modulo, in parallel": (modulo, lambda s, r: s.parallel(r.x), False),
    "modulo, in sevens": (modulo, lambda s, r: s.split(r.x, rxo, rxi, 7).parallel(rxi), True),
    "modulo, in sevens, inside out": (modulo, lambda s, r: s.split(r.x, rxo, rxi, 7).reorder(rxo, rxi), True),
    "reversal, in parallel": (reversal, lambda s, r: s.parallel(r.x), False),
    "reversal, by threes": (reversal, lambda s, r: s.split(r.x, rxo, rxi, 3).parallel(rxi), True),
    "Floyd-Warshall, interchanged": (floyd_warshall, lambda s, r: s.reorder(r.y, r.x, r.z), True),
    "Floyd-Warshall, steps inside": (floyd_warshall, lambda s, r: s.reorder(r.z, r.x, r.y), False),
    "Floyd-Warshall, rows in parallel": (floyd_warshall, lambda s, r: s.parallel(r.y), False),
    "Floyd-Warshall, tiled": (floyd_warshall, lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 3, 2), True),
    "Floyd-Warshall, in vectors": (floyd_warshall, lambda s, r: s.vectorize(r.x, 2), False),
    "Floyd-Warshall, as wavefronts": (
        floyd_warshall, lambda s, r: s.skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y), True
    ),
    "triangular solve, by columns in vectors": (
        triangular_solve, lambda s, r: s.reorder(r.y, r.x).vectorize(r.y, 4), True
    ),
    "Gauss-Seidel, tiles in a wavefront with vectors inside": (
        gauss_seidel,
        lambda s, r: s.tile(r.x, r.y, rxo, ryo, rxi, ryi, 2, 2).skew(rxo, ryo, 1).reorder(rxi, ryi, ryo, rxo)
        .parallel(ryo).skew(rxi, ryi, 1).reorder(ryi, rxi),
        True,
    ),
    "Jacobi over time, two skews and parallel tiles": (
        jacobi,
        lambda s, r: skewed_tiles(s, r).skew(rxo, ryo, 1).reorder(rxi, ryi, ryo, rxo).parallel(ryo).vectorize(rxi, 2),
        True,
    ),
    "Jacobi over time, one skew and parallel tiles": (jacobi, lambda s, r: skewed_tiles(s, r).parallel(rxo), False),
    "two fields, space in parallel": (two_fields, lambda s, r: s.parallel(r.x), True),
    "two fields, space in vectors": (two_fields, lambda s, r: s.split(r.x, rxo, rxi, 2).vectorize(rxi), True),
    "two fields, both at once": (two_fields, lambda s, r: s.parallel(r.y), False),
    "two fields, time in parallel": (two_fields, lambda s, r: s.parallel(r.z), False),
    "two fields, cell by cell": (two_fields, lambda s, r: s.reorder(r.y, r.x, r.z), False),
    "two fields, cell by cell in time": (
        two_fields, lambda s, r: s.skew(r.x, r.y, 1).skew(r.x, r.z, 2).reorder(r.y, r.z, r.x), True
    ),
    "red and black in time, one sweep in parallel": (
        in_time, lambda s, r: s.parallel(r.y).split(r.x, rxo, rxi, 4).vectorize(rxi), True
    ),
    "red and black in time, sweeps in parallel": (in_time, lambda s, r: s.parallel(r.z), False),
    "red and black in time, sweeps inside": (in_time, lambda s, r: s.reorder(r.z, r.x, r.y), False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_that_of_running_all_iterations(name: str) -> None:
    build, directive, is_accepted = CASES[name]
    f, r = build()
    stage = Stage(f, 1)
    if is_accepted:
        directive(f.update(0), r)
        assert is_legal(stage, f._contents.nests[1], not f._contents.nests[1].is_order_free)
        sizes = [WIDTH, HEIGHT][: f.dimensions()]
        np.testing.assert_array_equal(np.asarray(f.realize(sizes)), np.asarray(f.reference(sizes)))
        return
    with pytest.raises(IllegalSchedule) as refused:
        directive(f.update(0), r)
    g, s = build()
    g.update(0).allow_race_conditions()
    directive(g.update(0), s)
    nest = replace(g._contents.nests[1], races_allowed=False)
    assert not is_legal(Stage(g, 1), nest, not nest.is_order_free)
    assert refused.value.witness is not None
    check_witness(refused.value.witness, stage, nest)


REPAIRED = {
    "summed area, y in parallel": "skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)",
    "summed area, x in parallel": "skew(r.y, r.x, 1).parallel(r.x)",
    "Gauss-Seidel, skewed the wrong way": "skew(r.x, r.y, 1).reorder(r.y, r.x)",
    "Gauss-Seidel, skewed and not interchanged": "reorder(r.y, r.x).parallel(r.y)",
    "Jacobi over time, time in parallel": "skew(r.x, r.y, 2).reorder(r.y, r.x).parallel(r.y)",
    "Jacobi over time, tiled": "skew(r.x, r.y, 1).tile(r.x, r.y, rxo, ryo, rxi, ryi, 2, 2)",
    "triangular solve, rows in parallel": "reorder(r.y, r.x).parallel(r.y)",
    "Floyd-Warshall, rows in parallel": "skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)",
    "prefix sum, along it in parallel": "serial(r.x)",
    "prefix sum, along it in vectors": "unroll(r.x, 2)",
    "modulo, in parallel": "serial(r.x)",
    "Floyd-Warshall, steps inside": "",
}


@pytest.mark.parametrize("name", REPAIRED)
def test_what_is_offered_instead_is_accepted(name: str) -> None:
    build, directive, _ = CASES[name]
    f, r = build()
    with pytest.raises(IllegalSchedule) as refused:
        directive(f.update(0), r)
    repair = refused.value.repair
    assert repair == REPAIRED[name]
    assert f". Legal instead: {repair or 'to leave this line out'}." in str(refused.value)
    if repair:
        eval(f"s.{repair}", {"s": f.update(0), "r": r, "rxo": rxo, "ryo": ryo, "rxi": rxi, "ryi": ryi})
    sizes = [WIDTH, HEIGHT][: f.dimensions()]
    np.testing.assert_array_equal(np.asarray(f.realize(sizes)), np.asarray(f.reference(sizes)))


def test_taking_turns_is_offered_where_that_is_legal() -> None:
    bins = hl.Buffer(np.arange(WIDTH, dtype=np.uint8) % 3)
    for is_sum in (True, False):
        f, r = line()
        f[bins[r.x]] = f[bins[r.x]] + 1 if is_sum else f[bins[r.x]] / 2 + 1
        with pytest.raises(IllegalSchedule) as refused:
            f.update(0).parallel(r.x)
        assert refused.value.repair == ("atomic().parallel(r.x)" if is_sum else "serial(r.x)")
    g, r = line()
    g[bins[r.x]] += 1
    g.update(0).atomic().parallel(r.x)


def test_the_refusal_shows_two_iterations_and_the_element_where_they_meet() -> None:
    f, r = summed_area()
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).parallel(r.y)
    assert without_place(refused.value).startswith(
        "sat.update(0).parallel(r.y): iteration (r.x=1, r.y=2) reads sat(1, 1), written by iteration (r.x=1, r.y=1), "
        "which may run at the same time. Legal instead: skew(r.x, r.y, 1).reorder(r.y, r.x).parallel(r.y)."
    )
    assert refused.value.directive.location is not None
    assert str(refused.value.directive).startswith("sat.update(0).parallel(r.y), ")
    witness = refused.value.witness
    assert witness is not None
    assert dict(witness.sink.variables) == {"r.x": 1, "r.y": 2}
    assert (witness.source.stage, witness.cell.func, witness.cell.coordinates) == ("sat.update(0)", "sat", (1, 1))


def test_sizes_that_are_known_only_when_run_are_part_of_the_witness() -> None:
    n = hl.Param(hl.Int(32), "n")
    f, r = line("f", n)
    f[r.x % 7] = r.x
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).parallel(r.x)
    witness = refused.value.witness
    assert witness is not None
    assert witness.parameters == {"n": 8}
    stage = Stage(f, 1, {"n": 8})
    f.update(0).split(r.x, rxo, rxi, 7).parallel(rxi)
    assert is_legal(stage, f._contents.nests[1])
    f.update(0).allow_race_conditions().parallel(rxo)
    check_witness(witness, stage, f._contents.nests[1])


def test_an_index_that_depends_on_data_is_named() -> None:
    f, r = line()
    bins = hl.ImageParam(hl.UInt(8), 1, "bins")
    f[bins[r.x]] += 1
    with pytest.raises(IllegalSchedule, match=r"nothing is known of `int32\(bins\(r\.x\)\)`") as refused:
        f.update(0).parallel(r.x)
    assert refused.value.witness is None
    f.update(0).atomic().parallel(r.x)


def test_a_loop_made_parallel_is_looked_at_again_when_loops_change_places() -> None:
    f, r = jacobi()
    f.update(0).parallel(r.x)
    with pytest.raises(IllegalSchedule):
        f.update(0).reorder(r.y, r.x)


def test_a_sum_in_any_order_is_still_no_sum_at_once() -> None:
    f, r = grid("f", (0, 4), (0, 5))
    f[r.x + r.y, 0] += r.x
    f.update(0).reorder(r.y, r.x).parallel(r.y)
    for directive in (lambda s: s.parallel(r.x), lambda s: s.reorder(r.x, r.y).fuse(r.x, r.y, q)):
        with pytest.raises(IllegalSchedule):
            directive(f.update(0))


def test_loops_that_keep_parallel_iterations_apart_stay_around_them() -> None:
    f, r = grid("f", (0, 4), (0, 5), (0, 3))
    f[r.x + r.y, 0] += r.x * r.z
    f.update(0).parallel(r.x)
    with pytest.raises(IllegalSchedule):
        f.update(0).reorder(r.y, r.x, r.z)
    f.update(0).reorder(r.x, r.z, r.y)
    with pytest.raises(IllegalSchedule):
        f.update(0).skew(r.y, r.x, 1)
    f.update(0).skew(r.y, r.x, -1)


def nested(levels: int, *, is_shared: bool) -> Case:
    """An index of many quotients; with shared parts, written out it would have two to the `levels` of them."""
    f = hl.Func("f")
    f[x] = x
    n = hl.Param(hl.Int(32), "n")
    r = hl.RDom([(0, n), (0, n)], "r")
    e = r.x * 3 + r.y * 5
    for k in range(2, 2 + levels):
        e = e / k * k + e % (k + 1) if is_shared else (e / k + r.y) % (k * 7 + 1) + r.x
    f[e] = f[e / 2] + 1
    return f, r


@pytest.mark.parametrize(("levels", "is_shared"), [(5, False), (12, False), (24, True)])
def test_what_is_too_intricate_is_refused_without_a_witness(levels: int, is_shared: bool) -> None:
    f, r = nested(levels, is_shared=is_shared)
    with pytest.raises(IllegalSchedule, match="nothing is known of `") as refused:
        f.update(0).parallel(r.x)
    assert refused.value.witness is None
    f.update(0).allow_race_conditions().parallel(r.x)


def test_eight_dimensions_are_not_too_many() -> None:
    names = hl.vars(" ".join(f"v{d}" for d in range(8)))
    f, r = hl.Func("f"), hl.RDom([(1, 9)] * 8, "r")
    f[tuple(names)] = 0
    f[tuple(r)] = f[tuple(r)] + f[tuple(v - 1 for v in r)]
    with pytest.raises(IllegalSchedule) as refused:
        f.update(0).parallel(r[7])
    assert refused.value.witness is not None
    assert set(refused.value.witness.source.variables.values()) == {1}
    f.update(0).reorder(r[3], r[0])
