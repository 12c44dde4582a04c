"""Outputs in the memory of inputs: right where accepted, and refused with two iterations that show why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, c, xi, yi = hl.vars("x y c xi yi")
GUARD, SHIFT = hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards

Make = Callable[[hl.ImageParam], hl.Func]
Views = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # input and output


def whole(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return array, array


def up(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(x, y) lies where photo(x, y) does, which is one row larger."""
    return array, array[:-1]


def down(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(x, y) lies where photo(x, y + 1) does."""
    return array, array[1:]


def realized(make: Make, views: Views = whole, shape: tuple[int, ...] = (13, 37)) -> None:
    """Run apart and in place, and compare."""
    array = np.random.default_rng(3).integers(0, 60, shape).astype(np.int16)
    given, taken = views(array)
    photo = hl.ImageParam(hl.Int(16), given.ndim, "photo")
    f = make(photo)
    apart = np.zeros(taken.shape, taken.dtype)
    photo.set(hl.Buffer(given.copy()))
    f.realize(hl.Buffer(apart))
    photo.set(hl.Buffer(given))
    f.realize(hl.Buffer(taken))
    assert np.array_equal(taken, apart)


def refused(make: Make, views: Views = whole, shape: tuple[int, ...] = (13, 37)) -> hl.IllegalSchedule:
    with pytest.raises(hl.IllegalSchedule) as error:
        realized(make, views, shape)
    return error.value


def brighter(photo: hl.ImageParam) -> hl.Func:
    f = hl.Func("f")
    f[x, y] = photo[x, y] * 2 + 1
    return f


def with_next_row(photo: hl.ImageParam) -> hl.Func:
    f = hl.Func("f")
    f[x, y] = photo[x, y] + photo[x, y + 1] * 2
    return f


def blur(photo: hl.ImageParam) -> hl.Func:
    f, edges = hl.Func("f"), hl.BoundaryConditions.repeat_edge(photo)
    r = hl.RDom([(-1, 3), (-1, 3)], "r")
    f[x, y] = hl.sum(edges[x + r.x, y + r.y], "total")
    return f


def scheduled(make: Make, schedule: Callable[[hl.Func], object]) -> Make:
    def made(photo: hl.ImageParam) -> hl.Func:
        f = make(photo)
        schedule(f)
        return f

    return made


ACCEPTED: dict[str, Callable[[hl.Func], object]] = {
    "plain": lambda f: None,
    "vectorised": lambda f: f.vectorize(x, 8, GUARD),
    "parallel": lambda f: f.parallel(y).vectorize(x, 4, GUARD),
    "tiled": lambda f: f.tile(x, y, xi, yi, 8, 4, GUARD).vectorize(xi).parallel(y),
    "fused": lambda f: f.tile(x, y, xi, yi, 8, 4, GUARD).fuse(x, y, x).parallel(x),
    "unrolled": lambda f: f.unroll(x, 4, GUARD).reorder(y, x),
}


@pytest.mark.parametrize("schedule", ACCEPTED.values(), ids=ACCEPTED)
def test_what_reads_one_place_is_computed_in_place(schedule: Callable[[hl.Func], object]) -> None:
    realized(scheduled(brighter, schedule))
    realized(scheduled(brighter, schedule), shape=(9, 11))


def test_a_tail_that_runs_again_would_find_what_it_wrote() -> None:
    made = scheduled(brighter, lambda f: f.vectorize(x, 8, SHIFT))
    error = refused(made)
    assert error.witness is not None
    assert error.witness.source == error.witness.sink
    assert error.witness.source.variables == {"x": 29, "y": 0}
    assert "TailStrategy.GuardWithIf" in str(error)
    realized(made, shape=(13, 40))  # no tail
    realized(scheduled(brighter, lambda f: f.vectorize(x, 8, GUARD)))


def test_a_blur_is_refused_with_a_read_and_the_write_before_it(golden: str) -> None:
    error = refused(blur)
    assert str(error).split("test_in_place.py:")[1].split(": ", 1)[1] == golden
    witness = error.witness
    assert witness is not None
    assert (witness.source.stage, witness.sink.stage, witness.cell.func) == ("total.update(0)", "f", "photo")
    assert (witness.sink_writes, witness.source_writes) == (True, False)
    at = witness.source.variables
    reads = {"x": at["x"] + at["r.x"], "y": at["y"] + at["r.y"]}
    assert tuple(max(n, 0) for n in reads.values()) == witness.cell.coordinates
    assert tuple(witness.sink.variables.values()) == witness.cell.coordinates
    assert (witness.sink.variables["y"], witness.sink.variables["x"]) < (at["y"], at["x"])


def test_the_repair_is_accepted() -> None:
    error = refused(blur)
    assert error.repair == "photo.in_().compute_root()"

    def copied(photo: hl.ImageParam) -> hl.Func:
        f = blur(photo)
        photo.in_().compute_root()
        return f

    realized(copied)


def test_what_reads_the_next_row_may_write_the_one_before() -> None:
    realized(with_next_row, up)
    realized(scheduled(with_next_row, lambda f: f.vectorize(x, 8, GUARD)), up)
    realized(scheduled(with_next_row, lambda f: f.reorder(y, x)), up)
    for error in (
        refused(with_next_row, down),
        refused(scheduled(with_next_row, lambda f: f.parallel(y)), up),
    ):
        assert error.witness is not None


def test_a_blur_that_writes_one_row_behind_is_accepted() -> None:
    def delayed(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[x, y] + photo[x, y + 1] * 2 + photo[x, y + 2]
        return f

    realized(delayed, lambda array: (array, array[:-2]))
    realized(scheduled(delayed, lambda f: f.split(y, y, yi, 4, GUARD)), lambda array: (array, array[:-2]))
    assert refused(delayed, lambda array: (array, array[1:-1])).witness is not None


def test_lanes_may_read_ahead_of_what_they_write_but_not_behind() -> None:
    def ahead(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[x, y] - photo[x + 1, y]
        f.vectorize(x, 32, GUARD)
        return f

    realized(ahead, lambda array: (array, array[:, :-1]))
    error = refused(ahead, lambda array: (array, array[:, 1:]))
    assert error.witness is not None
    apart = error.witness.source.variables["x"] - error.witness.sink.variables["x"]
    assert apart == 1


def test_mins_shift_coordinates_and_not_memory() -> None:
    array = np.arange(40, dtype=np.int32).reshape(5, 8)
    photo, f = hl.ImageParam(hl.Int(32), 2, "photo"), hl.Func("f")
    f[x, y] = photo[x + 3, y - 2] + 1
    given, taken = hl.Buffer(array), hl.Buffer(array)
    given.set_min([3, -2])
    photo.set(given)
    f.realize(taken)
    assert np.array_equal(array, np.arange(1, 41).reshape(5, 8))


def test_transposing_and_reversing_in_place_is_refused() -> None:
    def transposed(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[y, x]
        return f

    def reversed_rows(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[photo.width() - 1 - x, y]
        return f

    for error in refused(transposed, shape=(7, 7)), refused(reversed_rows):
        assert error.witness is not None
    realized(transposed, shape=(1, 1))
    realized(reversed_rows, shape=(5, 1))


def test_a_transposed_view_makes_transposing_harmless() -> None:
    def transposed(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[y, x] + 1
        return f

    realized(transposed, lambda array: (array, array.T), shape=(6, 9))


@pytest.mark.parametrize("place", ["inline", "loop", "sliding", "root"])
def test_producers_of_single_places_may_be_computed_anywhere(place: str) -> None:
    def made(photo: hl.ImageParam) -> hl.Func:
        f, g = hl.Func("f"), hl.Func("g")
        g[x, y] = photo[x, y] * 3
        f[x, y] = g[x, y] + photo[x, y]
        f.tile(x, y, xi, yi, 8, 4, GUARD).parallel(y)
        if place == "loop":
            g.compute_at(f, yi).vectorize(x, 4, GUARD)
        elif place == "sliding":
            g.store_at(f, x).compute_at(f, yi)
        elif place == "root":
            g.compute_root()
        return f

    realized(made)


def test_a_producer_of_neighbours_may_be_at_the_root_only() -> None:
    def made(photo: hl.ImageParam, *, at_root: bool) -> hl.Func:
        f, g = hl.Func("f"), hl.Func("g")
        edges = hl.BoundaryConditions.repeat_edge(photo)
        g[x, y] = edges[x, y - 1] + edges[x, y + 1]
        f[x, y] = g[x, y] * 2
        g.compute_root() if at_root else g.compute_at(f, y)
        return f

    error = refused(lambda photo: made(photo, at_root=False))
    assert error.witness is not None
    assert (error.witness.source.stage, error.witness.sink.stage) == ("g", "f")
    realized(lambda photo: made(photo, at_root=True))


def test_planes_of_a_picture_are_apart() -> None:
    def from_third(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[x, y, 2] + photo[x, y, 0]
        return f

    def from_left(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[x, y, 2] + photo[hl.max(x - 1, 0), y, 0]
        return f

    def all_planes(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y, c] = photo[x, y, c] * hl.i16(c + 1)
        f.reorder(c, x, y).bound(c, 0, 3).unroll(c)
        return f

    for plane in range(3):
        realized(from_third, lambda array, plane=plane: (array, array[plane]), shape=(3, 7, 9))
    realized(from_left, lambda array: (array, array[2]), shape=(3, 7, 9))
    assert refused(from_left, lambda array: (array, array[0]), shape=(3, 7, 9)).witness is not None
    realized(all_planes, shape=(3, 7, 9))
    realized(from_third, lambda array: (array.transpose(2, 0, 1), array[..., 2]), shape=(7, 9, 3))


def test_memory_that_is_shared_in_other_ways_is_refused() -> None:
    def other_strides(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return array, array[:, ::-1]

    with pytest.raises(hl.BufferError, match="input `photo` and output `f` share memory, but not cell by cell"):
        realized(brighter, other_strides)
    realized(brighter, lambda array: (array[::2], array[1::2]), shape=(12, 9))  # rows of one are between the other's


def test_elements_of_other_types_are_refused_where_they_share_memory() -> None:
    array = np.zeros((4, 8), np.float32)
    photo, f = hl.ImageParam(hl.Float(32), 2, "photo"), hl.Func("f")
    f[x, y] = hl.cast(hl.Int(32), photo[x, y])
    photo.set(hl.Buffer(array))
    with pytest.raises(hl.BufferError, match="share memory, as float32 and as int32"):
        f.realize(hl.Buffer(array.view(np.int32)))
    f.realize(hl.Buffer(np.zeros((4, 8), np.int32)))


def test_two_outputs_in_one_memory_are_refused() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y], g[x, y] = x, y
    both, array = hl.Pipeline([f, g]), np.zeros((6, 9, 2), np.int32)
    with pytest.raises(hl.BufferError, match="outputs `f` and `g` share memory"):
        both.realize([hl.Buffer(array[..., 0]), hl.Buffer(array[..., 0])])
    both.realize([hl.Buffer(array[..., 0]), hl.Buffer(array[..., 1])])
    assert np.array_equal(array[..., 0], np.tile(np.arange(9), (6, 1)))


def test_one_output_may_overwrite_what_another_has_read() -> None:
    array = np.random.default_rng(1).integers(0, 99, (6, 9)).astype(np.int32)
    photo, f, g = hl.ImageParam(hl.Int(32), 2, "photo"), hl.Func("f"), hl.Func("g")
    f[x, y] = photo[x, y] + 1
    g[x, y] = photo[x, y] * f[x, y]
    original = array.copy()
    photo.set(hl.Buffer(array))
    product = np.zeros_like(array)
    with pytest.raises(hl.IllegalSchedule):
        hl.Pipeline([f, g]).realize([hl.Buffer(array), hl.Buffer(product)])
    assert np.array_equal(array, original)
    hl.Pipeline([f, g]).realize([hl.Buffer(product), hl.Buffer(array)])
    assert np.array_equal(array, original * (original + 1))


def test_an_update_must_not_read_what_the_first_definition_overwrote() -> None:
    def added(photo: hl.ImageParam, start: object) -> hl.Func:
        f, r = hl.Func("f"), hl.RDom([(0, 37), (0, 13)], "r")
        f[x, y] = start
        f[r.x, r.y] = photo[r.x, r.y] + 5
        return f

    assert refused(lambda photo: added(photo, hl.i16(0))).witness is not None
    realized(lambda photo: added(photo, hl.undef(hl.Int(16))))


def test_an_index_that_depends_on_data_is_not_proved() -> None:
    def looked_up(photo: hl.ImageParam) -> hl.Func:
        f = hl.Func("f")
        f[x, y] = photo[hl.clamp(hl.i32(photo[x, y]), 0, photo.width() - 1), y]
        return f

    error = refused(looked_up)
    assert error.witness is None
    assert "not proved" in str(error)
    assert "f's read of photo(" in str(error)


def test_each_version_of_a_stage_is_asked_about() -> None:
    def made(photo: hl.ImageParam, tail: hl.TailStrategy) -> hl.Func:
        f = brighter(photo)
        f.specialize(photo.width() > 20).vectorize(x, 8, tail)
        return f

    realized(lambda photo: made(photo, GUARD))
    assert refused(lambda photo: made(photo, SHIFT)).witness is not None
    realized(lambda photo: made(photo, SHIFT), shape=(5, 11))  # of this size, the other version runs


def test_what_is_fetched_ahead_is_not_read() -> None:
    def made(photo: hl.ImageParam) -> hl.Func:
        f = brighter(photo)
        f.prefetch(photo, y, y, 2)
        return f

    realized(made)


def test_an_async_producer_is_not_proved() -> None:
    def made(photo: hl.ImageParam) -> hl.Func:
        f, g = hl.Func("f"), hl.Func("g")
        g[x, y] = photo[x, y] * 3
        f[x, y] = g[x, y]
        g.compute_at(f, y).store_root()
        g.async_()
        return f

    assert "g is async" in str(refused(made))


def test_a_tuple_may_lie_in_the_memory_of_its_input_where_lanes_are_not_involved() -> None:
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    photo, f = hl.ImageParam(hl.Int(32), 2, "photo"), hl.Func("f")
    f[x, y] = (photo[x, y] + 1, photo[x, y] * 2)
    second = np.zeros_like(array)
    photo.set(hl.Buffer(array))
    f.realize([hl.Buffer(array), hl.Buffer(second)])
    assert np.array_equal(array, np.arange(1, 25).reshape(4, 6))
    assert np.array_equal(second, np.arange(0, 48, 2).reshape(4, 6))
    f.vectorize(x, 2)
    with pytest.raises(hl.IllegalSchedule, match="one after the other"):
        f.realize([hl.Buffer(array), hl.Buffer(second)])


def test_a_compiled_callable_asks_too() -> None:
    photo = hl.ImageParam(hl.Int(16), 2, "photo")
    bright, blurred = brighter(photo).compile_to_callable([photo]), blur(photo).compile_to_callable([photo])
    array = np.ones((6, 9), np.int16)
    bright(array, array)
    assert np.array_equal(array, np.full((6, 9), 3))
    with pytest.raises(hl.IllegalSchedule, match="realized in the memory of its input photo"):
        blurred(array, array)
    assert np.array_equal(array, np.full((6, 9), 3))


def test_a_constant_buffer_may_be_overwritten_as_well() -> None:
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    held, f, g = hl.Buffer(array), hl.Func("f"), hl.Func("g")
    f[x, y] = held[x, y] + 1
    g[x, y] = held[5 - x, y]
    with pytest.raises(hl.IllegalSchedule) as error:
        g.realize(held)
    assert error.value.repair is None
    f.realize(held)
    assert np.array_equal(array, np.arange(1, 25).reshape(4, 6))


def test_verify_says_whether_an_output_may_lie_in_an_input() -> None:
    photo = hl.ImageParam(hl.Int(16), 2, "photo")
    f = brighter(photo)
    f.vectorize(x, 8, GUARD).parallel(y)
    (found,) = f.verify(in_place={f: photo}).of_kind("in place")
    assert (found.status, found.stages) == ("proved", ("f", "photo"))
    assert not f.verify().of_kind("in place")


def test_verify_shows_what_would_be_overwritten() -> None:
    photo = hl.ImageParam(hl.Int(16), 2, "photo")
    f = with_next_row(photo)
    rows: dict[int, str] = {}
    for down_by in (-1, 0, 1):
        proof = f.verify(in_place={f: (photo, [0, down_by])})
        (found,) = proof.of_kind("in place")
        rows[down_by] = proof.status
        assert found.status == proof.status
        if proof.status == "refuted":
            assert found.witness is not None
            written = found.witness.sink.variables
            assert found.witness.cell.coordinates == (written["x"], written["y"] + down_by)
            assert (written["y"], written["x"]) < (
                found.witness.source.variables["y"],
                found.witness.source.variables["x"],
            )
    assert rows == {-1: "proved", 0: "proved", 1: "refuted"}


def test_verify_refuses_what_is_no_place() -> None:
    photo, other = hl.ImageParam(hl.Int(16), 2, "photo"), hl.ImageParam(hl.Int(16), 3, "other")
    f = brighter(photo)
    for places, why in (
        ({f: other}, "other is no input of this pipeline"),
        ({brighter(photo): photo}, "f is no output of this pipeline"),
        ({f: (photo, [1])}, "f has 2 dimensions, photo 2"),
    ):
        with pytest.raises(hl.BufferError, match=why):
            f.verify(in_place=places)
    with pytest.raises(hl.BufferError, match="no Func and ImageParam"):
        f.verify(in_place={f: hl.Buffer(np.zeros((3, 3), np.int16))})
