"""Histogram equalisation gives NumPy's answer under every schedule, at sizes that divide and that do not.

Levels and their counts are the same; a colour may be one off, as halopy rounds products together with sums.
"""

import numpy as np
import pytest

from apps import hist, photo
from apps.cases import Size
from apps.cases.hist import CASES, equalised
from halopy import Buffer
from schedules import hist as schedules

(CASE,) = CASES
SIZES = [Size(64, 48), Size(301, 41)]


def realized(schedule, rgb):
    algorithm = hist.equalise()
    schedule(**algorithm.stages)
    algorithm.give([rgb])
    result = np.zeros_like(rgb)
    algorithm.output.realize(Buffer(result))
    return result


def check(found, rgb):
    apart = found.astype(int) - equalised(rgb)
    assert np.abs(apart).max() <= 1
    assert np.count_nonzero(apart) <= found.size / 50


def pictures(size):
    """A photograph; noise; and greys, whose brightness is all but a whole number."""
    noise = np.random.default_rng(3).integers(0, 256, (3, size.height, size.width), np.uint8)
    return [*CASE.inputs(size), noise, np.repeat(noise[:1], 3, axis=0)]


@pytest.mark.parametrize("schedule", [schedules.plain, schedules.equalise])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_equalised_colours_are_numpys(schedule, size):
    for rgb in pictures(size):
        check(realized(schedule, rgb), rgb)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_under_the_schedule_of_halides_app_they_are_numpys(size):
    for rgb in pictures(size):
        check(realized(schedules.equalise_app, rgb), rgb)


@pytest.mark.parametrize("size", [Size(1, 1), Size(67, 9)], ids=str)
@pytest.mark.parametrize("schedule", [schedules.plain, schedules.equalise])
def test_no_picture_is_too_small(schedule, size):
    (rgb,) = CASE.inputs(size)
    check(realized(schedule, rgb), rgb)


@pytest.mark.parametrize("schedule", ["hand", "none"])
def test_the_command_equalises_a_photograph(tmp_path, capsys, schedule):
    out = tmp_path / "equal.png"
    hist.main(["--out", str(out), "--schedule", schedule])
    check(photo.load(out), photo.load(photo.COFFEE))
    assert f"{schedule} schedule" in capsys.readouterr().out


def test_a_grey_picture_of_16_bits_is_equalised_in_8(tmp_path):
    grey = np.random.default_rng(4).integers(0, 65536, (1, 20, 33), np.uint16)
    photo.save(tmp_path / "grey.png", grey)
    hist.main([str(tmp_path / "grey.png"), "--out", str(tmp_path / "equal.png")])
    check(photo.load(tmp_path / "equal.png"), np.repeat(photo.channels(grey, bits=8), 3, axis=0))
