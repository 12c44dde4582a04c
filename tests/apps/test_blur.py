"""The blur gives NumPy's answer under every schedule, at sizes that divide and that do not."""

import numpy as np
import pytest

import halopy as hl
from apps import blur, photo
from apps.cases import Size
from apps.cases.blur import CASES, blurred_grey, blurred_rgb, blurred_softly
from schedules import blur as schedules

GREY, RGB, SOFT = CASES
SIZES = [Size(64, 48), Size(67, 53), Size(301, 41), Size(32, 6)]
TINY = [Size(16, 16), Size(1, 1)]


def realized(algorithm, case, size):
    (array,) = case.inputs(size)
    algorithm.inputs[0].set(hl.Buffer(array))
    result = case.output(size)
    algorithm.output.realize(hl.Buffer(result))
    return result, case.reference(array)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("schedule", [None, schedules.blur_grey, schedules.blur_grey_halide])
def test_grey_blur_is_numpys(schedule, size):
    algorithm = blur.blur_grey()
    if schedule:
        schedule(**algorithm.stages)
    found, expected = realized(algorithm, GREY, size)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("size", [*SIZES[:3], TINY[0]], ids=str)
def test_grey_blur_under_the_schedule_of_halides_app_is_numpys(size):
    algorithm = blur.blur_grey()
    schedules.blur_grey_app(**algorithm.stages)
    found, expected = realized(algorithm, GREY, size)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("size", TINY, ids=str)
def test_without_a_schedule_no_picture_is_too_small(size):
    found, expected = realized(blur.blur_grey(), GREY, size)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("size", [*SIZES, *TINY], ids=str)
@pytest.mark.parametrize("schedule", [None, schedules.blur_rgb])
def test_rgb_blur_is_numpys(schedule, size):
    algorithm = blur.blur_rgb()
    if schedule:
        schedule(**algorithm.stages)
    found, expected = realized(algorithm, RGB, size)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("schedule", [None, schedules.blur_soft, schedules.blur_soft_halide])
def test_soft_blur_is_numpys(schedule):
    algorithm = blur.blur_soft()
    if schedule:
        schedule(**algorithm.stages)
    for size in SIZES if schedule else [*SIZES, *TINY]:
        found, expected = realized(algorithm, SOFT, size)
        np.testing.assert_allclose(found, expected, rtol=0, atol=SOFT.tolerance["halopy"])


def test_the_command_blurs_softly(tmp_path):
    out = tmp_path / "blurred.png"
    blur.main(["--soft", "--out", str(out)])
    expected = photo.from_floats(blurred_softly(photo.floats(photo.load(photo.COFFEE))))
    assert np.abs(photo.load(out).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("schedule", ["hand", "none"])
def test_the_command_blurs_a_photograph_and_says_how_fast(tmp_path, capsys, schedule):
    out = tmp_path / "blurred.png"
    blur.main(["--out", str(out), "--schedule", schedule])
    assert np.array_equal(photo.load(out), blurred_rgb(photo.load(photo.COFFEE)))
    said = capsys.readouterr().out
    assert "600x400 RGB, 8 bits from coffee.png" in said
    assert f"{schedule} schedule" in said
    assert "megapixels/s" in said


def test_a_picture_too_small_for_the_schedule_is_blurred_by_another_one(tmp_path, capsys):
    picture = np.random.default_rng(2).integers(0, 256, (3, 9, 9), np.uint8)
    photo.save(tmp_path / "tiny.png", picture)
    blur.main([str(tmp_path / "tiny.png"), "--grey", "--out", str(tmp_path / "blurred.png")])
    assert "too small for that schedule" in capsys.readouterr().out
    expected = blurred_grey(photo.brightness(picture, bits=12)) << 4
    assert np.array_equal(photo.load(tmp_path / "blurred.png")[0], expected)


def test_a_picture_that_is_all_border_is_refused(tmp_path):
    photo.save(tmp_path / "tiny.png", np.zeros((3, 1, 1), np.uint8))
    with pytest.raises(SystemExit, match="at least 3x3 pixels"):
        blur.main([str(tmp_path / "tiny.png"), "--grey", "--out", str(tmp_path / "blurred.png")])
    assert not (tmp_path / "blurred.png").exists()


def test_the_command_blurs_brightness_in_16_bits(tmp_path):
    out = tmp_path / "blurred.png"
    blur.main(["--grey", "--out", str(out)])
    sensor = photo.brightness(photo.load(photo.COFFEE), bits=12)
    assert np.array_equal(photo.load(out)[0], blurred_grey(sensor) << 4)
