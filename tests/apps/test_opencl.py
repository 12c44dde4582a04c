"""Each app on an OpenCL device gives the bits that it gives on the processor, at sizes that nothing divides."""

from __future__ import annotations

import os

import numpy as np
import pytest

import halopy as hl
from apps import blur, photo
from apps.cases import APPS, Case, Size, cases_of, named

pytestmark = pytest.mark.usefixtures("unvalidated")  # the tests of each app validate its schedules
DEAR = ("camera_pipe", "bilateral_grid", "local_laplacian", "interpolate", "hist", "jacobi")  # to compile
_dear = pytest.mark.skipif(not os.environ.get("HALOPY_TEST_ALL"), reason="compiles long: set HALOPY_TEST_ALL=1")
CASES = [
    pytest.param(case, id=case.name, marks=[_dear] if case.name in DEAR else [])
    for app in APPS
    for case in cases_of(app)
]
SIZES = (Size(131, 77), Size(67, 61))


def realized(case: Case, schedule: str, size: Size, target: hl.Target) -> np.ndarray:
    algorithm, result = named(case.algorithm)(), case.output(size)
    named(case.schedules[schedule])(**algorithm.stages)
    algorithm.give(case.inputs(size))
    algorithm.output.realize(hl.Buffer(result), target)
    return result


@pytest.mark.parametrize("case", CASES)
def test_an_app_on_a_device_gives_the_bits_of_the_host(case, opencl):
    for size in SIZES:
        on_host = realized(case, "hand", size, hl.Target("host"))
        np.testing.assert_array_equal(realized(case, "opencl", size, opencl), on_host)


def test_the_command_runs_on_a_device(opencl, tmp_path, capsys):
    pictures = []
    for target in ("host", "opencl"):
        out = tmp_path / f"{target}.png"
        blur.main(["--out", str(out), "--target", target])
        pictures.append(photo.load(out))
    assert np.array_equal(*pictures)
    assert "hand schedule for opencl" in capsys.readouterr().out


@pytest.mark.parametrize("schedule", ["auto", "none"])
def test_a_schedule_that_devices_do_not_have_is_refused(schedule, tmp_path):
    out = tmp_path / "out.png"
    with pytest.raises(SystemExit, match=f"not --schedule {schedule}"):
        blur.main(["--out", str(out), "--target", "opencl", "--schedule", schedule])
    assert not out.exists()
