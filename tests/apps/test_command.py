"""Every app does what its user means, or says what is wrong: with a status, no traceback, and no file half-written."""

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from apps import command, photo
from apps.cases import APPS

ON_ARRAYS = {"sgemm"}  # which has tests of its own
MAINS = {
    app: main for app in APPS if (main := getattr(import_module(f"apps.{app}"), "main", None)) and app not in ON_ARRAYS
}
QUICK = ("blur", "unsharp", "harris", "hist")  # to compile
PIXELS = np.random.default_rng(5).integers(0, 256, (5, 7, 4), dtype=np.uint8)
pytestmark = pytest.mark.usefixtures("unvalidated")  # the tests of each app validate its schedules
every_app = pytest.mark.parametrize("app", MAINS)


def save_as(kind, path):
    pictures = {
        "grey": Image.fromarray(PIXELS[:, :, 0]),
        "16 bits": Image.fromarray(PIXELS[:, :, 0].astype(np.uint16) << 8),
        "transparent": Image.fromarray(PIXELS),
        "palette": Image.fromarray(PIXELS[:, :, :3]).quantize(4),
        "one pixel": Image.fromarray(PIXELS[:1, :1, :3]),
    }
    pictures[kind].save(path)


def refusal(app, *arguments):
    with pytest.raises(SystemExit) as refused:
        MAINS[app]([str(argument) for argument in arguments])
    assert isinstance(refused.value.code, str)  # which Python prints, and ends with status 1
    return refused.value.code


@pytest.mark.parametrize("app", QUICK)
@pytest.mark.parametrize("kind", ["grey", "transparent", "palette", "one pixel"])
def test_every_kind_of_picture_has_a_result_or_is_refused_in_words(app, kind, tmp_path):
    check_kind(app, kind, tmp_path)


@every_app
def test_a_small_grey_picture_of_16_bits_has_a_result_or_is_refused_in_words(app, tmp_path):
    check_kind(app, "16 bits", tmp_path)


def check_kind(app, kind, tmp_path):
    save_as(kind, tmp_path / "in.png")
    out = tmp_path / "out.png"
    try:
        MAINS[app]([str(tmp_path / "in.png"), "-o", str(out)])
    except SystemExit as refused:
        assert "pixels is needed" in str(refused)
        assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
    else:
        assert photo.load(out).size > 0


@pytest.mark.parametrize("app", QUICK)
def test_schedules_do_not_change_the_picture(app, tmp_path):
    Image.fromarray(np.tile(PIXELS[:, :, :3], (14, 10, 1))).save(tmp_path / "in.png")
    found = []
    for schedule in ("hand", "auto", "none"):
        MAINS[app]([str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), "--schedule", schedule])
        found.append(photo.load(tmp_path / "out.png").astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1  # floats may be rounded another way
    assert np.abs(found[0] - found[2]).max() <= 1


@every_app
@pytest.mark.parametrize("content", [None, b"", b"not a picture", photo.COFFEE.read_bytes()[:5000]])
def test_a_file_that_holds_no_picture_is_refused(app, content, tmp_path):
    if content is not None:
        (tmp_path / "wrong.png").write_bytes(content)
    assert "wrong.png cannot be read as a picture" in refusal(app, tmp_path / "wrong.png", "-o", tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


@every_app
@pytest.mark.parametrize("out", ["missing/out.png", "folder.png", "out.nonesuch", "out", "in.png/out.png"])
def test_an_output_that_cannot_be_written_is_refused_before_any_work(app, out, tmp_path):
    save_as("grey", tmp_path / "in.png")
    (tmp_path / "folder.png").mkdir()
    assert "cannot be written" in refusal(app, tmp_path / "in.png", "-o", tmp_path / out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "in.png"]


@every_app
def test_a_picture_for_which_there_is_no_memory_is_refused(app, tmp_path, monkeypatch):
    save_as("grey", tmp_path / "in.png")
    monkeypatch.setattr(command, "_free_bytes", lambda: 100)
    assert "in.png is 7x5" in refusal(app, tmp_path / "in.png", "-o", tmp_path / "out.png")


@every_app
def test_help_names_the_app_and_an_example(app, capsys):
    with pytest.raises(SystemExit):
        MAINS[app](["--help"])
    said = capsys.readouterr().out
    assert f"python -m apps.{app} photo" in said
    assert "--schedule {hand,auto,tuned,none}" in said


def test_a_refusal_is_a_line_and_a_status(tmp_path):
    arguments = [sys.executable, "-m", "apps.blur", str(tmp_path / "missing.png"), "-o", str(tmp_path / "out.png")]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"{tmp_path}/missing.png cannot be read as a picture: No such file or directory"


def test_without_a_c_compiler_an_app_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HALOPY_CC", str(tmp_path / "missing"))
    monkeypatch.setenv("HALOPY_CACHE_DIR", str(tmp_path / "empty"))
    assert "missing" in refusal("blur", "-o", tmp_path / "out.png")


def test_the_bench_is_of_a_large_picture(tmp_path, monkeypatch, capsys):
    save_as("grey", tmp_path / "in.png")
    monkeypatch.setattr(command, "BENCH_PIXELS", 3_500)
    MAINS["blur"]([str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), "--bench"])
    assert "70x50 grey, 8 bits: then" in capsys.readouterr().out
    assert photo.load(tmp_path / "out.png").shape == (1, 5, 7)
