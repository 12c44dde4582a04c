"""The bilateral grid gives NumPy's answer under every schedule, at sizes that divide and that do not."""

import numpy as np
import pytest

import halopy as hl
from apps import bilateral_grid, photo
from apps.cases import Size
from apps.cases.bilateral_grid import CASES, smoothed
from schedules import bilateral_grid as schedules

(CASE,) = CASES
SIZES = [Size(192, 128), Size(301, 203), Size(67, 97)]
TINY = [Size(7, 5), Size(1, 1)]


def difference(schedule, sizes):
    """The largest of all sizes, where one compiled pipeline does them all."""
    algorithm = bilateral_grid.bilateral_grid()
    schedule(**algorithm.stages)
    worst = 0.0
    for size in sizes:
        inputs, result = CASE.inputs(size), CASE.output(size)
        algorithm.give(inputs)
        algorithm.output.realize(hl.Buffer(result))
        worst = max(worst, float(np.abs(result - CASE.reference(*inputs)).max()))
    return worst


@pytest.mark.parametrize(
    ("schedule", "sizes"),
    [
        (schedules.bilateral_grid, SIZES + TINY),
        (schedules.bilateral_grid_plain, SIZES + TINY),
        (schedules.bilateral_grid_app, SIZES),
    ],
)
def test_bilateral_grid_is_numpys(schedule, sizes):
    assert difference(schedule, sizes) <= CASE.tolerance["halopy"]


def test_the_command_smooths_what_is_no_edge(tmp_path, capsys):
    out = tmp_path / "smooth.png"
    bilateral_grid.main(["--out", str(out)])
    grey = photo.brightness(photo.load(photo.COFFEE), bits=16).astype(np.float32) / np.float32(65535)
    assert np.abs(photo.load(out)[0] - smoothed(grey) * 255).max() < 0.501
    assert "600x400 RGB, 8 bits from coffee.png, hand schedule" in capsys.readouterr().out


def test_the_command_says_which_edges_there_can_be(capsys):
    with pytest.raises(SystemExit):
        bilateral_grid.main(["--edge", "0"])
    assert "between 0.02 and 1" in capsys.readouterr().err
