"""Where the user wrote something."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import halopy as hl
from halopy.source import caller


def test_a_place_is_told_relative_to_the_working_folder(monkeypatch):
    monkeypatch.chdir(Path(__file__).parent)
    assert str(caller()) == "test_source.py:15"


def test_pipelines_run_in_a_folder_that_is_gone(tmp_path, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = x * 7 + 1
    assert np.array_equal(f.realize([5]), np.arange(5) * 7 + 1)
    assert caller().file == __file__
