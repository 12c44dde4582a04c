"""Steps in time as an update, tiled in space and time, in memory for the planes that are alive."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.errors import IllegalSchedule

x, y, z, t = hl.vars("x y z t")
to, ti, xo, xi, yo, yi, zo, zi = (hl.RVar(n) for n in "to ti xo xi yo yi zo zi".split())
Steps = tuple[hl.Func, hl.Func, hl.RDom]  # the steps, what is read of the last one, and the domain


def jacobi(*extents: int, steps: int = 7, dtype: hl.Type | None = None) -> Steps:
    """Each step averages neighbours of the one before; beyond the edge stands what is at the edge."""
    space = (x, y, z)[: len(extents)]
    dtype = dtype or hl.Int(32)
    u, out = hl.Func("u"), hl.Func("out")
    r = hl.RDom([*((0, n) for n in extents), (1, steps)], "r")
    at = [r[d] for d in range(len(extents))]
    now = r[len(extents)]

    def beside(d: int, by: int) -> hl.Expr:
        near = hl.min(hl.max(at[d] + by, 0), extents[d] - 1)
        return u[(*at[:d], near, *at[d + 1 :], now - 1)]

    u[(*space, t)] = hl.undef(dtype)
    u[(*space, 0)] = hl.cast(dtype, (x * 7 + sum(v * 13 for v in space)) % 50)
    total = sum(beside(d, -1) + beside(d, 1) * 2 for d in range(1, len(extents)))
    u[(*at, now)] = (beside(0, -1) + beside(0, 1) * 2 + total + u[(*at, now - 1)]) / 3
    out[space] = u[(*space, steps)]
    u.compute_root()
    return u, out, r


def tiled(s: hl.Stage, r: hl.RDom, skews: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """Tiles of space and time, one after the other."""
    outer, inner = [xo, yo, zo][: len(skews)], [xi, yi, zi][: len(skews)]
    now = r[len(skews)]
    for d, factor in enumerate(skews):
        if factor:
            s.skew(r[d], now, factor)
    s.split(now, to, ti, 3)
    for d, size in enumerate(sizes):
        s.split(r[d], outer[d], inner[d], size)
    s.reorder(*inner, ti, *outer, to)


def check(out: hl.Func, *extents: int) -> None:
    np.testing.assert_array_equal(np.asarray(out.realize(list(extents))), np.asarray(out.reference(list(extents))))


ALONG = {1: (1,), 2: (1, 1), 3: (1, 1, 1)}
GRIDS = [(23,), (3,), (13, 11), (5, 2), (7, 6, 5)]


@pytest.mark.parametrize(("extents", "fold"), [*((g, 2) for g in GRIDS), ((13, 11), 3), ((13, 11), None)])
def test_skewed_tiles_of_space_and_time_keep_two_planes(extents: tuple[int, ...], fold: int | None) -> None:
    u, out, r = jacobi(*extents)
    tiled(u.update(1), r, ALONG[len(extents)], (4, 3, 2)[: len(extents)])
    if fold:
        u.fold_storage(t, fold)
    check(out, *extents)


@pytest.mark.parametrize("dtype", [hl.UInt(8), hl.Float(32)])
def test_a_wavefront_of_tiles_runs_in_parallel_with_vectors(dtype: hl.Type) -> None:
    u, out, r = jacobi(21, 13, dtype=dtype)
    tiled(u.update(1), r, (1, 1), (8, 3))
    u.update(1).skew(yo, xo, 1).reorder(xo, yo).parallel(xo).vectorize(xi, 4)
    u.fold_storage(t, 2)
    check(out, 21, 13)


def test_folded_time_tiles_are_validated_access_by_access() -> None:
    u, out, r = jacobi(9, steps=5)
    u.update(1).skew(r.x, r.y, 1).split(r.x, xo, xi, 4).reorder(xi, r.y, xo)
    proof = out.verify()
    u.fold_storage(t, 2)
    folded = out.verify()
    assert [str(o) for o in folded.obligations if o.status != "proved" and o.kind != "printed"] == []
    assert len(folded.of_kind("dataflow")) == len(proof.of_kind("dataflow")) > 0
    assert [o.reason for o in folded.of_kind("storage")]


def test_rows_may_stay_whole_and_sizes_be_known_late() -> None:
    start, steps = hl.ImageParam(hl.Int(32), 2, "start"), hl.Param(hl.Int(32), "steps")
    u, out = hl.Func("u"), hl.Func("out")
    r = hl.RDom([(0, start.width()), (0, start.height()), (1, steps)], "r")
    u[x, y, t] = hl.undef(hl.Int(32))
    u[x, y, 0] = start[x, y]
    left, right = hl.max(r.x - 1, 0), hl.min(r.x + 1, start.width() - 1)
    above, below = hl.max(r.y - 1, 0), hl.min(r.y + 1, start.height() - 1)
    u[r.x, r.y, r.z] = (
        u[left, r.y, r.z - 1] + u[right, r.y, r.z - 1] * 3 + u[r.x, above, r.z - 1] - u[r.x, below, r.z - 1]
    )
    out[x, y] = u[x, y, steps]
    rows = u.compute_root().fold_storage(t, 2).update(1).skew(r.y, r.z, 1)
    rows.split(r.z, to, ti, 3).split(r.y, yo, yi, 4).reorder(r.x, yi, ti, yo, to).vectorize(r.x, 8)
    start.set(hl.Buffer(np.random.default_rng(1).integers(0, 99, (11, 19)).astype(np.int32)))
    for count in (1, 2, 9):
        steps.set(count)
        check(out, 19, 11)


def test_rectangular_tiles_are_refused_with_two_iterations_that_show_why() -> None:
    u, _, r = jacobi(20)
    with pytest.raises(IllegalSchedule) as refused:
        tiled(u.update(1), r, (0,), (4,))
    early, late = refused.value.witness.source.variables, refused.value.witness.sink.variables
    assert early["r.y"] < late["r.y"], "the algorithm runs it before"
    assert early["r.x"] // 4 > late["r.x"] // 4, "the tiles run it after"
    assert abs(early["r.x"] - late["r.x"]) <= late["r.y"] - early["r.y"]
    u, _, r = jacobi(20)
    tiled(u.update(1), r, (1,), (4,))


def test_tiles_of_one_wavefront_are_apart_and_those_of_one_row_are_not() -> None:
    u, _, r = jacobi(20, 20)
    tiled(u.update(1), r, (1, 1), (4, 4))
    with pytest.raises(IllegalSchedule, match="may run at the same time"):
        u.update(1).parallel(xo)
    u, _, r = jacobi(20, 20)
    tiled(u.update(1), r, (1, 1), (4, 4))
    u.update(1).skew(yo, xo, 1).reorder(xo, yo).parallel(xo)


def one_sided() -> Steps:
    """Each step reads to one side only, so tiles need no skew, and values wait for the tile beside."""
    u, out = hl.Func("u"), hl.Func("out")
    r = hl.RDom([(0, 17), (1, 8)], "r")
    u[x, t] = hl.undef(hl.Int(32))
    u[x, 0] = x * x
    u[r.x, r.y] = u[hl.max(r.x - 1, 0), r.y - 1] * 2 + u[r.x, r.y - 1]
    out[x] = u[x, 8]
    u.compute_root()
    return u, out, r


def one_sided_tiles(u: hl.Func, r: hl.RDom) -> None:
    u.update(1).tile(r.x, r.y, xo, to, xi, ti, 5, 3)


Refused = tuple[int, Callable[[], Steps], Callable[[hl.Func, hl.RDom], object]]
TOO_FEW: dict[str, Refused] = {
    "as written": (1, lambda: jacobi(9), lambda _u, _r: None),
    "tiled": (1, lambda: jacobi(9, 8), lambda u, r: tiled(u.update(1), r, (1, 1), (4, 4))),
    "one-sided": (2, lambda: one_sided(), one_sided_tiles),
}


@pytest.mark.parametrize("name", TOO_FEW)
def test_too_few_planes_are_refused_and_as_many_as_are_told_do(name: str) -> None:
    rows, make, schedule = TOO_FEW[name]
    u, out, r = make()
    schedule(u, r)
    u.fold_storage(t, rows)
    sizes = (17,) if name == "one-sided" else (9, 8)[: r.dimensions() - 1]
    with pytest.raises(IllegalSchedule) as refused:
        out.realize(list(sizes))
    told = refused.value
    assert told.directive.text == f"u.fold_storage(t, {rows})"
    *place, step = told.witness.cell.coordinates
    *reader, read_at = told.witness.source.variables.values()
    *writer, written_at = told.witness.sink.variables.values()
    assert step == read_at - 1 and all(abs(a - b) <= 1 for a, b in zip(place, reader, strict=True))
    assert place == writer and step != written_at and step % rows == written_at % rows
    u, out, r = make()
    schedule(u, r)
    u.fold_storage(t, int(told.repair.split(", ")[1].rstrip(")")))
    check(out, *sizes)


def test_red_and_black_cells_are_tiled_over_their_sweeps() -> None:
    def relaxed() -> tuple[hl.Func, hl.RDom]:
        u, r = hl.Func("u"), hl.RDom([(1, 15), (1, 10), (0, 6)], "r")
        r.where((r.x + r.y + r.z) % 2 == 0)
        u[x, y] = hl.cast(hl.Int(32), x * 7 + y * 13) % 50
        u[r.x, r.y] = (u[r.x - 1, r.y] + u[r.x + 1, r.y] + u[r.x, r.y - 1] + u[r.x, r.y + 1]) / 4
        return u, r

    u, r = relaxed()
    u.update().reorder(r.y, r.x).parallel(r.x)  # in one sweep, cells of one colour are apart
    tiles = relaxed()
    with pytest.raises(IllegalSchedule):
        tiled(tiles[0].update(), tiles[1], (0, 0), (4, 4))
    check(u, 17, 12)
    u, r = relaxed()
    tiled(u.update(), r, (1, 1), (4, 4))
    u.update().skew(yo, xo, 1).reorder(xo, yo).parallel(xo)
    check(u, 17, 12)


def test_two_fields_that_leap_over_each_other_keep_two_planes() -> None:
    def fields() -> Steps:
        u, out, r = hl.Func("u"), hl.Func("out"), hl.RDom([(1, 19), (0, 2), (1, 6)], "r")
        u[x, y, t] = hl.undef(hl.Int(32))
        u[x, y, 0] = x * x + y
        electric = u[r.x, 0, r.z - 1] + u[r.x, 1, r.z - 1] - u[hl.max(r.x - 1, 1), 1, r.z - 1]
        magnetic = u[r.x, 1, r.z - 1] + u[hl.min(r.x + 1, 19), 0, r.z] - u[r.x, 0, r.z]
        u[r.x, r.y, r.z] = hl.select(r.y == 0, electric, magnetic)
        out[x, y] = u[x + 1, y, 6]
        u.compute_root()
        return u, out, r

    u, _, r = fields()
    with pytest.raises(IllegalSchedule):
        u.update(1).reorder(r.y, r.x, r.z)  # the magnetic field needs what is electric beside it
    u, out, r = fields()
    u.update(1).skew(r.x, r.y, 1).skew(r.x, r.z, 1).split(r.z, to, ti, 2).split(r.x, xo, xi, 5)
    u.update(1).reorder(xi, r.y, ti, xo, to)
    u.fold_storage(t, 2)
    check(out, 19, 2)
