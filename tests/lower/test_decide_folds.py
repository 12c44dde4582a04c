"""Folds that lose values are refused with a read that finds another element; what seems too little may be enough."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, t, yo, yi = hl.vars("x y t yo yi")
T = hl.TailStrategy
Pair = tuple[hl.Func, hl.Func]


def blur() -> Pair:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x * 3 + y * y
    g[x, y] = f[x, y - 1] + f[x, y] + f[x, y + 1]
    return f, g


def sliding(f: hl.Func, g: hl.Func) -> None:
    f.store_root().compute_at(g, y)


def in_strips(f: hl.Func, g: hl.Func) -> None:
    g.split(y, yo, yi, 4, T.ShiftInwards)
    f.store_root().compute_at(g, yi)


def in_versions(f: hl.Func, g: hl.Func) -> None:
    g.specialize(g.output_buffer().width() > 8).vectorize(x, 4)
    sliding(f, g)


def ahead(f: hl.Func, g: hl.Func) -> None:
    sliding(f, g)
    f.async_()


SCHEDULES: list[Callable[[hl.Func, hl.Func], None]] = [sliding, in_strips, in_versions, ahead]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.__name__)
def test_a_blur_of_three_rows_needs_three(schedule: Callable[[hl.Func, hl.Func], None]) -> None:
    f, g = blur()
    schedule(f, g)
    f.fold_storage(y, 2)
    with pytest.raises(hl.IllegalSchedule) as refused:
        g.realize([13, 9])
    witness = refused.value.witness
    assert witness is not None
    (column, row), written = witness.cell.coordinates, witness.sink.variables
    assert (witness.source.stage, witness.sink.stage, witness.cell.func) == ("g", "f", "f")
    assert abs(row - witness.source.variables["y"]) <= 1 and witness.source.variables["x"] == column == written["x"]
    assert row < written["y"] <= witness.source.variables["y"] + 1, "the row is overwritten before it is read"
    assert (written["y"] - row) % 2 == 0
    assert refused.value.repair == "fold_storage(y, 3)"
    assert g.verify().of_kind("schedule")[0].witness == witness
    for enough in (3, 4):
        f, g = blur()
        schedule(f, g)
        f.fold_storage(y, enough)
        np.testing.assert_array_equal(np.asarray(g.realize([13, 9])), np.asarray(g.reference([13, 9])))


def test_the_refusal_tells_the_read_and_the_write_before_it() -> None:
    f, g = blur()
    sliding(f, g)
    f.fold_storage(y, 2)
    with pytest.raises(hl.IllegalSchedule) as refused:
        g.realize([13, 9])
    assert str(refused.value).split(": ", 1)[1] == (
        "3 values of f in y are in use at once, but only 2 are kept; iteration (x=0, y=1) of f writes f(0, 1) to the "
        "place of f(0, -1), before iteration (x=0, y=0) of g reads that. Legal instead: fold_storage(y, 3).\n"
        "  accepted here: a factor of at least 3"
    )


def steps(rows: int, width: int | None = None, *, is_versioned: bool = False) -> Pair:
    """Five steps in time over nine cells, in memory for some of them."""
    u, out, r = hl.Func("u"), hl.Func("out"), hl.RDom([(0, 9), (1, 5)], "r")
    u[x, t] = hl.undef(hl.Int(32))
    u[x, 0] = x * x
    u[r.x, r.y] = u[hl.max(r.x - 1, 0), r.y - 1] + u[hl.min(r.x + 1, 8), r.y - 1]
    out[x] = u[x, 5]
    out.bound(x, 0, 9)
    u.compute_root().fold_storage(t, rows)
    if width is not None:
        u.fold_storage(x, width)
    if is_versioned:
        u.update(1).specialize(out.output_buffer().dim(0).stride() == 1).unroll(r.x, 2)
    return u, out


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("rows", "width", "versioned"), [(2, None, True), (2, 9, False)])
def test_versions_and_two_dimensions_may_be_folded(rows: int, width: int | None, versioned: bool) -> None:
    _, out = steps(rows, width, is_versioned=versioned)
    np.testing.assert_array_equal(np.asarray(out.realize([9])), np.asarray(out.reference([9])))
    for few in ((1, width), (rows, 8)):
        _, out = steps(*few, is_versioned=versioned)
        with pytest.raises(hl.IllegalSchedule) as refused:
            out.realize([9])
        witness = refused.value.witness
        assert witness is not None and witness.sink_writes
        at = witness.sink.variables
        written = tuple(at.values()) if "r.y" in at else (at["x"], 0)
        assert written != witness.cell.coordinates
        places = [(a % (few[1] or 99), b % few[0]) for a, b in (written, witness.cell.coordinates)]
        assert places[0] == places[1]
