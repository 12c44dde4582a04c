"""Raw photographs come out as NumPy develops them, byte by byte, under every schedule, at even and odd sizes."""

import numpy as np
import pytest

import halopy as hl
from apps import bayer, camera_pipe, photo
from apps.bayer import Development
from apps.cases import Size
from apps.cases.camera_pipe import CASES, developed
from schedules import camera_pipe as schedules

(CASE,) = CASES
pytestmark = pytest.mark.usefixtures("unvalidated")  # isl takes minutes for all accesses of twelve stages


def found_and_expected(algorithm, inputs):
    result = np.ones((3, *bayer.developed_shape(inputs[0])), np.uint8)
    algorithm.give(inputs)
    algorithm.output.realize(hl.Buffer(result))
    return result, developed(*inputs)


def test_without_a_schedule_no_size_is_refused():
    algorithm = camera_pipe.camera_pipe()
    schedules.camera_pipe_tiny(**algorithm.stages)
    for size in (Size(1, 1), Size(7, 5), Size(67, 45)):
        np.testing.assert_array_equal(*found_and_expected(algorithm, CASE.inputs(size)))


@pytest.fixture(scope="module")
def scheduled():
    algorithm = camera_pipe.camera_pipe()
    schedules.camera_pipe(**algorithm.stages)
    return algorithm


@pytest.mark.parametrize("size", [Size(128, 64), Size(203, 37), Size(321, 101)], ids=str)
def test_the_schedule_keeps_every_byte(scheduled, size):
    np.testing.assert_array_equal(*found_and_expected(scheduled, CASE.inputs(size)))


@pytest.mark.parametrize(
    "development", [Development(5200, 1.8, -20, 3.9, 40, 900), Development(3200, 2.2, 90, 0.0, 0, 1023)]
)
def test_any_levels_and_settings_are_developed_alike(scheduled, development):
    """Levels beyond those of the sensor too: sums wrap at 16 bits, and lookups are clamped."""
    raw = np.random.default_rng(5).integers(0, 1 << 16, (61 + 24, 130 + 32), dtype=np.uint16)
    np.testing.assert_array_equal(*found_and_expected(scheduled, bayer.inputs(raw, development)))


def test_a_mosaic_is_developed_to_the_picture_it_was_made_of():
    picture = np.full((3, 40, 60), 120, np.uint8)
    inputs = bayer.inputs(bayer.mosaic(picture, Development()), Development())
    assert np.abs(developed(*inputs).astype(int) - picture).max() <= 3


def test_the_command_develops_a_photograph(tmp_path, capsys):
    out = tmp_path / "developed.png"
    camera_pipe.main(["--out", str(out)])
    assert "too small" not in capsys.readouterr().out
    raw = bayer.mosaic(photo.load(photo.COFFEE), Development())
    np.testing.assert_array_equal(photo.load(out), developed(*bayer.inputs(raw, Development())))


def test_the_command_takes_raw_sites_as_grey_of_16_bits(tmp_path):
    raw = bayer.mosaic(photo.load(photo.COFFEE), Development())[:150, :200]
    photo.save(tmp_path / "raw.png", raw)
    camera_pipe.main([str(tmp_path / "raw.png"), "--out", str(tmp_path / "developed.png"), "--sharpening", "2"])
    expected = developed(*bayer.inputs(raw, Development(sharpening=2.0)))
    np.testing.assert_array_equal(photo.load(tmp_path / "developed.png"), expected)


def test_the_command_refuses_a_sensor_that_is_all_edge(tmp_path):
    photo.save(tmp_path / "raw.png", np.zeros((24, 32), np.uint16))
    with pytest.raises(SystemExit, match="33x25"):
        camera_pipe.main([str(tmp_path / "raw.png"), "--out", str(tmp_path / "developed.png")])
