"""What cannot be differentiated is refused by name, beside a neighbour that can."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from tests.lang.autodiff.gradients import check_gradients, numbers, source

x, y = hl.Var("x"), hl.Var("y")


def refused(output, *given):
    with pytest.raises(hl.HalideError) as error:
        hl.propagate_adjoints(output, *given)
    return str(error.value)


def ones(*shape):
    return hl.Buffer(np.ones(shape))


def test_an_integer_output_has_no_derivative():
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = x * 2
    g[x] = hl.f64(f[x])
    with pytest.raises(hl.NotDifferentiable) as error:
        hl.propagate_adjoints(f, ones(3))
    assert "Func `f` of type int32 has no derivative" in str(error.value)
    assert "test_refusals.py" in str(error.value)
    assert hl.propagate_adjoints(g, ones(3))[f].defined()


def test_an_overwritten_value_that_another_place_needs_is_refused():
    b, array = source(5)
    r = hl.RDom([(0, 4), (0, 2)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[r.x] = f[r.x] * f[r.x + 1]
    text = refused(f, ones(5))
    assert "Func `f` cannot be differentiated through update 0" in text
    assert "overwrites" in text and "a scan, which keeps each value" in text
    g[x] = b[x]
    g[r.x] = g[r.x] * b[r.x + 1]
    check_gradients(g, [5], (b, array))


def test_a_recurrence_that_mixes_places_is_refused():
    b, array = source(5)
    r = hl.RDom([(0, 4), (0, 2)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[r.x] = 2 * f[r.x + 1] + b[r.x]
    assert "its steps are not kept" in refused(f, ones(5))
    g[x] = b[x]
    g[r.x] = 2 * g[r.x] + b[r.x]
    check_gradients(g, [5], (b, array))


def test_several_places_written_at_once_are_refused():
    b, array = source(6)
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x]
    f[hl.scatter(1, 2)] = hl.gather(f[2], f[1])
    assert "Func `f` cannot be differentiated through update 0" in refused(f, ones(6))
    g[x] = b[x]
    g[1] = g[2]
    check_gradients(g, [6], (b, array))


def test_a_place_without_bounds_is_refused():
    place, g, f, h = hl.ImageParam(hl.Int(32), 1, "place"), hl.Func("g"), hl.Func("f"), hl.Func("h")
    b, _ = source(6)
    g[x] = b[hl.clamp(x, 0, 5)]
    f[x] = g[place[x]]
    text = refused(f, ones(6))
    assert "`g`" in text and "not bounded" in text
    h[x] = g[hl.clamp(place[x], 0, 9)]
    assert hl.propagate_adjoints(h, ones(6))[b].defined()


def test_arguments_that_do_not_fit_are_refused():
    f, t, a = hl.Func("f"), hl.Func("t"), hl.Func("a")
    f[x, y] = hl.f64(x)
    t[()] = (hl.f64(1), hl.f64(2))
    a[x, y] = hl.f64(1)
    assert "needs output_bounds" in refused(f, a)
    assert "1 dimensions" in refused(f, ones(3))
    assert "1 output_bounds for 2 dimensions" in refused(f, a, [(0, 3)])
    assert "2 values" in refused(t)
    assert "not defined" in refused(hl.Func("nothing"))
    assert hl.propagate_adjoints(f, a, [(0, 3), (0, 3)])[f].defined()


def test_what_the_output_does_not_depend_on_has_no_adjoint():
    b, other = hl.Buffer(numbers(3)), hl.Buffer(numbers(3))
    f, g = hl.Func("f"), hl.Func("g")
    f[x], g[x] = b[x], b[x]
    d = hl.propagate_adjoints(f, ones(3))
    assert d[b].defined() and d[f].defined() and d[f, -1].defined()
    assert not d[g].defined() and not d[other].defined() and not d[f, 0].defined()
    assert not d[hl.Param(hl.Float(32))].defined() and not d[hl.ImageParam(hl.Float(32), 1)].defined()
    with pytest.raises(TypeError):
        d["f"]


def test_an_integer_input_has_an_adjoint_of_zeros():
    b = hl.Buffer(np.arange(4, dtype=np.uint8))
    f = hl.Func("f")
    f[x] = hl.f64(b[x]) * 2
    d = hl.propagate_adjoints(f, ones(4))[b]
    assert d.type() == hl.UInt(8) and not np.array(d.realize([4])).any()
