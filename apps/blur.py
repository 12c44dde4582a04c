"""Blur a photograph with a 3x3 box: the smallest pipeline in which the schedule decides everything.

python -m apps.blur [PHOTO] --out blurred.png
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
from apps.photo import Picture
from schedules import blur as schedules


def blur_grey() -> Algorithm:
    """Grey in 16 bits, no border: the result is two rows and two columns smaller.

    Sums wrap at 16 bits, so pixels have to stay under 2**16 / 3; a camera's sensor gives 12 bits.
    """
    grey = hl.ImageParam(hl.UInt(16), 2, "grey")
    x, y = hl.Var("x"), hl.Var("y")
    blur_x, blur_y = hl.Func("blur_x"), hl.Func("blur_y")

    blur_x[x, y] = (grey[x, y] + grey[x + 1, y] + grey[x + 2, y]) / 3
    blur_y[x, y] = (blur_x[x, y] + blur_x[x, y + 1] + blur_x[x, y + 2]) / 3
    return Algorithm((grey,), {"blur_x": blur_x, "blur_y": blur_y})


def blur_rgb() -> Algorithm:
    """Channels of 8 bits, summed in 16; pixels beyond the edge repeat it, so the result has the picture's size."""
    rgb = hl.ImageParam(hl.UInt(8), 3, "rgb")
    x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
    wide, blur_x, blur_y = hl.Func("wide"), hl.Func("blur_x"), hl.Func("blur_y")

    wide[x, y, c] = hl.u16(hl.BoundaryConditions.repeat_edge(rgb)[x, y, c])
    blur_x[x, y, c] = (wide[x - 1, y, c] + wide[x, y, c] + wide[x + 1, y, c]) / 3
    blur_y[x, y, c] = hl.u8((blur_x[x, y - 1, c] + blur_x[x, y, c] + blur_x[x, y + 1, c]) / 3)
    return Algorithm((rgb,), {"blur_x": blur_x, "blur_y": blur_y})


def blur_soft() -> Algorithm:
    """Channels in floats, weighed 1, 4, 6, 4, 1 sixteenths in each direction; pixels beyond the edge repeat it."""
    rgb = hl.ImageParam(hl.Float(32), 3, "rgb")
    x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
    blur_y, blur_x = hl.Func("blur_y"), hl.Func("blur_x")
    edge = hl.BoundaryConditions.repeat_edge(rgb)
    outer, inner, middle = hl.f32(1 / 16), hl.f32(4 / 16), hl.f32(6 / 16)

    blur_y[x, y, c] = (
        outer * (edge[x, y - 2, c] + edge[x, y + 2, c])
        + inner * (edge[x, y - 1, c] + edge[x, y + 1, c])
        + middle * edge[x, y, c]
    )
    blur_x[x, y, c] = (
        outer * (blur_y[x - 2, y, c] + blur_y[x + 2, y, c])
        + inner * (blur_y[x - 1, y, c] + blur_y[x + 1, y, c])
        + middle * blur_y[x, y, c]
    )
    return Algorithm((rgb,), {"blur_y": blur_y, "blur_x": blur_x})


def _sensor(picture: Picture) -> tuple[list[Picture], Picture]:
    command.at_least(picture, 3, 3, "to blur without a border")
    sensor = photo.brightness(picture, bits=12)
    return [sensor], np.zeros((sensor.shape[0] - 2, sensor.shape[1] - 2), np.uint16)


def _colours(picture: Picture) -> tuple[list[Picture], Picture]:
    colours = photo.channels(picture, bits=8)
    return [colours], np.zeros_like(colours)


def _floats(picture: Picture) -> tuple[list[Picture], Picture]:
    colours = photo.floats(picture)
    return [colours], np.zeros_like(colours)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command.parser("blur", "Blur a photograph with a 3x3 box.")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--grey", action="store_true", help="blur its brightness, in 16 bits, instead of its colours")
    kind.add_argument("--soft", action="store_true", help="blur over 5x5 pixels, in floats, the middle counting most")
    options = parser.parse_args(arguments)
    if options.grey:
        hand, opencl = schedules.blur_grey, schedules.blur_grey_opencl
        command.run(options, blur_grey, hand, _sensor, lambda blurred: blurred << 4, opencl=opencl)
    elif options.soft:
        hand, opencl = schedules.blur_soft, schedules.blur_soft_opencl
        command.run(options, blur_soft, hand, _floats, photo.from_floats, opencl=opencl)
    else:
        command.run(options, blur_rgb, schedules.blur_rgb, _colours, opencl=schedules.blur_rgb_opencl)


if __name__ == "__main__":
    main()
