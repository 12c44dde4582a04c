"""Find corners in a photograph, as Harris does: where brightness changes in two directions at once.

python -m apps.harris [PHOTO] --out harris.png
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
from apps.photo import Picture
from schedules import harris as schedules


def harris() -> Algorithm:
    """How much of a corner each pixel is. No border: the result is four rows and four columns smaller."""
    rgb = hl.ImageParam(hl.Float(32), 3, "rgb")
    x, y = hl.Var("x"), hl.Var("y")
    grey, dx, dy, corners = hl.Func("grey"), hl.Func("dx"), hl.Func("dy"), hl.Func("corners")
    once, twice = hl.f32(1 / 12), hl.f32(2 / 12)

    grey[x, y] = hl.f32(0.299) * rgb[x, y, 0] + hl.f32(0.587) * rgb[x, y, 1] + hl.f32(0.114) * rgb[x, y, 2]
    dy[x, y] = once * ((grey[x, y + 2] - grey[x, y]) + (grey[x + 2, y + 2] - grey[x + 2, y])) + twice * (
        grey[x + 1, y + 2] - grey[x + 1, y]
    )
    dx[x, y] = once * ((grey[x + 2, y] - grey[x, y]) + (grey[x + 2, y + 2] - grey[x, y + 2])) + twice * (
        grey[x + 2, y + 1] - grey[x, y + 1]
    )
    xx, yy, xy = (_around(name, a, b) for name, a, b in (("xx", dx, dx), ("yy", dy, dy), ("xy", dx, dy)))
    trace = xx[x, y] + yy[x, y]
    corners[x, y] = (xx[x, y] * yy[x, y] - xy[x, y] * xy[x, y]) - hl.f32(0.04) * trace * trace
    return Algorithm((rgb,), {"grey": grey, "dx": dx, "dy": dy, "corners": corners})


def _around(name: str, a: hl.Func, b: hl.Func) -> hl.Func:
    """The sum of a * b over 3x3 pixels."""
    x, y = hl.Var("x"), hl.Var("y")
    product, total = hl.Func(name), hl.Func(f"sum_{name}")
    product[x, y] = a[x, y] * b[x, y]
    above, here, below = (product[x, y + n] + product[x + 1, y + n] + product[x + 2, y + n] for n in range(3))
    total[x, y] = above + here + below
    return total


def _colours(picture: Picture) -> tuple[list[Picture], Picture]:
    command.at_least(picture, 5, 5, "to find corners without a border")
    colours = photo.floats(photo.colours(picture))
    return [colours], np.zeros((picture.shape[1] - 4, picture.shape[2] - 4), np.float32)


def _bright(corners: Picture) -> Picture:
    """The strongest corner white, weaker ones darker, and edges and plains black."""
    strongest = max(float(corners.max()), float(np.finfo(np.float32).tiny))
    return photo.from_floats(np.cbrt(np.maximum(corners, 0) / strongest))


def main(arguments: Sequence[str] | None = None) -> None:
    options = command.parser("harris", "Find corners in a photograph; the picture shows them white.").parse_args(
        arguments
    )
    command.run(options, harris, schedules.harris, _colours, _bright, opencl=schedules.harris_opencl)


if __name__ == "__main__":
    main()
