"""Buffers share memory with other libraries, and hold only what their type has."""

import gc

import numpy as np
import pytest

import halopy as hl

REFUSED = [(hl.Int(32), 2.5), (hl.Int(32), 1 << 40), (hl.UInt(8), -1), (hl.UInt(8), 256), (hl.Int(8), float("nan"))]


class OnlyDLPack:
    """What another library's tensor shows of itself; `versioned` as from DLPack 1.0 on."""

    def __init__(self, array, versioned=True):
        self.array, self.versioned = array, versioned

    def __dlpack__(self, **asked):
        if not self.versioned:
            asked.pop("max_version", None)
        return self.array.__dlpack__(**asked)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class LikeTorch(OnlyDLPack):
    """Offers an array that shares its memory too."""

    def __array__(self, dtype=None, copy=None):
        return self.array


class OnlyInterface:
    def __init__(self, array):
        self.array = array

    @property
    def __array_interface__(self):
        return self.array.__array_interface__


@pytest.mark.parametrize("wrap", [OnlyDLPack, OnlyInterface, LikeTorch, lambda a: LikeTorch(a, versioned=False)])
def test_memory_of_another_library_is_used_in_place(wrap):
    array = np.arange(12, dtype=np.uint16).reshape(3, 4)
    image = hl.Buffer(wrap(array))
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = image[x, y] + hl.u16(1)
    f.realize(image)
    assert (array == np.arange(1, 13).reshape(3, 4)).all()
    assert image[3, 1] == array[1, 3]


@pytest.mark.parametrize(
    "dtype", [np.bool_, np.int8, np.uint16, np.int32, np.uint64, np.float16, np.float32, np.float64]
)
def test_a_buffer_is_taken_from_dlpack_in_place(dtype):
    image = hl.Buffer(np.arange(6).astype(dtype).reshape(2, 3))
    taken = np.from_dlpack(image)
    assert taken.dtype == dtype and taken.shape == (2, 3)
    image[2, 1] = 1
    assert taken[1, 2] == 1


def test_views_go_through_dlpack_with_their_strides():
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    image = hl.Buffer(array).cropped([(1, 4), (2, 2)]).transposed(0, 1)
    assert (np.from_dlpack(image) == array[2:4, 1:5].T).all()
    assert (np.from_dlpack(hl.Buffer(array[:, ::-2])) == array[:, ::-2]).all()


def test_a_read_only_array_stays_so_through_dlpack():
    array = np.arange(4)
    array.flags.writeable = False
    assert not np.from_dlpack(hl.Buffer(array)).flags.writeable
    with pytest.raises(hl.BufferError, match="read-only"):
        hl.Buffer(OnlyDLPack(array)).fill(1)


def test_a_copy_through_dlpack_is_apart():
    image = hl.Buffer(np.arange(4))
    copied = np.from_dlpack(image, copy=True)
    image.fill(7)
    assert copied.tolist() == [0, 1, 2, 3]


def test_memory_lives_as_long_as_anything_reads_it():
    taken = np.from_dlpack(hl.Buffer(np.full(1 << 16, 5, np.uint8)))
    image = hl.Buffer(OnlyDLPack(np.full(1 << 16, 6, np.uint8)))
    gc.collect()
    others = [np.full(1 << 16, 9, np.uint8) for _ in range(8)]
    assert (taken == 5).all() and image.all_equal(6) and len(others) == 8


def test_what_does_not_give_its_memory_is_refused_with_its_reason():
    class Elsewhere:
        def __dlpack__(self, **asked):
            raise BufferError("it is on a device")

        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(hl.BufferError, match="a Elsewhere does not give its memory"):
        hl.Buffer(Elsewhere())
    with pytest.raises(hl.BufferError, match="a list is no memory"):
        hl.Buffer([1, 2])


@pytest.mark.parametrize(("dtype", "value"), REFUSED)
@pytest.mark.parametrize("write", [hl.Buffer.fill, hl.Buffer.all_equal, lambda b, value: b.__setitem__(1, value)])
def test_a_number_that_an_integer_type_does_not_have_is_refused(write, dtype, value):
    image = hl.Buffer(dtype, [3])
    image.fill(1)
    with pytest.raises(hl.TypeMismatch, match=f"is no element of Buffer .* of type {dtype}"):
        write(image, value)
    assert image.all_equal(1)


@pytest.mark.parametrize(
    ("dtype", "value", "kept"),
    [
        (hl.Int(32), True, 1),
        (hl.UInt(8), np.int64(255), 255),
        (hl.Bool(), 2, True),
        (hl.Bool(), 0, False),
        (hl.Float(32), 3, 3.0),
        (hl.Float(16), 0.5, 0.5),
        (hl.BFloat(16), -2.5, -2.5),
        (hl.BFloat(16), 1 + 2**-9, 1.0),
        (hl.UInt(64), 2**64 - 1, 2**64 - 1),
    ],
)
def test_a_number_becomes_one_of_the_type(dtype, value, kept):
    image = hl.Buffer(dtype, [3])
    image.fill(value)
    assert image[2] == kept and image.all_equal(value)
    image[0] = value
    assert image[0] == kept


def test_a_bounds_query_gets_memory_and_gives_it_back():
    shape = hl.Buffer.make_bounds_query(hl.UInt(8), [4, 3])
    shape.set_min([1, 2])
    shape.allocate()
    assert shape.all_equal(0) and [shape.left(), shape.top(), shape.width()] == [1, 2, 4]
    shape.deallocate()
    assert shape.width() == 4
    with pytest.raises(hl.BufferError, match="no memory"):
        shape.fill(1)


def test_a_buffer_that_ran_backwards_can_be_allocated_again():
    image = hl.Buffer(np.arange(6, dtype=np.uint8).reshape(2, 3)[::-1, ::-1])
    image.deallocate()
    image.allocate()
    assert image.all_equal(0) and [image.width(), image.height()] == [3, 2]


def test_only_devices_of_opencl_are_there():
    image = hl.Buffer(hl.UInt(8), [4])
    assert (image.device_free(), image.device_detach_native(), image.device_sync(), image.copy_to_host()) == (0,) * 4
    for ask in (image.copy_to_device, image.device_malloc):
        with pytest.raises(hl.UnsupportedTarget, match="the only devices are those of OpenCL"):
            ask(hl.DeviceAPI.CUDA)


X = hl.Var("x")


def ramp(name="ramp"):
    f = hl.Func(name)
    f[X] = X
    return f


def test_one_size_needs_no_list():
    assert ramp().realize(10).width() == 10
    assert ramp().realize(np.int64(4)).width() == 4


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: f.realize(10, 10), r"realize\(\[640, 480\]\)"),
        (lambda f: f.realize(-1), "-1 is nothing to realize over"),
        (lambda f: f.realize(2.0), r"accepted here: a list of sizes such as \[640, 480\]"),
        (lambda f: f.realize(np.zeros(3, np.int32)), r"hl.Buffer\(array\) to fill it, list\(array\) for sizes"),
        (lambda f: f.realize([3], "host"), r"hl.Target\(\"host\"\)"),
    ],
)
def test_realize_says_what_to_write(ask, message):
    with pytest.raises(hl.HalideError, match=message):
        ask(ramp())


@pytest.mark.parametrize("endless", [ramp(), hl.ImageParam(hl.UInt(8), 1)])
def test_python_does_not_iterate_without_end(endless):
    with pytest.raises(TypeError, match="not iterable"):
        list(endless)


def handles():
    pair = hl.Func("pair")
    pair[X] = (X, X + 1)
    r = hl.RDom([(0, 3)], "r")
    return {
        "the Var `x`": X,
        "the Param `p`": hl.Param(hl.Int(32), "p"),
        "the FuncRef `f[x]`": ramp("f")[X],
        "the FuncTupleElementRef `pair[x][1]`": pair[X][1],
        "the RVar `r$x`": r.x,
        "the RDom": r,
        "the Expr `im(x)`": hl.ImageParam(hl.UInt(8), 1, "im")[X],
        "the Expr `(x < 3)`": X < 3,
    }


@pytest.mark.parametrize(("shown", "value"), handles().items())
def test_what_is_known_only_in_a_run_has_no_truth_value(shown, value):
    for ask in (bool, lambda v: v and 1, lambda v: v or 1, lambda v: not v, lambda v: 1 if v else 2):
        with pytest.raises(hl.NoTruthValue) as refused:
            ask(value)
        assert shown in str(refused.value) and "hl.select(condition, a, b)" in str(refused.value)
