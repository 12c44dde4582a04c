"""The C of two small pipelines, whole, for a register width that does not depend on the machine."""

from __future__ import annotations

from typing import Any

import halopy as hl
from halopy.compile import compile_pipeline
from halopy.lang.snapshot import snapshot
from halopy.target import parse_target

x, y, yi = (hl.Var(n) for n in ("x", "y", "yi"))


def c_text(output: hl.Func) -> str:
    taken = snapshot([output._contents])
    text = compile_pipeline(taken.program, taken.schedules, parse_target("x86-64-linux-avx2")).text
    return "\n".join(line.split("  [")[0] for line in text.splitlines())  # without the directives' file and line


def test_a_blur_in_strips(golden: Any) -> None:
    grey = hl.ImageParam(hl.UInt(16), 2, "grey")
    blur_x, blur_y = hl.Func("blur_x"), hl.Func("blur_y")
    blur_x[x, y] = (grey[x, y] + grey[x + 1, y] + grey[x + 2, y]) / 3
    blur_y[x, y] = (blur_x[x, y] + blur_x[x, y + 1] + blur_x[x, y + 2]) / 3
    blur_y.split(y, y, yi, 8).parallel(y).vectorize(x, 16)
    blur_x.store_at(blur_y, y).compute_at(blur_y, yi).vectorize(x, 16)
    assert golden == c_text(blur_y)


def test_a_histogram(golden: Any) -> None:
    picture = hl.ImageParam(hl.UInt(8), 2, "picture")
    r = hl.RDom(picture, "r")
    histogram, cumulative = hl.Func("histogram"), hl.Func("cumulative")
    histogram[x] = hl.u32(0)
    histogram[hl.i32(picture[r.x, r.y])] += hl.u32(1)
    bins = hl.RDom([(1, 255)], "bins")
    cumulative[x] = histogram[x]
    cumulative[bins] += cumulative[bins - 1]
    histogram.compute_root().vectorize(x, 8)
    cumulative.bound(x, 0, 256)
    assert golden == c_text(cumulative)
