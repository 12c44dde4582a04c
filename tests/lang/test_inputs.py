"""Inputs that are bound before a run: ImageParams and Params."""

from __future__ import annotations

import re

import numpy as np
import pytest

import halopy as hl

from .messages import without_place

x, y, c = hl.vars("x y c")


def doubled() -> tuple[hl.ImageParam, hl.Func]:
    image, f = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Func("f")
    f[x, y] = image[x, y] * 2
    return image, f


def test_an_image_param_reads_what_is_bound_at_the_time_of_the_run():
    image, f = doubled()
    for value in (1, 5):
        image.set(hl.Buffer(np.full((2, 3), value, np.uint8)))
        assert (np.asarray(f.realize([3, 2])) == 2 * value).all()
    assert image.get()[0, 0] == 5
    image.reset()
    assert not image.get().defined()


def test_arrays_can_be_bound_directly():
    image, f = doubled()
    image.set(np.ones((4, 4), np.uint8)[:, ::-2])
    assert (np.asarray(f.realize([2, 4])) == 2).all()


def test_one_compile_serves_every_size_and_stride():
    image, f = doubled()
    f.vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    whole = np.arange(60, dtype=np.uint8).reshape(6, 10)
    for a in (whole, whole[:, 3:], whole[::2], whole[1:2, :1], whole[::-1]):
        image.set(a)
        np.testing.assert_array_equal(np.asarray(f.realize(list(a.shape[::-1]))), a * 2)
    for a in (whole.T, whole[:, ::3]):
        image.set(a)
        np.testing.assert_array_equal(np.asarray(f.realize(list(a.shape[::-1]))), a * 2)


def test_shape_symbols_are_expressions():
    image, f = hl.ImageParam(hl.Int(32), 3, "image"), hl.Func("f")
    f[()] = (image.width(), image.height(), image.channels(), image.left(), image.bottom(), image.dim(1).stride())
    b = hl.Buffer(np.zeros((2, 3, 4), np.int32))
    b.set_min([7, 1])
    image.set(b)
    assert [value[()] for value in f.realize()] == [4, 3, 2, 7, 3, 4]
    assert image.dimensions() == 3 and image.type() == hl.Int(32) and image.name() == "image" and image.defined()
    assert repr(image) == "<halopy.ImageParam 'image', dims: 3, type: int32>"


def test_an_rdom_may_run_over_an_input():
    image, total = hl.ImageParam(hl.Int(32), 2, "image"), hl.Func("total")
    r = hl.RDom(image)
    total[()] = hl.sum(image[r.x, r.y])
    image.set(np.arange(12, dtype=np.int32).reshape(3, 4))
    assert total.realize()[()] == 66


def test_underscore_reads_all_dimensions():
    image, f = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Func("f")
    f[hl._] = image[hl._] + 1
    assert f.dimensions() == 2
    assert hl.Func(image).dimensions() == 2


def test_a_buffer_inside_an_expression_is_an_input_too():
    a = np.arange(4, dtype=np.float32)
    f = hl.Func("f")
    f[x] = hl.Buffer(a, "table")[x] + 1
    assert list(f.realize([4])) == [1, 2, 3, 4]
    a[0] = 41
    assert f.realize([4])[0] == 42


def test_a_param_is_read_at_each_run():
    scale, f = hl.Param(hl.Float(32), "scale", 2.0), hl.Func("f")
    f[x] = x * scale
    assert list(f.realize([3])) == [0, 2, 4]
    scale.set(0.5)
    assert list(f.realize([3])) == [0, 0.5, 1] and scale.get() == 0.5


def test_the_sign_of_a_zero_param_is_kept():
    p, f, out = hl.Param(hl.Float(32), "p", 0.0), hl.Func("f"), hl.Buffer(hl.Float(32), [1])
    f[x] = 1 / p
    f.realize(out)
    assert out[0] == np.inf
    p.set(-0.0)
    f.realize(out)
    assert out[0] == -np.inf


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (hl.Bool(), True), (hl.Int(8), -128), (hl.UInt(8), 255), (hl.Int(16), -5), (hl.UInt(16), 65535),
        (hl.Int(32), -(1 << 31)), (hl.UInt(32), (1 << 32) - 1), (hl.Int(64), -(1 << 63)), (hl.UInt(64), (1 << 64) - 1),
        (hl.Float(16), 0.5), (hl.Float(32), 1.5), (hl.Float(64), 1e300),
    ],
    ids=str,
)  # fmt: skip
def test_params_of_every_type_arrive_exactly(dtype, value):
    f = hl.Func("f")
    f[()] = hl.Param(dtype, value)
    assert f.type() == dtype and f.realize()[()] == value


def test_the_ways_of_making_a_param():
    assert hl.Param(hl.Int(32)).get() == 0
    assert hl.Param(hl.Int(32), "n").name() == "n"
    assert hl.Param(hl.Int(32), 3).get() == 3
    assert hl.Param(hl.Int(32), "n", np.int64(3)).get() == 3
    assert repr(hl.Param(hl.Int(32), "n")) == "<halopy.Param 'n' type int32>"


def test_params_may_stand_in_a_schedule_alone():
    n, f, g = hl.Param(hl.Int(32), "n", 3), hl.Func("f"), hl.Func("g")
    f[x] = x * 2
    g[x] = f[x] + f[x + 1]
    f.compute_root()
    g.split(x, x, hl.Var("xi"), n, hl.TailStrategy.GuardWithIf)
    for size in (3, 5, 100):
        n.set(size)
        assert list(g.realize([7])) == [2 + 4 * k for k in range(7)]


REFUSED = {
    "param-too-large": lambda: hl.Param(hl.UInt(8), "p", 256),
    "param-a-float": lambda: hl.Param(hl.Int(32), "p").set(1.5),
    "param-a-text": lambda: hl.Param(hl.Float(32), "p").set("1"),
    "image-of-other-type": lambda: doubled()[0].set(np.zeros((2, 2), np.int16)),
    "image-of-other-rank": lambda: doubled()[0].set(np.zeros(2, np.uint8)),
    "image-wrong-arity": lambda: doubled()[0][x],
    "image-index-a-float": lambda: doubled()[0][hl.f32(x), y],
    "image-dimension": lambda: doubled()[0].dim(2),
}  # fmt: skip


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_would_be_accepted(build, golden):
    with pytest.raises(hl.UserError) as refused:
        build()
    assert without_place(refused.value) == golden


def test_a_run_without_a_bound_input_is_refused(golden):
    _, f = doubled()
    with pytest.raises(hl.BufferError) as refused:
        f.realize([2, 2])
    assert str(refused.value) == golden


def test_an_input_that_is_too_small_is_named(golden):
    image, f = doubled()
    image.set(np.zeros((3, 2), np.uint8))
    with pytest.raises(hl.BufferError) as refused:
        f.realize([3, 3])
    assert re.sub(r", \S+:\d+", ", FILE:LINE", str(refused.value)) == golden
    assert f.realize([2, 3]) is not None


def test_what_is_promised_about_a_shape_is_known_and_checked():
    image, f = hl.ImageParam(hl.UInt(8), 3, "image"), hl.Func("f")
    rows = hl.Param(hl.Int(32), "rows", 4)
    image.dim(0).set_stride(3).dim(1).set_bounds(0, rows).dim(2).set_stride(1).set_extent(3)
    f[x, y] = image[x, y, 0] + image[x, y, 2]
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    image.set(pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(np.asarray(f.realize([5, 4])), pixels[..., 0] + pixels[..., 2])
    for given, message in (
        (np.zeros((3, 4, 5), np.uint8), r"its stride of dimension 0 is 1\n  accepted here: 3"),
        (np.zeros((5, 5, 3), np.uint8).transpose(2, 0, 1), r"its extent of dimension 1 is 5\n  accepted here: 4"),
    ):
        image.set(given)
        with pytest.raises(hl.BufferError, match="input `image` breaks a constraint: " + message):
            f.realize([5, 4])
    rows.set(5)
    f.realize([5, 4])


def test_a_promise_about_a_shape_can_be_taken_back():
    image, f = hl.ImageParam(hl.Int(32), 1, "image"), hl.Func("f")
    f[x] = image[x]
    image.set(np.arange(10, dtype=np.int32)[::2])
    assert np.asarray(f.realize([3])).tolist() == [0, 2, 4]
    image.dim(0).set_stride(1)
    with pytest.raises(hl.BufferError, match="stride of dimension 0 is 2"):
        f.realize([3])
    image.dim(0).set_stride(hl.Expr())
    assert np.asarray(f.realize([3])).tolist() == [0, 2, 4]


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_a_number_too_large_for_a_param_is_infinite(bits: int) -> None:
    p, f = hl.Param(hl.Float(bits), "p", 0.1), hl.Func("f")
    assert p.get() == float(np.dtype(f"float{bits}").type(0.1))
    p.set(-(10**400) if bits == 64 else -1e300)
    f[x] = hl.cast(hl.Float(64), p)
    assert np.asarray(f.realize([1])).tolist() == [-np.inf]


def test_a_param_outside_its_range_is_refused(golden):
    p, f = hl.Param(hl.Int(32), "p", 5), hl.Func("f")
    p.set_range(0, 10)
    f[x] = x + p
    assert f.realize([1])[0] == 5
    p.set(11)
    with pytest.raises(hl.ParamError) as refused:
        f.realize([1])
    assert str(refused.value) == golden
    assert str(p.min_value().node) == "0" and str(p.max_value().node) == "10"


@pytest.mark.parametrize("is_root", [False, True])
def test_a_region_may_end_at_a_quotient_by_a_param(is_root):
    """The sign of the divisor is known in a run only; by zero, the region has no memory, which a run says."""
    z = hl.Var("z")
    divisor, weights = hl.Param(hl.Float(32), "divisor"), np.linspace(0, 1, 18000, dtype=np.float32).reshape(2, 9000)
    f, g, buffer = hl.Func("f"), hl.Func("g"), hl.Buffer(weights)
    g[x, z] = x * 100 + z
    f[x, y] = g[x, hl.i32(hl.clamp(buffer[x, y], 0.0, 1.0) / divisor)]
    if is_root:
        g.compute_root()
    else:
        g.compute_at(f, y)
    for value in (0.1, -0.25, 0.02):
        divisor.set(value)
        expected = np.arange(9000) * 100 + np.trunc(weights / np.float32(value)).astype(np.int32)
        assert np.array_equal(f.realize([9000, 2]), expected)
    divisor.set(0.0)
    with pytest.raises(hl.HalideError, match="out of memory"):
        f.realize([9000, 2])


def test_a_param_without_a_value_stops_the_run():
    p, f = hl.Param(hl.Int(32), "p"), hl.Func("f")
    f[x] = x + p
    for run in (lambda: f.realize([2]), lambda: f.realize(hl.Buffer(hl.Int(32), [2]))):
        with pytest.raises(hl.ParamError, match="Param `p` does not have a valid scalar value"):
            run()
    given = hl.Buffer(hl.Int(32), [2])
    f.compile_to_callable([p])(5, given)
    assert list(given) == [5, 6]
    p.set(0)
    assert list(f.realize([2])) == [0, 1]
