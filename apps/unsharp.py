"""Sharpen a photograph: where its brightness differs from a blurred copy of itself, make the difference twice as large.

python -m apps.unsharp [PHOTO] --out unsharp.png
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, pi, sqrt

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
from apps.photo import Picture
from schedules import unsharp as schedules

SIGMA = 1.5


def unsharp() -> Algorithm:
    """Colours in floats. Brightness is sharpened, and the colours of a pixel keep their proportions."""
    rgb = hl.ImageParam(hl.Float(32), 3, "rgb")
    x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
    grey, blur_y, blur_x = hl.Func("grey"), hl.Func("blur_y"), hl.Func("blur_x")
    sharper, ratio, output = hl.Func("sharper"), hl.Func("ratio"), hl.Func("output")
    g0, g1, g2, g3 = (hl.f32(exp(-n * n / (2 * SIGMA**2)) / (sqrt(2 * pi) * SIGMA)) for n in range(4))
    edge = hl.BoundaryConditions.repeat_edge(rgb)

    grey[x, y] = hl.f32(0.299) * edge[x, y, 0] + hl.f32(0.587) * edge[x, y, 1] + hl.f32(0.114) * edge[x, y, 2]
    blur_y[x, y] = (
        g0 * grey[x, y]
        + g1 * (grey[x, y - 1] + grey[x, y + 1])
        + g2 * (grey[x, y - 2] + grey[x, y + 2])
        + g3 * (grey[x, y - 3] + grey[x, y + 3])
    )
    blur_x[x, y] = (
        g0 * blur_y[x, y]
        + g1 * (blur_y[x - 1, y] + blur_y[x + 1, y])
        + g2 * (blur_y[x - 2, y] + blur_y[x + 2, y])
        + g3 * (blur_y[x - 3, y] + blur_y[x + 3, y])
    )
    sharper[x, y] = 2 * grey[x, y] - blur_x[x, y]
    ratio[x, y] = sharper[x, y] / grey[x, y]
    output[x, y, c] = ratio[x, y] * rgb[x, y, c]
    stages = {"grey": grey, "blur_y": blur_y, "blur_x": blur_x, "ratio": ratio, "output": output}
    return Algorithm((rgb,), stages)


def _colours(picture: Picture) -> tuple[list[Picture], Picture]:
    colours = photo.floats(photo.colours(picture))
    return [colours], np.zeros_like(colours)


def main(arguments: Sequence[str] | None = None) -> None:
    options = command.parser("unsharp", "Sharpen a photograph by what a blurred copy lacks.").parse_args(arguments)
    command.run(options, unsharp, schedules.unsharp, _colours, photo.from_floats, opencl=schedules.unsharp_opencl)


if __name__ == "__main__":
    main()
