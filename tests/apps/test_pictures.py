"""The pictures of the README are small files that a command makes, and the README shows each."""

import re
from pathlib import Path

import pytest
from PIL import Image

from apps import pictures

README = (Path(pictures.__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"!\[\]\((apps/pictures/\w+\.jpg)\)", README)


def test_the_readme_shows_every_picture_and_no_other():
    folder = pictures.FOLDER
    assert sorted(SHOWN) == sorted(f"apps/pictures/{path.name}" for path in folder.glob("*.jpg"))


@pytest.mark.parametrize("path", SHOWN)
def test_a_picture_is_a_small_file(path):
    assert (pictures.FOLDER.parent.parent / path).stat().st_size < 60_000


def test_a_picture_is_what_its_app_makes(tmp_path, monkeypatch, unvalidated):
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    pictures.main(["blur"])
    with Image.open(tmp_path / "blur.jpg") as made:
        assert made.size == (360, 240)
