"""Callables: compiled pipelines called as functions."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import halopy as hl

x, y = hl.Var("x"), hl.Var("y")


class Blend:
    """f(x, y) = image(x, y) + u8(p_int / p_float)"""

    def __init__(self):
        self.p_int, self.p_float = hl.Param(hl.Int(32), "p_int", 42), hl.Param(hl.Float(32), "p_float", 1.0)
        self.image = hl.ImageParam(hl.UInt(8), 2, "p_img")
        self.f = hl.Func("f")
        self.f[x, y] = self.image[x, y] + hl.u8(self.p_int / self.p_float)
        self.call = self.f.compile_to_callable([self.image, self.p_int, self.p_float])


@pytest.fixture(scope="module")
def blend():
    return Blend()


@pytest.fixture
def arrays():
    return np.arange(12, dtype=np.uint8).reshape(3, 4), np.zeros((3, 4), np.uint8)


def test_arguments_stand_in_their_order_and_outputs_last(blend, arrays):
    source, made = arrays
    for whole, part in ((42, 1.0), (22, 2.0), (12, 1)):
        blend.call(source, whole, part, made)
        assert np.array_equal(made, source + int(whole / part))
    blend.call(source.copy(), np.int16(3), np.float32(1.5), made)
    assert np.array_equal(made, source + 2)


def test_buffers_are_taken_as_they_are(blend, arrays):
    source, made = hl.Buffer(arrays[0]), hl.Buffer(arrays[1])
    for _ in range(3):
        blend.call(source, 2, 1.0, made)
        assert np.array_equal(made, arrays[0] + 2)
    source.fill(9)
    blend.call(source, 2, 1.0, made)
    assert made.all_equal(11)
    source.set_min([5, 5])
    made.set_min([5, 5])
    blend.call(source, 3, 1.0, made)
    assert made.all_equal(12)


def test_arrays_may_have_any_strides(blend):
    source = np.arange(96, dtype=np.uint8).reshape(8, 12)
    made = np.zeros((12, 8), np.uint8)
    blend.call(source[::2, ::3], 1, 1.0, made[::3, ::2].T)
    assert np.array_equal(made[::3, ::2].T, source[::2, ::3] + 1)


def test_arguments_may_be_named(blend, arrays):
    source, made = arrays
    blend.call(p_img=source, p_int=1, p_float=1.0, f=made)
    assert np.array_equal(made, source + 1)
    blend.call(source, f=made, p_float=1.0, p_int=5)
    assert np.array_equal(made, source + 5)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c, a, b: c(a, 2, 1.0, 4, b), "Expected at most 4 positional arguments, but saw 5."),
        (lambda c, a, b: c(a), "Expected exactly 4 positional arguments, but saw 1."),
        (lambda c, a, b: c(p_img=a, p_int=1, q=2), "Unknown argument 'q' specified via keyword."),
        (lambda c, a, b: c(a, p_img=a, p_int=1, f=b), "Argument p_img specified multiple times."),
        (
            lambda c, a, b: c(a, p_int=1, f=b),
            "Argument p_float was not specified by either positional or keyword argument.",
        ),
        (lambda c, a, b: c(hl.Buffer(), 2, 1.0, b), "Buffer argument p_img is nullptr"),
        (lambda c, a, b: c(None, 2, 1.0, b), "Buffer argument p_img is nullptr"),
        (lambda c, a, b: c(a, 2, 1.0, hl.Buffer()), "Buffer argument f is nullptr"),
        (
            lambda c, a, b: c(42, 2, 1.0, b),
            "Argument 1 of 4 ('p_img') was expected to be a buffer of type 'uint8' and dimension 2",
        ),
        (
            lambda c, a, b: c(a, 2.25, 1.0, b),
            "Argument 2 of 4 ('p_int') was expected to be a scalar of type 'int32' and dimension 0",
        ),
        (lambda c, a, b: c(a, 2**40, 1.0, b), "Argument 2 of 4 ('p_int') was expected"),
        (lambda c, a, b: c(a, 2, "happy", b), "'happy' is not an instance of a number"),
        (lambda c, a, b: c(hl.f32(3.5), 2, 1.0, b), "is not an instance of hl.Buffer"),
        (lambda c, a, b: c(a, 2, 1.0, f="bogus"), "is not an instance of hl.Buffer"),
        (lambda c, a, b: c(a.astype(np.int32), 2, 1.0, b), "type of the buffer passed in is int32"),
        (lambda c, a, b: c(a[0], 2, 1.0, b), "with 1 dimensions"),
        (lambda c, a, b: c(a[:2], 2, 1.0, b), "input `p_img` is too small"),
    ],
)
def test_what_does_not_fit_is_refused(blend, arrays, call, text):
    source, made = arrays
    with pytest.raises(hl.HalideError) as refused:
        call(blend.call, source, made)
    assert text in str(refused.value)
    blend.call(source, 7, 1.0, made)  # and does no harm to later calls
    assert np.array_equal(made, source + 7)


def test_outputs_must_be_writeable(blend, arrays):
    arrays[1].flags.writeable = False
    with pytest.raises(hl.BufferError, match="output `f` is a read-only array"):
        blend.call(arrays[0], 1, 1.0, arrays[1])


def test_ranges_of_params_are_kept():
    p = hl.Param(hl.Int(32), "p")
    p.set_range(1, 5)
    f = hl.Func("f")
    f[x] = x * p
    call = f.compile_to_callable([p])
    made = np.zeros(3, np.int32)
    call(5, made)
    assert np.array_equal(made, [0, 5, 10])
    with pytest.raises(hl.ParamError, match="outside its range"):
        call(6, made)


def test_ranges_may_be_about_other_params():
    low, p = hl.Param(hl.Int(32), "low"), hl.Param(hl.Int(32), "p")
    p.set_range(low, low + 3)
    f = hl.Func("f")
    f[x] = x * p + low
    low.set(1)
    p.set(4)
    assert np.array_equal(f.realize([2]), [1, 5])
    p.set(5)
    with pytest.raises(hl.ParamError, match="from 1 to 4"):
        f.realize([2])
    call, made = f.compile_to_callable([p, low]), np.zeros(2, np.int32)
    call(5, 2, made)
    assert np.array_equal(made, [2, 7])
    with pytest.raises(hl.ParamError, match="from 3 to 6"):
        call(2, 3, made)


def test_bounds_queries_find_shapes(blend):
    asked, out = hl.Buffer.make_bounds_query(hl.UInt(8), [1, 1]), hl.Buffer.make_bounds_query(hl.UInt(8), [20, 30])
    blend.call(asked, 42, 1.0, out)
    assert (asked.width(), asked.height()) == (20, 30)


def test_a_callable_keeps_what_it_was_made_of(arrays):
    blend = Blend()
    source, made = arrays
    blend.f.vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    blend.call(source, 1, 1.0, made)
    assert np.array_equal(made, source + 1)


def test_several_outputs_and_values_follow_each_other():
    f, g = hl.funcs("f g")
    p = hl.Param(hl.Int(32), "p")
    f[x] = x + p
    g[x] = (f[x] * 2, hl.f32(x))
    call = hl.Pipeline([f, g]).compile_to_callable([p])
    a, b, c = np.zeros(5, np.int32), np.zeros(5, np.int32), np.zeros(5, np.float32)
    call(3, a, b, c)
    assert np.array_equal(a, np.arange(5) + 3) and np.array_equal(b, 2 * a) and np.array_equal(c, range(5))


def test_inputs_that_are_no_argument_are_refused():
    blend = Blend()
    with pytest.raises(hl.DefinitionError, match="reads `p_float`, `p_int`, not found in the argument list"):
        blend.f.compile_to_callable([blend.image])
    unused = hl.Param(hl.Int(8), "unused")
    call = blend.f.compile_to_callable([unused, blend.p_float, blend.image, blend.p_int])
    made = np.zeros((2, 2), np.uint8)
    call(0, 1.0, np.ones((2, 2), np.uint8), 2, made)
    assert (made == 3).all()


def test_zeros_of_both_signs_are_told_apart():
    p = hl.Param(hl.Float(32), "p")
    f = hl.Func("f")
    f[x] = hl.reinterpret(hl.Int(32), p)
    call = f.compile_to_callable([p])
    made = np.zeros(1, np.int32)
    buffer = hl.Buffer(made)
    for value in (0.0, -0.0, 0.0, 0):
        call(value, buffer)
        assert (made[0] < 0) == (str(value) == "-0.0")


def test_threads_may_call_at_once(blend):
    wrong = []

    def work(number):
        source = np.full((16, 16), number, np.uint8)
        made = np.zeros((16, 16), np.uint8)
        for step in range(200):
            blend.call(source, step % 7, 1.0, made)
            if not (made == number + step % 7).all():
                wrong.append((number, step))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_constant_images_are_part_of_the_callable():
    table = hl.Buffer(np.arange(10, dtype=np.int32), "table")
    f = hl.Func("f")
    f[x] = table[x] * 3
    call = f.compile_to_callable([])
    made = np.zeros(10, np.int32)
    call(made)
    assert np.array_equal(made, 3 * np.arange(10))
