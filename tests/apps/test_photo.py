"""Pictures come from files with channels first, and go back."""

import numpy as np
import pytest

from apps import photo


def test_the_photograph_of_the_repository_is_there():
    coffee = photo.load(photo.COFFEE)
    assert coffee.shape == (3, 400, 600)
    assert photo.describe(coffee) == "600x400 RGB, 8 bits"


@pytest.mark.parametrize(("shape", "dtype"), [((3, 5, 7), np.uint8), ((1, 5, 7), np.uint8), ((1, 5, 7), np.uint16)])
def test_what_is_saved_is_loaded_again(tmp_path, shape, dtype):
    picture = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    photo.save(tmp_path / "picture.png", picture)
    loaded = photo.load(tmp_path / "picture.png")
    assert loaded.dtype == dtype
    assert np.array_equal(loaded, picture)


def test_a_picture_that_cannot_be_written_is_refused_with_its_name(tmp_path):
    with pytest.raises(SystemExit, match=r"blurred\.png cannot be written"):
        photo.save(tmp_path / "missing" / "blurred.png", np.zeros((1, 2, 2), np.uint8))


def test_rows_of_a_loaded_picture_are_dense():
    assert photo.load(photo.COFFEE).flags.c_contiguous


def test_bits_are_added_and_dropped():
    picture = np.array([[[0, 128, 255]]], np.uint8)
    assert photo.channels(picture, bits=12).tolist() == [[[0, 2048, 4080]]]
    assert photo.channels(picture, bits=12).dtype == np.uint16
    assert photo.channels(photo.channels(picture, bits=16), bits=8).tolist() == picture.tolist()


def test_brightness_is_the_mean_of_the_channels():
    picture = np.array([[[3]], [[6]], [[9]]], np.uint8)
    assert photo.brightness(picture, bits=8).tolist() == [[6]]


@pytest.mark.parametrize("content", [None, b"not a picture"])
def test_a_file_that_holds_no_picture_is_refused_with_its_name(tmp_path, content):
    if content:
        (tmp_path / "wrong.png").write_bytes(content)
    with pytest.raises(SystemExit, match=r"wrong\.png cannot be read as a picture"):
        photo.load(tmp_path / "wrong.png")
