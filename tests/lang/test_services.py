"""What pipelines say while they run: `print`, `print_when`, `require`, requirements, and who is told."""

from __future__ import annotations

import contextlib
import io
import re
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl


def said(func: Any, *sizes: int) -> str:
    """What is printed while a Func of either module runs."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        func.realize(list(sizes))
    return re.sub(r"Warning: .*\n", "", out.getvalue())  # of Halide, about small floats


# -- the same lines as Halide ------------------------------------------------------------------------------------------

Build = Callable[[Any, Any, Any], Any]  # module, x, y -> definition, or (definition, schedule)


def _numbers(h: Any, x: Any, _: Any) -> Any:
    return h.print(
        x - 1, "is", h.u8(x) - 2, h.i8(x) - 3, h.u16(x), h.i16(x) - 9, h.u32(x) - 1, h.i64(x) - 2**40, h.u64(x) - 1,
    )  # fmt: skip


def _floats(h: Any, x: Any, _: Any) -> Any:
    f, d = h.f32(x + 1), h.f64(x + 1)
    half, brain = h.cast(h.Float(16), x), h.cast(h.BFloat(16), x)
    return h.print(f / 3, -f * 1e6, f * 12345678, d / 3, d * 123456.5, -d, f / 1024 / 1024, half / 3, brain / 3)


def _bools(h: Any, x: Any, _: Any) -> Any:
    return h.print(x > 1, '"quoted" %d \\ ??/ é', x == 0)


LINES: dict[str, Build] = {
    "integers": _numbers,
    "floats": _floats,
    "booleans and texts": _bools,
    "a sum in the order written": lambda h, x, y: h.print(x, "first") + h.print(y + 7, "second") + h.print(x + 1),
    "a difference": lambda h, x, y: h.print(y) - h.print(x),
    "an expression twice": lambda h, x, y: h.print(x) + h.print(x),
    "nested": lambda h, x, y: h.print(h.print(x + y, "inner") * 2, "outer"),
    "what an iteration does not change": lambda h, x, y: h.print(y, "row") + x,
    "both sides of a select": lambda h, x, y: h.select(x > y, h.print(x, "a"), h.print(y, "b")),
    "some places": lambda h, x, y: h.print_when(x > y, x, "beats", y),
    "what is multiplied by nothing": lambda h, x, y: h.print(x) * 0,
    "a minimum": lambda h, x, y: h.min(h.print(x), h.print(y, "y")),
}

SCHEDULES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "rows": lambda h, f, x, y: f,
    "columns": lambda h, f, x, y: f.reorder(y, x),
    "vectors": lambda h, f, x, y: f.vectorize(x, 4),
    "guarded vectors": lambda h, f, x, y: f.vectorize(x, 4, h.TailStrategy.GuardWithIf),
    "unrolled": lambda h, f, x, y: f.unroll(x, 2, h.TailStrategy.GuardWithIf),
    "tiles": lambda h, f, x, y: f.tile(x, y, h.Var("xi"), h.Var("yi"), 4, 2, h.TailStrategy.GuardWithIf),
}


def printing(h: Any, build: Build, schedule: Callable[[Any, Any, Any, Any], Any]) -> Any:
    x, y, f = h.Var("x"), h.Var("y"), h.Func("f")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f[x, y] = build(h, x, y)
    schedule(h, f, x, y)
    return f


@pytest.mark.parametrize("lines", LINES)
def test_lines_are_those_of_halide(lines: str) -> None:
    halide = pytest.importorskip("halide")
    ours, theirs = (printing(h, LINES[lines], SCHEDULES["rows"]) for h in (hl, halide))
    assert said(ours, 4, 3) == said(theirs, 4, 3)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("lines", ["some places", "what an iteration does not change", "nested"])
def test_lines_come_in_halides_order(lines: str, schedule: str) -> None:
    halide = pytest.importorskip("halide")
    sizes = (6, 3) if schedule in ("guarded vectors", "tiles") else (8, 2)
    ours, theirs = (printing(h, LINES[lines], SCHEDULES[schedule]) for h in (hl, halide))
    assert said(ours, *sizes) == said(theirs, *sizes)


def test_floats_are_printed_as_c_does() -> None:
    values = [0.0, -0.0, 1e-7, 5e-7, 0.1, 1 / 3, 0.9999999, 123.4567895, 1e10, 3e38, 1e-40, np.inf, -np.inf, np.nan]
    x, f = hl.Var("x"), hl.Func("f")
    data = hl.Buffer(np.array(values, np.float32))
    f[x] = hl.print(data[x], hl.f64(data[x]))
    singles = np.array(values, np.float32).astype(np.float64)
    assert said(f, len(values)) == "".join(f"{v:f} {v:e}\n" for v in singles)


def test_inlined_funcs_print_where_they_are_used() -> None:
    x, f, g = hl.Var("x"), hl.Func("f"), hl.Func("g")
    g[x] = hl.print(x, "computed")
    f[x] = g[x] + g[x + 1]
    assert said(f, 2) == "0 computed\n1 computed\n1 computed\n2 computed\n"
    g.compute_root()
    assert said(f, 2) == "0 computed\n1 computed\n2 computed\n"


def test_printing_changes_no_value() -> None:
    x, y, f, g = hl.Var("x"), hl.Var("y"), hl.Func("f"), hl.Func("g")
    data = hl.Buffer(np.arange(40, dtype=np.uint8).reshape(5, 8))
    g[x, y] = hl.print_when(x == 3, data[x, y] + hl.u8(200), "at", x, y)
    f[x, y] = hl.u16(g[x, y]) + g[hl.clamp(hl.print_when(x == 0, x + 1, "index"), 0, 7), y]
    g.compute_at(f, y).vectorize(x, 4)
    f.vectorize(x, 8)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        np.testing.assert_array_equal(f.realize([8, 5]), f.reference([8, 5]))
    assert out.getvalue().count("index") == 5 and out.getvalue().count("at 3") == 5


def test_lines_of_parallel_loops_are_whole() -> None:
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = hl.print(x + 1000 * y, "is", x, y)
    f.parallel(y)
    wanted = sorted(f"{x + 1000 * y} is {x} {y}" for x in range(20) for y in range(50))
    assert sorted(said(f, 20, 50).splitlines()) == wanted


def test_updates_print_for_each_place_they_change() -> None:
    x, f = hl.Var("x"), hl.Func("f")
    r = hl.RDom([(0, 3)], "r")
    f[x] = 0
    f[x] += hl.print(r.x * (x + 1), "more")
    assert said(f, 2) == "".join(f"{v} more\n" for v in (0, 1, 2, 0, 2, 4))


@pytest.mark.parametrize(
    "wrong",
    {
        "a text first": lambda x: hl.print("text", x),
        "a condition that is none": lambda x: hl.print_when(x, x),
        "nul": lambda x: hl.print(x, "\0"),
        "a list": lambda x: hl.print(x, [1]),
        "require a number": lambda x: hl.require(x, x),
    }.items(),
    ids=lambda case: case[0],
)
def test_what_cannot_be_printed_is_refused(wrong: Any) -> None:
    with pytest.raises(hl.UserError):
        wrong[1](hl.Var("x"))


# -- requirements ------------------------------------------------------------------------------------------------------


def requiring(limit: hl.Param) -> hl.Func:
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = hl.require(x + y < limit, x * y, "at", x, y, "with", hl.f32(limit) / 4)
    return f


REQUIRING = {
    "serial": lambda f: f,
    "vectors": lambda f: f.vectorize(f.args()[0], 4, hl.TailStrategy.GuardWithIf),
    "parallel": lambda f: f.parallel(f.args()[1]),
}


@pytest.mark.parametrize("schedule", REQUIRING)
def test_a_requirement_that_fails_ends_the_run(schedule: str) -> None:
    limit = hl.Param(hl.Int(32), "limit")
    f = requiring(limit)
    REQUIRING[schedule](f)
    limit.set(100)
    np.testing.assert_array_equal(f.realize([7, 5]), f.reference([7, 5]))
    limit.set(6)
    with pytest.raises(
        hl.RequirementFailed, match=r"^Requirement Failed: \(false\) \d+ at \d \d with 1\.500000\n"
    ) as e:
        f.realize([7, 5])
    assert "required: ((x + y) < limit)" in str(e.value)
    limit.set(11)
    f.realize([7, 5])


def test_the_message_is_that_of_the_first_place_that_fails() -> None:
    limit = hl.Param(hl.Int(32), "limit", 6)
    f = requiring(limit)
    f.vectorize(f.args()[0], 8)
    with pytest.raises(hl.RequirementFailed, match=r"\(false\) 0 at 6 0 with"):
        f.realize([8, 2])


def test_messages_are_those_of_halide() -> None:
    halide = pytest.importorskip("halide")

    def message(h: Any) -> str:
        x, f = h.Var("x"), h.Func("f")
        f[x] = h.require(x < 3, h.f32(x) / 2, x * 2, h.u8(x))
        with pytest.raises(h.HalideError) as failed:
            f.realize([8])
        return str(failed.value).removeprefix("Error: ").splitlines()[0]

    assert message(hl) == message(halide)


def test_requirements_of_a_pipeline_come_before_anything_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    delta, image = hl.Param(hl.Int(32), "delta"), hl.ImageParam(hl.UInt(8), 1, "image")
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = hl.print(x + delta)
    p = hl.Pipeline([f])
    p.add_requirement(delta != 0)
    p.add_requirement((delta > 0) & (image.dim(0).extent() == 4), "no good:", delta, "and", image.dim(0).extent())
    image.set(hl.Buffer(hl.UInt(8), [4]))
    for value, message in ((0, r"\(false\)\n  required: \(delta != 0\)"), (-1, r"\(false\) no good: -1 and 4\n")):
        delta.set(value)
        with pytest.raises(hl.RequirementFailed, match=message):
            p.realize([3])
    assert capsys.readouterr().out == ""
    delta.set(1)
    p.realize([1])
    assert capsys.readouterr().out == "1\n"
    image.set(hl.Buffer(hl.UInt(8), [5]))
    with pytest.raises(hl.RequirementFailed, match="no good: 1 and 5"):
        p.realize([3])


def test_a_requirement_knows_what_stands_before_the_run_only() -> None:
    x, f, image = hl.Var("x"), hl.Func("f"), hl.ImageParam(hl.Int(32), 1, "image")
    f[x] = x
    for wrong in (x > 3, f[3] > 3, image[0] > 3):
        with pytest.raises(hl.DefinitionError, match="not known before the pipeline runs"):
            hl.Pipeline([f]).add_requirement(wrong)
    hl.Pipeline([f]).add_requirement(image.dim(0).extent() > 3)


# -- handlers ----------------------------------------------------------------------------------------------------------


def test_handlers_take_the_place_of_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    x, f = hl.Var("x"), hl.Func("f")
    lines: list[str] = []
    f.set_custom_print(lines.append)  # before it is defined, as it belongs to the Func
    f[x] = hl.print(x, "here")
    f.realize([2])
    assert lines == ["0 here\n", "1 here\n"]
    assert capsys.readouterr().out == ""
    f.set_custom_print(None)
    f.realize([1])
    assert capsys.readouterr().out == "0 here\n"
    with pytest.raises(hl.DefinitionError):
        f.set_custom_print("nobody")  # type: ignore[arg-type]


def test_pipelines_have_handlers_of_their_own() -> None:
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = hl.print(x)
    one, other = hl.Pipeline([f]), hl.Pipeline([f])
    heard: dict[str, list[str]] = {"one": [], "other": []}
    one.set_custom_print(heard["one"].append)
    other.set_custom_print(heard["other"].append)
    one.realize([1])
    other.realize([2])
    assert heard == {"one": ["0\n"], "other": ["0\n", "1\n"]}


def test_an_error_handler_hears_what_would_be_raised() -> None:
    limit = hl.Param(hl.Int(32), "limit", 3)
    f = requiring(limit)
    heard: list[str] = []
    f.set_error_handler(heard.append)
    f.realize([7, 5])
    assert len(heard) == 1 and heard[0].startswith("Requirement Failed: (false) 0 at 3 0")
    image, g, x = hl.ImageParam(hl.UInt(8), 1, "image"), hl.Func("g"), hl.Var("x")
    g[x] = image[x]
    g.set_error_handler(heard.append)
    image.set(hl.Buffer(hl.UInt(8), [4]))
    g.realize([5])
    assert "input `image` is too small" in heard[1]
    wrong = hl.Buffer(hl.UInt(16), [4])
    for _ in range(2):
        g.realize(wrong)
    assert len(heard) == 4 and "uint16" in heard[3]
    g.set_error_handler(None)
    with pytest.raises(hl.BufferError):
        g.realize(wrong)


class Stop(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize("schedule", ["serial", "parallel"])
def test_what_a_handler_raises_comes_out_of_realize(schedule: str) -> None:
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = hl.print(x)
    if schedule == "parallel":
        f.parallel(y)
    heard: list[str] = []

    def handler(line: str) -> None:
        heard.append(line)
        raise Stop

    f.set_custom_print(handler)
    for _ in range(2):
        with pytest.raises(Stop):
            f.realize([50, 20])
    assert len(heard) < 2 * 50 * 20  # it is not asked again in a run it ended
    f.set_custom_print(None)
    said(f, 2, 2)


def test_threads_hear_their_own_pipelines() -> None:
    def run(number: int) -> list[str]:
        x, f = hl.Var("x"), hl.Func("f")
        f[x] = hl.print(x + number * 1000)
        f.parallel(x, 5)
        lines: list[str] = []
        f.set_custom_print(lines.append)
        for _ in range(5):
            f.realize([50])
        return lines

    heard: dict[int, list[str]] = {}
    threads = [threading.Thread(target=lambda n=n: heard.update({n: run(n)})) for n in range(4)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(4):
        assert sorted(heard[n], key=int) == [f"{x + n * 1000}\n" for x in range(50) for _ in range(5)]


def test_a_handler_may_run_the_pipeline_again() -> None:
    x, f, g = hl.Var("x"), hl.Func("f"), hl.Func("g")
    f[x], g[x] = hl.print(x, "outer"), hl.print(x, "inner")
    lines: list[str] = []

    def handler(line: str) -> None:
        lines.append(line)
        g.realize([1])

    f.set_custom_print(handler)
    g.set_custom_print(lines.append)
    f.realize([2])
    assert lines == ["0 outer\n", "0 inner\n", "1 outer\n", "0 inner\n"]


def test_what_never_holds_warns_at_the_users_line():
    f, x = hl.Func("f"), hl.Var("x")
    with pytest.warns(UserWarning, match=r"what require asks for never holds: `\(\(1 \+ 2\) == 7829\)`") as warned:
        f[x] = hl.require(hl.Expr(1) + 2 == 7829, x, "the sum is wrong")
    assert warned[0].filename.endswith("test_services.py")
    with pytest.raises(hl.RequirementFailed, match="the sum is wrong"):
        f.realize([1])
    g = hl.Func("g")
    g[x] = x
    pipeline = hl.Pipeline(g)
    with pytest.warns(UserWarning, match="what add_requirement asks for never holds"):
        pipeline.add_requirement(hl.Expr(1) > 2, "never")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hl.require(hl.Expr(1) < 2, x)
