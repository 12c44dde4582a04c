"""`halopy verify`: what it prints, writes and answers, and how it refuses what cannot be done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from halopy.command.run import status

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import halopy as hl

x, y = hl.vars("x y")


def proved():
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x, y - 1] + f[x, y]
    f.compute_at(g, y)
    return [g]


def racing():
    f, r = hl.Func("f<b>"), hl.RDom([(1, 9)], "r")
    f[x] = x
    f[r.x] = f[r.x - 1] + 1
    f.update(0).allow_race_conditions().parallel(r.x)
    return f


def refused():
    f, r = hl.Func("f"), hl.RDom([(1, 9)], "r")
    f[x] = x
    f[r.x] = f[r.x - 1] + 1
    f.update(0).parallel(r.x)
    return f


def pipeline():
    return hl.Pipeline(proved())


def number():
    return 3


def failing():
    raise KeyError("lost\\nkey")


def undefined():
    return hl.Func("nothing")


@hl.pipeline
def brighter(photo):
    f = hl.Func("brighter")
    f[x, y] = photo[x, y] + 1
    return f


@hl.generator(name=__name__)
class Made:
    out = hl.OutputBuffer(hl.Int(32), 1)

    def generate(self):
        self.out[x] = x


value = 3
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of this name in the current folder, another one in each test."""
    name = f"program_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(_PROGRAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


@pytest.mark.parametrize("function", ["proved", "pipeline", "Made"])
def test_a_proof_is_printed_and_the_status_is_0(
    function: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["verify", f"{program}:{function}"]) == 0
    assert capsys.readouterr().out.startswith(f"{program}:{function}: proved (")


@pytest.mark.parametrize(("function", "found"), [("racing", "not proved: "), ("refused", "refuted: ")])
def test_what_is_not_proved_has_status_1(
    function: str, found: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["verify", f"{program}:{function}"]) == 1
    printed = capsys.readouterr().out
    assert found in printed
    assert "iteration (r.x=2) reads" in printed


def test_json_holds_obligations_and_witnesses(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["verify", f"{program}:racing", "--json", "--sizes", "12"]) == 1
    data = json.loads(capsys.readouterr().out)[f"{program}:racing"]
    (race,) = [o for o in data["obligations"] if o["kind"] == "concurrency"]
    assert data["status"] != "proved" and race["status"] == "not proved"
    assert race["witness"]["source"] == {"stage": "f<b>.update(0)", "variables": {"r.x": 1}}
    assert race["witness"]["cell"] == {"func": "f<b>", "coordinates": [1]}


def test_html_is_a_page_with_a_picture_and_names_are_escaped(program: str, tmp_path: Path) -> None:
    assert status(["verify", f"{program}:racing", "--html", "proof.html"]) == 1
    page = (tmp_path / "proof.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "<svg" in page and "f&lt;b&gt;(1)" in page
    assert "<b>(1)" not in page and "<script" not in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing_here:f"], "cannot import nothing_here: No module named 'nothing_here'"),
        (["PROGRAM:missing"], "PROGRAM has no missing; it has "),
        (["PROGRAM:value"], "PROGRAM:value is int, which cannot be called"),
        (["PROGRAM:number"], "PROGRAM:number gives int, not a Func"),
        (["PROGRAM:failing"], "PROGRAM:failing fails: KeyError: 'lost\\nkey'"),
        (["PROGRAM:undefined"], "nothing"),
        (["PROGRAM:brighter"], "PROGRAM:brighter is made for arrays"),
        (["PROGRAM:proved", "--schedule", "hand"], "--schedule hand is for apps"),
        (["PROGRAM:proved", "--sizes", "3x4x5"], "--sizes has 3 numbers, but g has 2 dimensions"),
        (["PROGRAM:proved", "--target", "nonsense"], "Did not understand Halide target nonsense"),
        (["PROGRAM:proved", "--html", "no/such/folder/x.html"], "No such file or directory"),
        (["no_such_app"], "there is no app 'no_such_app' here"),
        (["blur;ls"], "'blur;ls' is neither the name of an app nor module:function"),
        (["a:b()"], "'a:b()' is neither"),
        (["../a:b"], "'../a:b' is neither"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    arguments: list[str], told: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["verify", *(a.replace("PROGRAM", program) for a in arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told.replace("PROGRAM", program) in printed.err
    assert printed.err.startswith("halopy verify: ") and printed.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["verify"], ["prove", "x"], ["verify", "a:b", "--sizes", "0x3"]])
def test_what_the_parser_refuses_has_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        status(arguments)
    assert left.value.code == 2


@pytest.mark.parametrize("schedule", ["hand", "none", "auto"])
def test_each_schedule_of_an_app_is_verified(
    schedule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert status(["verify", "blur", "--schedule", schedule]) == 0
    printed = capsys.readouterr().out
    assert "blur16: proved (" in printed and "blur_rgb: proved (" in printed


def test_the_module_is_the_command(program: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "halopy", "verify", f"{program}:proved"]
    ran = subprocess.run(
        command, check=False, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{program}:proved: proved (")
