"""The unsharp mask gives NumPy's answer under every schedule, at sizes that divide and that do not."""

import numpy as np
import pytest

import halopy as hl
from apps import photo, unsharp
from apps.cases import Size
from apps.cases.unsharp import CASES, sharpened
from schedules import unsharp as schedules

(CASE,) = CASES
ALLOWED = CASE.tolerance["halopy"]


SIZES = [Size(64, 64), Size(67, 83), Size(301, 131)]
TINY = [Size(1, 1), Size(7, 5)]


@pytest.mark.parametrize(
    ("schedule", "sizes"),
    [
        (None, [*SIZES, *TINY]),
        (schedules.unsharp, SIZES),
        (schedules.unsharp_halide, SIZES),
        (schedules.unsharp_app, SIZES),
    ],
)
def test_it_is_numpys_at_every_size(schedule, sizes):
    algorithm = unsharp.unsharp()
    if schedule:
        schedule(**algorithm.stages)
    for size in sizes:
        inputs, found = CASE.inputs(size), CASE.output(size)
        algorithm.give(inputs)
        algorithm.output.realize(hl.Buffer(found))
        np.testing.assert_allclose(found, CASE.reference(*inputs), rtol=0, atol=ALLOWED)


def test_a_flat_picture_stays_as_it_is():
    flat = np.full((3, 9, 9), 0.5, np.float32)
    np.testing.assert_allclose(sharpened(flat), flat, atol=0.02)  # the weights sum up to 0.98


def test_the_command_sharpens_a_photograph(tmp_path, capsys, unvalidated):
    out = tmp_path / "sharp.png"
    unsharp.main(["--out", str(out)])
    assert "too small" not in capsys.readouterr().out
    with np.errstate(invalid="ignore"):
        expected = photo.from_floats(sharpened(photo.floats(photo.load(photo.COFFEE))))
    assert np.abs(photo.load(out).astype(int) - expected).max() <= 1
