"""Pictures come from files with channels first, and go back."""

import numpy as np
import pytest
from PIL import Image

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


def made(path, mode, size=(7, 5)):
    """A file of that mode, and its pixels as RGB."""
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return np.moveaxis(np.asarray(Image.open(path).convert("RGB")), 2, 0)


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGBA", "png"), ("P", "png"), ("P", "gif"), ("CMYK", "tiff"), ("YCbCr", "tiff")]
)
def test_whatever_a_file_keeps_colours_as_they_are_loaded_as_three_channels(tmp_path, mode, suffix):
    expected = made(tmp_path / f"picture.{suffix}", mode)
    assert np.array_equal(photo.load(tmp_path / f"picture.{suffix}"), expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_what_has_no_colour_is_loaded_as_one_channel(tmp_path, mode):
    expected = made(tmp_path / "picture.png", mode)
    assert np.array_equal(photo.load(tmp_path / "picture.png"), expected[:1])


def test_transparency_is_loaded_where_it_is_wanted(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (4, 5, 7), dtype=np.uint8)
    photo.save(tmp_path / "picture.png", pixels)
    assert np.array_equal(photo.load(tmp_path / "picture.png", alpha=True), pixels)
    assert np.array_equal(photo.load(tmp_path / "picture.png"), pixels[:3])
    photo.save(tmp_path / "opaque.png", pixels[:3])
    assert np.array_equal(photo.load(tmp_path / "opaque.png", alpha=True)[3], np.full((5, 7), 255))


def test_a_photograph_taken_upright_is_upright(tmp_path):
    sideways = Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7))
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: the camera was turned by 90 degrees
    sideways.save(tmp_path / "picture.png", exif=turned)
    assert photo.load(tmp_path / "picture.png").shape == (1, 7, 5)


def test_a_picture_larger_than_the_room_for_it_is_refused_before_it_is_decoded(tmp_path):
    made(tmp_path / "large.png", "L", (300, 200))
    with pytest.raises(SystemExit, match=r"large\.png is 300x200: 0 megapixels, but there is room for 0"):
        photo.load(tmp_path / "large.png", most_pixels=50_000)


def test_a_picture_of_floats_is_refused(tmp_path):
    Image.fromarray(np.ones((5, 7), np.float32)).save(tmp_path / "floats.tiff")
    with pytest.raises(SystemExit, match=r"floats\.tiff holds floats"):
        photo.load(tmp_path / "floats.tiff")


def test_a_picture_cut_off_is_refused(tmp_path):
    (tmp_path / "half.png").write_bytes(photo.COFFEE.read_bytes()[:10_000])
    with pytest.raises(SystemExit, match=r"half\.png cannot be read as a picture"):
        photo.load(tmp_path / "half.png")


def test_what_fails_while_writing_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "picture.jpg"
    photo.save(path, np.zeros((3, 5, 7), np.uint8))
    before = path.read_bytes()
    with pytest.raises(SystemExit, match=r"picture\.jpg cannot be written"):
        photo.save(path, np.zeros((4, 5, 7), np.uint8))  # JPEG knows no transparency
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_colours_of_16_bits_are_written_with_8(tmp_path):
    photo.save(tmp_path / "picture.png", np.full((3, 5, 7), 0x1234, np.uint16))
    assert np.array_equal(photo.load(tmp_path / "picture.png"), np.full((3, 5, 7), 0x12))


def test_floats_from_0_to_1_are_the_picture_again():
    picture = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert np.array_equal(photo.from_floats(photo.floats(picture)), picture)
    assert photo.from_floats(np.array([-1, np.nan, 0, 1, 7], np.float32)).tolist() == [0, 0, 0, 255, 255]


def test_grey_has_colours_that_are_alike():
    assert photo.colours(np.array([[[1, 2]]], np.uint8)).tolist() == [[[1, 2]]] * 3


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
