"""Interpolation gives NumPy's answer under every schedule, at sizes that divide and that do not."""

import numpy as np
import pytest

from apps import interpolate, photo
from apps.cases import Size
from apps.cases.interpolate import CASES, interpolated
from halopy import Buffer
from schedules import interpolate as schedules

(CASE,) = CASES
pytestmark = pytest.mark.usefixtures("unvalidated")  # validating ten levels in full takes minutes
SIZES = [Size(64, 48), Size(301, 77)]


def check(schedule, size):
    algorithm = interpolate.interpolate()
    schedule(**algorithm.stages)
    inputs, result = CASE.inputs(size), CASE.output(size)
    algorithm.give(inputs)
    algorithm.output.realize(Buffer(result))
    np.testing.assert_allclose(result, interpolated(*inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [*SIZES, Size(16, 1)], ids=str)
def test_interpolated_colours_are_numpys(size):
    check(schedules.interpolate, size)


@pytest.mark.parametrize("size", [SIZES[1], Size(7, 5)], ids=str)
def test_without_directives_that_make_it_fast_they_are_numpys_too(size):
    check(schedules.plain, size)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_under_the_schedule_of_halides_app_they_are_numpys(size):
    check(schedules.interpolate_app, size)


def test_where_alpha_is_one_the_picture_stays():
    rgba = CASE.inputs(Size(30, 20))[0]
    rgba[3] = 1
    assert np.array_equal(interpolated(rgba), rgba[:3])


def test_an_opaque_photograph_is_made_of_the_pixels_that_it_keeps(tmp_path, capsys):
    out = tmp_path / "filled.png"
    interpolate.main(["--out", str(out), "--known", "0.2"])
    coffee, filled = photo.load(photo.COFFEE).astype(int), photo.load(out).astype(int)
    assert "600x400 RGBA, 8 bits from coffee.png" in capsys.readouterr().out
    apart = np.abs(filled - coffee)
    kept = (np.random.default_rng(0).random(apart.shape[1:]) < 0.2).astype(bool)
    assert apart[:, kept].max() <= 1
    assert 1 < apart[:, ~kept].mean() < 20


def test_a_picture_with_alpha_is_filled_where_it_is_transparent(tmp_path):
    rgba = np.random.default_rng(5).integers(0, 256, (4, 40, 60), np.uint8)
    photo.save(tmp_path / "rgba.png", rgba)
    interpolate.main([str(tmp_path / "rgba.png"), "--out", str(tmp_path / "filled.png")])
    expected = photo.from_floats(interpolated(photo.floats(rgba)))
    assert np.abs(photo.load(tmp_path / "filled.png").astype(int) - expected).max() <= 1


def test_a_share_is_not_more_than_all(tmp_path, capsys):
    with pytest.raises(SystemExit):
        interpolate.main(["--known", "2", "--out", str(tmp_path / "filled.png")])
    assert "from 0 to 1" in capsys.readouterr().err
