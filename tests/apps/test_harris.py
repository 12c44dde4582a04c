"""Harris corners are NumPy's under every schedule, at sizes that divide and that do not; and they are corners."""

import numpy as np
import pytest

import halopy as hl
from apps import harris, photo
from apps.cases import Size
from apps.cases.harris import CASES, corners
from schedules import harris as schedules

(CASE,) = CASES
ALLOWED = CASE.tolerance["halopy"]


SIZES = [Size(64, 64), Size(67, 83), Size(301, 131)]
TINY = [Size(1, 1), Size(7, 5)]


def check(schedule, sizes):
    algorithm = harris.harris()
    if schedule:
        schedule(**algorithm.stages)
    for size in sizes:
        inputs, found = CASE.inputs(size), CASE.output(size)
        algorithm.give(inputs)
        algorithm.output.realize(hl.Buffer(found))
        np.testing.assert_allclose(found, CASE.reference(*inputs), rtol=0, atol=ALLOWED)


@pytest.mark.parametrize(
    ("schedule", "sizes"), [(None, [*SIZES, *TINY]), (schedules.harris, SIZES), (schedules.harris_halide, SIZES)]
)
def test_they_are_numpys_at_every_size(schedule, sizes):
    check(schedule, sizes)


def test_they_are_numpys_under_the_schedule_of_halides_app():
    check(schedules.harris_app, SIZES)


def test_a_square_has_four_corners():
    picture = np.zeros((3, 40, 40), np.float32)
    picture[:, 10:30, 10:30] = 1
    strong = np.argwhere(corners(picture) > 0.5 * corners(picture).max()) + 2  # the result begins at pixel (2, 2)
    assert {(int(y > 20), int(x > 20)) for y, x in strong} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert all(min(abs(y - 9.5), abs(y - 29.5)) < 2 and min(abs(x - 9.5), abs(x - 29.5)) < 2 for y, x in strong)


def test_the_command_finds_corners_in_a_photograph(tmp_path, capsys, unvalidated):
    out = tmp_path / "corners.png"
    harris.main(["--out", str(out)])
    assert "too small" not in capsys.readouterr().out
    found = corners(photo.floats(photo.load(photo.COFFEE)))
    expected = photo.from_floats(np.cbrt(np.maximum(found, 0) / found.max()))
    assert np.abs(photo.load(out)[0].astype(int) - expected).max() <= 1
