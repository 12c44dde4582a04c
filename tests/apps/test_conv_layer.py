"""The layer is NumPy's under every schedule; its command takes photographs and arrays, and refuses others in words."""

import numpy as np
import pytest

from apps import conv_layer, photo
from apps.cases import Size
from apps.cases.conv_layer import CASES, convolved
from schedules import conv_layer as schedules

(CASE,) = CASES


def inputs(count, height, width, channels, maps):
    random = np.random.default_rng(1)
    images = random.standard_normal((count, height + 2, width + 2, channels), np.float32)
    filters = random.standard_normal((channels, 3, 3, maps), np.float32)
    return [images, filters, random.standard_normal(maps, np.float32)]


@pytest.mark.parametrize("schedule", [None, schedules.conv_layer, schedules.conv_layer_app])
@pytest.mark.parametrize(("channels", "maps"), [(5, 64), (2, 72)])
def test_the_layer_is_numpys(schedule, channels, maps):
    algorithm = conv_layer.conv_layer(channels, maps)
    if schedule:
        schedule(**algorithm.stages)
    for count, height, width in [(1, 4, 10), (2, 3, 23)]:
        given = inputs(count, height, width, channels, maps)
        algorithm.give(given)
        found = np.array(algorithm.output.realize([maps, width, height, count]))
        np.testing.assert_allclose(found, convolved(*given), rtol=1e-5, atol=1e-4)


def test_the_case_is_about_the_size_it_is_given():
    size = Size(7, 5)
    assert CASE.output(size).shape == CASE.reference(*CASE.inputs(size)).shape == (4, 5, 7, 128)


def test_the_command_shows_the_first_maps_of_a_photograph(tmp_path):
    out = tmp_path / "maps.png"
    conv_layer.main(["--out", str(out)])
    shown = photo.load(out)[0]
    assert shown.shape == (1600, 2400)
    picture = np.moveaxis(photo.floats(photo.load(photo.COFFEE)), 0, -1)
    framed = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")[None]
    maps = convolved(framed, conv_layer._random_filters(3, 128), np.zeros(128))[0, :, :, :16]
    assert np.abs(shown[400:800, 600:1200].astype(float) - maps[:, :, 5] / maps.max() * 255).max() < 1


def saved(folder, **given):
    for name, array in given.items():
        np.save(folder / f"{name}.npy", array)
    return [str(folder / f"{name}.npy") for name in given]


@pytest.mark.parametrize("maps", [32, 3])
def test_the_command_writes_the_whole_layer_of_arrays(tmp_path, maps, capsys):
    given = inputs(2, 6, 11, 4, maps)
    images, filters, bias = saved(tmp_path, images=given[0], filters=given[1], bias=given[2])
    conv_layer.main([images, "--filters", filters, "--bias", bias, "--out", str(tmp_path / "layer.npy")])
    np.testing.assert_allclose(np.load(tmp_path / "layer.npy"), convolved(*given), rtol=1e-5, atol=1e-4)
    assert "GFLOP/s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"images": (4, 4, 3)}, "images.npy has 3 dimensions"),
        ({"images": (1, 2, 9, 3)}, "at least 3x3 pixels"),
        ({"filters": (4, 3, 3, 8)}, "filters for 3 channels must be 3x3x3xMAPS; these are 4x3x3x8"),
        ({"bias": (7,)}, "8 maps need as many numbers in the bias, not 7"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_words(tmp_path, change, why):
    shapes = {"images": (1, 5, 5, 3), "filters": (3, 3, 3, 8), "bias": (8,)} | change
    images, filters, bias = saved(tmp_path, **{name: np.ones(shape) for name, shape in shapes.items()})
    with pytest.raises(SystemExit, match=why):
        conv_layer.main([images, "--filters", filters, "--bias", bias, "--out", str(tmp_path / "layer.npy")])
    assert not (tmp_path / "layer.npy").exists()


def test_filters_are_for_arrays():
    with pytest.raises(SystemExit, match="for images in a"):
        conv_layer.main([str(photo.COFFEE), "--filters", "filters.npy"])
