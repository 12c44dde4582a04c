"""Blur a photograph with a 3x3 box: the smallest pipeline in which the schedule decides everything.

python -m apps.blur [PHOTO] --out blurred.png
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command.parser("blur", "Blur a photograph with a 3x3 box.")
    parser.add_argument("--grey", action="store_true", help="blur its brightness, in 16 bits, instead of its colours")
    options = parser.parse_args(arguments)
    picture = command.read_picture(options)
    scheduled = options.schedule == "hand"

    if options.grey:
        sensor = photo.brightness(picture, bits=12)
        result = np.zeros((sensor.shape[0] - 2, sensor.shape[1] - 2), np.uint16)
        speed = command.run(blur_grey(), schedules.blur_grey, [sensor], result, scheduled)
        photo.save(options.out, result << 4)
    else:
        colours = photo.channels(picture, bits=8)
        result = np.zeros_like(colours)
        speed = command.run(blur_rgb(), schedules.blur_rgb, [colours], result, scheduled)
        photo.save(options.out, result)
    print(f"blur: {photo.describe(picture)} from {options.photo.name}, {options.schedule} schedule: {speed}")
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
