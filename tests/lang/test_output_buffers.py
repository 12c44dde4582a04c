"""Promises about the shapes of inputs and outputs: checked in each run, and used in its loops."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y = hl.Var("x"), hl.Var("y")


def aligned(shape, bytes, past=0):
    """An int32 array whose memory starts `past` elements after a multiple of so many bytes."""
    block = np.zeros(int(np.prod(shape)) + bytes, np.int32)
    start = -block.__array_interface__["data"][0] % bytes // 4 + past
    return block[start : start + int(np.prod(shape))].reshape(shape)


def product():
    f = hl.Func("f")
    f[x, y] = x * y
    return f


def test_a_promised_extent_of_an_input_is_checked():
    image = hl.ImageParam(hl.Int(32), 2, "image")
    f = hl.Func("f")
    f[x, y] = image[x, y] * 2
    image.dim(0).set_bounds(0, 128)
    image.set(np.ones((73, 128), np.int32))
    assert np.array_equal(f.realize([20, 20]), np.full((20, 20), 2))
    image.set(np.ones((23, 144), np.int32))
    with pytest.raises(hl.BufferError, match="input `image` breaks a constraint: its extent of dimension 0 is 144"):
        f.realize([20, 20])


def test_a_promised_stride_of_an_output_is_checked():
    f = product()
    f.output_buffer().dim(0).set_stride(2)
    with pytest.raises(hl.BufferError, match="output `f` breaks a constraint: its stride of dimension 0 is 1"):
        f.realize(hl.Buffer(np.zeros((8, 8), np.int32)))
    assert f.realize([8, 8]).dim(0).stride() == 2
    wide = np.zeros((8, 16), np.int32)
    f.realize(hl.Buffer(wide[:, ::2]))
    assert np.array_equal(wide[:, ::2], np.multiply.outer(range(8), range(8)))
    assert not wide[:, 1::2].any()


def test_promises_may_be_about_their_own_symbol():
    f = product()
    out = f.output_buffer()
    out.dim(0).set_stride(1).set_bounds(0, out.dim(0).extent() / 8 * 8).dim(1).set_min(0)
    f.realize([24, 5])
    with pytest.raises(hl.BufferError, match="its extent of dimension 0 is 20"):
        f.realize([20, 5])


def test_an_empty_output_keeps_promises_too():
    f = product()
    f.output_buffer().dim(1).set_extent(4)
    with pytest.raises(hl.BufferError, match="its extent of dimension 1 is 3"):
        f.realize(hl.Buffer(hl.Int(32), [0, 3]))
    assert f.realize([0, 4]).number_of_elements() == 0


def test_promises_of_an_output_may_be_about_an_input(tmp_path):
    image = hl.ImageParam(hl.UInt(8), 1, "image")
    image.dim(0).set_bounds(0, 10)
    f = hl.Func("f")
    f[x] = image[x]
    f.output_buffer().dim(0).set_bounds(image.dim(0).min(), image.dim(0).extent())
    image.set(np.arange(10, dtype=np.uint8))
    assert np.array_equal(f.realize([10]), range(10))
    with pytest.raises(hl.BufferError, match="its extent of dimension 0 is 9"):
        f.realize(hl.Buffer(hl.UInt(8), [9]))
    f.compile_to_c(tmp_path / "f.c", [image])
    assert "f_s0_x < 10;" in (tmp_path / "f.c").read_text()  # what is promised is known in the loop


def test_promises_about_single_values_of_a_tuple():
    f = hl.Func("f")
    f[x] = (x, hl.f32(x))
    first, second = f.output_buffers()
    assert (first.name(), first.type(), second.name(), second.type()) == ("f.0", hl.Int(32), "f.1", hl.Float(32))
    second.dim(0).set_min(2)
    with pytest.raises(hl.BufferError, match=r"output `f\.1` breaks a constraint: its min of dimension 0 is 0"):
        f.realize([4])
    with pytest.raises(hl.DefinitionError, match="2 values, so it has no single output buffer"):
        f.output_buffer()


def test_the_shape_of_an_output_can_be_read_in_its_pipeline():
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x, y]
    width = g.output_buffer().width()
    h = hl.Func("h")
    h[x, y] = f[x, y] + width
    with pytest.raises(hl.DefinitionError, match="the output buffer of Func `g` is used, but `g` is no output"):
        h.realize([4, 4])
    made, more = hl.Pipeline([g, h]).realize([5, 4])
    assert np.array_equal(np.array(made) + 5, more)


def test_output_buffers_of_undefined_functions_are_refused():
    with pytest.raises(hl.DefinitionError, match="not defined, so it has no output buffer"):
        hl.Func("f").output_buffer()


@pytest.mark.parametrize("bytes", [8, 64, 128])
def test_a_promised_alignment_is_checked(bytes):
    image = hl.ImageParam(hl.Int(32), 2, "image")
    image.set_host_alignment(bytes)
    assert image.host_alignment() == image.parameter().host_alignment() == bytes
    f = hl.Func("f")
    f[x, y] = image[x, y] + 1
    f.vectorize(x, 8, hl.TailStrategy.GuardWithIf)
    image.set(aligned((4, 9), bytes))
    assert np.array_equal(f.realize([9, 4]), np.ones((4, 9)))
    image.set(aligned((4, 9), bytes, past=1))
    with pytest.raises(hl.BufferError, match=f"input `image` breaks a constraint: its address modulo {bytes} is 4"):
        f.realize([9, 4])


def test_a_promised_alignment_of_an_output_is_checked():
    f = product()
    f.output_buffer().set_host_alignment(32)
    f.realize(hl.Buffer(aligned((4, 4), 32)))
    with pytest.raises(hl.BufferError, match="output `f` breaks a constraint: its address modulo 32 is 8"):
        f.realize(hl.Buffer(aligned((4, 4), 32, past=2)))
    with pytest.raises(hl.DefinitionError, match="power of two"):
        f.output_buffer().set_host_alignment(12)


def test_estimates_are_recorded():
    image = hl.ImageParam(hl.Int(32), 2, "image")
    image.set_estimates([(0, 640), (1, 480)])
    behind = image.parameter()
    assert [int(hl.evaluate(behind.extent_constraint_estimate(d))) for d in (0, 1)] == [640, 480]
    image.dim(1).set_bounds(3, 7)
    assert hl.evaluate(behind.min_constraint_estimate(1)) == 3
    f = product()
    f.set_estimate(y, 2, 30)
    about = f.output_buffer().parameter()
    assert hl.evaluate(about.min_constraint_estimate(1)) == 2
    assert not about.min_constraint_estimate(0).defined()
    f.set_estimates([(0, 11), (0, 12)])
    assert hl.evaluate(about.extent_constraint_estimate(0)) == 11


@pytest.mark.parametrize("directive", ["unroll", "vectorize"])
def test_a_promised_extent_is_that_of_loops_that_need_a_number(directive):
    f, image = hl.Func("f"), hl.ImageParam(hl.UInt(8), 2, "image")
    f[x, y] = image[x, y] + hl.u8(1)
    f.output_buffer().dim(0).set_bounds(0, 3)
    getattr(f, directive)(x)
    picture = np.arange(15, dtype=np.uint8).reshape(5, 3)
    image.set(picture)
    assert np.array_equal(f.realize([3, 5]), picture + 1)
    image.set(np.zeros((5, 4), np.uint8))
    with pytest.raises(hl.BufferError, match="output `f` breaks a constraint"):
        f.realize([4, 5])
    g = hl.Func("g")
    g[x, y] = x + y
    g.output_buffer().dim(0).set_bounds(0, g.output_buffer().dim(1).extent())
    getattr(g, directive)(x)
    with pytest.raises(hl.ScheduleError, match="is not a constant"):
        g.realize([3, 3])
