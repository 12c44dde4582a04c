"""Derivatives of whole pipelines, against differences: each shape of definition and of access."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from tests.lang.autodiff.gradients import by_differences, check_gradients, numbers, source, values

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")


def test_a_stencil_of_a_stencil():
    b, array = source(9)
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x] * b[x + 1]
    g[x] = f[x] - 3 * f[x + 1] * f[x + 2]
    check_gradients(g, [5], (b, array))


def test_a_product_with_a_shifted_and_scaled_index():
    b, array = source(20)
    f = hl.Func("f")
    f[x] = b[3 * x + 1] * b[2 * x] + b[12 - x]
    check_gradients(f, [6], (b, array))


def test_quotients_and_remainders_of_an_index():
    b, array = source(12)
    f = hl.Func("f")
    f[x] = b[x // 2] * b[x % 3] + b[x // 2 + x % 2] + b[(x + 1) // 4] * b[(11 - x) // 3]
    check_gradients(f, [11], (b, array))


@pytest.mark.parametrize("factor", [2, 3])
def test_up_and_down_sampling_in_two_dimensions(factor):
    b, array = source(6, 7)
    up, down = hl.Func("up"), hl.Func("down")
    up[x, y] = b[x // factor, y // factor]
    down[x, y] = up[factor * x, factor * y] * up[factor * x + 1, factor * y + factor - 1]
    check_gradients(down, [6, 5], (b, array))


def test_both_coordinates_in_both_indices():
    b, array = source(9, 9)
    f = hl.Func("f")
    f[x, y] = b[x + y, 4 + x - y] * b[y, x] * b[x, x] * b[2, y]
    check_gradients(f, [4, 5], (b, array))


def test_a_reduction_over_a_kernel_gives_both_derivatives():
    b, array = source(11)
    k, k_array = source(4, seed=3)
    r = hl.RDom([(0, 4)])
    f = hl.Func("f")
    f[x] = hl.f64(0)
    f[x] += b[x + r] * k[r]
    check_gradients(f, [8], (b, array), (k, k_array))


def test_a_strided_convolution_in_two_dimensions_with_a_predicate():
    b, array = source(9, 11)
    k, k_array = source(3, 3, seed=3)
    r = hl.RDom([(0, 3), (0, 3)])
    r.where(r.x + r.y <= 3)
    f = hl.Func("f")
    f[x, y] = hl.f64(1)
    f[x, y] += b[2 * x + r.x, y + r.y] * k[r.x, r.y]
    check_gradients(f, [4, 5], (b, array), (k, k_array))


def test_blocks_that_a_reduction_adds_up():
    b, array = source(12)
    r = hl.RDom([(0, 4)])
    f = hl.Func("f")
    f[x] = hl.f64(0)
    f[x] += b[4 * x + r] * b[4 * x + r]
    check_gradients(f, [3], (b, array))


def test_an_inline_sum():
    b, array = source(8)
    r = hl.RDom([(-1, 3)])
    f = hl.Func("f")
    f[x] = hl.sum(b[x + 1 + r] * b[x + 1]) * b[x]
    check_gradients(f, [6], (b, array))


BOUNDARIES = ["repeat_edge", "repeat_image", "mirror_image", "mirror_interior"]


@pytest.mark.parametrize("name", BOUNDARIES)
def test_a_boundary_condition(name):
    b, array = source(4, 5)
    inside = getattr(hl.BoundaryConditions, name)(b)
    f = hl.Func("f")
    f[x, y] = inside[x - 3, y] * inside[x, y - 2] + inside[x - 1, y + 1]
    check_gradients(f, [8, 7], (b, array))


def test_a_constant_exterior():
    b, array = source(4, 5)
    inside = hl.BoundaryConditions.constant_exterior(b, hl.f64(2))
    f = hl.Func("f")
    f[x, y] = inside[x - 3, y] * inside[x, y - 2]
    check_gradients(f, [8, 7], (b, array))


def test_updates_at_single_places():
    b, array = source(8)
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[1] = hl.f64(0)
    f[2] = f[1] + f[3] * f[4]
    f[5] = f[5] * f[4]
    g[x] = f[x] * f[x + 1]
    derivative = check_gradients(g, [7], (b, array))
    assert derivative[f].defined() and derivative[f, 2].defined()


def test_an_update_of_every_place_that_reads_what_it_overwrites():
    b, array = source(6)
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[x] = f[x] * f[x] + b[5 - x]
    f[x] = hl.sin(f[x])
    g[x] = f[x] * f[5 - x]
    check_gradients(g, [6], (b, array))


def test_an_update_of_a_range():
    b, array = source(9)
    r, s = hl.RDom([(1, 2)]), hl.RDom([(3, 4)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[r] = b[r - 1] * b[r]
    f[s] = hl.f64(0)
    f[2 * s - 6] *= 3
    g[x] = f[x] * f[x]
    check_gradients(g, [9], (b, array))


def test_an_update_where_a_predicate_holds():
    b, array = source(7, 7)
    r = hl.RDom([(0, 7), (0, 7)])
    r.where((r.x - 3) * (r.x - 3) + (r.y - 3) * (r.y - 3) <= 10)
    circle = hl.Func("circle")
    circle[x, y] = b[x, y] * b[x, y]
    circle[r.x, r.y] *= 2
    check_gradients(circle, [7, 7], (b, array))


def test_the_last_of_several_values_written_to_one_place_counts():
    b, array = source(8)
    r = hl.RDom([(0, 8)])
    f = hl.Func("f")
    f[x] = hl.f64(1)
    f[r // 3] = b[r] * b[r]
    check_gradients(f, [4], (b, array))


def test_a_histogram_with_weights():
    place = hl.Buffer(np.array([2, 2, 1, 3, 0, 2], np.int32))
    b, array = source(6)
    r = hl.RDom([(0, 6)])
    f = hl.Func("f")
    f[x] = hl.f64(0)
    f[hl.clamp(place[r], 0, 3)] += b[r] * b[r]
    check_gradients(f, [4], (b, array))


def test_a_histogram_whose_places_have_no_bounds():
    places = hl.Func("places")
    places[x] = 0
    for at, place in enumerate([2, 2, 1, 3]):
        places[at] = place
    b, array = source(4)
    r = hl.RDom([(0, 4)])
    f = hl.Func("f")
    f[x] = hl.f64(0)
    f[places[r]] += b[r] * b[r]
    places.compute_root()
    derivative = hl.propagate_adjoints(f, hl.Buffer(numbers(4, seed=7)))
    np.testing.assert_allclose(values(derivative[b], [4]), 2 * array * numbers(4, seed=7)[[2, 2, 1, 3]])


def test_a_read_at_a_place_that_depends_on_data():
    place = hl.Buffer(np.array([2, 2, 1, 3, 0, 2], np.int32))
    b, array = source(4, 6)
    f = hl.Func("f")
    f[x, y] = b[hl.clamp(place[x], 0, 3), y] * b[x, y]
    check_gradients(f, [6, 4], (b, array))


def test_linear_interpolation_between_elements():
    b, array = source(5)
    at, at_array = source(7, seed=2, low=0.1, high=3.9)
    f = hl.Func("f")
    low = hl.clamp(hl.i32(hl.floor(at[x])), 0, 3)
    weight = at[x] - hl.f64(low)
    f[x] = b[low] * (1 - weight) + b[low + 1] * weight
    check_gradients(f, [7], (b, array), (at, at_array))


def test_a_bilateral_grid_like_scatter_and_slice():
    b, array = source(8, low=0.05, high=0.95)
    r = hl.RDom([(0, 8)])
    grid, out = hl.Func("grid"), hl.Func("out")
    grid[x, c] = hl.f64(0)
    grid[r // 2, hl.clamp(hl.i32(b[r] * 4), 0, 3)] += b[r]
    out[x] = grid[x // 2, hl.clamp(hl.i32(b[x] * 4), 0, 3)] * b[x]
    check_gradients(out, [8], (b, array))


def test_a_scan():
    b, array = source(7)
    r = hl.RDom([(1, 6)])
    f = hl.Func("f")
    f[x] = b[x]
    f[r] += f[r - 1]
    check_gradients(f, [7], (b, array))


def test_a_scan_that_is_not_linear():
    b, array = source(6, 5)
    r = hl.RDom([(1, 5)])
    f = hl.Func("f")
    f[x, y] = hl.f64(0)
    f[x, 0] = b[x, 0]
    f[x, r] = f[x, r - 1] * f[x, r - 1] * b[x, r] + b[x, r]
    check_gradients(f, [5, 6], (b, array))


def test_a_scan_in_each_direction():
    b, array = source(6, 5)
    down, up = hl.RDom([(1, 5)]), hl.RDom([(1, 5)])
    f = hl.Func("f")
    f[x, y] = b[x, y]
    f[x, down] = hl.f64(0.5) * f[x, down] + 2 * f[x, down - 1]
    f[x, 5 - up] = hl.f64(0.5) * f[x, 5 - up] + 3 * f[x, 6 - up] + b[x, up]
    check_gradients(f, [5, 6], (b, array))


def test_a_summed_area_table_and_a_recurrence_over_two_steps():
    b, array = source(7, 6)
    r, s = hl.RDom([(1, 5), (1, 6)]), hl.RDom([(2, 4)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = b[x, y]
    f[r.x, r.y] += f[r.x - 1, r.y] + f[r.x, r.y - 1] - f[r.x - 1, r.y - 1]
    g[x, y] = f[x, y]
    g[s, y] = hl.f64(0.3) * g[s - 1, y] - hl.f64(0.2) * g[s - 2, y] + f[s, y]
    check_gradients(g, [6, 7], (b, array))


def test_a_reversal_in_place_that_reads_old_and_new_values():
    b, array = source(5)
    r = hl.RDom([(0, 5)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[r] = f[4 - r]
    g[x] = f[x] * (x + 1)
    check_gradients(g, [5], (b, array))


def test_horners_method():
    b, array = source(8)
    r = hl.RDom([(0, 8)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = hl.f64(0)
    f[x, 7 - r] = f[x, 8 - r] * hl.f64(x) / 9 + b[r]
    g[x] = f[x, 0]
    check_gradients(g, [10], (b, array))


def test_values_multiplied_in_place_by_a_constant():
    b, array = source(5)
    r = hl.RDom([(0, 3)])
    f = hl.Func("f")
    f[x] = b[x] * b[x]
    f[x] = f[x] * 2 + 1 + hl.f64(r)
    check_gradients(f, [5], (b, array))


def test_tuples():
    b, array = source(7)
    t, f = hl.Func("t"), hl.Func("f")
    t[x] = (b[x], b[x + 1] * b[x])
    t[x] = (t[x][0] + t[x][1], t[x][0] * 3)
    t[2] = (t[2][1], hl.f64(4))
    f[x] = t[x][0] * t[x + 1][1]
    check_gradients(f, [5], (b, array))


def test_a_tuple_reduction_with_an_integer_beside_the_value():
    b, array = source(7)
    r = hl.RDom([(0, 7)])
    t, f = hl.Func("t"), hl.Func("f")
    t[()] = (hl.f64(0), 0)
    t[()] = (t[()][0] + b[r] * b[r], t[()][1] + 1)
    f[x] = t[()][0] * b[x] / t[()][1]
    check_gradients(f, [6], (b, array))


def test_what_an_update_leaves_undefined_keeps_its_adjoint():
    b, array = source(6)
    r = hl.RDom([(0, 3)])
    t, f = hl.Func("t"), hl.Func("f")
    t[x] = (b[x], b[x] * b[x])
    t[r] = (hl.undef(hl.Float(64)), b[r + 2] * b[r])
    f[x] = t[x][0] * t[x][1]
    check_gradients(f, [6], (b, array))


def test_a_chain_of_functions_of_several_dimensions():
    b, array = source(3, 5, 6)
    gray, blur, out = hl.Func("gray"), hl.Func("blur"), hl.Func("out")
    gray[x, y] = hl.f64(0.3) * b[x, y, 0] + hl.f64(0.6) * b[x, y, 1] * b[x, y, 2]
    blur[x, y] = gray[x, y] + gray[x + 1, y] * gray[x, y + 1]
    out[x, y, c] = blur[x, y] * b[x, y, c]
    check_gradients(out, [5, 4, 3], (b, array))


def test_parameters_and_image_params():
    array = numbers(4)
    p, n = hl.Param(hl.Float(64), "p", 1.5), hl.Param(hl.Int(32), "n", 2)
    image = hl.ImageParam(hl.Float(64), 1, "image")
    image.set(hl.Buffer(array))
    f = hl.Func("f")
    f[x] = p * p * hl.f64(image.width() * n) * image[x]
    weights = numbers(4, seed=7)
    d = hl.propagate_adjoints(f, hl.Buffer(weights))
    np.testing.assert_allclose(float(np.array(d[p].realize([]))), (2 * 1.5 * 8 * array * weights).sum())
    np.testing.assert_allclose(np.array(d[image].realize([4])), 1.5**2 * 8 * weights)
    assert values(d[n], []) == 0 and d[n].type() == hl.Int(32)


def test_an_image_param_with_boundaries_of_symbolic_size():
    array = numbers(4, 5)
    image = hl.ImageParam(hl.Float(64), 2, "image")
    image.set(hl.Buffer(array))
    inside = hl.BoundaryConditions.repeat_edge(image)
    r = hl.RDom(image)
    f = hl.Func("f")
    f[()] = hl.f64(0)
    f[()] += inside[r.x + 1, r.y] * inside[r.x, r.y - 1]
    d = hl.propagate_adjoints(f)[image]
    for sizes in ((4, 5), (3, 2)):
        array = numbers(*sizes)
        image.set(hl.Buffer(array))
        expected = by_differences(f, np.ones(()), array)
        np.testing.assert_allclose(np.array(d.realize(list(sizes[::-1]))), expected, atol=1e-6)


def test_the_second_derivative():
    b, array = source(6)
    r = hl.RDom([(0, 6)])
    loss = hl.Func("loss")
    loss[()] = hl.f64(0)
    loss[()] += b[r] * b[r] * b[5 - r]
    first = hl.propagate_adjoints(loss)[b]
    check_gradients(first, [6], (b, array))


def test_an_adjoint_func_counts_inside_the_output_bounds_only():
    b, array = source(8)
    f, ones = hl.Func("f"), hl.Func("ones")
    f[x] = b[x] * b[x + 1]
    ones[x] = hl.f32(1)
    found = values(hl.propagate_adjoints(f, ones, [(1, 4)])[b], [8])
    expected = np.zeros(8)
    expected[1:5] += array[2:6]
    expected[2:6] += array[1:5]
    np.testing.assert_allclose(found, expected)


def test_adjoints_of_a_tuple_output():
    b, array = source(5)
    f, given = hl.Func("f"), hl.Func("given")
    f[x] = (b[x] * b[x], b[4 - x])
    given[x] = (hl.f64(x), hl.f64(2))
    found = values(hl.propagate_adjoints(f, given, [(0, 5)])[b], [5])
    np.testing.assert_allclose(found, 2 * array * np.arange(5) + 2)


def test_implicit_variables():
    b, array = source(4, 3)
    f = hl.Func("f")
    f[hl._] = b[hl._] * b[hl._]
    check_gradients(f, [3, 4], (b, array))
