"""A function decorated with `hl.pipeline` takes arrays and gives arrays."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import halopy as hl

X, Y = hl.vars("x y")


def box(photo):
    clamped = hl.BoundaryConditions.repeat_edge(photo)
    rows, both = hl.Func("rows"), hl.Func("both")
    rows[X, Y] = hl.i32(clamped[X - 1, Y]) + clamped[X, Y] + clamped[X + 1, Y]
    both[X, Y] = rows[X, Y - 1] + rows[X, Y] + rows[X, Y + 1]
    return both


def boxed(array):
    padded = np.pad(array.astype(np.int32), 1, mode="edge")
    height, width = array.shape
    return sum(padded[y : y + height, x : x + width] for y in range(3) for x in range(3))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (67, 131), (200, 7)])
def test_arrays_of_any_size_give_arrays_of_that_size(shape):
    blur = hl.pipeline(box)
    for dtype in (np.uint8, np.int16):
        array = np.random.default_rng(3).integers(0, 99, shape).astype(dtype)
        result = blur(array)
        assert type(result) is np.ndarray and result.dtype == np.int32
        assert (result == boxed(array)).all()


def test_one_schedule_serves_larger_and_smaller_arrays():
    blur = hl.pipeline(box)
    for shape in ((300, 400), (2, 3), (5, 300), (301, 401), (1, 1)):
        array = np.random.default_rng(4).integers(0, 99, shape).astype(np.uint8)
        assert (blur(array) == boxed(array)).all()


def test_the_function_is_traced_once_per_types_ranks_and_constants():
    traced = []

    @hl.pipeline
    def scaled(photo, factor, *, offset=0, wide=False):
        traced.append((photo.type(), photo.dimensions(), factor.type(), offset, wide))
        f = hl.Func("f")
        f[hl._] = hl.i64(photo[hl._]) * hl.i64(factor) + offset
        return f

    row = np.arange(5, dtype=np.int16)
    assert scaled(row, 3).tolist() == [0, 3, 6, 9, 12]
    assert scaled(row[:2], 4).tolist() == [0, 4]
    assert len(traced) == 1
    assert scaled(row, 3, offset=1).tolist() == [1, 4, 7, 10, 13]
    assert scaled(row, 3, offset=True).tolist() == [1, 4, 7, 10, 13]
    assert scaled(np.ones((2, 2), np.int16), 3).tolist() == [[3, 3], [3, 3]]
    assert scaled(row.astype(np.uint8), 1 << 40).tolist() == [n << 40 for n in range(5)]
    assert scaled(row, np.uint8(200))[4] == 800
    assert [t[2:] for t in traced] == [
        (hl.Int(32), 0, False),
        (hl.Int(32), 1, False),
        (hl.Int(32), True, False),
        (hl.Int(32), 0, False),
        (hl.Int(64), 0, False),
        (hl.UInt(8), 0, False),
    ]


def test_several_outputs_and_values_make_a_tuple():
    @hl.pipeline
    def both(photo):
        pair, columns = hl.Func("pair"), hl.Func("columns")
        pair[X, Y] = (photo[X, Y] + hl.u8(1), hl.f32(photo[X, Y]) / 2)
        columns[X] = hl.i32(photo[X, 0])
        return pair, columns

    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    more, half, first = both(array)
    assert (more == array + 1).all() and (half == array / np.float32(2)).all() and first.tolist() == [0, 1, 2, 3]


def test_sizes_are_said_in_the_call_or_by_the_decorator():
    def twice(photo):
        f = hl.Func("f")
        f[X, Y] = photo[X / 2, Y / 2]
        return f

    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = array.repeat(2, axis=0).repeat(2, axis=1)
    doubled = hl.pipeline(sizes=lambda photo: [2 * photo.shape[1], 2 * photo.shape[0]])(twice)
    assert (doubled(array) == expected).all()
    assert (doubled(array, sizes=[3, 2]) == expected[:2, :3]).all()
    assert (hl.pipeline(sizes=[6, 4])(twice)(array) == expected).all()
    assert (hl.pipeline(twice)(photo=array, sizes=(4, 1)) == expected[:1, :4]).all()


def test_any_number_of_arrays_is_taken():
    @hl.pipeline
    def total(*photos, times=1):
        f = hl.Func("f")
        f[X] = sum((photo[X] for photo in photos[1:]), photos[0][X]) * times
        return f

    rows = [np.arange(4, dtype=np.int32) + n for n in range(3)]
    assert (total(*rows) == sum(rows)).all()
    assert (total(*rows[:2], times=3) == 3 * (rows[0] + rows[1])).all()


def test_a_shifted_buffer_gives_the_same_region():
    image = hl.Buffer(np.arange(5, dtype=np.int32))
    image.set_min([10])

    @hl.pipeline
    def places(row):
        f = hl.Func("f")
        f[X] = row[X] * 100 + X
        return f

    assert places(image).tolist() == [n * 100 + 10 + n for n in range(5)]


def test_what_is_not_scheduled_is_scheduled_automatically_and_what_is_stays():
    def scheduled(photo):
        f = box(photo)
        f.split(Y, Y, hl.Var("yi"), 4)
        return f

    array = np.ones((256, 512), np.uint8)
    automatic, by_hand = (hl.pipeline(function).trace(array) for function in (box, scheduled))
    texts = [" ".join(d.text for d in _directives(p)) for p in (automatic, by_hand)]
    assert "vectorize" in texts[0]
    assert "split" in texts[1] and "vectorize" not in texts[1]


def _directives(pipeline):
    schedules = pipeline.snapshot().schedules.values()
    return [d for s in schedules for d in (*s.directives, *(d for nest in s.nests for d in nest.directives))]


def test_threads_share_one_pipeline():
    blur = hl.pipeline(box)
    arrays = [np.random.default_rng(n).integers(0, 99, (20 + n, 30)).astype(np.uint8) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(blur, arrays))
    assert all((result == boxed(array)).all() for result, array in zip(results, arrays, strict=True))


def test_it_shows_itself_as_the_function_that_it_is():
    blur = hl.pipeline(box)
    assert blur.__name__ == "box" and blur.__wrapped__ is box
    assert repr(blur) == "<halopy.pipeline 'box(photo)'>"


def reads_outside(photo):
    f = hl.Func("f")
    f[X, Y] = photo[X + 1, Y]
    return f


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hl.pipeline(box)(), TypeError, "missing a required argument: 'photo'"),
        (lambda: hl.pipeline(box)(3), hl.BufferError, r"box is called without an array[^$]*sizes=\[width, height\]"),
        (lambda: hl.pipeline(box)([1, 2]), hl.BufferError, "a list is no memory"),
        (lambda: hl.pipeline(box)(np.ones((2, 2), complex)), hl.TypeMismatch, "complex128"),
        (lambda: hl.pipeline(lambda p: 3)(np.ones(3)), hl.TypeMismatch, "returns 3\n  accepted here: a Func"),
        (lambda: hl.pipeline(box)(np.ones((2, 2), np.uint8), sizes=[2]), hl.BufferError, "but 1 sizes are given"),
        (lambda: hl.pipeline(reads_outside)(np.ones((4, 4), np.uint8)), hl.BufferError, "photo"),
        (lambda: hl.pipeline(lambda p, *, a: p)(np.ones(2), a=[1]), hl.TypeMismatch, "`a` is a list, which can change"),
        (lambda: hl.pipeline(lambda p, sizes: p), hl.DefinitionError, "has a parameter `sizes`"),
    ],
)
def test_a_wrong_call_says_what_is_accepted(call, error, message):
    with pytest.raises(error, match=message) as refused:
        call()
    assert not isinstance(refused.value, hl.HalideError) or "test_array_function.py" in str(refused.value)
