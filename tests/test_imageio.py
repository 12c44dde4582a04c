"""Pictures in files come as planes and go back as pixels."""

import sys

import numpy as np
import pytest

import halopy as hl

PIXELS = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)  # (row, column, channel)
PLANES = np.ascontiguousarray(PIXELS.transpose(2, 0, 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_planes_and_pixels_are_told_apart_and_converted(dtype, channels):
    pixels = np.arange(5 * 7 * channels).astype(dtype).reshape(5, 7, channels)
    planes = hl.imageio.copy_to_planar(pixels)
    assert hl.imageio.is_interleaved(pixels) and not hl.imageio.is_interleaved(planes)
    assert planes.shape == (channels, 5, 7) and planes.flags.c_contiguous
    assert (planes == pixels.transpose(2, 0, 1)).all()
    back = hl.imageio.copy_to_interleaved(planes)
    assert back.flags.c_contiguous and (back == pixels).all()


def test_five_channels_are_no_pixel():
    assert not hl.imageio.is_interleaved(np.zeros((5, 7, 5)))


@pytest.mark.parametrize("convert", [hl.imageio.copy_to_planar, hl.imageio.copy_to_interleaved])
def test_a_grey_picture_stays_as_it_is(convert):
    grey = np.ones((5, 7), np.uint8)
    assert convert(grey) is grey


def test_a_colour_picture_is_read_as_planes_and_written_as_pixels(tmp_path):
    hl.imageio.imwrite(tmp_path / "picture.png", PLANES)
    read = hl.imageio.imread(tmp_path / "picture.png")
    assert read.dtype == np.uint8 and (read == PLANES).all()
    image = hl.Buffer(read)
    assert [image.width(), image.height(), image.channels()] == [7, 5, 3]
    assert image[6, 4, 2] == PIXELS[4, 6, 2]


def test_a_grey_picture_comes_back_from_its_file(tmp_path):
    hl.imageio.imwrite(tmp_path / "grey.png", PLANES[0])
    assert (hl.imageio.imread(tmp_path / "grey.png") == PLANES[0]).all()


def test_what_a_pipeline_makes_is_written(tmp_path):
    x, y, c = hl.vars("x y c")
    brighter = hl.Func("brighter")
    brighter[x, y, c] = hl.Buffer(PLANES)[x, y, c] + hl.u8(50)
    hl.imageio.imwrite(tmp_path / "brighter.png", brighter.realize([7, 5, 3]))
    assert (hl.imageio.imread(tmp_path / "brighter.png") == PLANES + np.uint8(50)).all()


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio.v2", None)
    with pytest.raises(ImportError, match=r"pip install 'halopy\[apps\]'"):
        hl.imageio.imread("picture.png")
    assert not hl.imageio.is_interleaved(PLANES)
