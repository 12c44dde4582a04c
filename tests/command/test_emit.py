"""`halopy emit` and `halopy explain`: texts of a pipeline, and how they refuse what has none."""

from __future__ import annotations

import pytest

from halopy.command.run import status

CHAIN, OWN = "tests.autotuner.pipelines:chain", "tests.autotuner.pipelines:scheduled"
DEVICE = "tests.autotuner.pipelines:on_device"


@pytest.mark.parametrize(
    ("what", "says"),
    [("c", "int32_t"), ("loops", "parallel y"), ("python", "sharp.parallel(y)")],
)
def test_a_pipeline_is_printed_in_many_ways(what, says, capsys):
    assert status(["emit", OWN, what]) == 0
    assert says in capsys.readouterr().out


def test_a_text_is_written_to_a_file(capsys, tmp_path):
    assert status(["emit", DEVICE, "python"]) == 0
    printed = capsys.readouterr().out
    assert status(["emit", DEVICE, "python", "--out", str(tmp_path / "text")]) == 0
    assert (tmp_path / "text").read_text() == printed and capsys.readouterr().out == ""


def test_kernels_are_printed_of_what_runs_on_a_device_only(capsys):
    assert status(["emit", DEVICE, "opencl"]) == 0
    assert "kernel" in capsys.readouterr().out
    assert status(["emit", CHAIN, "opencl"]) == 2
    assert "gives a device nothing to do" in capsys.readouterr().err


def test_costs_are_told_for_sizes(capsys):
    assert status(["explain", OWN, "--sizes", "64x48"]) == 0
    assert "sharp" in capsys.readouterr().out
    assert status(["explain", OWN]) == 2
    assert "--sizes must say" in capsys.readouterr().err
    assert status(["explain", OWN, "--sizes", "4x4x4"]) == 2
    assert "3 numbers" in capsys.readouterr().err
