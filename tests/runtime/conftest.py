"""Each of these tests has a compile cache of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from halopy.runtime import loader


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new cache folder, as a process that just started sees it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HALOPY_CACHE_DIR", str(folder))
    monkeypatch.setattr(loader, "_loaded", {})
    return folder
