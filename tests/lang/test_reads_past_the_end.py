"""What is said of an input that is too small: the read, its line, and a point that needs more."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import halopy as hl

x, y = hl.vars("x y")


@pytest.fixture
def image() -> hl.ImageParam:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    image.set(np.zeros((10, 10), np.int32))
    return image


def said(f: hl.Func, *sizes: int) -> list[str]:
    """The lines about the read, with this file's place left out."""
    with pytest.raises(hl.BufferError, match="input `image` is too small") as refused:
        f.realize(list(sizes))
    found = [line.strip() for line in str(refused.value).splitlines()[3:-1]]
    return [re.sub(r"[^ ]*test_reads_past_the_end.py:\d+", "HERE", line) for line in found]


def test_the_read_that_needs_more_is_shown_as_it_was_written(image: hl.ImageParam) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = image[x + 1, y] + image[x - 1, y]
    f[x, y] = g[x, y] + g[2 * x, y]
    with pytest.raises(hl.BufferError) as refused:
        f.realize([4, 4])
    number = int(re.findall(r"test_reads_past_the_end.py:(\d+)", str(refused.value))[0])
    assert "g[x, y] = image" in Path(__file__).read_text().splitlines()[number - 1]
    assert said(f, 4, 4) == ["`g` reads image(x - 1, y), HERE", "for example g(0, 0) reads image(-1, 0)"]


@pytest.mark.parametrize("schedule", ["inline", "root", "rows", "tiles"])
def test_it_is_the_same_read_under_every_schedule(image: hl.ImageParam, schedule: str) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = image[x, y + 3]
    f[x, y] = g[x, y] + g[x, y + 1]
    if schedule == "root":
        g.compute_root()
    elif schedule == "rows":
        g.store_root().compute_at(f, y)
    elif schedule == "tiles":
        xi, yi = hl.vars("xi yi")
        f.tile(x, y, xi, yi, 4, 4, hl.TailStrategy.GuardWithIf).parallel(y)
        g.compute_at(f, x)
    read, example = said(f, 5, 8)
    assert read == "`g` reads image(x, y + 3), HERE"
    assert example == "for example g(0, 8) reads image(0, 11)"


def test_points_of_updates_keep_the_condition(image: hl.ImageParam) -> None:
    f = hl.Func("f")
    r = hl.RDom([(0, 20), (0, 10)], "r")
    r.where(r.x < x + r.y)
    f[x] = 0
    f[x] += image[r.x, r.y]
    read, example = said(f, 4)
    assert read == "`f.update(0)` reads image(r.x, r.y), HERE"
    names = re.match(r"for example f.update\(0\) at (.*) reads image\((\d+), (\d+)\)", example)
    assert names is not None
    point = {n.strip(): int(v) for n, v in (part.split(" = ") for part in names[1].split(", "))}
    assert point["r.x"] == int(names[2]) >= 10
    assert point["r.x"] < point["x"] + point["r.y"]
    assert 0 <= point["x"] < 4


def test_a_rounded_split_is_what_needs_more(image: hl.ImageParam) -> None:
    f = hl.Func("f")
    f[x, y] = image[x, y]
    f.vectorize(x, 8, hl.TailStrategy.RoundUp)
    assert said(f, 10, 4) == ["`f` reads image(x, y), HERE", "for example f(15, 0) reads image(15, 0)"]


def test_a_read_at_values_of_a_func_has_no_example(image: hl.ImageParam) -> None:
    f, h = hl.Func("f"), hl.Func("h")
    h[x, y] = hl.clamp(x * y, 0, 20)
    f[x, y] = image[h[x, y], y]
    h.compute_root()
    assert said(f, 10, 4) == ["`f` reads image(h(x, y), y), HERE"]


def test_a_callable_says_it_too(image: hl.ImageParam) -> None:
    f = hl.Func("f")
    f[x, y] = image[x, y / 2 + 7]
    call = f.compile_to_callable([image])
    held, out = hl.Buffer(np.zeros((10, 10), np.int32)), hl.Buffer(np.zeros((10, 10), np.int32))
    with pytest.raises(hl.BufferError, match=r"for example f\(0, 9\) reads image\(0, 11\)"):
        call(held, out)


def test_parameters_and_shifted_outputs_count(image: hl.ImageParam) -> None:
    f, shift = hl.Func("f"), hl.Param(hl.Int(32), "shift", 3)
    f[x, y] = image[x + shift, y]
    out = hl.Buffer(np.zeros((2, 4), np.int32))
    out.set_min([5, 2])
    with pytest.raises(hl.BufferError, match=r"for example f\(8, 2\) reads image\(11, 2\)"):
        f.realize(out)


def test_handlers_of_errors_are_told_too(image: hl.ImageParam) -> None:
    f, told = hl.Func("f"), list[str]()
    f[x, y] = image[x + 1, y]
    f.set_error_handler(told.append)
    f.realize([10, 1])
    assert "f(9, 0) reads image(10, 0)" in told[0]


def test_a_func_in_the_loops_of_a_reader_of_what_is_inlined_is_found_too() -> None:
    image, f, g, h = hl.ImageParam(hl.UInt(8), 2, "image"), hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x, y] = image[x + 4, y]
    g[x, y] = f[x, y] + 1
    h[x, y] = g[x, y] + g[x + 1, y]
    f.store_at(h, y).compute_at(h, x)
    image.set(hl.Buffer(np.zeros((10, 10), np.uint8)))
    with pytest.raises(hl.BufferError, match=r"`f` reads image\(x \+ 4, y\)"):
        h.realize([10, 10])
