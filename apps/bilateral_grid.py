"""Smooth a photograph's brightness, but not across its edges, in a coarse grid of places and brightnesses.

python -m apps.bilateral_grid [PHOTO] --out smooth.png

After Chen, Paris and Durand, "Real-time Edge-Aware Image Processing with the Bilateral Grid" (2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
from apps.photo import Picture
from schedules import bilateral_grid as schedules

CELL = 8  # pixels that a cell of the grid is wide and high
DEPTH = 10  # cells from black to white, less one: brightness differences over a tenth are edges
BLUR = ((-2, 1.0), (-1, 4.0), (0, 6.0), (1, 4.0), (2, 1.0))  # distances and weights

x, y, z, c = hl.Var("x"), hl.Var("y"), hl.Var("z"), hl.Var("c")


def bilateral_grid(depth: float = DEPTH) -> Algorithm:
    """Grey in floats from 0 to 1.

    Channel 0 of the grid holds the sum of a cell's pixels, channel 1 their number. Blurred, and interpolated at a
    pixel's place and brightness, they are the weighted mean of the pixels around that have about its brightness.
    """
    grey = hl.ImageParam(hl.Float(32), 2, "grey")
    names = ("value", "layer", "grid", "deep", "wide", "tall", "across", "output")
    value, layer, grid, deep, wide, tall, across, output = (hl.Func(name) for name in names)

    value[x, y] = hl.clamp(hl.BoundaryConditions.repeat_edge(grey)[x, y], 0.0, 1.0)
    layer[x, y] = hl.i32(value[x, y] * hl.f32(depth) + 0.5)
    within = hl.RDom([(0, CELL), (0, CELL)], "within")
    pixel = x * CELL + within.x - CELL // 2, y * CELL + within.y - CELL // 2
    grid[x, y, z, c] = hl.f32(0)
    grid[x, y, layer[pixel], c] += hl.mux(c, [value[pixel], 1.0])

    deep[x, y, z, c] = sum(grid[x, y, z + d, c] * weight for d, weight in BLUR)
    wide[x, y, z, c] = sum(deep[x + d, y, z, c] * weight for d, weight in BLUR)
    tall[x, y, z, c] = sum(wide[x, y + d, z, c] * weight for d, weight in BLUR)

    across[x, y, z, c] = hl.lerp(tall[x // CELL, y, z, c], tall[x // CELL + 1, y, z, c], hl.f32(x % CELL) / CELL)
    place = hl.clamp(grey[x, y], 0.0, 1.0) * hl.f32(depth)
    above = hl.i32(place)
    down = [[_down(across, above + dz, channel) for channel in (0, 1)] for dz in (0, 1)]
    total, count = (hl.lerp(near, far, place - hl.f32(above)) for near, far in zip(*down, strict=True))
    output[x, y] = total / count
    stages = (value, layer, grid, deep, wide, tall, across, output)
    return Algorithm((grey,), dict(zip(names, stages, strict=True)))


def _down(across: hl.Func, layer: hl.Expr, channel: int) -> hl.Expr:
    near, far = (across[x, y // CELL + d, layer, channel] for d in (0, 1))
    return hl.lerp(near, far, hl.f32(y % CELL) / CELL)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command.parser("bilateral_grid", "Smooth a photograph's brightness, but not across its edges.")
    parser.add_argument(
        "--edge", type=float, default=1 / DEPTH, help="differences that count as edges, of 1 for white (%(default)s)"
    )
    options = parser.parse_args(arguments)
    if not 0.02 <= options.edge <= 1:
        parser.error("--edge has to lie between 0.02 and 1")

    def prepare(picture: Picture) -> tuple[list[Picture], Picture]:
        grey = photo.brightness(picture, bits=16).astype(np.float32) / np.float32(65535)
        return [grey], np.zeros_like(grey)

    def finish(result: Picture) -> Picture:
        return np.clip(result * 255 + 0.5, 0, 255).astype(np.uint8)

    hand, plain = schedules.bilateral_grid, schedules.bilateral_grid_plain
    build, opencl = partial(bilateral_grid, 1 / options.edge), schedules.bilateral_grid_opencl
    command.run(options, build, hand, prepare, finish, opencl=opencl, plain=plain)


if __name__ == "__main__":
    main()
