"""The local Laplacian filter gives NumPy's answer under every schedule, at sizes that divide and that do not."""

import numpy as np
import pytest

import halopy as hl
from apps import local_laplacian, photo
from apps.cases import Size
from apps.cases.local_laplacian import CASES, detailed
from schedules import local_laplacian as schedules

(CASE,) = CASES


@pytest.fixture(autouse=True)
def _validated_as_for_users(monkeypatch):
    """To ask isl about every access of a hundred stages takes minutes."""
    monkeypatch.setenv("HALOPY_VERIFY", "")


def difference(schedule, sizes, detail=0.3, contrast=0.8):
    """The largest of all sizes, where one compiled pipeline does them all."""
    algorithm = local_laplacian.local_laplacian()
    schedule(**algorithm.stages)
    worst = 0
    for size in sizes:
        colours = CASE.inputs(size)[0]
        result = CASE.output(size)
        algorithm.give([colours, detail, contrast])
        algorithm.output.realize(hl.Buffer(result))
        expected = detailed(colours, detail, contrast)
        worst = max(worst, np.abs(result.astype(np.int64) - expected.astype(np.int64)).max())
    return worst


def test_without_a_schedule_no_picture_is_too_small():
    sizes = [Size(200, 133), Size(67, 53), Size(7, 5), Size(1, 1)]
    assert difference(schedules.local_laplacian_plain, sizes) <= CASE.tolerance["halopy"]


@pytest.mark.parametrize(
    "schedule",
    [schedules.local_laplacian, schedules.local_laplacian_app],
)
def test_local_laplacian_is_numpys(schedule):
    sizes = [Size(192, 128), Size(301, 203), Size(67, 97)]
    assert difference(schedule, sizes) <= CASE.tolerance["halopy"]


def test_the_command_brings_out_the_detail_of_a_photograph(tmp_path, capsys):
    out = tmp_path / "detailed.png"
    local_laplacian.main(["--out", str(out), "--detail", "2"])
    before, after = photo.load(photo.COFFEE).astype(int), photo.load(out).astype(int)
    assert after.shape == before.shape
    assert np.abs(np.diff(after, axis=2)).mean() > 1.2 * np.abs(np.diff(before, axis=2)).mean()
    assert "600x400 RGB, 8 bits from coffee.png, hand schedule" in capsys.readouterr().out
