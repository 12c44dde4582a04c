"""Buffers: NumPy memory in place, whatever its strides; shapes, views, elements."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import halopy as hl

x, y = hl.vars("x y")


def picture() -> np.ndarray:
    """3 rows of 4, every element different."""
    return np.arange(12, dtype=np.int32).reshape(3, 4)


def shape(b: hl.Buffer) -> list[tuple[int, int, int]]:
    return [(d.min(), d.extent(), d.stride()) for d in map(b.dim, range(b.dimensions()))]


def test_axes_are_reversed_and_nothing_is_copied():
    a = picture()
    b = hl.Buffer(a)
    assert shape(b) == [(0, 4, 1), (0, 3, 4)] and (b.width(), b.height(), b.channels()) == (4, 3, 1)
    a[1, 2] = 99
    assert b[2, 1] == 99
    b[3, 0] = -1
    assert a[0, 3] == -1
    assert np.shares_memory(np.asarray(b), a) and np.asarray(b).strides == a.strides


def test_axes_may_be_kept():
    b = hl.Buffer(picture(), "kept", False)
    assert shape(b) == [(0, 3, 4), (0, 4, 1)] and b[1, 2] == 6 and b.name() == "kept"
    assert shape(b.reverse_axes()) == [(0, 4, 1), (0, 3, 4)]


VIEWS = {
    "sliced": lambda a: a[1:, 1:3],
    "stepped": lambda a: a[::2, ::3],
    "flipped": lambda a: a[::-1, ::-1],
    "transposed": lambda a: a.T,
    "column-major": lambda a: np.asfortranarray(a),
    "broadcast": lambda a: np.broadcast_to(a[0], (5, 4)),
    "one-row": lambda a: a[:1],
    "empty": lambda a: a[:0],
    "scalar": lambda a: np.array(7, np.int32),
    "four-dimensional": lambda a: a.reshape(3, 2, 1, 2)[:, ::-1],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_any_strides_serve_as_input(view):
    a = view(picture())
    b = hl.Buffer(a)
    args = [hl.Var(f"d{i}") for i in range(a.ndim)]
    f = hl.Func("f")
    f[args] = b[args] * 2
    assert np.shares_memory(np.asarray(b), a) or a.size == 0
    np.testing.assert_array_equal(np.asarray(f.realize(list(a.shape[::-1]))), a * 2)


@pytest.mark.parametrize("view", ["sliced", "stepped", "flipped", "transposed", "column-major", "empty", "scalar"])
def test_any_strides_serve_as_output(view):
    whole = picture()
    a = VIEWS[view](whole)
    before, args = whole.copy(), [hl.Var(f"d{i}") for i in range(a.ndim)]
    f = hl.Func("f")
    f[args] = sum(args, hl.Expr(100))
    f.realize(hl.Buffer(a))
    np.testing.assert_array_equal(a, 100 + np.indices(a.shape).sum(0) if a.ndim else 100)
    if np.shares_memory(a, whole):
        untouched = np.ones(whole.shape, bool)
        VIEWS[view](untouched)[...] = False
        np.testing.assert_array_equal(whole[untouched], before[untouched])


@pytest.mark.parametrize("name", ["bool", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64"])
def test_every_numpy_number_has_a_type(name):
    a = np.array([0, 1, 1], name)
    b = hl.Buffer(a)
    f = hl.Func("f")
    f[x] = b[x]
    assert np.asarray(f.realize([3])).dtype == a.dtype and list(f.realize([3])) == list(a)
    assert isinstance(b[1], bool if name == "bool" else float if "float" in name else int)


def test_readonly_arrays_are_inputs_but_no_outputs():
    a = picture()
    a.flags.writeable = False
    b = hl.Buffer(a)
    f = hl.Func("f")
    f[x, y] = b[x, y] + 1
    assert f.realize([4, 3])[3, 2] == 12
    with pytest.raises(hl.BufferError, match="read-only"):
        f.realize(b)
    with pytest.raises(hl.BufferError, match="read-only"):
        b[0, 0] = 1
    with pytest.raises(hl.BufferError, match="read-only"):
        b.fill(1)


@pytest.mark.parametrize(
    "array",
    [np.zeros(3, ">i4"), np.zeros(3, object), np.zeros(3, "U1"), np.zeros(3, complex), np.zeros(3, "M8[s]")],
    ids=["big-endian", "object", "text", "complex", "date"],
)
def test_arrays_without_a_type_are_refused(array, golden):
    with pytest.raises(hl.UserError) as refused:
        hl.Buffer(array)
    assert str(refused.value) == golden


@pytest.mark.parametrize("source", [[1, 2, 3], 5, "text"], ids=["list", "number", "text"])
def test_what_has_no_memory_is_refused(source):
    with pytest.raises(hl.UserError):
        hl.Buffer(source)


def test_anything_with_the_buffer_protocol_serves():
    memory = bytearray(b"abc")
    b = hl.Buffer(memory)
    b[1] = ord("X")
    assert bytes(memory) == b"aXc" and b.type() == hl.UInt(8)


def test_the_array_lives_as_long_as_anything_can_read_it():
    class Watched(np.ndarray):
        pass

    a = picture().view(Watched)
    gone = weakref.ref(a)
    f = hl.Func("f")
    f[x, y] = hl.Buffer(a)[x, y]
    del a
    gc.collect()
    assert gone() is not None and f.realize([4, 3])[3, 2] == 11


def test_the_memory_of_a_new_buffer_outlives_the_buffer():
    f = hl.Func("f")
    f[x] = x
    a = np.asarray(f.realize([1000]))
    gc.collect()
    assert list(a) == list(range(1000))


def test_new_buffers_are_dense_in_the_order_asked_for():
    assert shape(hl.Buffer(hl.UInt(8), [4, 3])) == [(0, 4, 1), (0, 3, 4)]
    assert shape(hl.Buffer(hl.UInt(8), [4, 3, 2], [2, 0, 1])) == [(0, 4, 2), (0, 3, 8), (0, 2, 1)]
    assert shape(hl.Buffer.make_interleaved(hl.UInt(8), 4, 3, 2)) == [(0, 4, 2), (0, 3, 8), (0, 2, 1)]
    assert hl.Buffer.make_scalar(hl.Float(32)).dimensions() == 0
    assert hl.Buffer(hl.UInt(8), [4], "named").name() == "named"
    assert np.asarray(hl.Buffer(hl.Float(64), [5])).ctypes.data % 64 == 0


def test_views_share_memory_and_changes_in_place_do_not_copy():
    b = hl.Buffer(picture())
    part = b.cropped(0, 1, 2)
    assert shape(part) == [(1, 2, 1), (0, 3, 4)] and part[1, 2] == 9
    part[2, 0] = 50
    assert b[2, 0] == 50
    assert shape(b.cropped([(1, 2), (1, 1)])) == [(1, 2, 1), (1, 1, 4)]
    assert shape(b.sliced(0, 3)) == [(0, 3, 4)] and b.sliced(0, 3)[1] == 7
    assert shape(b.sliced(1)) == [(0, 4, 1)]
    assert shape(b.embedded(0, 9))[0][:2] == (9, 1) and b.embedded(0, 9)[9, 1, 1] == 5
    assert shape(b.transposed(0, 1)) == shape(b.transposed([1, 0])) == [(0, 3, 4), (0, 4, 1)]
    assert shape(b.translated(1, 10)) == [(0, 4, 1), (10, 3, 4)] and b.translated([5, 10])[5, 10] == 0
    b.crop(1, 1, 2)
    b.translate(0, -2)
    b.transpose(0, 1)
    b.add_dimension()
    assert shape(b)[:2] == [(1, 2, 4), (-2, 4, 1)] and b[1, -2, 0] == 4
    b.slice(2)
    b.set_min([7])
    assert [d[0] for d in shape(b)] == [7, -2]


def test_a_list_tells_where_each_dimension_goes():
    b = hl.Buffer(np.zeros((2, 3, 4), np.uint8))
    b.set_min([10, 20, 30])
    b.transpose([2, 0, 1])
    assert shape(b) == [(20, 3, 4), (30, 2, 12), (10, 4, 1)]
    for wrong in ([0, 1], [0, 1, 1], [0, 1, 3], [0, 1, 2, 3]):
        with pytest.raises(hl.BufferError, match="does not list the dimensions"):
            b.transpose(wrong)


def test_mins_shift_what_a_pipeline_computes_and_reads():
    out = hl.Buffer(hl.Int(32), [3])
    out.set_min([100])
    f = hl.Func("f")
    f[x] = x * 2
    f.realize(out)
    assert list(np.asarray(out)) == [200, 202, 204] and out[101] == 202
    moved = hl.Buffer(np.arange(4, dtype=np.int32)).translated(0, -10)
    g = hl.Func("g")
    g[x] = moved[x - 10]
    assert list(g.realize([4])) == [0, 1, 2, 3]


def test_copies_have_memory_of_their_own():
    b = hl.Buffer(picture()[:, ::-1])
    b.set_min([1, 2])
    copy = b.copy()
    assert [s[:2] for s in shape(copy)] == [(1, 4), (2, 3)] and not np.shares_memory(np.asarray(copy), np.asarray(b))
    np.testing.assert_array_equal(np.asarray(copy), np.asarray(b))
    small = hl.Buffer(hl.Int(32), [2, 2])
    small.fill(0)
    small.copy_from(b)
    assert np.asarray(small).sum() == 0
    small.set_min([0, 2])
    small.copy_from(b)
    assert [small[1, 2], small[0, 2], small[1, 3]] == [b[1, 2], 0, b[1, 3]]


def test_elements_one_by_one():
    b = hl.Buffer(picture())
    places: list[list[int]] = []
    b.for_each_element(places.append)
    assert places[:2] == [[0, 0], [1, 0]] and len(places) == 12
    b.fill(3)
    assert b.all_equal(3) and not b.all_equal(4)
    assert b.contains([3, 2]) and not b.contains([4])
    assert list(hl.Buffer(np.arange(3))) == [0, 1, 2]


def test_indices_are_checked():
    b = hl.Buffer(picture())
    with pytest.raises(IndexError, match="index 4 is out of bounds for axis 0 with min=0, extent=4"):
        b[4, 0]
    with pytest.raises(ValueError, match="Incorrect number of dimensions"):
        b[1]
    with pytest.raises(hl.DefinitionError, match="used with 1 arguments, but has 2 dimensions"):
        b[x]
    with pytest.raises(hl.BufferError, match="is not inside dimension 0"):
        b.cropped(0, 2, 3)
    with pytest.raises(hl.BufferError, match="has no dimension 2"):
        b.dim(2)
    with pytest.raises(hl.BufferError, match="undefined Buffer"):
        hl.Buffer().width()


def test_handles_of_one_buffer_are_the_same():
    b = hl.Buffer(picture())
    again = hl.Buffer(b)
    assert again.same_as(b) and not b.copy().same_as(b)
    again.set_min([5])
    assert b.left() == 5 and (b.right(), b.top(), b.bottom()) == (8, 0, 2)


def test_what_numpy_makes_of_a_buffer():
    b = hl.Buffer(picture())
    assert np.asarray(b, np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(b), np.asarray(b))
    assert b.numpy_view().shape == (3, 4) and b.numpy_view(reverse_axes=False).shape == (4, 3)
    assert np.mean(b) == 5.5
    assert repr(b) == "<halopy.Buffer of type int32 shape:[[0,4,1],[0,3,4]]>"
    assert (b.number_of_elements(), b.size_in_bytes()) == (12, 48)


def test_a_buffer_larger_than_all_memory_is_refused():
    with pytest.raises(hl.BufferError, match=r"16777216 \* 16777216 \* 16777216 elements of uint8 fits in no memory"):
        hl.Buffer(hl.UInt(8), [1 << 24] * 3)
