"""Regions at indices that are values of Funcs."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y = hl.vars("x y")


def needed(f: hl.Func, image: hl.ImageParam, *sizes: int) -> tuple[int, int]:
    """Where an unbound image would have to begin, and how many places it would need."""
    f.infer_input_bounds(list(sizes))
    dim = image.get().dim(0)
    return dim.min(), dim.extent()


def test_the_values_of_a_func_bound_what_is_read_at_them() -> None:
    image, f, g = hl.ImageParam(hl.Float(32), 1, "image"), hl.Func("f"), hl.Func("g")
    f[x] = hl.clamp(x, 10, 20)
    g[x] = image[f[x]]
    f.compute_root()
    assert needed(g, image, 1024) == (10, 11)


def test_they_may_depend_on_parameters() -> None:
    image, f, g = hl.ImageParam(hl.Float(32), 1, "image"), hl.Func("f"), hl.Func("g")
    most = hl.Param(hl.Int(32), "most", 20)
    f[x] = hl.clamp(x, 10, most)
    g[x] = image[f[x] + 1]
    f.compute_root()
    assert needed(g, image, 1024) == (11, 11)


def test_values_of_values_are_bounded() -> None:
    image = hl.ImageParam(hl.Float(32), 1, "image")
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x] = hl.min(x, 100)
    g[x] = hl.max(f[x] - 10, 0)
    h[x] = image[g[g[g[x]]]]
    f.compute_root()
    g.compute_root()
    assert needed(h, image, 1024) == (0, 91)


def test_a_long_chain_of_tuples_is_bounded_in_time() -> None:
    image = hl.ImageParam(hl.Float(32), 1, "image")
    last = hl.Func("f0")
    last[x] = (hl.clamp(x, 0, 2), hl.clamp(x, 1, 3))
    for number in range(1, 20):
        last.compute_root()
        f = hl.Func(f"f{number}")
        f[x] = (last[x][0] + last[x][1], last[x][1] - last[x][0])
        last = f
    last.compute_root()
    h = hl.Func("h")
    h[x] = image[last[x][0] + last[x][1]]
    assert needed(h, image, 1024) == (-1049600, 2097153)


def test_all_stages_of_a_func_count() -> None:
    image, f, g = hl.ImageParam(hl.Float(32), 1, "image"), hl.Func("f"), hl.Func("g")
    r = hl.RDom([(0, 4)], "r")
    f[x] = hl.clamp(x, 0, 5)
    f[r.x] = hl.clamp(r.x * 10, 3, 17)
    g[x] = image[f[x]]
    f.compute_root()
    assert needed(g, image, 8) == (0, 18)


def test_one_value_read_twice_is_one_value() -> None:
    image, f, g = hl.ImageParam(hl.Float(32), 1, "image"), hl.Func("f"), hl.Func("g")
    f[x] = hl.clamp(x, 0, 100)
    g[x] = image[f[x] - f[x] / 2 * 2]
    f.compute_root()
    assert needed(g, image, 8) == (0, 2)


def test_a_func_that_depends_on_itself_has_no_bounds_but_its_type() -> None:
    table, f, g = hl.ImageParam(hl.Int(32), 1, "table"), hl.Func("f"), hl.Func("g")
    r = hl.RDom([(1, 9)], "r")
    f[x] = hl.u8(x)
    f[r.x] = f[r.x - 1] + hl.u8(1)
    g[x] = table[hl.i32(f[x])]
    f.compute_root()
    assert needed(g, table, 10) == (0, 256)
    h, k = hl.Func("h"), hl.Func("k")
    h[x] = x
    h[r.x] = h[r.x - 1] + 1
    k[x] = table[h[x]]
    h.compute_root()
    with pytest.raises(hl.DefinitionError, match="read without bounds"):
        k.realize([10])


def test_funcs_are_read_at_values_of_funcs_under_schedules() -> None:
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x, y] = hl.clamp(x * 7 % 13 - y, -3, 8)
    g[x, y] = x * 3 + y
    h[x, y] = g[f[x, y], y] + g[x, y]
    f.compute_at(h, y).vectorize(x, 4)
    g.compute_at(h, y).vectorize(x, 8)
    h.vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    np.testing.assert_array_equal(h.realize([19, 6]), h.reference([19, 6]))


def test_an_input_is_read_over_all_of_a_product_of_floats() -> None:
    image, f = hl.ImageParam(hl.Int(32), 1, "image"), hl.Func("f")
    f[x] = image[hl.i32(hl.pow(hl.f32(hl.clamp(x, 0, 10)), 2))]
    assert needed(f, image, 20) == (0, 101)
    image.set(np.arange(40, dtype=np.int32))
    with pytest.raises(hl.BufferError, match=r"reads \[0, 100\]"):
        f.realize([20])


def test_promised_extents_bound_memory_in_registers() -> None:
    image, f, g = hl.ImageParam(hl.Float(32), 1, "image"), hl.Func("f"), hl.Func("g")
    f[x] = x
    g[x] = f[x % image.dim(0).extent()]
    image.dim(0).set_extent(16)
    f.compute_root().store_in(hl.MemoryType.Register)
    image.set(np.zeros(16, np.float32))
    np.testing.assert_array_equal(g.realize([40]), np.arange(40) % 16)


def test_values_in_floats_bound_the_integers_made_of_them() -> None:
    picture, image = hl.ImageParam(hl.Float(32), 1, "picture"), hl.ImageParam(hl.Float(32), 1, "image")
    value, layer, f = hl.Func("value"), hl.Func("layer"), hl.Func("f")
    value[x] = hl.clamp(picture[x], 0.0, 1.0)
    layer[x] = hl.i32(value[x] * 10.0 + 0.5)
    f[x] = image[layer[x]]
    value.compute_root()
    layer.compute_root()
    assert needed(f, image, 1024) == (0, 11)


def test_what_is_looked_up_by_clamped_floats_lies_within_for_any_float() -> None:
    picture = np.array([np.nan, -np.inf, -0.5, 0.0, 0.26, 1.0, 7.0, np.inf], np.float32)
    value, table, f = hl.Func("value"), hl.Func("table"), hl.Func("f")
    value[x] = hl.clamp(hl.Buffer(picture)[x], 0.0, 1.0)
    table[x] = x * 3
    f[x] = table[hl.i32(value[x] * 10.0 + 0.5)]
    value.compute_root()
    table.compute_root()
    assert list(f.realize([8]))[1:] == [0, 0, 0, 9, 30, 30, 30]


def test_floats_without_bounds_bound_nothing() -> None:
    picture, value, table, f = hl.ImageParam(hl.Float(32), 1), hl.Func("value"), hl.Func("table"), hl.Func("f")
    value[x] = hl.max(picture[x], 0.0)
    table[x] = x * 3
    f[x] = table[hl.i32(value[x])]
    value.compute_root()
    table.compute_root()
    with pytest.raises(hl.HalideError, match="no bounds in dimension 0"):
        f.compile_jit()
