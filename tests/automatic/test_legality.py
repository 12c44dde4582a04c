"""Automatic schedules over pipelines of many kinds: the answer is that of the oracle, at sizes of all kinds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

from .pipelines import (
    CASES,
    Case,
    X,
    Y,
    Z,
    funcs,
    image,
    matrix_product,
    rgb_blur,
    several_values,
    stencil_chain,
    unsharp,
)

HOST = hl.get_host_target()
IDS = [make.__name__ for make in CASES]


def schedule(case: Case, **settings: int) -> str:
    return case.pipeline.apply_autoscheduler(HOST, hl.AutoschedulerParams("halopy", settings)).schedule_source


def check(case: Case) -> None:
    for sizes in case.sizes:
        case.fill(sizes)
        found, expected = case.pipeline.realize(list(sizes)), case.pipeline.reference(list(sizes))
        pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        for a, b in pairs:
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5)


@pytest.mark.parametrize("make", CASES, ids=IDS)
def test_an_automatic_schedule_keeps_the_answer(make: Callable[[], Case]):
    case = make()
    schedule(case)
    check(case)


@pytest.mark.parametrize("make", CASES, ids=IDS)
def test_a_machine_with_little_cache_and_many_threads_keeps_the_answer(make: Callable[[], Case]):
    case = make()
    schedule(case, parallelism=64, last_level_cache_size=1 << 20, balance=4)
    check(case)


@pytest.mark.parametrize("make", CASES, ids=IDS)
def test_equal_pipelines_get_equal_schedules(make: Callable[[], Case]):
    assert schedule(make()) == schedule(make())


def test_a_chain_of_stencils_slides_down_strips():
    source = schedule(stencil_chain(4))
    assert "stage_0.store_at(stage_3, stage_3.args()[1])" in source
    assert 'stage_0.compute_at(stage_3, hl.Var("y_t"))' in source
    assert "stage_3.parallel(y)" in source


def test_a_chain_that_outgrows_the_cache_is_cut():
    whole, cut = schedule(stencil_chain(8)), schedule(stencil_chain(8), last_level_cache_size=1 << 20)
    assert "compute_root" not in whole
    assert "compute_root" in cut


def test_a_func_with_updates_slides_where_its_rows_stand_alone():
    assert "best.compute_at(out" in schedule(several_values())


def test_sums_of_a_product_stay_in_registers_in_tiles_of_the_result():
    source = schedule(matrix_product(), parallelism=4)
    assert "version = out.specialize(" in source
    assert "product.compute_at(out, " in source
    assert "version.unroll(" in source


@pytest.mark.parametrize("sizes", [(130, 13), (64, 6), (63, 7), (200, 5), (25, 1)])
def test_tiles_in_registers_keep_the_answer_at_sizes_around_theirs(sizes: tuple[int, int]):
    case = _copied_product()
    schedule(case, parallelism=4)
    case.fill(sizes)
    assert np.array_equal(
        np.asarray(case.pipeline.realize(list(sizes))), np.asarray(case.pipeline.reference(list(sizes)))
    )


def test_a_copy_of_what_a_product_reads_is_made_for_each_column_of_tiles():
    source = schedule(_copied_product(), parallelism=4)
    assert "right.compute_at(out, out.args()[0])" in source


def _copied_product() -> Case:
    """Inputs are read through Funcs that only copy them."""
    a, b, k = image(hl.Int(32), 2, "a"), image(hl.Int(32), 2, "b"), hl.RDom([(0, 24)])
    left, right, product, out = funcs("left right product out")
    left[X, Y], right[X, Y] = a[X, Y], b[X, Y]
    product[X, Y] += left[k, Y] * right[X, k]
    out[X, Y] = product[X, Y] - a[X, Y]
    return Case([out], {a: (300, 200), b: (300, 300)}, (300, 200), [(31, 17), (1, 1)])


def test_colours_that_share_a_ratio_are_computed_beside_each_other():
    assert "out.unroll(c_u)" in schedule(unsharp())
    assert "unroll" not in schedule(rgb_blur())


def test_what_is_looked_up_by_values_lies_densest():
    case = _looked_up()
    source = schedule(case)
    assert "band.reorder_storage(z, x, y)" in source
    assert "band.vectorize(z_v)" in source
    check(case)


def test_a_table_indexed_by_a_bounded_func_is_computed_once():
    source, table, place, out = image(hl.Int(32), 2), *funcs("table place out")
    near = hl.BoundaryConditions.repeat_edge(source)
    table[X] = hl.exp(hl.f32(X))
    place[X, Y] = hl.clamp(near[X, Y] + near[X + 1, Y] + near[X, Y + 1], 0, 99)
    out[X, Y] = table[place[X, Y]] + table[place[X, Y] + 1]
    assert "table.compute_root()" in schedule(Case([out], {source: (640, 480)}, (640, 480), []))


def _looked_up() -> Case:
    """A value between two of eight layers, each of which is smoothed."""
    source = image(hl.Float(32), 2)
    near = hl.BoundaryConditions.repeat_edge(source)
    fine, band, out = funcs("fine band out")
    fine[X, Y, Z] = hl.exp(near[X, Y] * hl.f32(Z) / 400)
    band[X, Y, Z] = fine[2 * X, Y, Z] + hl.sqrt(fine[2 * X + 1, Y, Z])
    layer = hl.clamp(hl.i32(near[X, Y] / 30), 0, 6)
    out[X, Y] = sum(band[X + d, Y, layer] + band[X, Y + d, layer + 1] for d in range(5))
    return Case([out], {source: (640, 480)}, (640, 480), [(3, 5), (41, 17)])
