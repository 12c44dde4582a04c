"""Bounds queries: the shapes that a pipeline needs of its inputs, and offers for its outputs."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")


def shape(buffer):
    dims = [buffer.dim(d) for d in range(buffer.dimensions())]
    return [(d.min(), d.extent()) for d in dims]


def shifted():
    image = hl.ImageParam(hl.UInt(8), 2, "image")
    f = hl.Func("f")
    f[x, y] = hl.u16(image[x - 1, 2 * y]) + image[x + 3, 2 * y + 5]
    return image, f


def test_inputs_get_buffers_of_the_shape_that_is_read():
    image, f = shifted()
    f.infer_input_bounds([10, 4])
    assert shape(image.get()) == [(-1, 14), (0, 12)]
    image.get().fill(7)
    assert np.array_equal(f.realize([10, 4]), np.full((4, 10), 14))
    with pytest.raises(hl.BufferError, match="input `image` is too small"):
        f.realize([11, 4])


def test_inputs_that_are_bound_stay():
    image, f = shifted()
    bound = hl.Buffer(np.zeros((3, 3), np.uint8))
    image.set(bound)
    f.infer_input_bounds([10, 4])
    assert image.get().same_as(bound)


def test_the_region_may_be_that_of_a_buffer():
    image, f = shifted()
    out = hl.Buffer(hl.UInt(16), [10, 4])
    out.set_min([100, -3])
    f.infer_input_bounds(out)
    assert shape(image.get()) == [(99, 14), (-6, 12)]
    image.get().fill(1)
    f.realize(out)
    assert out.all_equal(2)


def test_what_producers_need_is_asked_too():
    image = hl.ImageParam(hl.Int(32), 1, "image")
    f, g, h = hl.funcs("f g h")
    f[x] = image[x] + image[x + 2]
    g[x] = f[x - 1] + f[x + 1]
    h[x] = g[x] * 2
    f.compute_root()
    g.compute_at(h, x)
    h.infer_input_bounds([8])
    assert shape(image.get()) == [(-1, 12)]


def test_regions_may_depend_on_params():
    p, image = hl.Param(hl.Int(32), "p", 3), hl.ImageParam(hl.Int(32), 1, "image")
    f = hl.Func("f")
    f[x] = image[x + p] + image[hl.clamp(x * p, 0, 100)]
    f.infer_input_bounds([10])
    assert shape(image.get()) == [(0, 28)]
    image.reset()
    p.set(-4)
    f.infer_input_bounds([10])
    assert shape(image.get()) == [(-4, 10)]


def test_pipelines_of_several_outputs_ask_for_all_of_them():
    image = hl.ImageParam(hl.Int(32), 1, "image")
    f, g = hl.funcs("f g")
    f[x] = image[x - 2]
    g[x] = (image[x + 4], hl.f32(x))
    hl.Pipeline([f, g]).infer_input_bounds([6])
    assert shape(image.get()) == [(-2, 12)]
    sizes = [hl.Buffer(hl.Int(32), [3]), hl.Buffer(hl.Int(32), [5]), hl.Buffer(hl.Float(32), [5])]
    image.reset()
    hl.Pipeline([f, g]).infer_input_bounds(sizes)
    assert shape(image.get()) == [(-2, 11)]


def test_a_run_into_a_bounds_query_computes_nothing():
    image, f = shifted()
    asked = hl.Buffer.make_bounds_query(hl.UInt(8), [1, 1])
    image.set(asked)
    out = hl.Buffer.make_bounds_query(hl.UInt(16), [20, 10])
    f.realize(out)
    assert shape(asked) == [(-1, 24), (0, 24)] and shape(out) == [(0, 20), (0, 10)]
    into = hl.Buffer(hl.UInt(16), [5, 5])
    into.fill(9)
    f.realize(into)  # the input has no memory, so this is a question as well
    assert into.all_equal(9) and shape(asked) == [(-1, 9), (0, 14)]


@pytest.mark.parametrize(
    ("tail", "extent"),
    [("RoundUp", 16), ("GuardWithIf", 13), ("ShiftInwards", 13), ("Predicate", 13)],
)
def test_an_output_grows_where_its_splits_round_up(tail, extent):
    f = hl.Func("f")
    f[x] = x
    f.vectorize(x, 8, hl.TailStrategy[tail])
    asked = hl.Buffer.make_bounds_query(hl.Int(32), [13])
    f.realize(asked)
    assert shape(asked) == [(0, extent)]
    small = hl.Buffer.make_bounds_query(hl.Int(32), [3])
    f.realize(small)
    assert shape(small) == [(0, 3 if tail in ("GuardWithIf", "Predicate") else 8)]
    assert np.array_equal(f.realize([small.width()]), range(small.width()))


def test_splits_of_tiles_round_up_together():
    f = hl.Func("f")
    f[x, y] = x + y
    xo, xi = hl.Var("xo"), hl.Var("xi")
    f.split(x, xo, xi, 6, hl.TailStrategy.RoundUp).vectorize(xo, 4, hl.TailStrategy.RoundUp)
    asked = hl.Buffer.make_bounds_query(hl.Int(32), [50, 2])
    f.realize(asked)
    assert shape(asked)[1] == (0, 2) and shape(asked)[0][1] % 24 == 0 and shape(asked)[0][1] >= 72
    f.realize([asked.width(), 2])


def test_promises_shape_what_is_asked_for():
    image = hl.ImageParam(hl.UInt(8), 3, "image")
    image.dim(0).set_stride(3).set_min(image.dim(0).min() / 8 * 8).dim(2).set_stride(1).set_bounds(0, 3)
    f = hl.Func("f")
    f[x, y, c] = image[x + 5, y, c] + 1
    f.infer_input_bounds([10, 4, 3])
    found = image.get()
    assert shape(found) == [(0, 15), (0, 4), (0, 3)]
    assert [found.dim(d).stride() for d in range(3)] == [3, 45, 1]
    assert np.array_equal(f.realize([10, 4, 3]), np.ones((3, 4, 10)))


def test_promises_about_each_other_settle():
    image = hl.ImageParam(hl.Float(32), 2, "image")
    f = hl.Func("f")
    f[x, y] = image[x + 1, y + 1] + image[x - 1, y - 1]
    f[x, y] += 3.0
    f.update().vectorize(x, 4)
    out = f.output_buffer()
    image.dim(0).set_bounds(image.dim(1).min() - 5, image.dim(1).extent() + out.dim(0).extent())
    width = out.dim(0).extent()
    out.dim(0).set_bounds(0, hl.select(width < 22, width + 1, width))
    asked = hl.Buffer.make_bounds_query(hl.Float(32), [7, 8])
    asked.set_min([2, 2])
    f.infer_input_bounds(asked)
    assert shape(asked) == [(0, 24), (2, 8)]
    assert shape(image.get()) == [(-4, 34), (1, 10)]


def test_needs_without_end_are_refused():
    image = hl.ImageParam(hl.Float(32), 2, "image")
    f = hl.Func("f")
    f[()] = image[image.width(), image.height()] + image[0, 0]
    with pytest.raises(hl.BufferError, match=r"test_bounds_query.py.*the shape of `image` would never be enough"):
        f.infer_input_bounds([])


def test_a_bounds_query_has_no_elements():
    asked = hl.Buffer.make_bounds_query(hl.Int(16), [4, 3], "asked")
    assert asked.defined() and asked.name() == "asked" and asked.type() == hl.Int(16)
    assert shape(asked) == [(0, 4), (0, 3)] and asked.dim(1).stride() == 4
    for use in (lambda: asked[0, 0], lambda: np.asarray(asked), lambda: asked.fill(1), asked.copy):
        with pytest.raises(hl.BufferError, match="is a bounds query, which has no memory"):
            use()


def test_inputs_of_other_kinds_are_refused():
    image, f = shifted()
    with pytest.raises(hl.BufferError, match="realized over 1 sizes"):
        f.infer_input_bounds([10])
    assert not image.get().defined()


def test_versions_of_a_stage_ask_for_what_the_one_that_runs_reads():
    image, flipped = hl.ImageParam(hl.Int(32), 2, "image"), hl.Param(hl.Bool(), "flipped")
    f = hl.Func("f")
    f[x] = hl.select(flipped, image[0, x + 3], image[x - 2, 1])
    f.specialize(flipped).vectorize(x, 8, hl.TailStrategy.RoundUp)
    for value, needed in ((True, [(0, 1), (3, 16)]), (False, [(-2, 10), (1, 1)])):
        flipped.set(value)
        image.reset()
        f.infer_input_bounds([10])
        assert shape(image.get()) == needed


def test_a_place_that_cannot_be_is_refused_by_a_query_as_by_a_run():
    image, x, f, g = hl.ImageParam(hl.Int(32), 1, "image"), hl.Var("x"), hl.Func("f"), hl.Func("g")
    f[x] = image[x]
    g[x] = f[x + 1]
    f.compute_at(g, hl.Var("nowhere"))
    with pytest.raises(hl.IllegalSchedule, match="nowhere"):
        g.infer_input_bounds([4])
    f.compute_at(g, x)
    g.infer_input_bounds([4])
    assert shape(image.get()) == [(1, 4)]
