"""Fill in what a photograph does not show: colours spread from where alpha is high to where it is low.

python -m apps.interpolate [PHOTO] --out interpolate.png [--known 0.05]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
from apps.photo import Picture
from schedules import interpolate as schedules

LEVELS = 10


def interpolate() -> Algorithm:
    """RGBA as floats from 0 to 1 in, RGB out, over pyramids of so many levels; alpha is how sure a pixel is.

    On the way down, each level has half the width and height, and colours weighted by alpha. On the way up, what a
    level is not sure of comes from the coarser one. Far down edges are repeated again, or levels would reach too far.
    """
    rgba = hl.ImageParam(hl.Float(32), 3, "rgba")
    rgba.dim(2).set_bounds(0, 4)
    x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
    edged = hl.BoundaryConditions.repeat_edge(rgba)
    down_x, down, up_x, up, filled = (
        [hl.Func(f"{name}_{level}") for level in range(LEVELS)] for name in ("down_x", "down", "up_x", "up", "filled")
    )
    normalized = hl.Func("normalized")

    down[0][x, y, c] = hl.select(c < 3, edged[x, y, c] * edged[x, y, 3], edged[x, y, 3])
    for level in range(1, LEVELS):
        finer = down[level - 1]
        if level == 4:
            edge_x, edge_y = rgba.width() / (1 << (level - 1)), rgba.height() / (1 << (level - 1))
            finer = hl.lambda_func(x, y, c, down[level - 1][hl.clamp(x, 0, edge_x), hl.clamp(y, 0, edge_y), c])
        down_x[level][x, y, c] = (finer[x * 2 - 1, y, c] + 2 * finer[x * 2, y, c] + finer[x * 2 + 1, y, c]) * hl.f32(
            0.25
        )
        in_x = down_x[level]
        down[level][x, y, c] = (in_x[x, y * 2 - 1, c] + 2 * in_x[x, y * 2, c] + in_x[x, y * 2 + 1, c]) * hl.f32(0.25)

    filled[LEVELS - 1][x, y, c] = down[LEVELS - 1][x, y, c]
    for level in reversed(range(LEVELS - 1)):
        coarser = filled[level + 1]
        up_x[level][x, y, c] = (coarser[x / 2, y, c] + coarser[(x + 1) / 2, y, c]) / 2
        up[level][x, y, c] = (up_x[level][x, y / 2, c] + up_x[level][x, (y + 1) / 2, c]) / 2
        filled[level][x, y, c] = down[level][x, y, c] + (1 - down[level][x, y, 3]) * up[level][x, y, c]
    normalized[x, y, c] = filled[0][x, y, c] / filled[0][x, y, 3]

    stages = (*down, *down_x[1:], *filled, *up_x[:-1], *up[:-1], normalized)
    return Algorithm((rgba,), {stage.name(): stage for stage in stages})


def _prepare(picture: Picture, known: float) -> tuple[list[Picture], Picture]:
    """A picture that is opaque everywhere keeps a share of its pixels, the same ones each time."""
    rgba = photo.floats(picture)
    if rgba[3].min() == 1:
        rgba[3] = np.random.default_rng(0).random(rgba[3].shape) < known
    return [rgba], np.zeros_like(rgba[:3])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command.parser("interpolate", "Fill in the colours of pixels that are transparent.", bytes_per_pixel=80)
    parser.add_argument(
        "--known", type=float, default=0.05, help="share of the pixels that an opaque picture keeps (%(default)s)"
    )
    options = parser.parse_args(arguments)
    if not 0 <= options.known <= 1:
        parser.error(f"--known is a share, from 0 to 1, not {options.known}")
    command.run(
        options,
        interpolate,
        schedules.interpolate,
        lambda picture: _prepare(picture, options.known),
        photo.from_floats,
        opencl=schedules.interpolate_opencl,
        plain=schedules.plain,
        alpha=True,
    )


if __name__ == "__main__":
    main()
